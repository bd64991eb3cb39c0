"""Clients of clusters, before one node that says it is all of one."""

import os

import redis

import harness
import resp_clients

HERE = os.path.dirname(os.path.abspath(__file__))


class ClusterClientsTest(resp_clients.RespClientTestCase):
    FLAGS = ("--cluster-mode=emulated", "--cluster-announce-ip=127.0.0.1")

    def test_npm(self):
        script = os.path.join(HERE, "npm_cluster_client.js")
        for server, password, memcached in self.servers():
            output = self.run_program("node", script, "127.0.0.1", server.port, password)
            self.assertEqual(output.count("ok "), 7, output)
            self.assertEqual(memcached.get(b"name7"), "name7-Grüße, 世界 \U0001F4E6".encode())

    def test_redis_py(self):
        for server, password, memcached in self.servers():
            client = redis.RedisCluster("127.0.0.1", server.port, password=password or None,
                                        socket_timeout=harness.DEADLINE_S)
            self.assertEqual(len(client.get_nodes()), 1)
            values = {f"name:{i}": b"%d" % i for i in range(100)}
            client.mset_nonatomic(values)
            self.assertEqual(client.mget_nonatomic(*values), list(values.values()))
            self.assertEqual(set(client.scan_iter(match="name:*")),
                             {name.encode() for name in values})
            self.assertEqual(client.delete(*values), 100)
            client.set("left", "v")
            self.assertEqual(memcached.get(b"left"), b"v")
            client.close()

    def test_redis_cli(self):
        for server, password, _ in self.servers():
            words = ["redis-cli", "-c", "-p", server.port]
            words += ["-a", password, "--no-auth-warning"] if password else []
            self.assertEqual(self.run_program(*words, "SET", "k", "v"), "OK\n")
            self.assertEqual(self.run_program(*words, "GET", "k"), "v\n")
            self.assertIn("cluster_enabled:1", self.run_program(*words, "INFO", "cluster"))
