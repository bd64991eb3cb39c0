"""redis-py: the client of Python programs, on Memcached's port."""

import redis

import harness


class RedisPyTest(harness.ServerTestCase):
    def client(self, *flags, threads=2, **options):
        server = self.serve(*flags, threads=threads)
        client = redis.Redis("127.0.0.1", server.port, socket_timeout=harness.DEADLINE_S, **options)
        self.addCleanup(client.close)
        return client

    def test_strings(self):
        client = self.client()
        self.assertTrue(client.ping())
        self.assertTrue(client.set("k", "v"))
        self.assertIsNone(client.set("k", "w", nx=True))
        self.assertEqual(client.set("k", "w", get=True), b"v")
        self.assertEqual(client.get("k"), b"w")
        self.assertTrue(client.setex("t", 100, "v"))
        self.assertEqual(client.ttl("t"), 100)
        self.assertEqual(client.getex("t", ex=50), b"v")
        self.assertEqual(client.ttl("t"), 50)
        self.assertEqual(client.append("k", "xyz"), 4)
        self.assertEqual(client.getrange("k", 1, 2), b"xy")
        self.assertEqual(client.strlen("k"), 4)
        self.assertEqual(client.incr("n", 5), 5)
        self.assertEqual(client.decr("n"), 4)
        self.assertEqual(client.incrbyfloat("n", 0.5), 4.5)
        self.assertEqual(client.getdel("n"), b"4.5")

    def test_many_keys(self):
        client = self.client()
        values = {f"k{i}": f"v{i}" for i in range(100)}
        self.assertTrue(client.mset(values))
        self.assertEqual(client.mget([*values, "none"]),
                         [value.encode() for value in values.values()] + [None])
        self.assertEqual(client.exists(*values), 100)
        self.assertEqual(client.delete(*values, "none"), 100)

    def test_pipeline(self):
        client = self.client()
        with client.pipeline(transaction=False) as pipeline:
            for i in range(1000):
                pipeline.set(f"k{i}", i).get(f"k{i}")
            self.assertEqual(pipeline.execute(),
                             [each for i in range(1000) for each in (True, str(i).encode())])

    def test_password_and_database(self):
        client = self.client("--requirepass", "secret", password="secret", db=3,
                             client_name="tests")
        client.set("k", "v")
        self.assertEqual(client.client_getname(), "tests")
        self.assertEqual(client.get("k"), b"v")
        client.select(0)
        self.assertIsNone(client.get("k"))

    def test_wrong_password(self):
        with self.assertRaisesRegex(redis.RedisError, "WRONGPASS"):
            self.client("--requirepass", "secret", password="wrong").ping()
        with self.assertRaises(redis.AuthenticationError):
            self.client("--requirepass", "secret").ping()

    def test_errors(self):
        client = self.client()
        client.set("k", "text")
        with self.assertRaisesRegex(redis.ResponseError, "not an integer"):
            client.incr("k")
        with self.assertRaisesRegex(redis.ResponseError, "unknown command"):
            client.lpush("l", "x")

    def test_info(self):
        info = self.client().info()
        self.assertEqual((info["role"], info["loading"], info["cluster_enabled"]),
                         ("master", 0, 0))
