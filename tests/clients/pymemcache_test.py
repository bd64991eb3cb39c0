"""pymemcache: the client that Python programs use most. All of its verbs, and its pipelines."""

from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheClientError, MemcacheServerError

import harness


class PymemcacheTest(harness.ServerTestCase):
    def client(self, **options):
        server = self.serve()
        options = {"default_noreply": False, "timeout": harness.DEADLINE_S, **options}
        client = Client(("127.0.0.1", server.port), **options)
        self.addCleanup(client.close)
        return client

    def test_storing_verbs(self):
        client = self.client()
        self.assertTrue(client.set("k", b"one"))
        self.assertEqual(client.get("k"), b"one")
        self.assertFalse(client.add("k", b"two"))
        self.assertTrue(client.add("new", b"two"))
        self.assertTrue(client.replace("k", b"three"))
        self.assertFalse(client.replace("missing", b"x"))
        self.assertTrue(client.append("k", b"-end"))
        self.assertTrue(client.prepend("k", b"start-"))
        self.assertFalse(client.append("missing", b"x"))
        self.assertEqual(client.get("k"), b"start-three-end")
        self.assertEqual(client.get("missing", "default"), "default")

    def test_compare_and_swap(self):
        client = self.client()
        client.set("k", b"1")
        value, unique = client.gets("k")
        self.assertEqual(value, b"1")
        self.assertTrue(client.cas("k", b"2", unique))
        self.assertFalse(client.cas("k", b"3", unique))
        self.assertIsNone(client.cas("missing", b"3", unique))
        self.assertEqual(client.get("k"), b"2")
        self.assertEqual(set(client.gets_many(["k", "missing"])), {"k"})

    def test_many_keys(self):
        client = self.client()
        values = {f"key{i}": b"v" * i for i in range(500)}
        self.assertEqual(client.set_many(values), [])
        self.assertEqual(client.get_many(list(values) + ["missing"]), values)
        self.assertTrue(client.delete_many(["key1", "key2"]))
        self.assertNotIn("key1", client.get_many(["key1", "key3"]))

    def test_numbers(self):
        client = self.client()
        client.set("n", b"10")
        self.assertEqual(client.incr("n", 5), 15)
        self.assertEqual(client.decr("n", 20), 0)
        self.assertIsNone(client.incr("missing", 1))
        client.set("n", str(2**64 - 1).encode())
        self.assertEqual(client.incr("n", 2), 1)
        client.set("word", b"abc")
        with self.assertRaises(MemcacheClientError):
            client.incr("word", 1)

    def test_delete_touch_and_expiry(self):
        client = self.client()
        client.set("k", b"v", expire=100)
        self.assertTrue(client.touch("k", 200))
        self.assertFalse(client.touch("missing", 200))
        self.assertTrue(client.delete("k"))
        self.assertFalse(client.delete("k"))
        client.set("dead", b"v", expire=-1)
        self.assertIsNone(client.get("dead"))

    def test_noreply_keeps_the_connection_in_step(self):
        client = self.client(default_noreply=True)
        for i in range(1000):
            client.set(f"k{i}", str(i).encode())
        client.incr("k1", 41, noreply=True)
        client.delete("k2")
        client.append("k3", b"!")
        self.assertEqual(client.get("k1"), b"42")
        self.assertIsNone(client.get("k2"))
        self.assertEqual(client.get("k3"), b"3!")
        self.assertEqual(client.get("k999"), b"999")

    def test_server_verbs(self):
        client = self.client()
        client.set("k", b"v")
        self.assertRegex(client.version().decode(), r"^1\.6\.\d+$")
        self.assertEqual(client.stats()[b"curr_items"], 1)
        self.assertIn(b"maxbytes", client.stats("settings"))
        self.assertTrue(client.cache_memlimit(128))
        self.assertTrue(client.flush_all())
        self.assertIsNone(client.get("k"))
        client.quit()

    def test_value_over_the_limit_is_refused_and_the_connection_lives(self):
        client = self.client()
        with self.assertRaises(MemcacheServerError):
            client.set("k", b"x" * (2 << 20))
        self.assertTrue(client.set("k", b"x" * 1000000))
        self.assertEqual(len(client.get("k")), 1000000)

    def test_hash_client_over_two_servers(self):
        servers = [self.serve(), self.serve()]
        client = HashClient([("127.0.0.1", server.port) for server in servers], use_pooling=True)
        self.addCleanup(client.close)
        values = {f"key{i}": str(i).encode() for i in range(200)}
        self.assertEqual(client.set_many(values, noreply=False), [])
        self.assertEqual(client.get_many(list(values)), values)
        counts = [int(server.stats()["curr_items"]) for server in servers]
        self.assertEqual(sum(counts), 200)
        self.assertGreater(min(counts), 0)

    def test_pooled_client(self):
        server = self.serve()
        client = PooledClient(("127.0.0.1", server.port), max_pool_size=4)
        self.addCleanup(client.close)
        self.assertTrue(client.set("k", b"v", noreply=False))
        self.assertEqual(client.get("k"), b"v")
