"""Meta commands on a plain socket.

Packaged clients do not speak meta, so conversations do: the files of sessions/ follow memcached's
protocol flag by flag.

    > line       sent, with \\r\\n behind it; consecutive ones go in one piece
    < line       expected, exactly
    # comment
    @newer …     not for the memcached that Debian has

In both, \\r \\n \\xNN stand for bytes. <name> is a number: learned where it is first expected, and
the same ever after. {a-b} is a number from a to b.
"""

import glob
import os
import random
import re

import harness

SESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sessions")
PLACEHOLDER = re.compile(r"<(\w+)>|\{(-?\d+)-(\d+)\}")


class Session:
    def __init__(self, path):
        self.name = os.path.basename(path)
        self.newer = False
        self.steps = []  # (sent lines, expected lines)
        with open(path, encoding="ascii") as file:
            for number, line in enumerate(file, 1):
                self.add(line.rstrip("\n"), number)

    def add(self, line, number):
        kind, text = line[:1], line[2:]
        if kind == "@":
            self.newer = True
        elif kind == ">":
            if not self.steps or self.steps[-1][1]:
                self.steps.append(([], []))
            self.steps[-1][0].append(text)
        elif kind == "<":
            self.steps[-1][1].append(text)
        else:
            assert kind in ("", "#"), f"{self.name}:{number}: {line}"

    def run(self, test, client):
        known = {}
        for sent, expected in self.steps:
            wire = b"".join(self.fill(line, known) + b"\r\n" for line in sent)
            client.send(wire)
            for line in expected:
                self.expect(test, client, wire, line, known)
        test.assertEqual(client.ask(b"mn"), b"MN", f"{self.name} said more than was expected")

    @staticmethod
    def bytes_of(text):
        return text.encode("ascii").decode("unicode_escape").encode("latin-1")

    def fill(self, line, known):
        def value(match):
            return known[match[1]] if match[1] else match[2]

        return self.bytes_of(PLACEHOLDER.sub(value, line))

    def expect(self, test, client, wire, line, known):
        names, ranges, pattern = [], [], b""
        at = 0
        for match in PLACEHOLDER.finditer(line):
            pattern += re.escape(self.bytes_of(line[at : match.start()]))
            at = match.end()
            if match[1] and match[1] in known:
                pattern += known[match[1]].encode()
                continue
            pattern += rb"(-?\d+)"
            names.append(match[1])
            ranges.append((match[2], match[3]))
        pattern += re.escape(self.bytes_of(line[at:]))
        # A value may have line ends: so much is read as is expected, and the rest of the line.
        reply = client.line()
        for _ in range(self.bytes_of(line).count(b"\n")):
            reply += b"\r\n" + client.line()
        found = re.fullmatch(pattern, reply, re.DOTALL)
        where = f"{self.name}: after {wire!r}: {line!r}, not {reply!r}"
        test.assertIsNotNone(found, where)
        for text, name, limits in zip(found.groups(), names, ranges):
            if name:
                known[name] = text.decode()
            else:
                test.assertTrue(int(limits[0]) <= int(text) <= int(limits[1]), where)


class SessionsTest(harness.ServerTestCase):
    def run_all(self, **options):
        paths = sorted(glob.glob(os.path.join(SESSIONS, "meta_*.session")))
        self.assertGreaterEqual(len(paths), 10)
        server = self.serve(**options)
        for path in paths:
            session = Session(path)
            if session.newer and harness.Config.is_memcached():
                continue
            with self.subTest(session.name), server.connect() as client:
                self.assertEqual(client.ask(b"flush_all"), b"OK")
                session.run(self, client)

    def test_one_thread(self):
        self.run_all()

    def test_keys_of_other_cores(self):
        self.run_all(threads=4)


# Replies that are certain, whatever else the server has done.
SCRIPT = b"".join(
    [
        b"ms a 5 F7 T0\r\nhello\r\n",
        b"mg a v f s t k O123\r\n",
        b"mg missing k O1 v\r\n",
        b"mg YQ== b v k\r\n",
        b"ms a 3 MA k\r\nabc\r\n",
        b"ms AAEC 4 b q\r\n\r\n\r\n\r\n",
        b"mg AAEC b v\n",
        b"get a\r\n",
        b"ma n N0 J5 v\r\n",
        b"ma n D3 v t\r\n",
        b"md a I q\r\n",
        b"mg a v\r\n",
        b"mg a v\r\n",
        b"md a\r\n",
        b"mg a v v\r\n",
        b"ms a 5 T\r\nvalue\r\n",
        b"ms a 5\r\ntoo long\r\n",
        b"ms large 20000 k\r\n" + bytes(i % 251 for i in range(20000)) + b"\r\n",
        b"mg large v s\r\n",
        b"mn\r\n",
        b"version\r\n",
        b"quit\r\n",
    ]
)


class CutTest(harness.ServerTestCase):
    """The replies are a function of the bytes, not of the packets."""

    def replies(self, pieces, **options):
        with harness.Server(**options) as server, server.connect() as client:
            for piece in pieces:
                client.send(piece)
            return client.rest()

    def random_pieces(self, seed):
        generator = random.Random(seed)
        rest = SCRIPT
        while rest:
            size = min(generator.choice([1, 2, 3, 10, 100, 3000]), len(rest))
            yield rest[:size]
            rest = rest[size:]

    def test_whole_bytewise_and_random_cuts_give_the_same(self):
        whole = self.replies([SCRIPT])
        self.assertIn(b"VA 5 f7 s5 t-1 ka O123\r\nhello\r\nEN kmissing O1\r\n", whole)
        self.assertIn(b"VA 8 X W\r\nhelloabc\r\nVA 8 Z X\r\nhelloabc\r\nHD\r\n", whole)
        self.assertEqual(self.replies(SCRIPT[i : i + 1] for i in range(len(SCRIPT))), whole)
        for seed in range(4):
            with self.subTest(seed=seed):
                self.assertEqual(self.replies(self.random_pieces(seed)), whole)

    def test_threads_do_not_change_a_reply(self):
        whole = self.replies([SCRIPT])
        for threads in (2, 4):
            self.assertEqual(self.replies([SCRIPT], threads=threads), whole)
            self.assertEqual(self.replies(self.random_pieces(threads), threads=threads), whole)


class LargeValuesTest(harness.ServerTestCase):
    def test_large_values_come_back_in_their_turn(self):
        for threads in (1, 4):
            server = self.serve(threads=threads, memory_mb=256)
            values = {b"large%d" % i: bytes([65 + i]) * (1 << 19) for i in range(8)}
            with server.connect() as client:
                for key, value in values.items():
                    client.send(b"ms %s %d q\r\n%s\r\n" % (key, len(value), value))
                self.assertEqual(client.ask(b"mn"), b"MN")
                client.send(b"".join(b"mg %s k v s\r\nmg %s s\r\n" % (k, k) for k in values))
                for key, value in values.items():
                    self.assertEqual(client.line(), b"VA %d k%s s%d" % (1 << 19, key, 1 << 19))
                    self.assertEqual(client.exactly((1 << 19) + 2), value + b"\r\n")
                    self.assertEqual(client.line(), b"HD s%d" % (1 << 19))

    def test_a_value_over_the_limit_is_swallowed_and_the_old_one_goes(self):
        server = self.serve()
        with server.connect() as client:
            self.assertEqual(client.set(b"k", b"old"), b"STORED")
            large = b"x" * (1 << 20)
            client.send(b"ms k %d q k\r\n%s\r\nmn\r\n" % (len(large), large))
            self.assertEqual(client.line(), b"SERVER_ERROR object too large for cache")
            self.assertEqual(client.line(), b"MN")
            self.assertEqual(client.ask(b"mg k"), b"EN")
