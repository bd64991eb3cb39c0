"""Memcached's binary protocol, byte by byte, from a plain socket."""

import struct

import binary_protocol as b
import harness


def status_of(connection, one):
    return b.ask_one(connection, one).status


class BinaryTest(harness.ServerTestCase):
    def connect(self, *flags, **options):
        server = self.serve(*flags, **options)
        return self.enterContext(server.connect())

    # --- every opcode -----------------------------------------------------------------------------

    def test_stores_and_reads(self):
        for threads in (1, 2):
            client = self.connect(threads=threads)
            for i in range(20):
                key, value = b"k%d" % i, b"v" * i
                stored = b.ask_one(client, b.store(b.SET, key, value, flags=i, opaque=77))
                self.assertEqual((stored.opcode, stored.status, stored.opaque), (b.SET, b.OK, 77))
                self.assertGreater(stored.unique, 0)
                for opcode, shown in ((b.GET, b""), (b.GETQ, b""), (b.GETK, key), (b.GETKQ, key)):
                    hit = b.ask_one(client, b.request(opcode, key, opaque=5))
                    self.assertEqual(
                        hit, b.Reply(opcode, b.OK, 5, stored.unique, struct.pack(">I", i), shown,
                                     value))
            self.assertEqual(status_of(client, b.store(b.ADD, b"k1", b"x")), b.EXISTS)
            self.assertEqual(status_of(client, b.store(b.ADD, b"new", b"x")), b.OK)
            self.assertEqual(status_of(client, b.store(b.REPLACE, b"none", b"x")), b.NOT_FOUND)
            self.assertEqual(status_of(client, b.store(b.REPLACE, b"new", b"y")), b.OK)
            self.assertEqual(status_of(client, b.store(b.APPEND, b"new", b"-end")), b.OK)
            self.assertEqual(status_of(client, b.store(b.PREPEND, b"new", b"start-")), b.OK)
            self.assertEqual(b.ask_one(client, b.request(b.GET, b"new")).value, b"start-y-end")
            failed = b.ask_one(client, b.store(b.APPEND, b"none", b"x"))
            self.assertEqual((failed.status, failed.value), (b.NOT_STORED, b"Not stored."))

    def test_misses(self):
        client = self.connect()
        miss = b.ask_one(client, b.request(b.GET, b"none", opaque=9))
        self.assertEqual(miss, b.Reply(b.GET, b.NOT_FOUND, 9, 0, b"", b"", b"Not found"))
        miss = b.ask_one(client, b.request(b.GETK, b"none"))
        self.assertEqual((miss.status, miss.key, miss.value), (b.NOT_FOUND, b"none", b""))
        self.assertEqual(b.ask(client, b.request(b.GETQ, b"none"), b.request(b.GETKQ, b"none"),
                               b.touch(b.GATQ, b"none", 0), b.touch(b.GATKQ, b"none", 0)), [])

    def test_quiet_writes_hide_success_only(self):
        client = self.connect(threads=2)
        self.assertEqual(b.ask(client,
                               b.store(b.SETQ, b"k", b"1"), b.store(b.ADDQ, b"a", b"1"),
                               b.store(b.REPLACEQ, b"k", b"2"), b.store(b.APPENDQ, b"k", b"3"),
                               b.store(b.PREPENDQ, b"k", b"1"), b.count(b.INCRQ, b"k", 1),
                               b.count(b.DECRQ, b"k", 2), b.request(b.DELETEQ, b"a")), [])
        self.assertEqual(b.ask_one(client, b.request(b.GET, b"k")).value, b"122")
        replies = b.ask(client,
                        b.store(b.ADDQ, b"k", b"1"), b.store(b.REPLACEQ, b"none", b"2"),
                        b.store(b.APPENDQ, b"none", b"3"), b.store(b.PREPENDQ, b"none", b"1"),
                        b.count(b.INCRQ, b"none", 1), b.count(b.DECRQ, b"none", 2),
                        b.request(b.DELETEQ, b"none"))
        self.assertEqual([reply.status for reply in replies],
                         [b.EXISTS, b.NOT_FOUND, b.NOT_STORED, b.NOT_STORED, b.NOT_FOUND,
                          b.NOT_FOUND, b.NOT_FOUND])
        self.assertEqual(b.ask(client, b.request(b.FLUSHQ)), [])
        self.assertEqual(b.ask(client, b.request(b.GETQ, b"k")), [])

    def test_uniques(self):
        client = self.connect()
        unique = b.ask_one(client, b.store(b.SET, b"k", b"1")).unique
        for opcode in (b.SET, b.ADD, b.REPLACE, b.APPEND, b.PREPEND):
            self.assertEqual(status_of(client, b.store(opcode, b"k", b"2", unique=unique + 1)),
                             b.EXISTS)
        for opcode in (b.SET, b.ADD, b.REPLACE):
            self.assertEqual(status_of(client, b.store(opcode, b"no", b"2", unique=1)), b.NOT_FOUND)
        self.assertEqual(status_of(client, b.count(b.INCR, b"k", 1, unique=unique + 1)), b.EXISTS)
        self.assertEqual(status_of(client, b.request(b.DELETE, b"k", unique=unique + 1)), b.EXISTS)
        for one in (b.store(b.SET, b"k", b"3", unique=0), b.store(b.APPEND, b"k", b"3"),
                    b.count(b.INCR, b"k", 1)):
            reply = b.ask_one(client, one)
            self.assertEqual(reply.status, b.OK)
            self.assertGreater(reply.unique, unique)
            unique = reply.unique
        replaced = b.ask_one(client, b.store(b.REPLACE, b"k", b"9", unique=unique))
        self.assertEqual(replaced.status, b.OK)
        self.assertEqual(status_of(client, b.request(b.DELETE, b"k", unique=replaced.unique)), b.OK)

    def test_numbers(self):
        client = self.connect()
        self.assertEqual(status_of(client, b.count(b.INCR, b"n", 1)), b.NOT_FOUND)
        made = b.ask_one(client, b.count(b.INCR, b"n", 1, initial=41, exptime=0))
        self.assertEqual((made.status, made.value), (b.OK, struct.pack(">Q", 41)))
        more = b.ask_one(client, b.count(b.INCR, b"n", 1, initial=7, exptime=0))
        self.assertEqual(more.value, struct.pack(">Q", 42))
        self.assertGreater(more.unique, made.unique)
        self.assertEqual(b.ask_one(client, b.request(b.GET, b"n")).value, b"42")
        less = b.ask_one(client, b.count(b.DECR, b"n", 100))
        self.assertEqual(less.value, struct.pack(">Q", 0))
        b.ask(client, b.store(b.SETQ, b"n", b"18446744073709551615"))
        self.assertEqual(b.ask_one(client, b.count(b.INCR, b"n", 2)).value, struct.pack(">Q", 1))
        b.ask(client, b.store(b.SETQ, b"n", b"abc"))
        wrong = b.ask_one(client, b.count(b.INCR, b"n", 1))
        self.assertEqual((wrong.status, wrong.value),
                         (b.NON_NUMERIC, b"Non-numeric server-side value for incr or decr"))
        # Created as expired: gone at once.
        b.ask(client, b.count(b.INCR, b"past", 1, initial=5, exptime=2592001))
        self.assertEqual(status_of(client, b.request(b.GET, b"past")), b.NOT_FOUND)

    def test_touch_and_delete(self):
        client = self.connect()
        b.ask(client, b.store(b.SETQ, b"k", b"v", flags=0xABCDEF01))
        touched = b.ask_one(client, b.touch(b.TOUCH, b"k", 100))
        self.assertEqual((touched.status, touched.extras), (b.OK, b"\xab\xcd\xef\x01"))
        for opcode, shown in ((b.GAT, b""), (b.GATQ, b""), (b.GATK, b"k"), (b.GATKQ, b"k")):
            hit = b.ask_one(client, b.touch(opcode, b"k", 0))
            self.assertEqual((hit.status, hit.key, hit.value), (b.OK, shown, b"v"))
        self.assertEqual(status_of(client, b.touch(b.TOUCH, b"none", 0)), b.NOT_FOUND)
        self.assertEqual(b.ask_one(client, b.touch(b.GATK, b"none", 0)).key, b"none")
        self.assertEqual(status_of(client, b.touch(b.TOUCH, b"k", 2592001)), b.OK)
        self.assertEqual(status_of(client, b.request(b.DELETE, b"k")), b.NOT_FOUND)
        b.ask(client, b.store(b.SETQ, b"k", b"v"))
        self.assertEqual(status_of(client, b.request(b.DELETE, b"k")), b.OK)

    def test_server_verbs(self):
        for threads in (1, 2):
            client = self.connect(threads=threads)
            self.assertRegex(b.ask_one(client, b.request(b.VERSION)).value, rb"^1\.6\.")
            b.ask(client, b.store(b.SETQ, b"k", b"v"))
            self.assertEqual(status_of(client, b.request(b.FLUSH, extras=b"\0\0\1\0")), b.OK)
            self.assertEqual(status_of(client, b.request(b.GET, b"k")), b.OK)
            self.assertEqual(status_of(client, b.request(b.FLUSH)), b.OK)
            self.assertEqual(status_of(client, b.request(b.GET, b"k")), b.NOT_FOUND)
            self.assertEqual(b.ask_last(client, b.request(b.NOOP), b.request(b.QUIT, opaque=3),
                                        b.request(b.NOOP))[1:],
                             [b.Reply(b.QUIT, b.OK, 3, 0, b"", b"", b"")])
        client = self.connect()
        self.assertEqual(b.ask_last(client, b.request(b.QUITQ), b.request(b.NOOP)), [])

    def test_flush_can_be_switched_off(self):
        client = self.connect("-F")
        self.assertEqual(status_of(client, b.request(b.FLUSH)), b.AUTH_FAILED)
        self.assertEqual(status_of(client, b.request(b.FLUSHQ)), b.AUTH_FAILED)

    def test_stats_are_those_of_the_text_protocol(self):
        server = self.serve(threads=2)
        client = self.enterContext(server.connect())
        b.ask(client, b.store(b.SETQ, b"k", b"v"))
        for group in ("", "settings", "items", "slabs"):
            packets = b.ask(client, b.request(b.STAT, group.encode(), opaque=4))
            self.assertTrue(all(packet.status == b.OK and packet.opaque == 4 for packet in packets))
            self.assertEqual((packets[-1].key, packets[-1].value), (b"", b""))
            names = [packet.key.decode() for packet in packets[:-1]]
            self.assertEqual(names, list(server.stats(group)), group)
            self.assertNotIn("", names)
        self.assertEqual(len(b.ask(client, b.request(b.STAT, b"reset"))), 1)
        self.assertEqual(status_of(client, b.request(b.STAT, b"nonsense")), b.NOT_FOUND)

    def test_stats_that_are_lists_of_the_text_protocol(self):
        client = self.connect()
        b.ask(client, b.store(b.SET, b"a:k", b"v"))
        for group in (b"conns", b"cachedump", b"cachedump 1", b"cachedump 1 10", b"detail",
                      b"detail foo", b"detail ON", b"sizesx"):
            (reply,) = b.ask(client, b.request(b.STAT, group))
            self.assertEqual((reply.status, reply.value), (b.NOT_FOUND, b"Not found"), group)
        packets = b.ask(client, b.request(b.STAT, b"sizes"))
        self.assertEqual([(p.key, p.value) for p in packets],
                         [(b"sizes_status", b"disabled"), (b"", b"")])

    def test_stat_detail(self):
        client = self.enterContext(self.serve(threads=4).connect())
        replies = b.ask(client, b.request(b.STAT, b"detail on"), b.store(b.SET, b"a:k", b"v"),
                        b.request(b.GET, b"a:k"), b.request(b.GET, b"b:k"),
                        b.request(b.STAT, b"detail off"), b.request(b.GET, b"a:k"),
                        b.request(b.STAT, b"detail dump"))
        self.assertEqual([(r.key, r.value) for r in (replies[0], replies[4])], [(b"", b"")] * 2)
        text = b"PREFIX a get 1 hit 1 set 1 del 0\r\nPREFIX b get 1 hit 0 set 0 del 0\r\nEND\r\n"
        self.assertEqual([(r.key, r.value) for r in replies[6:]], [(b"detailed", text), (b"", b"")])

    # --- what is wrong ----------------------------------------------------------------------------

    def test_all_opcodes_stay_in_step(self):
        client = self.connect()
        for opcode in range(256):
            if opcode in (b.QUIT, b.QUITQ) or opcode <= b.GATKQ and opcode not in (0x1B, 0x1F):
                continue
            unknown = b.ask_one(client, b.request(opcode, b"key", b"extras", b"\x80" * 100,
                                                  opaque=opcode))
            self.assertEqual((unknown.opcode, unknown.status, unknown.opaque, unknown.value),
                             (opcode, b.UNKNOWN, opcode, b"Unknown command"))

    def test_lying_headers(self):
        server = self.serve()
        for header in ({"key_bytes": 2}, {"extras_bytes": 255}, {"key_bytes": 0xFFFF},
                       {"body_bytes": 0}, {"extras_bytes": 1}):
            for opcode in (b.GET, b.SET, b.STAT, 0x60):
                with server.connect() as client:
                    (reply,) = b.ask_last(client, b.request(opcode, b"k", **header),
                                          b.request(b.NOOP))
                    self.assertEqual(reply.status, b.UNKNOWN)
        for wrong in (b.request(b.GET), b.request(b.GET, b"k", b"1234"),
                      b.request(b.SET, b"k", b"1234", b"v"), b.request(b.SET, b"", b"8" * 8),
                      b.request(b.INCR, b"k", b"8" * 8), b.request(b.NOOP, b"k"),
                      b.request(b.GET, b"k" * 251), b.request(b.GET, b"k", body_bytes=1 << 31),
                      b.request(b.NOOP, body_bytes=0xFFFFFFFF)):
            with server.connect() as client:
                (reply,) = b.ask_last(client, wrong, b.request(b.NOOP))
                self.assertEqual((reply.status, reply.value), (b.INVALID, b"Invalid arguments"))
        for magic in (0x00, 0x81, 0xFF, ord("g")):
            with server.connect() as client:
                (reply,) = b.ask_last(client, b.request(b.NOOP, opaque=1),
                                      b.request(b.NOOP, magic=magic))
                self.assertEqual(reply.opaque, 1)

    def test_value_over_the_limit_is_swallowed(self):
        client = self.connect(threads=2)
        over = b"v" * (1 << 20)
        for opcode, left in ((b.SET, b.NOT_FOUND), (b.SETQ, b.NOT_FOUND), (b.ADD, b.OK),
                             (b.REPLACE, b.OK), (b.APPEND, b.OK)):
            b.ask(client, b.store(b.SETQ, b"k", b"old"))
            refused = b.ask_one(client, b.store(opcode, b"k", over))
            self.assertEqual((refused.status, refused.value), (b.TOO_LARGE, b"Too large."))
            self.assertEqual(status_of(client, b.request(b.GET, b"k")), left)

    def test_declared_lengths_cost_nothing(self):
        server = self.serve()
        clients = [self.enterContext(server.connect()) for _ in range(20)]
        before = server.resident_bytes()
        for body in (1 << 31, (1 << 31) - 1, 0xFFFFFFFF):
            for client in clients:
                client.send(b.request(b.SET, b"k", b"\0" * 8, body_bytes=body))
                self.assertEqual(b.receive(client).status, b.TOO_LARGE)
                client.send(b"v" * 1000)
            clients = [self.enterContext(server.connect()) for _ in clients]
        self.assertLess(server.resident_bytes() - before, 20 << 20)

    # --- bytes and cores --------------------------------------------------------------------------

    def test_large_values_stream_both_ways(self):
        for threads in (1, 4):
            client = self.connect(threads=threads)
            for size in (1, 100, 4000, 33000, 100000, 900000):
                for i in range(4):
                    value = bytes([i]) * size
                    key = b"%d-%d" % (size, i)
                    self.assertEqual(status_of(client, b.store(b.SET, key, value)), b.OK)
                    hits = b.ask(client, *[b.request(b.GETK, key)] * 3)
                    self.assertEqual([(hit.key, hit.value) for hit in hits], [(key, value)] * 3)

    def test_replies_come_in_order_of_requests(self):
        client = self.connect(threads=4)
        b.ask(client, *[b.store(b.SETQ, b"k%d" % i, b"v%d" % i) for i in range(500)])
        hits = b.ask(client, *[b.request(b.GETKQ, b"k%d" % i, opaque=i) for i in range(1000)])
        self.assertEqual([hit.opaque for hit in hits], list(range(500)))
        self.assertEqual([hit.value for hit in hits], [b"v%d" % i for i in range(500)])

    def test_cut_at_every_byte(self):
        server = self.serve(threads=2)
        wire = (b.store(b.SET, b"key", b"value", flags=3) + b.request(b.GETK, b"key", opaque=1) +
                b.count(b.INCR, b"n", 1, 5, 0) + b.request(0x60, b"k", b"e", b"v") +
                b.request(b.GETQ, b"none") + b.request(b.NOOP, opaque=2))
        for at in range(1, len(wire)):
            with server.connect() as client:
                client.send(wire[:at])
                # A round trip of another client: what was sent is there by now, on its own.
                server.stats()
                client.send(wire[at:] + b.request(b.QUIT))
                replies, rest = b.split(client.rest())
                self.assertEqual(rest, b"")
                self.assertEqual([reply.status for reply in replies],
                                 [b.OK, b.OK, b.OK, b.UNKNOWN, b.OK, b.OK], at)

    def test_what_is_owed_arrives_before_the_connection_closes(self):
        ends = (b.request(b.QUIT), b.request(b.QUITQ), b.request(b.NOOP, magic=0),
                b.request(b.GET), b.request(b.GET, b"k" * 251), b.request(b.GET, key_bytes=9))
        for threads in (1, 4):
            server = self.serve(threads=threads)
            with server.connect() as client:
                b.ask(client, *[b.store(b.SETQ, b"k%d" % i, b"v" * 40000) for i in range(20)])
            for end in ends:
                for count in (1, 20, 100):
                    with server.connect() as client:
                        gets = [b.request(b.GET, b"k%d" % (i % 20)) for i in range(count)]
                        replies = b.ask_last(client, *gets, end)
                        hits = [reply for reply in replies if len(reply.value) == 40000]
                        self.assertEqual(len(hits), count)

    # --- which protocol ---------------------------------------------------------------------------

    def test_text_and_binary_clients_share_the_items(self):
        server = self.serve(threads=2)
        with server.connect() as text, server.connect() as binary:
            text.set(b"k", b"from text", flags=6)
            hit = b.ask_one(binary, b.request(b.GET, b"k"))
            self.assertEqual((hit.value, hit.extras), (b"from text", b"\0\0\0\6"))
            b.ask(binary, b.store(b.SETQ, b"k", b"from binary"))
            self.assertEqual(text.get(b"k"), b"from binary")

    def test_one_protocol_only(self):
        ascii_only = self.serve("-B", "ascii")
        with ascii_only.connect() as client:
            client.send(b.request(b.VERSION) + b"\r\nversion\r\n")
            self.assertEqual(client.line(), b"ERROR")
            self.assertRegex(client.line(), b"^VERSION ")
        self.assertEqual(ascii_only.stats("settings")["binding_protocol"], "ascii")
        binary_only = self.serve("-B", "binary")
        with binary_only.connect() as client:
            client.send(b"version\r\n")
            self.assertEqual(client.rest(), b"")
        with binary_only.connect() as client:
            self.assertEqual(b.ask(client), [])
        self.assertIn("ascii", self.refuse("-B", "http"))
