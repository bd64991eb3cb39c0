"""RESP, byte by byte, from a plain socket: on Memcached's port, and typed on Redis' own."""

import base64
import os
import signal
import threading

import binary_protocol as b
import harness
import resp_protocol as resp

OK = "OK"
NOT_INTEGER = resp.Error("ERR value is not an integer or out of range")
SYNTAX = resp.Error("ERR syntax error")
NO_AUTH = resp.Error("NOAUTH Authentication required.")
WRONG_PASSWORD = resp.Error("WRONGPASS invalid username-password pair or user is disabled.")


class RespTest(harness.ServerTestCase):
    def connect(self, *flags, **options):
        self.server = self.serve(*flags, **options)
        return self.enterContext(self.server.connect())

    def expect(self, client, *lines):
        """Each line is words and, last, the reply."""
        for *words, wanted in lines:
            with self.subTest(words):
                self.assertEqual(resp.ask(client, *words), wanted)

    # --- strings ----------------------------------------------------------------------------------

    def test_strings(self):
        for threads in (1, 2):
            client = self.connect(threads=threads)
            self.expect(
                client,
                ("GET", "k", None), ("SET", "k", "v", OK), ("get", "k", b"v"),
                ("SETNX", "k", "w", 0), ("SETNX", "n", "w", 1), ("GETSET", "k", "w", b"v"),
                ("GETSET", "new", "x", None), ("GETDEL", "new", b"x"), ("GETDEL", "new", None),
                ("APPEND", "k", "xyz", 4), ("APPEND", "a", "1", 1), ("STRLEN", "k", 4),
                ("STRLEN", "none", 0), ("GETRANGE", "k", 1, -2, b"xy"),
                ("GETRANGE", "k", 5, 9, b""), ("GETRANGE", "none", 0, -1, b""),
                ("SETRANGE", "k", 6, "end", 9), ("GET", "k", b"wxyz\0\0end"),
                ("SETRANGE", "none", 0, "", 0), ("EXISTS", "none", 0),
                ("TYPE", "k", "string"), ("TYPE", "none", "none"))

    def test_set_options(self):
        client = self.connect(threads=2)
        self.expect(
            client,
            ("SET", "k", "1", "XX", None), ("SET", "k", "1", "NX", OK),
            ("SET", "k", "2", "NX", None), ("SET", "k", "2", "XX", "EX", 100, OK),
            ("TTL", "k", 100), ("SET", "k", "3", "KEEPTTL", OK), ("TTL", "k", 100),
            ("SET", "k", "4", "GET", b"3"), ("TTL", "k", -1), ("SET", "n", "4", "GET", None),
            ("SET", "k", "5", "NX", "GET", b"4"), ("GET", "k", b"4"),
            ("SET", "k", "5", "PX", 5000, OK), ("PTTL", "k", 5000),
            ("SET", "k", "6", "NX", "XX", SYNTAX), ("SET", "k", "6", "EX", SYNTAX),
            ("SET", "k", "6", "EX", 1, "PX", 1, SYNTAX), ("SET", "k", "6", "EX", "x", NOT_INTEGER),
            ("SET", "k", "6", "EX", 1, "KEEPTTL", SYNTAX),
            ("SET", "k", "6", "EX", 0, resp.Error("ERR invalid expire time in 'set' command")),
            ("SETEX", "k", 100, "7", OK), ("TTL", "k", 100), ("GET", "k", b"7"),
            ("SETEX", "k", -1, "8", resp.Error("ERR invalid expire time in 'setex' command")),
            ("PSETEX", "k", 9000, "8", OK), ("TTL", "k", 9),
            ("SET", "k", "9", "PXAT", 1, OK), ("GET", "k", None))

    def test_numbers(self):
        client = self.connect(threads=2)
        self.expect(
            client,
            ("INCR", "n", 1), ("INCRBY", "n", 41, 42), ("DECR", "n", 41), ("DECRBY", "n", 50, -9),
            ("GET", "n", b"-9"), ("INCRBY", "n", "1.5", NOT_INTEGER),
            ("INCRBY", "n", "01", NOT_INTEGER), ("SET", "t", "text", OK), ("INCR", "t", NOT_INTEGER),
            ("SET", "m", str(2**63 - 1), OK),
            ("INCR", "m", resp.Error("ERR increment or decrement would overflow")),
            ("DECRBY", "n", str(-(2**63)), resp.Error("ERR decrement would overflow")),
            ("INCRBYFLOAT", "f", "10.50", b"10.5"), ("INCRBYFLOAT", "f", "0.1", b"10.6"),
            ("INCRBYFLOAT", "f", "-5", b"5.6"),
            ("SET", "e", "5.0e3", OK), ("INCRBYFLOAT", "e", "2.0e2", b"5200"),
            ("INCRBYFLOAT", "t", "1", resp.Error("ERR value is not a valid float")),
            ("INCRBYFLOAT", "f", "x", resp.Error("ERR value is not a valid float")),
            ("INCRBYFLOAT", "f", "inf", resp.Error("ERR increment would produce NaN or Infinity")))

    def test_expiry(self):
        client = self.connect(threads=2)
        far = 4_000_000_000
        self.expect(
            client,
            ("TTL", "k", -2), ("PTTL", "k", -2), ("EXPIRETIME", "k", -2), ("EXPIRE", "k", 10, 0),
            ("SET", "k", "v", OK), ("TTL", "k", -1), ("PEXPIRETIME", "k", -1),
            ("EXPIRE", "k", 10, "XX", 0), ("EXPIRE", "k", 10, "GT", 0),
            ("EXPIRE", "k", 10, "NX", 1), ("EXPIRE", "k", 20, "NX", 0), ("TTL", "k", 10),
            ("EXPIRE", "k", 5, "GT", 0), ("EXPIRE", "k", 50, "GT", 1),
            ("EXPIRE", "k", 90, "LT", 0), ("PEXPIRE", "k", 30000, "LT", 1), ("TTL", "k", 30),
            ("EXPIREAT", "k", far, 1), ("EXPIRETIME", "k", far),
            ("PEXPIREAT", "k", far * 1000, 1), ("PEXPIRETIME", "k", far * 1000),
            ("PERSIST", "k", 1), ("PERSIST", "k", 0), ("TTL", "k", -1),
            ("GETEX", "k", "EX", 100, b"v"), ("TTL", "k", 100), ("GETEX", "k", b"v"),
            ("TTL", "k", 100), ("GETEX", "k", "PERSIST", b"v"), ("TTL", "k", -1),
            ("GETEX", "k", "EX", SYNTAX), ("EXPIRE", "k", "x", NOT_INTEGER),
            ("EXPIRE", "k", 1, "NX", "XX", resp.Error(
                "ERR NX and XX, GT or LT options at the same time are not compatible")),
            ("EXPIRE", "k", 1, "ZZ", resp.Error("ERR Unsupported option ZZ")),
            ("EXPIRE", "k", -1, 1), ("EXISTS", "k", 0), ("SET", "k", "v", OK),
            ("EXPIREAT", "k", 1, 1), ("EXISTS", "k", 0))

    def test_many_keys(self):
        for threads in (1, 2, 4):
            client = self.connect(threads=threads)
            names = [b"key%d" % i for i in range(50)]
            pairs = [word for name in names for word in (name, b"v" + name)]
            self.assertEqual(resp.ask(client, "MSET", *pairs), OK)
            self.assertEqual(resp.ask(client, "MGET", *names, "none"),
                             [b"v" + name for name in names] + [None])
            self.assertEqual(resp.ask(client, "EXISTS", *names, "none", names[0]), 51)
            self.assertEqual(resp.ask(client, "TOUCH", "none", *names), 50)
            # What follows in a pipeline waits for it.
            self.assertEqual(
                resp.ask_all(client, ("GET", names[0]), ("DEL", *names[:20]), ("GET", names[0]),
                             ("UNLINK", *names), ("MGET", *names[:2]), ("PING",)),
                [b"v" + names[0], 20, None, 30, [None, None], "PONG"])
            self.assertEqual(resp.ask(client, "MSET", "a", "1", "b"),
                             resp.Error("ERR wrong number of arguments for 'mset' command"))

    def test_one_cache_for_all_protocols(self):
        client = self.connect(threads=2)
        other = self.enterContext(self.server.connect())
        self.expect(client, ("SET", "k", "5", OK), ("INCR", "k", 6))
        self.assertEqual(other.get(b"k"), b"6")
        self.assertEqual(other.ask(b"incr k 4"), b"10")
        self.assertEqual(other.set(b"t", b"text", flags=3, exptime=100), b"STORED")
        self.expect(client, ("GET", "k", b"10"), ("GET", "t", b"text"), ("TTL", "t", 100))

    # --- keys -------------------------------------------------------------------------------------

    def test_long_keys(self):
        client = self.connect(threads=2)
        for size in (250, 251, 5000, 65535):
            key = b"k" * size
            self.expect(client, ("SET", key, b"v%d" % size, OK), ("GET", key, b"v%d" % size),
                        ("MGET", key, "none", [b"v%d" % size, None]), ("DEL", key, 1))
        key = b"k" * 65536
        error = resp.Error("ERR key is longer than 65535 bytes")
        self.expect(client, ("SET", key, "v", error), ("MGET", "a", key, error), ("PING", "PONG"))

    def test_databases(self):
        client = self.connect("--databases", "4", threads=2)
        other = self.enterContext(self.server.connect())
        keys = [b"k", b"", b"\0k", b"\0\1k", b"x" * 249, b"y" * 60000]
        for database in range(4):
            self.assertEqual(resp.ask(client, "SELECT", database), OK)
            for key in keys:
                self.expect(client, ("GET", key, None), ("SET", key, b"%d" % database, OK))
        for database in (2, 0, 3, 1):
            self.assertEqual(resp.ask(client, "SELECT", database), OK)
            self.assertEqual(resp.ask(client, "MGET", *keys), [b"%d" % database] * len(keys))
        self.assertEqual(other.get(b"k"), b"0")
        out_of_range = resp.Error("ERR DB index is out of range")
        self.expect(client, ("SELECT", 4, out_of_range), ("SELECT", -1, out_of_range),
                    ("SELECT", "x", NOT_INTEGER), ("GET", "k", b"1"))
        # A pipeline changes the database in its middle.
        self.assertEqual(
            resp.ask_all(client, ("GET", "k"), ("SELECT", 2), ("GET", "k"), ("SELECT", 0),
                         ("GET", "k")), [b"1", OK, b"2", OK, b"0"])

    def scan(self, client, *words):
        """All keys, and no key twice."""
        cursor, found = b"0", []
        while True:
            cursor, keys = resp.ask(client, "SCAN", cursor, *words)
            found += keys
            if cursor == b"0":
                self.assertEqual(len(found), len(set(found)))
                return set(found)

    def test_keys_and_scan(self):
        for threads in (1, 3):
            client = self.connect(threads=threads)
            self.assertEqual(resp.ask(client, "SCAN", 0)[1] if threads == 1 else [], [])
            names = {b"name:%d" % i for i in range(1000)}
            resp.ask(client, "MSET", *[word for name in names for word in (name, "v")])
            resp.ask(client, "SET", "other", "v")
            self.expect(client, ("DBSIZE", 1001), ("SELECT", 1, OK), ("SET", "name:x", "v", OK),
                        ("KEYS", "*", [b"name:x"]), ("DBSIZE", 1), ("SELECT", 0, OK),
                        ("DBSIZE", 1001), ("KEYS", "none*", []))
            self.assertEqual(set(resp.ask(client, "KEYS", "name:*")), names)
            self.assertEqual(self.scan(client), names | {b"other"})
            self.assertEqual(self.scan(client, "MATCH", "name:*", "COUNT", 100), names)
            self.assertEqual(self.scan(client, "TYPE", "hash"), set())
            self.assertEqual(len(self.scan(client, "MATCH", "name:??")), 90)
            self.expect(client, ("SCAN", "x", resp.Error("ERR invalid cursor")),
                        ("SCAN", 0, "COUNT", 0, SYNTAX), ("SCAN", 0, "MATCH", SYNTAX),
                        ("FLUSHDB", OK), ("DBSIZE", 0), ("SELECT", 1, OK), ("DBSIZE", 1),
                        ("FLUSHALL", OK), ("DBSIZE", 0))

    def test_keys_ends_at_its_limit(self):
        client = self.connect("--keys-output-limit", "100", threads=2)
        names = [b"name:%d" % i for i in range(20000)]
        resp.ask(client, "MSET", *[word for name in names for word in (name, "v")])
        self.assertLess(len(resp.ask(client, "KEYS", "*")), 5000)
        self.assertEqual(self.scan(client, "COUNT", 1000), set(names))
        self.expect(client, ("SELECT", 1, OK), ("SELECT", 0, OK), ("DBSIZE", 20000),
                    ("FLUSHDB", OK), ("DBSIZE", 0))

    # --- the protocol -----------------------------------------------------------------------------

    def test_versions(self):
        client = self.connect()
        welcome = resp.ask(client, "HELLO", 3)
        self.assertEqual((welcome[b"proto"], welcome[b"role"]), (3, b"master"))
        client.send(resp.request("GET", "none"))
        self.assertEqual(client.line(), b"_")
        welcome = resp.ask(client, "HELLO", 2)
        self.assertEqual(welcome[:2], [b"server", b"redis"])
        client.send(resp.request("GET", "none"))
        self.assertEqual(client.line(), b"$-1")
        self.expect(client,
                    ("HELLO", 4, resp.Error("NOPROTO unsupported protocol version")),
                    ("HELLO", "x",
                     resp.Error("ERR Protocol version is not an integer or out of range")),
                    ("HELLO", 2, "NONSENSE",
                     resp.Error("ERR Syntax error in HELLO option 'NONSENSE'")))

    def test_typed_commands(self):
        self.server = self.serve("--redis-port", "-1")
        client = self.enterContext(self.server.connect_to(1))
        for line, wanted in (
                (b"PING", "PONG"), (b"  SET  k  'a b'  ", OK), (b'GET "k"', b"a b"),
                (rb'SET "\x6b\n" "\"q\""', OK), (rb'GET "k\n"', b'"q"'), (b"GET none", None),
                (b"get 'k'x", None)):
            client.send(line + b"\r\n")
            if line == b"get 'k'x":
                self.assertEqual(resp.reply(client), resp.Error(
                    "ERR Protocol error: unbalanced quotes in request"))
                self.assertEqual(client.rest(), b"")
            else:
                self.assertEqual(resp.reply(client), wanted, line)

    def test_every_cut(self):
        client = self.connect(threads=2)
        wire = (resp.request("SET", "k", "value") + resp.request("MGET", "k", "none") +
                resp.request("INCRBYFLOAT", "f", "1.5"))
        for cut in range(1, len(wire)):
            client.send(wire[:cut])
            client.send(wire[cut:])
            self.assertEqual([resp.reply(client) for _ in range(2)], [OK, [b"value", None]])
            resp.reply(client)
            self.assertEqual(resp.ask(client, "DEL", "f"), 1)

    def test_pipeline_that_owes_more_than_it_may(self):
        """What is owed has a limit: then the client is read no further until it reads itself."""
        client = self.connect(threads=2)
        value = b"v" * 100000
        pipeline = b"".join(
            resp.request("SET", f"k{i % 7}", value + b"%d" % i) + resp.request("GET", f"k{i % 7}")
            for i in range(300))
        sender = threading.Thread(target=client.send, args=(pipeline,))
        sender.start()
        for i in range(300):
            self.assertEqual([resp.reply(client), resp.reply(client)], [OK, value + b"%d" % i])
        sender.join()

    def test_protocol_errors_close(self):
        server = self.serve()
        for wire, error in (
                (b"*x\r\n", "invalid multibulk length"), (b"*1048577\r\n", "invalid multibulk length"),
                (b"*1\r\n:1\r\n", "expected '$', got ':'"), (b"*1\r\n$x\r\n", "invalid bulk length"),
                (b"*1\r\n$-1\r\n", "invalid bulk length"),
                (b"*1\r\n$536870913\r\n", "invalid bulk length")):
            with server.connect() as client:
                client.send(wire)
                self.assertEqual(resp.reply(client), resp.Error("ERR Protocol error: " + error))
                self.assertEqual(client.rest(), b"")

    def test_values_over_the_limit(self):
        client = self.connect("-I", "16k", threads=2)
        too_long = resp.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
        big = b"v" * 20000
        self.expect(client, ("SET", "k", b"v" * 16000, OK), ("SET", "k", big, too_long),
                    ("STRLEN", "k", 16000), ("MSET", "a", big, "b", big, "c", "x", too_long),
                    ("GET", "c", None), ("APPEND", "k", b"v" * 1000, too_long),
                    ("SETRANGE", "k", 1 << 28, "x", too_long), ("PING", "PONG"))

    def test_unknown_commands_and_arity(self):
        client = self.connect()
        self.expect(
            client,
            ("FOO", "bar", "baz",
             resp.Error("ERR unknown command 'FOO', with args beginning with: 'bar' 'baz' ")),
            ("LPUSH", "l", "x",
             resp.Error("ERR unknown command 'LPUSH', with args beginning with: 'l' 'x' ")),
            ("GET", resp.Error("ERR wrong number of arguments for 'get' command")),
            ("CLIENT", "NONE",
             resp.Error("ERR unknown subcommand 'NONE'. Try CLIENT HELP.")),
            ("ECHO", "x", b"x"), ("PING", "x", b"x"))

    # --- who comes in -----------------------------------------------------------------------------

    def test_requirepass(self):
        client = self.connect("--requirepass", "secret")
        self.expect(client, ("GET", "k", NO_AUTH), ("AUTH", "wrong", WRONG_PASSWORD),
                    ("GET", "k", NO_AUTH), ("AUTH", "secret", OK), ("SET", "k", "v", OK),
                    ("RESET", "RESET"), ("GET", "k", NO_AUTH),
                    ("HELLO", 3, "AUTH", "default", "wrong", WRONG_PASSWORD))
        welcome = resp.ask(client, "HELLO", 3, "AUTH", "default", "secret", "SETNAME", "me")
        self.assertEqual(welcome[b"proto"], 3)
        self.expect(client, ("CLIENT", "GETNAME", b"me"), ("GET", "k", b"v"))
        with self.server.connect() as stranger:
            stranger.send(b"*11\r\n")
            self.assertEqual(resp.reply(stranger), resp.Error(
                "ERR Protocol error: unauthenticated multibulk length"))
        with self.server.connect() as memcached:
            self.assertEqual(memcached.ask(b"get k"), b"CLIENT_ERROR unauthenticated")

    def test_the_one_too_many(self):
        self.server = self.serve("-c", "1", "--redis-port", "-1", threads=2)
        first = self.enterContext(self.server.connect())
        self.assertEqual(resp.ask(first, "PING"), "PONG")
        for index, wanted in ((0, b"ERROR Too many open connections\r\n"),
                              (1, b"-ERR max number of clients reached\r\n")):
            with self.server.connect_to(index) as second:
                self.assertEqual(second.rest(), wanted)

    def test_the_one_too_many_is_told_in_its_own_words(self):
        """Where all protocols are spoken, what it has said by then tells which words it knows."""
        self.server = self.serve("-c", "1", threads=1)
        first = self.enterContext(self.server.connect())
        self.assertEqual(resp.ask(first, "PING"), "PONG")
        for said, wanted in ((resp.request("PING"), b"-ERR max number of clients reached\r\n"),
                             (b"version\r\n", b"ERROR Too many open connections\r\n")):
            # It accepts when there is something to read already.
            self.server.process.send_signal(signal.SIGSTOP)
            try:
                os.waitpid(self.server.process.pid, os.WUNTRACED)
                second = self.enterContext(self.server.connect())
                second.send(said)
            finally:
                self.server.process.send_signal(signal.SIGCONT)
            self.assertEqual(second.line() + b"\r\n", wanted)

    def test_names_of_any_bytes_are_of_one_item_each(self):
        """Keys of binary requests and encoded ones of meta commands may begin with what databases of
        Redis are told apart by."""
        for threads in (1, 2):
            client = self.connect(threads=threads)
            memcached = self.enterContext(self.server.connect())
            binary = self.enterContext(self.server.connect())
            for i in range(10):
                name = b"key%d" % i
                key = b"\0\1" + name  # as the second database might store it
                encoded = base64.b64encode(key)
                self.expect(client, ("SELECT", 1, OK), ("SET", name, "of the second", OK))
                self.assertEqual(memcached.ask(b"mg " + encoded + b" b v"), b"EN")
                self.assertEqual(b.ask_one(binary, b.request(b.GET, key)).status, b.NOT_FOUND)
                memcached.send(b"ms " + encoded + b" 6 b k\r\nmeta's\r\n")
                self.assertEqual(memcached.line(), b"HD k" + encoded + b" b")
                hit = b.ask_one(binary, b.request(b.GETK, key))
                self.assertEqual((hit.key, hit.value), (key, b"meta's"))
                self.expect(client, ("GET", name, b"of the second"), ("DBSIZE", i + 1),
                            ("SELECT", 0, OK), ("GET", name, None), ("GET", key, b"meta's"))
                b.ask(binary, b.store(b.SETQ, key, b"binary's"))
                memcached.send(b"mg " + encoded + b" b k v\r\n")
                self.assertEqual(memcached.line(), b"VA 8 k" + encoded + b" b")
                self.assertEqual(memcached.line(), b"binary's")
                self.expect(client, ("GET", key, b"binary's"), ("SELECT", 1, OK),
                            ("GET", name, b"of the second"), ("SELECT", 0, OK))
            # Dumps have what Memcached's clients have names for, by these names.
            self.assertEqual(memcached.ask(b"lru_crawler mgdump all"), b"OK")
            names = {base64.b64encode(b"\0\1key%d" % i) for i in range(10)}
            self.assertEqual({memcached.line() for _ in range(10)},
                             {b"mg " + name + b" b" for name in names})
            self.assertEqual(memcached.line(), b"EN")
            self.assertEqual(set(resp.ask(client, "KEYS", "*")),
                             {b"\0\1key%d" % i for i in range(10)})

    def test_without_a_password(self):
        client = self.connect()
        self.assertTrue(resp.ask(client, "AUTH", "x").startswith(
            "ERR AUTH <password> called without any password configured"))
        self.expect(client, ("AUTH", "default", "any", OK), ("AUTH", "x", "y", WRONG_PASSWORD))

    def test_client(self):
        client = self.connect()
        self.expect(client, ("CLIENT", "GETNAME", None), ("CLIENT", "SETNAME", "me", OK),
                    ("CLIENT", "GETNAME", b"me"), ("CLIENT", "SETINFO", "LIB-NAME", "test", OK),
                    ("CLIENT", "NO-EVICT", "on", OK), ("CLIENT", "SETNAME", "a b", resp.Error(
                        "ERR Client names cannot contain spaces, newlines or special characters.")))
        self.assertIn(b"name=me", resp.ask(client, "CLIENT", "INFO"))
        number = resp.ask(client, "CLIENT", "ID")
        with self.server.connect() as other:
            self.assertNotEqual(resp.ask(other, "CLIENT", "ID"), number)
        client.send(resp.request("CLIENT", "REPLY", "SKIP") + resp.request("SET", "k", "v") +
                    resp.request("GET", "k") + resp.request("CLIENT", "REPLY", "OFF") +
                    resp.request("MGET", "k", "k2") + resp.request("CLIENT", "REPLY", "ON") +
                    resp.request("PING"))
        self.assertEqual([resp.reply(client) for _ in range(3)], [b"v", OK, "PONG"])

    def test_quit_answers_and_closes(self):
        client = self.connect()
        client.send(resp.request("SET", "k", "v") + resp.request("QUIT") + resp.request("PING"))
        self.assertEqual(client.rest(), b"+OK\r\n+OK\r\n")

    def test_server_commands(self):
        client = self.connect()
        resp.ask(client, "SET", "k", "v")
        info = resp.ask(client, "INFO").decode()
        for line in ("redis_version:7.", "loading:0", "role:master", "cluster_enabled:0"):
            self.assertIn("\r\n" + line, info)
        self.assertEqual(resp.ask(client, "INFO", "replication").splitlines()[:2],
                         [b"# Replication", b"role:master"])
        self.assertEqual(resp.ask(client, "DBSIZE"), 1)
        count = resp.ask(client, "COMMAND", "COUNT")
        self.assertEqual(len(resp.ask(client, "COMMAND")), count)
        self.assertEqual(resp.ask(client, "COMMAND", "INFO", "get", "none")[0][:2], [b"get", 2])
        self.assertEqual(len(resp.ask(client, "TIME")), 2)
        self.assertEqual(resp.ask(client, "CONFIG", "GET", "maxmemory-*"),
                         [b"maxmemory-policy", b"allkeys-lfu"])
        self.expect(client, ("CONFIG", "SET", "nothing", "1", resp.Error(
            "ERR Unknown option or number of arguments for CONFIG SET - 'nothing'")),
                    ("CONFIG", "GET", resp.Error(
                        "ERR wrong number of arguments for 'config|get' command")),
                    ("SLOWLOG", "LEN", 0), ("SLOWLOG", "GET", []), ("LATENCY", "LATEST", []),
                    ("LASTSAVE", 0), ("SAVE", resp.Error("ERR a cache is not saved")))
