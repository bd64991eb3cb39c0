"""Dumps: every key once, whatever else happens, and nobody waits for them.

`lru_crawler metadump` and `mgdump`, `stats cachedump`, `stats sizes`, `stats conns`: the replies
that come in pages.
"""

import collections
import re
import socket
import threading
import time
import urllib.parse

import harness
from threads_test import in_parallel

LINE = re.compile(
    rb"key=(\S+) exp=(-1|\d+) la=(\d+) cas=(\d+) fetch=(yes|no) cls=(\d+) size=(\d+) flags=(\d+)"
)
Entry = collections.namedtuple("Entry", "key exp la cas fetch cls size flags")
KEYS_MAX = 1_000_000
FILL_SECONDS = 3.0


def fill(client, keys, value=b"v"):
    """Stores these keys; returns how many were stored before the time was over."""
    end = time.monotonic() + FILL_SECONDS
    for start in range(0, len(keys), 2000):
        part = keys[start : start + 2000]
        head = b" 0 0 %d noreply\r\n%s\r\n" % (len(value), value)
        client.send(b"".join([b"set " + key + head for key in part]) + b"version\r\n")
        assert client.line().startswith(b"VERSION")
        if time.monotonic() > end:
            return start + len(part)
    return len(keys)


def numbered(count, prefix=b"key:"):
    return [b"%s%d" % (prefix, n) for n in range(count)]


def begin(client, command):
    client.send(command + b"\r\n")
    line = client.line()
    assert line == b"OK", line


def metadump(client, what=b"all"):
    """The lines of a metadump, without OK and END."""
    begin(client, b"lru_crawler metadump " + what)
    return until(client, b"END")


def mgdump(client, what=b"all"):
    begin(client, b"lru_crawler mgdump " + what)
    return until(client, b"EN")


def until(client, end):
    lines = []
    while True:
        line = client.line()
        if line == end:
            return lines
        assert line, "closed within a dump"
        lines.append(line)


def entry(line):
    found = LINE.fullmatch(line)
    assert found, line
    key, *rest = found.groups()
    return Entry(urllib.parse.unquote_to_bytes(key), *(each.decode() for each in rest))


def keys_of(lines):
    """The keys of a metadump, none twice."""
    keys = [entry(line).key for line in lines]
    assert len(set(keys)) == len(keys), collections.Counter(keys).most_common(3)
    return set(keys)


class FormatTest(harness.ServerTestCase):
    def setUp(self):
        self.server = self.serve()
        self.client = self.enterContext(self.server.connect())

    def test_an_empty_cache(self):
        self.assertEqual(metadump(self.client), [])
        self.assertEqual(mgdump(self.client), [])
        self.client.send(b"stats cachedump 1 0\r\n")
        self.assertEqual(self.client.line(), b"END")

    def test_a_line_of_a_metadump_tells_all_of_an_item(self):
        until_s = int(time.time()) + 1000
        self.client.set(b"plain", b"v")
        self.client.set(b"b%\xc3\xa9/~", b"value", flags=7, exptime=until_s)
        self.assertEqual(self.client.get(b"plain"), b"v")
        unique = self.gets_unique(b"b%\xc3\xa9/~")
        found = {each.key: each for each in map(entry, metadump(self.client))}
        self.assertEqual(set(found), {b"plain", b"b%\xc3\xa9/~"})
        plain, other = found[b"plain"], found[b"b%\xc3\xa9/~"]
        self.assertEqual((plain.exp, plain.fetch, plain.flags), ("-1", "yes", "0"))
        self.assertEqual((other.exp, other.cas, other.flags), (str(until_s), unique, "7"))
        self.assertEqual(plain.cls, "1")
        lines = b"\n".join(metadump(self.client))
        self.assertIn(b"key=b%25%C3%A9%2F~ exp=", lines)

    def test_a_key_that_is_no_word(self):
        """Stored by a meta command in base64: nothing of it breaks the lines, and what mgdump says finds it."""
        self.client.send(b"ms YSBiDQpjAA== 1 b\r\nv\r\n")
        self.assertEqual(self.client.line(), b"HD")
        self.assertEqual([each.key for each in map(entry, metadump(self.client))], [b"a b\r\nc\0"])
        self.assertEqual(mgdump(self.client), [b"mg YSBiDQpjAA== b"])
        self.client.send(b"mg YSBiDQpjAA== b v\r\n")
        self.assertEqual(self.client.line(), b"VA 1")
        self.assertEqual(self.client.line(), b"v")

    def gets_unique(self, key):
        self.client.send(b"gets " + key + b"\r\n")
        unique = self.client.line().split()[-1].decode()
        self.client.line()
        self.assertEqual(self.client.line(), b"END")
        return unique

    def test_line_ends_are_memcacheds(self):
        self.client.set(b"k", b"v")
        self.client.send(b"lru_crawler metadump all\r\nlru_crawler mgdump all\r\nquit\r\n")
        whole = self.client.rest()
        self.assertRegex(whole, rb"\AOK\r\nkey=k [^\r\n]*\nEND\r\nOK\r\nmg k\r\nEN\r\n\Z")

    def test_what_is_dumped_can_be_asked_for(self):
        keys = numbered(3000)
        fill(self.client, keys)
        for what in (b"all", b"hash"):
            self.assertEqual(keys_of(metadump(self.client, what)), set(keys))
            lines = mgdump(self.client, what)
            self.assertEqual(sorted(lines), sorted(b"mg " + key for key in keys))

    def test_classes_choose_items_by_their_size(self):
        for key, size in ((b"small", 10), (b"middle", 1000), (b"large", 20_000)):
            self.client.set(key, b"x" * size)
        by_class = {each.cls: each.key for each in map(entry, metadump(self.client))}
        self.assertEqual(len(by_class), 3)
        for number, key in by_class.items():
            self.assertEqual(keys_of(metadump(self.client, number.encode())), {key})
        both = b",".join(each.encode() for each in list(by_class)[:2])
        self.assertEqual(keys_of(metadump(self.client, both)), set(list(by_class.values())[:2]))
        self.assertEqual(metadump(self.client, b"63"), [])
        items = {name.split(":")[1] for name in self.client.stats("items")}
        self.assertEqual(items, set(by_class))

    def test_the_dead_are_not_dumped(self):
        self.client.set(b"stays", b"v")
        self.client.set(b"gone", b"v", exptime=-1)
        self.client.set(b"deleted", b"v")
        self.client.ask(b"delete deleted")
        self.assertEqual(keys_of(metadump(self.client)), {b"stays"})
        self.client.ask(b"flush_all")
        self.assertEqual(metadump(self.client), [])

    def test_mistakes(self):
        replies = {
            b"lru_crawler metadump": b"ERROR",
            b"lru_crawler mgdump": b"ERROR",
            b"lru_crawler metadump all more": b"ERROR",
            b"lru_crawler mgdump hash more": b"ERROR",
            b"lru_crawler metadump 0": b"BADCLASS invalid class id",
            b"lru_crawler metadump 64": b"BADCLASS invalid class id",
            b"lru_crawler metadump x": b"BADCLASS invalid class id",
            b"lru_crawler metadump 1,x": b"BADCLASS invalid class id",
            b"lru_crawler metadump 300": b"BADCLASS invalid class id",
            b"lru_crawler mgdump 18446744073709551617": b"BADCLASS invalid class id",
            b"stats cachedump": b"CLIENT_ERROR bad command line",
            b"stats cachedump 1": b"CLIENT_ERROR bad command line",
            b"stats cachedump x 0": b"CLIENT_ERROR bad command line format",
            b"stats cachedump 1 x": b"CLIENT_ERROR bad command line format",
            b"stats cachedump 1 -1": b"CLIENT_ERROR bad command line format",
            b"stats cachedump 64 0": b"CLIENT_ERROR Illegal slab id",
        }
        for command, reply in replies.items():
            self.assertEqual(self.client.ask(command), reply, command)

    def test_cachedump_is_bounded_by_limit_and_by_two_megabytes(self):
        until_s = int(time.time()) + 1000
        self.client.set(b"a", b"123")
        self.client.set(b"b", b"45", exptime=until_s)
        self.client.send(b"stats cachedump 1 0\r\n")
        self.assertEqual(
            sorted(until(self.client, b"END")),
            [b"ITEM a [3 b; 0 s]", b"ITEM b [2 b; %d s]" % until_s],
        )
        for command, lines in ((b"1 1", 1), (b"1 2 7", 2), (b"2 0", 0), (b"0 0", 0), (b"63 0", 0)):
            self.client.send(b"stats cachedump " + command + b"\r\n")
            self.assertEqual(len(until(self.client, b"END")), lines, command)
        fill(self.client, numbered(12_000, b"k" * 200))
        number = entry(metadump(self.client)[-1]).cls.encode()
        self.client.send(b"stats cachedump " + number + b" 0\r\n")
        size = sum(len(line) + 2 for line in until(self.client, b"END"))
        self.assertLessEqual(size, 2 << 20)
        self.assertGreater(size, (2 << 20) - 1000)
        self.client.send(b"stats cachedump " + number + b" 5000\r\n")
        self.assertEqual(len(until(self.client, b"END")), 5000)

    def test_an_item_has_one_size_wherever_it_is_told(self):
        for size, flags in ((0, 0), (30, 0), (31, 7), (500, 0), (70_000, 1)):
            with self.subTest(size=size):
                self.client.send(b"flush_all\r\nset key %d 0 %d\r\n" % (flags, size))
                self.client.send(b"x" * size + b"\r\n")
                self.assertEqual([self.client.line(), self.client.line()], [b"OK", b"STORED"])
                # What memcached takes for it.
                bytes_of_it = 48 + 8 + 4 + (4 if flags else 0) + size + 2
                (dumped,) = map(entry, metadump(self.client))
                self.assertEqual(int(dumped.size), bytes_of_it)
                described = self.client.ask(b"me key")
                self.assertIn(b" cls=%d size=%d" % (int(dumped.cls), bytes_of_it), described)
                (items,) = {name.split(":")[1] for name in self.client.stats("items")}
                self.assertEqual(items, str(int(dumped.cls)))
                items = self.client.stats("items")
                self.assertEqual(items[f"items:{int(dumped.cls)}:mem_requested"], str(bytes_of_it))
                self.assertEqual(sum(map(int, self.client.stats("sizes").values())), 1)
                self.assertEqual(self.client.ask(b"mg key s"), b"HD s%d" % size)

    def test_sizes_count_every_item_in_steps_of_32_bytes(self):
        for n in range(500):
            self.client.set(b"key%d" % n, b"x" * (n * 20))
        expected = collections.Counter(
            -(-int(each.size) // 32) * 32 for each in map(entry, metadump(self.client))
        )
        self.assertGreater(len(expected), 100)
        sizes = self.client.stats("sizes")
        self.assertEqual({int(size): int(count) for size, count in sizes.items()}, expected)
        self.assertEqual([int(size) for size in sizes], sorted(expected))
        for word, state in (("enable", "enabled"), ("disable", "enabled")):
            self.assertEqual(self.client.stats(f"sizes_{word}"), {"sizes_status": state})


class ForbiddenTest(harness.ServerTestCase):
    def test_with_x_no_key_is_told(self):
        server = self.serve("-X")
        client = self.enterContext(server.connect())
        client.set(b"secret", b"v")
        for command, reply in (
            (b"lru_crawler metadump all", b"ERROR metadump not allowed"),
            (b"lru_crawler mgdump all", b"ERROR key dump not allowed"),
            (b"lru_crawler metadump", b"ERROR"),
            (b"stats cachedump 1 0", b"CLIENT_ERROR stats cachedump not allowed"),
            (b"stats cachedump", b"CLIENT_ERROR stats cachedump not allowed"),
            (b"stats detail dump", b"CLIENT_ERROR stats detail not allowed"),
            (b"stats detail on", b"CLIENT_ERROR stats detail not allowed"),
        ):
            self.assertEqual(client.ask(command), reply, command)
        self.assertEqual(client.stats("settings")["dump_enabled"], "no")
        self.assertEqual(client.stats("sizes"), {"96": "1"})


class UnderLoad:
    """The tests, for a number of threads; the cases below name two of them."""

    THREADS = 0

    def setUp(self):
        self.server = self.serve(threads=self.THREADS, memory_mb=512)

    def test_a_million_keys_once_each(self):
        with self.server.connect() as client:
            keys = numbered(KEYS_MAX)
            stored = fill(client, keys)
            self.assertGreaterEqual(stored, 10_000)
            self.assertEqual(keys_of(metadump(client)), set(keys[:stored]))
            self.assertEqual(len(mgdump(client, b"hash")), stored)
            self.assertEqual(sum(map(int, client.stats("sizes").values())), stored)

    def test_every_key_once_while_the_table_grows_and_two_write(self):
        stop = threading.Event()
        with self.server.connect() as client:
            keys = numbered(20_000)
            fill(client, keys)

        def write(index):
            with self.server.connect() as client:
                batch = 0
                while not stop.is_set() and batch < 80:
                    fill(client, numbered(1000, b"more:%d:%d:" % (index, batch)))
                    fill(client, keys[batch % 20 :: 20])
                    batch += 1

        def dump(_):
            try:
                with self.server.connect() as client:
                    for _ in range(3):
                        self.assertLessEqual(set(keys), keys_of(metadump(client)))
            finally:
                stop.set()

        in_parallel(3, lambda index: dump(index) if index == 2 else write(index))
        self.assertGreater(int(self.server.stats()["curr_items"]), 22_000)

    def test_a_reader_that_stops_half_way_holds_up_nobody_and_little_memory(self):
        with self.server.connect() as client:
            keys = numbered(100_000, b"a-rather-long-key-that-makes-long-lines:" + b"x" * 100)
            stored = fill(client, keys)
            slow = self.enterContext(self.server.connect(receive_buffer=4096))
            begin(slow, b"lru_crawler metadump all")
            seen = [slow.line() for _ in range(10)]
            harness.eventually(lambda: self.owed(client) > 0, "the server waits for the reader")
            for n in range(2000):
                self.assertEqual(client.set(b"other%d" % n, b"v"), b"STORED")
            self.assertLess(self.owed(client), 4 << 20)
            self.assertEqual(len(keys_of(metadump(client))), stored + 2000)
            seen += until(slow, b"END")
            self.assertLessEqual(set(keys[:stored]), keys_of(seen))

    def owed(self, client):
        return int(client.stats()["response_obj_bytes"])

    def test_several_dumps_at_once(self):
        keys = numbered(20_000)
        with self.server.connect() as client:
            fill(client, keys)

        def dump(index):
            with self.server.connect() as client:
                for _ in range(2):
                    if index % 3 == 0:
                        self.assertEqual(len(mgdump(client)), len(keys))
                    elif index % 3 == 1:
                        self.assertEqual(keys_of(metadump(client)), set(keys))
                    else:
                        self.assertEqual(client.stats("sizes"), {"96": str(len(keys))})
                        self.assertIn("addr", " ".join(client.stats("conns")))

        in_parallel(9, dump)

    def test_what_comes_behind_a_dump_is_answered_behind_it(self):
        with self.server.connect() as client:
            keys = numbered(5000)
            fill(client, keys)
            client.send(b"get key:1\r\nlru_crawler mgdump all\r\nget key:2\r\nquit\r\nget key:3\r\n")
            whole = client.rest()
        head, tail = b"VALUE key:1 0 1\r\nv\r\nEND\r\nOK\r\n", b"EN\r\nVALUE key:2 0 1\r\nv\r\nEND\r\n"
        self.assertTrue(whole.startswith(head))
        self.assertTrue(whole.endswith(tail))
        self.assertEqual(whole[len(head) : -len(tail)].count(b"\n"), len(keys))

    def test_dumps_that_are_cut_off_leave_nothing_behind(self):
        with self.server.connect() as client:
            fill(client, numbered(30_000))
            for n in range(20):
                other = self.server.connect(receive_buffer=4096)
                begin(other, b"lru_crawler metadump all")
                if n % 2 == 0:
                    other.socket.shutdown(socket.SHUT_WR)
                    other.line()
                other.close()
            harness.eventually(
                lambda: client.stats()["curr_connections"] == "1", "the others are gone"
            )
            self.assertEqual(len(metadump(client)), 30_000)
            harness.eventually(lambda: self.owed(client) < 100_000, "nothing is owed")


class OneThreadTest(UnderLoad, harness.ServerTestCase):
    THREADS = 1


class ThreeThreadsTest(UnderLoad, harness.ServerTestCase):
    THREADS = 3
