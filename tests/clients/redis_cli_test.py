"""redis-cli, as people use it, and redis-benchmark, on both ports."""

import re

import harness


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

    def test_password(self):
        server = self.serve("--requirepass", "secret")
        self.assertIn("NOAUTH", self.cli(server.port, "GET", "k"))
        self.assertEqual(self.cli(server.port, "-a", "secret", "--no-auth-warning", "SET", "k", "v"),
                         "OK\n")

    def test_benchmark(self):
        server = self.serve("--redis-port", "-1", threads=2)
        for port in server.ports():
            done = self.run_program("redis-benchmark", "-p", port, "-t", "get,set,incr,mset", "-P",
                                    16, "-n", 2000, "-c", 10, "-q", "-r", 1000)
            self.assertEqual(len(re.findall(r"requests per second", done)), 4, done)
