"""A Redis cluster of one node (--cluster-mode=emulated), for clients that know nothing else."""

import redis
import redis.cluster

import harness
import resp_protocol as resp

DISABLED = resp.Error("ERR This instance has cluster support disabled")
SLOTS_MAX = 16383


class RespClusterTest(harness.ServerTestCase):
    def serve_cluster(self, *flags, **options):
        return self.serve("--cluster-mode=emulated", *flags, threads=2, **options)

    def test_without_it_there_is_none(self):
        client = self.enterContext(self.serve().connect())
        for words in (("CLUSTER", "SLOTS"), ("CLUSTER", "KEYSLOT", "k"), ("READONLY",),
                      ("READWRITE",), ("ASKING",)):
            self.assertEqual(resp.ask(client, *words), DISABLED)
        self.assertIn(b"cluster_enabled:0", resp.ask(client, "INFO"))

    def test_what_it_tells(self):
        server = self.serve_cluster()
        client = self.enterContext(server.connect())
        number = resp.ask(client, "CLUSTER", "MYID")
        self.assertRegex(number, rb"^[0-9a-f]{40}$")
        node = [b"127.0.0.1", server.port, number, []]
        self.assertEqual(resp.ask(client, "CLUSTER", "SLOTS"), [[0, SLOTS_MAX, node]])
        shards = resp.ask(client, "CLUSTER", "SHARDS")
        self.assertEqual(len(shards), 1)
        shard = dict(zip(shards[0][::2], shards[0][1::2]))
        self.assertEqual(shard[b"slots"], [0, SLOTS_MAX])
        described = dict(zip(shard[b"nodes"][0][::2], shard[b"nodes"][0][1::2]))
        self.assertEqual(
            (described[b"id"], described[b"port"], described[b"ip"], described[b"role"]),
            (number, server.port, b"127.0.0.1", b"master"))
        self.assertEqual(
            resp.ask(client, "CLUSTER", "NODES"),
            b"%s 127.0.0.1:%d@0 myself,master - 0 0 1 connected 0-%d\n" % (
                number, server.port, SLOTS_MAX))
        self.assertIn(b"cluster_state:ok\r\ncluster_slots_assigned:16384",
                      resp.ask(client, "CLUSTER", "INFO"))
        for key, slot in (("foo", 12182), ("{foo}x", 12182), ("123456789", 0x31C3)):
            self.assertEqual(resp.ask(client, "CLUSTER", "KEYSLOT", key), slot)
        self.assertEqual(resp.ask_all(client, ("READONLY",), ("READWRITE",), ("ASKING",)), ["OK"] * 3)
        info = resp.ask(client, "INFO")
        self.assertIn(b"cluster_enabled:1", info)
        self.assertIn(b"redis_mode:cluster", info)

    def test_any_keys_go_together(self):
        client = self.enterContext(self.serve_cluster().connect())
        pairs = [word for i in range(20) for word in (b"key%d" % i, b"%d" % i)]
        self.assertEqual(resp.ask(client, "MSET", *pairs), "OK")
        self.assertEqual(resp.ask(client, "MGET", *pairs[::2]), pairs[1::2])
        self.assertEqual(resp.ask(client, "SELECT", 0), "OK")
        self.assertEqual(resp.ask(client, "SELECT", 1),
                         resp.Error("ERR SELECT is not allowed in cluster mode"))

    def test_an_announced_address(self):
        server = self.serve_cluster("--cluster-announce-ip", "cache.example")
        client = self.enterContext(server.connect())
        self.assertEqual(resp.ask(client, "CLUSTER", "SLOTS")[0][2][:2],
                         [b"cache.example", server.port])

    def test_redis_cli(self):
        server = self.serve_cluster()
        for words, wanted in ((("SET", "k", "v"), "OK\n"), (("GET", "k"), "v\n"),
                              (("MSET", "a", "1", "b", "2"), "OK\n")):
            self.assertEqual(self.run_program("redis-cli", "-c", "-p", server.port, *words), wanted)

    def test_redis_py(self):
        server = self.serve_cluster()
        client = redis.cluster.RedisCluster("127.0.0.1", server.port,
                                            socket_timeout=harness.DEADLINE_S)
        self.addCleanup(client.close)
        for i in range(100):
            self.assertTrue(client.set(f"k{i}", i))
        self.assertEqual([client.get(f"k{i}") for i in range(100)], [b"%d" % i for i in range(100)])
        self.assertTrue(client.mset_nonatomic({f"k{i}": "x" for i in range(100)}))
        self.assertEqual(client.mget_nonatomic("k1", "none", "k2"), [b"x", None, b"x"])
        self.assertEqual(client.delete("k1"), 1)
        pipeline = client.pipeline()
        pipeline.set("p", "1").incr("p").get("p")
        self.assertEqual(pipeline.execute(), [True, 2, b"2"])
        self.assertEqual(client.keyslot("foo"), client.cluster_keyslot("foo"))
