"""python-binary-memcached: pure Python, in the binary protocol."""

import bmemcached

import harness


class BmemcachedTest(harness.ServerTestCase):
    def client(self, *flags, username=None, password=None, **options):
        server = self.serve(*flags, **options)
        client = bmemcached.Client([server.address], username, password, socket_timeout=30)
        self.addCleanup(client.disconnect_all)
        return client

    def test_storing_verbs(self):
        client = self.client(threads=2)
        self.assertTrue(client.set("k", "one"))
        self.assertEqual(client.get("k"), "one")
        self.assertIsNone(client.get("none"))
        self.assertFalse(client.add("k", "two"))
        self.assertTrue(client.add("new", "two"))
        self.assertTrue(client.replace("k", "three"))
        self.assertFalse(client.replace("none", "x"))
        self.assertTrue(client.delete("k"))
        self.assertIsNone(client.get("k"))

    def test_values_of_every_type_come_back(self):
        client = self.client()
        for value in (b"bytes", "text", 42, {"a": [1, 2]}, None, "x" * 500000, b"\0\r\n\xff"):
            self.assertTrue(client.set("k", value))
            self.assertEqual(client.get("k"), value)
        self.assertTrue(client.set("k", "x" * 100000, compress_level=6))
        self.assertEqual(client.get("k"), "x" * 100000)

    def test_many_keys(self):
        client = self.client(threads=2)
        values = {f"key{i}": f"value{i}" for i in range(300)}
        self.assertEqual(client.set_multi(values), [])
        self.assertEqual(client.get_multi(list(values) + ["none"]), values)
        self.assertTrue(client.delete_multi(list(values)))
        self.assertEqual(client.get_multi(list(values)), {})

    def test_numbers_and_cas(self):
        client = self.client()
        self.assertEqual(client.incr("n", 5, default=10), 10)
        self.assertEqual(client.incr("n", 5), 15)
        self.assertEqual(client.decr("n", 20), 0)
        client.set("k", "one")
        value, unique = client.gets("k")
        self.assertEqual(value, "one")
        self.assertTrue(client.cas("k", "two", unique))
        self.assertFalse(client.cas("k", "three", unique))

    def test_server_verbs(self):
        client = self.client()
        client.set("k", "v")
        (stats,) = client.stats().values()
        self.assertEqual(int(stats["curr_items"]), 1)
        self.assertTrue(client.flush_all())
        self.assertIsNone(client.get("k"))
