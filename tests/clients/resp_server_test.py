"""What clients of Redis ask and tell the server: DEBUG, CONFIG, CLIENT LIST and KILL, RANDOMKEY, figures."""

import harness
import resp_protocol as resp

OK = "OK"


class RespServerTest(harness.ServerTestCase):
    def connect(self, *flags, **options):
        self.server = self.serve(*flags, **options)
        return self.another()

    def another(self):
        return self.enterContext(self.server.connect())

    def expect(self, client, *lines):
        """Each line is words and, last, the reply."""
        for *words, wanted in lines:
            with self.subTest(words):
                self.assertEqual(resp.ask(client, *words), wanted)

    # --- DEBUG ------------------------------------------------------------------------------------

    def test_debug_is_refused(self):
        client = self.connect()
        for word in ("POPULATE", "SLEEP", "NONSENSE"):
            self.assertIn("DEBUG command not allowed", resp.ask(client, "DEBUG", word, "1"))
        self.assertEqual(resp.ask(client, "DBSIZE"), 0)

    def test_populate(self):
        for threads in (1, 3):
            client = self.connect("--enable-debug-command", threads=threads)
            other = self.another()
            resp.ask(client, "SET", "key:5", "mine")
            # It is done in pieces: others are answered meanwhile.
            client.send(resp.request("DEBUG", "POPULATE", 50000))
            self.assertEqual(resp.ask(other, "PING"), "PONG")
            self.assertEqual(resp.reply(client), OK)
            self.expect(
                client,
                ("DBSIZE", 50000), ("GET", "key:0", b"value:0"), ("GET", "key:49999", b"value:49999"),
                ("GET", "key:50000", None), ("GET", "key:5", b"mine"),
                ("DEBUG", "POPULATE", 10, "name", 12, OK), ("DBSIZE", 50010),
                ("GET", "name:3", b"value:3\0\0\0\0\0"), ("SELECT", 1, OK),
                ("DEBUG", "POPULATE", 3, "few", OK), ("DBSIZE", 3), ("GET", "few:2", b"value:2"),
                ("DEBUG", "POPULATE", "x", resp.Error("ERR value is not an integer or out of range")),
                ("DEBUG", "POPULATE", 1, "k", 1 << 30, resp.Error(
                    "ERR string exceeds maximum allowed size (proto-max-bulk-len)")),
                ("DEBUG", "SLEEP", 0,
                 resp.Error("ERR DEBUG SLEEP is refused: it would stop other clients")),
                ("DEBUG", "JMAP", resp.Error(
                    "ERR unknown subcommand or wrong number of arguments for 'JMAP'. Try DEBUG HELP.")))

    def test_populate_stays_within_memory(self):
        client = self.connect("--enable-debug-command", memory_mb=16, threads=2)
        self.assertEqual(resp.ask(client, "DEBUG", "POPULATE", 100000, "key", 1000), OK)
        self.assertLess(resp.ask(client, "DBSIZE"), 20000)
        client = self.connect("--enable-debug-command", "-M", memory_mb=16, threads=2)
        self.assertIn("OOM command not allowed",
                      resp.ask(client, "DEBUG", "POPULATE", 100000, "key", 1000))

    # --- CONFIG -----------------------------------------------------------------------------------

    def test_the_memory_limit_changes_live(self):
        client = self.connect(threads=2)
        self.expect(client, ("CONFIG", "SET", "maxmemory", "100mb", OK),
                    ("CONFIG", "GET", "maxmemory", [b"maxmemory", b"%d" % (100 << 20)]))
        self.assertEqual(self.server.stats()["limit_maxbytes"], str(100 << 20))
        self.expect(client, ("MULTI", OK), ("CONFIG", "SET", "MAXMEMORY", 50_000_000, "QUEUED"),
                    ("CONFIG", "RESETSTAT", "QUEUED"), ("EXEC", [OK, OK]))
        self.assertEqual(self.server.stats()["limit_maxbytes"], "50000000")
        failed = "ERR CONFIG SET failed (possibly related to argument '%s') - "
        for words, error in (
                (("maxmemory", "x"), failed % "maxmemory" + "argument must be a memory value"),
                (("maxmemory", "-1"), failed % "maxmemory" + "argument must be a memory value"),
                (("maxmemory", "1kb"), failed % "maxmemory" + "8 MB are the least"),
                (("save", "1 1"), failed % "save" + "can't set immutable config"),
                (("maxmemory", "64mb", "save", ""), failed % "save" + "can't set immutable config"),
                (("dir", "/tmp"), "ERR Unknown option or number of arguments for CONFIG SET - 'dir'")):
            self.expect(client, ("CONFIG", "SET", *words, resp.Error(error)))
        self.assertEqual(self.server.stats()["limit_maxbytes"], "50000000")

    def test_figures_begin_anew(self):
        client = self.connect(threads=2)
        for i in range(10):
            resp.ask(client, "GET", f"k{i}")
        self.assertIn(b"keyspace_misses:10\r\n", resp.ask(client, "INFO", "stats"))
        self.expect(client, ("CONFIG", "RESETSTAT", OK))
        self.assertIn(b"keyspace_misses:0\r\n", resp.ask(client, "INFO", "stats"))

    def test_commands_are_counted(self):
        client = self.connect("--redis-port", "-1", threads=2)
        memcached = self.another()

        def stats():
            text = resp.ask(client, "INFO", "stats").decode()
            return dict(line.split(":") for line in text.splitlines()[1:])

        before = int(stats()["total_commands_processed"])
        for i in range(10):
            resp.ask(client, "SET", f"k{i}", "v")
        resp.ask(client, "PING")
        memcached.get(b"k1")
        # The first INFO is one, too.
        self.assertEqual(int(stats()["total_commands_processed"]), before + 13)

        def is_busy():
            for _ in range(200):
                resp.ask(client, "GET", "k1")
            figures = stats()
            return (int(figures["instantaneous_ops_per_sec"]) > 0 and
                    float(figures["instantaneous_input_kbps"]) > 0 and
                    float(figures["instantaneous_output_kbps"]) > 0)

        harness.eventually(is_busy, "a second's traffic is told")

    # --- clients ----------------------------------------------------------------------------------

    def test_clients_are_told_of(self):
        client = self.connect("--redis-port", "-1", threads=3)
        others = [self.enterContext(self.server.connect_to(i % 2)) for i in range(150)]
        for i, other in enumerate(others):
            resp.ask(other, "CLIENT", "SETNAME", f"number{i}")
        lines = resp.ask(client, "CLIENT", "LIST").decode().splitlines()
        self.assertEqual(len(lines), 151)
        names = {dict(pair.split("=", 1) for pair in line.split(" "))["name"] for line in lines}
        self.assertEqual(names, {""} | {f"number{i}" for i in range(150)})
        number = resp.ask(others[7], "CLIENT", "ID")
        [line] = resp.ask(client, "CLIENT", "LIST", "ID", number, "999999").splitlines()
        self.assertIn(b" name=number7 ", line)
        self.assertEqual(resp.ask(client, "CLIENT", "LIST", "TYPE", "pubsub"), b"")

    def test_clients_are_closed(self):
        client = self.connect(threads=3)
        others = [self.another() for _ in range(12)]
        numbers = [resp.ask(other, "CLIENT", "ID") for other in others]
        # One by its number, one by its address in Redis' old way.
        self.expect(client, ("CLIENT", "KILL", "ID", numbers[0], 1))
        self.assertEqual(others[0].rest(), b"")
        address = "127.0.0.1:%d" % others[1].socket.getsockname()[1]
        self.expect(client, ("CLIENT", "KILL", address, OK),
                    ("CLIENT", "KILL", address, resp.Error("ERR No such client")))
        self.assertEqual(others[1].rest(), b"")
        self.expect(others[2], ("PING", "PONG"))
        # All but the one that says so.
        self.expect(client, ("CLIENT", "KILL", "TYPE", "normal", 10), ("PING", "PONG"))
        for other in others[2:]:
            self.assertEqual(other.rest(), b"")
        # And that one: it is answered first.
        client.send(resp.request("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"))
        self.assertEqual(client.rest(), b":1\r\n")

    # --- keys -------------------------------------------------------------------------------------

    def test_keys_are_told_to_nobody(self):
        client = self.connect("-X")
        resp.ask(client, "SET", "k", "v")
        for words in (("KEYS", "*"), ("SCAN", "0"), ("RANDOMKEY",)):
            with self.subTest(words):
                self.assertIn("--disable-dumping", resp.ask(client, *words))
        self.expect(client, ("GET", "k", b"v"))

    def test_random_keys(self):
        for threads in (1, 3):
            client = self.connect(threads=threads)
            self.expect(client, ("RANDOMKEY", None), ("SET", "one", "1", OK), ("RANDOMKEY", b"one"),
                        ("SELECT", 1, OK), ("RANDOMKEY", None), ("SET", "two", "2", OK),
                        ("RANDOMKEY", b"two"), ("SELECT", 0, OK), ("RANDOMKEY", b"one"))
            names = {b"k%d" % i for i in range(50)} | {b"one"}
            resp.ask(client, "MSET", *[word for name in names for word in (name, "v")])
            replies = resp.ask_all(client, *[("RANDOMKEY",)] * 6000)
            self.assertEqual(set(replies), names)

    def test_objects(self):
        client = self.connect(threads=2)
        self.expect(client, ("SET", "n", "-12", OK), ("SET", "s", "text", OK),
                    ("SET", "l", "x" * 100_000, OK),
                    ("OBJECT", "ENCODING", "n", b"int"), ("OBJECT", "ENCODING", "s", b"embstr"),
                    ("OBJECT", "ENCODING", "l", b"raw"), ("OBJECT", "REFCOUNT", "s", 1),
                    ("OBJECT", "IDLETIME", "none", None), ("MEMORY", "USAGE", "none", None))
        self.assertLess(resp.ask(client, "OBJECT", "IDLETIME", "s"), 30)
        self.assertGreater(resp.ask(client, "MEMORY", "USAGE", "l"), 100_000)
        self.assertIn("LFU", resp.ask(client, "OBJECT", "FREQ", "s"))
