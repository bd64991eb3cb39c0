"""redis-py: the client of Python programs, on Memcached's port."""

import asyncio
import os
import tempfile

import redis
import redis.asyncio

import harness
import resp_clients


class RedisPyTest(resp_clients.RespClientTestCase):
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

    def test_users(self):
        users = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "users")
        with open(users, "w", encoding="ascii") as file:
            file.write("ann:one\nbob:two\n")
        server = self.serve("-Y", users, "--requirepass", "secret", threads=2)
        for name, password, comes_in in (
                ("ann", "one", True), ("default", "secret", True), (None, "secret", True),
                ("ann", "two", False), ("none", "one", False), (None, "one", False)):
            client = redis.Redis("127.0.0.1", server.port, username=name, password=password)
            with self.subTest(name=name, password=password), client:
                if comes_in:
                    self.assertTrue(client.ping())
                else:
                    with self.assertRaisesRegex(redis.RedisError, "^WRONGPASS"):
                        client.ping()

    def test_unix_socket(self):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "socket")
        self.serve("-s", path, "--requirepass", "secret", tcp=False, threads=2)
        harness.eventually(lambda: os.path.exists(path), "the socket is there")
        client = redis.Redis(unix_socket_path=path, password="secret", db=2)
        self.assertTrue(client.mset({"a": 1, "b": 2}))
        self.assertEqual(client.mget("a", "b", "none"), [b"1", b"2", None])
        client.close()

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

    def test_transactions(self):
        client = self.client()
        with client.pipeline(transaction=True) as transaction:
            self.assertEqual(transaction.set("x", 1).incr("x").get("none").execute(),
                             [True, 2, None])
            transaction.watch("x")
            client.set("x", "changed")
            transaction.multi()
            transaction.set("x", "lost")
            with self.assertRaises(redis.WatchError):
                transaction.execute()
        self.assertEqual(client.get("x"), b"changed")
        with client.pipeline(transaction=True) as transaction:
            with self.assertRaisesRegex(redis.ResponseError, "unknown command"):
                transaction.set("x", "lost").lpush("list", "v").execute()
        self.assertEqual(client.get("x"), b"changed")

        def double(transaction):
            before = int(transaction.get("n"))
            transaction.multi()
            transaction.set("n", 2 * before)

        client.set("n", 21)
        client.transaction(double, "n")
        self.assertEqual(client.get("n"), b"42")

    def test_keys(self):
        client = self.client("--keys-output-limit", "100")
        names = {b"name:%d" % i for i in range(20000)}
        client.mset({name: "v" for name in names})
        self.assertLess(len(client.keys("*")), 5000)
        self.assertEqual(set(client.scan_iter(match="name:*", count=1000)), names)
        self.assertEqual(client.dbsize(), len(names))
        client.flushall()
        self.assertEqual(client.dbsize(), 0)

    def test_limits(self):
        client = self.client()
        for value in (resp_clients.BINARY, b"x" * 900000, b"", "Grüße, 世界".encode()):
            client.set("large", value)
            self.assertEqual(client.get("large"), value)
        client.set("large", "old")
        with self.assertRaisesRegex(redis.ResponseError, r"^string exceeds maximum allowed size"):
            client.set("large", b"x" * (3 << 20))
        self.assertEqual(client.get("large"), b"old")
        client.set("k" * 65535, "v")
        self.assertEqual(client.mget("k" * 65535, "none"), [b"v", None])
        with self.assertRaisesRegex(redis.ResponseError, "^key is longer than 65535 bytes"):
            client.set("k" * 65536, "v")

    def test_unknown_commands_do_not_close(self):
        client = self.client(single_connection_client=True)
        number = client.client_id()
        for ask in (lambda: client.lpush("l", "x"), lambda: client.hset("h", "f", "v"),
                    lambda: client.eval("return 1", 0), lambda: client.publish("c", "x")):
            with self.assertRaisesRegex(redis.ResponseError, "^unknown command"):
                ask()
        self.assertEqual(client.client_id(), number)

    def test_locks_ask_for_a_script(self):
        client = self.client()
        lock = client.lock("lock", timeout=100)
        self.assertTrue(lock.acquire(blocking=False))
        self.assertFalse(client.lock("lock").acquire(blocking=False))
        with self.assertRaisesRegex(redis.ResponseError, "^unknown command 'EVALSHA'"):
            lock.release()

    def test_wire(self):
        """What it sends first, how it comes back, and that it shares the items of Memcached."""
        for server, password, memcached in self.servers():
            memcached.set(b"from-memcached", resp_clients.BINARY, flags=5)
            with resp_clients.Tap(server.port) as tap:
                client = redis.Redis("127.0.0.1", tap.port, password=password or None, db=0)
                self.assertEqual(client.get("from-memcached"), resp_clients.BINARY)
                self.assertEqual(client.setex("from-redis", 100, resp_clients.BINARY), True)
                with self.assertRaises(redis.ConnectionError):
                    client.execute_command("PING", resp_clients.CUT)
                self.assertEqual(client.get("from-redis"), resp_clients.BINARY)
                client.close()
            first = ["AUTH secret"] if password else []
            self.check_beginning(tap.first_requests(), [*first, "GET from-memcached"])
            self.assertEqual(memcached.get(b"from-redis"), resp_clients.BINARY)

    def test_asyncio(self):
        server = self.serve(threads=2)

        async def ask():
            client = redis.asyncio.Redis(host="127.0.0.1", port=server.port)
            async with client:
                await asyncio.gather(*[client.incr("counted") for _ in range(500)])
                async with client.pipeline() as transaction:
                    replies = await transaction.get("counted").set("k", "v").execute()
                return replies, [key async for key in client.scan_iter()]

        replies, keys = asyncio.run(ask())
        self.assertEqual(replies, [b"500", True])
        self.assertEqual(sorted(keys), [b"counted", b"k"])
