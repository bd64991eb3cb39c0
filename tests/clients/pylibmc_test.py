"""pylibmc: Python on C's libmemcached, here with its text protocol."""

import pylibmc

import harness


class PylibmcTest(harness.ServerTestCase):
    def client(self, **behaviors):
        server = self.serve()
        return pylibmc.Client([server.address], behaviors=behaviors)

    def test_values_of_every_type_come_back(self):
        client = self.client()
        for value in (b"bytes", "text", 42, True, {"a": [1, 2]}, None, "x" * 100000):
            self.assertTrue(client.set("k", value))
            self.assertEqual(client.get("k"), value)
        self.assertTrue(client.set("k", "x" * 100000, min_compress_len=1000))
        self.assertEqual(client.get("k"), "x" * 100000)

    def test_storing_verbs(self):
        client = self.client()
        self.assertTrue(client.add("k", "one"))
        self.assertFalse(client.add("k", "two"))
        self.assertTrue(client.replace("k", "three"))
        self.assertFalse(client.replace("missing", "x"))
        self.assertTrue(client.append("k", "-end"))
        self.assertTrue(client.prepend("k", "start-"))
        self.assertEqual(client.get("k"), "start-three-end")
        self.assertTrue(client.delete("k"))
        self.assertFalse(client.delete("k"))
        self.assertIsNone(client.get("k"))

    def test_many_keys(self):
        client = self.client()
        values = {f"key{i}": i for i in range(1000)}
        self.assertEqual(client.set_multi(values), [])
        self.assertEqual(client.get_multi(list(values) + ["missing"]), values)
        self.assertTrue(client.delete_multi(list(values)))
        self.assertEqual(client.get_multi(list(values)), {})

    def test_numbers(self):
        client = self.client()
        client.set("n", "7")
        self.assertEqual(client.incr("n"), 8)
        self.assertEqual(client.incr("n", 10), 18)
        self.assertEqual(client.decr("n", 8), 10)
        with self.assertRaises(pylibmc.NotFound):
            client.incr("missing")

    def test_compare_and_swap(self):
        client = self.client(cas=True)
        client.set("k", "one")
        value, unique = client.gets("k")
        self.assertEqual(value, "one")
        self.assertTrue(client.cas("k", "two", unique))
        self.assertFalse(client.cas("k", "three", unique))
        self.assertEqual(client.get("k"), "two")

    def test_touch_flush_and_stats(self):
        client = self.client()
        client.set("k", "v")
        self.assertTrue(client.touch("k", 100))
        ((_, stats),) = client.get_stats()
        self.assertEqual(stats["curr_items"], b"1" if isinstance(stats["curr_items"], bytes) else "1")
        self.assertTrue(client.flush_all())
        self.assertIsNone(client.get("k"))

    def test_non_blocking_writes(self):
        client = self.client(no_block=True, tcp_nodelay=True)
        for i in range(2000):
            client.set(f"k{i}", i)
        self.assertEqual(client.get("k1999"), 1999)

    def test_two_servers_and_ketama(self):
        servers = [self.serve(), self.serve()]
        client = pylibmc.Client(
            [server.address for server in servers], behaviors={"ketama": True}
        )
        values = {f"key{i}": i for i in range(300)}
        client.set_multi(values)
        self.assertEqual(client.get_multi(list(values)), values)
        self.assertGreater(min(int(server.stats()["curr_items"]) for server in servers), 0)
