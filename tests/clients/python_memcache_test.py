"""python-memcached: the oldest client of Python, pure text."""

import memcache

import harness


class PythonMemcacheTest(harness.ServerTestCase):
    def client(self, **options):
        client = memcache.Client([self.serve().address], debug=False, **options)
        self.addCleanup(client.disconnect_all)
        return client

    def test_values_of_every_type_come_back(self):
        client = self.client()
        for value in (b"bytes", "text", 42, {"a": [1, 2]}, "x" * 100000):
            self.assertTrue(client.set("k", value))
            self.assertEqual(client.get("k"), value)

    def test_storing_verbs(self):
        client = self.client()
        self.assertTrue(client.add("k", "one"))
        self.assertFalse(client.add("k", "two"))
        self.assertTrue(client.replace("k", "three"))
        self.assertTrue(client.append("k", "-end"))
        self.assertTrue(client.prepend("k", "start-"))
        self.assertEqual(client.get("k"), "start-three-end")
        self.assertTrue(client.touch("k", 100))
        self.assertTrue(client.delete("k"))
        self.assertIsNone(client.get("k"))

    def test_many_keys(self):
        client = self.client()
        values = {f"key{i}": i for i in range(500)}
        self.assertEqual(client.set_multi(values), [])
        self.assertEqual(client.get_multi(list(values)), values)
        self.assertTrue(client.delete_multi(list(values)))
        self.assertEqual(client.get_multi(list(values)), {})

    def test_numbers(self):
        client = self.client()
        client.set("n", "7")
        self.assertEqual(client.incr("n", 3), 10)
        self.assertEqual(client.decr("n", 100), 0)
        self.assertIsNone(client.incr("missing"))

    def test_compare_and_swap(self):
        client = self.client(cache_cas=True)
        client.set("k", "one")
        self.assertEqual(client.gets("k"), "one")
        self.assertTrue(client.cas("k", "two"))
        client.gets("k")
        client.set("k", "in between")
        self.assertFalse(client.cas("k", "three"))
        self.assertEqual(client.get("k"), "in between")

    def test_server_verbs(self):
        client = self.client()
        client.set("k", "v")
        ((_, stats),) = client.get_stats()
        self.assertEqual(stats["curr_items"], "1")
        ((_, settings),) = client.get_stats("settings")
        self.assertIn("maxbytes", settings)
        client.flush_all()
        self.assertIsNone(client.get("k"))
