"""redis-cli, as people use it, and redis-benchmark, on both ports."""

import re

import harness
import resp_protocol as resp


class RedisCliTest(harness.ServerTestCase):
    def cli(self, port, *words, **options):
        return self.run_program("redis-cli", "-p", port, *words, **options)

    def test_commands(self):
        server = self.serve("--redis-port", "-1", threads=2)
        for port in server.ports():
            for words, wanted in (
                    (("SET", "k", "v"), "OK\n"), (("GET", "k"), "v\n"), (("INCR", f"n{port}"), "1\n"),
                    (("-3", "GET", "none"), "\n"), (("--no-raw", "GET", "none"), "(nil)\n"),
                    (("--no-raw", "MGET", "k", "none"), '1) "v"\n2) (nil)\n'),
                    (("-n", "2", "GET", "k"), "\n"), (("--no-raw", "TTL", "k"), "(integer) -1\n")):
                self.assertEqual(self.cli(port, *words), wanted, words)

    def test_commands_typed_one_after_the_other(self):
        server = self.serve("--redis-port", "-1", threads=2)
        for port in server.ports():
            output = self.cli(port, typed="SET c 1\nMULTI\nINCR c\nEXEC\nFOO x\n"
                              "HSET h f v\nGET c\n")
            self.assertEqual(
                [line for line in output.splitlines() if line],
                ["OK", "OK", "QUEUED", "2",
                 "ERR unknown command 'FOO', with args beginning with: 'x' ",
                 "ERR unknown command 'HSET', with args beginning with: 'h' 'f' 'v' ", "2"])

    def test_mass_insertion(self):
        server = self.serve("--redis-port", "-1", threads=2)
        wire = b"".join(resp.request("SET", f"key:{i}", i) for i in range(10000))
        for port in server.ports():
            output = self.cli(port, "--pipe", typed=wire.decode())
            self.assertIn("errors: 0, replies: 10000", output)
        # Where there are only clients of Redis, its commands may be typed.
        typed = "".join(f"INCR typed:{i}\r\n" for i in range(1000))
        output = self.cli(server.ports()[1], "--pipe", typed=typed)
        self.assertIn("errors: 0, replies: 1000", output)
        with server.connect() as memcached:
            self.assertEqual(memcached.get(b"typed:999"), b"1")

    def test_all_keys(self):
        server = self.serve("--redis-port", "-1", threads=2)
        names = {f"name:{i}" for i in range(1000)}
        self.cli(server.port, "MSET", *[word for name in names for word in (name, "v")])
        self.cli(server.port, "SET", "big", "x" * 5000)
        for port in server.ports():
            self.assertEqual(set(self.cli(port, "--scan").split()), names | {"big"})
            self.assertEqual(set(self.cli(port, "--scan", "--pattern", "name:*").split()), names)
            found = self.cli(port, "--bigkeys")
            self.assertIn('Biggest string found \'"big"\' has 5000 bytes', found)
            self.assertIn("Sampled 1001 keys", found)

    def test_password(self):
        server = self.serve("--requirepass", "secret")
        self.assertIn("NOAUTH", self.cli(server.port, "GET", "k"))
        self.assertEqual(self.cli(server.port, "-a", "secret", "--no-auth-warning", "SET", "k", "v"),
                         "OK\n")

    def test_benchmark(self):
        server = self.serve("--redis-port", "-1", threads=2)
        for index, port in enumerate(server.ports()):
            done = self.run_program("redis-benchmark", "-p", port, "-t", "get,set,incr,mset", "-P",
                                    16, "-n", 2000, "-c", 10, "-q", "-r", 1000, "--dbnum", index)
            self.assertEqual(len(re.findall(r"requests per second", done)), 4, done)
            self.check_benchmark_has_stored(server, index)

    def check_benchmark_has_stored(self, server, database):
        client = self.enterContext(server.connect())
        resp.ask(client, "SELECT", database)
        counters = resp.ask(client, "KEYS", "counter:*")
        self.assertGreaterEqual(sum(map(int, resp.ask(client, "MGET", *counters))), 2000)
        others = resp.ask(client, "KEYS", "key:*")
        self.assertGreater(len(others), 900)
        self.assertEqual(set(map(len, resp.ask(client, "MGET", *others))), {3})
        self.assertEqual(resp.ask(client, "DBSIZE"), len(counters) + len(others))
