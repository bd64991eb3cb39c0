"""Administration: watch, stats detail, shutdown, and the stubs of what memcached has and Larder has not."""

import os
import re
import socket
import struct
import tempfile
import threading

import harness

LINE = re.compile(r"^ts=\d+\.\d{6} gid=\d+ type=(\w+) (.*)$")


def events(client, count):
    """The next `count` lines of a watcher: (type, {field: value}, the text behind the type)."""
    found = []
    for _ in range(count):
        line = client.line().decode()
        match = LINE.match(line)
        assert match, line
        fields = dict(field.split("=", 1) for field in match.group(2).split(" "))
        found.append((match.group(1), fields, match.group(2)))
    return found


class WatchTest(harness.ServerTestCase):
    def watch(self, server, streams, **options):
        watcher = self.enterContext(server.connect(**options))
        watcher.send(b"watch " + streams.encode() + b"\r\n")
        self.assertEqual(watcher.line(), b"OK")
        return watcher

    def in_any_order(self, watcher, count):
        return sorted(text for _, _, text in events(watcher, count))

    def test_names_and_words(self):
        server = self.serve()
        for words, answer in (
            (b"", b"OK"), (b" fetchers", b"OK"), (b" rawcmds", b"OK"), (b" sysevents", b"OK"),
            (b" proxyreqs proxyevents proxyuser", b"OK"), (b" foo", b"ERROR"),
            (b" fetchers foo", b"ERROR"), (b" " + b" ".join([b"x"] * 50), b"ERROR"),
            (b" fetchers mutations evictions connevents deletions", b"OK"),
        ):  # fmt: skip
            with self.subTest(words=words), server.connect() as client:
                self.assertEqual(client.ask(b"watch" + words), answer)

    def test_fetchers(self):
        for threads in (1, 4):
            server = self.serve(threads=threads)
            with server.connect() as client:
                client.set(b"old", b"abc")
                watcher = self.watch(server, "fetchers")
                client.set(b"foo", b"abcde")
                client.get(b"foo")
                client.get(b"f\xffo%x")
                client.values(b"gat 0 foo")
                client.ask(b"touch foo 0")
                # The cores tell in any order.
                seen = events(watcher, 4)
                cfd = "cfd=" + seen[0][1]["cfd"]
                self.assertEqual(
                    sorted(text for _, _, text in seen),
                    [f"key=f%FFo%25x status=not_found clsid=0 {cfd} size=0"]
                    + 3 * [f"key=foo status=found clsid=1 {cfd} size=5"],
                )

    def test_mutations(self):
        server = self.serve(threads=2)
        watcher = self.watch(server, "mutations")
        with server.connect() as client:
            client.set(b"k", b"abc", exptime=100)
            client.send(b"add k 0 0 1\r\nx\r\n")
            client.send(b"append k 0 0 2\r\nxy\r\n")
            client.send(b"cas k 0 0 1 1\r\nx\r\ncas none 0 0 1 1\r\nx\r\n")
            client.send(b"set k 0 0 2000000\r\n" + b"x" * 2000000 + b"\r\n")
            client.send(b"get k\r\n")
            replies = [client.line() for _ in range(6)]
            self.assertEqual(replies[-1], b"END")
        seen = {}
        for kind, fields, _ in events(watcher, 6):
            self.assertEqual(kind, "item_store")
            seen.setdefault(fields["key"], []).append(
                (fields["cmd"], fields["status"], fields["size"])
            )
        self.assertEqual(
            seen,
            {
                "k": [
                    ("set", "stored", "3"), ("add", "not_stored", "1"), ("append", "stored", "5"),
                    ("cas", "exists", "1"), ("set", "too_large", "0"),
                ],
                "none": [("cas", "not_found", "1")],
            },
        )  # fmt: skip

    def test_mutations_tell_of_the_item(self):
        server = self.serve()
        watcher = self.watch(server, "mutations deletions")
        with server.connect() as client:
            for request, event in (
                (b"set k 0 100 3\r\nabc", "cmd=set ttl=100 clsid=1 size=3"),
                (b"append k 0 0 2\r\nxy", "cmd=append ttl=100 clsid=1 size=5"),
                (b"ms k 2 MP\r\nab", "cmd=prepend ttl=100 clsid=1 size=7"),
                (b"add k 0 50 1\r\nx", "cmd=add ttl=50 clsid=1 size=1"),
                (b"set k 0 -1 300\r\n" + b"x" * 300, "cmd=set ttl=0 clsid=7 size=300"),
                (b"ms k 1 T30\r\n1", "cmd=set ttl=30 clsid=1 size=1"),
                (b"incr k 9", "cmd=incr ttl=30 clsid=1 size=2"),
                (b"md k I\r\nmd k", "cmd=md clsid=1 size=2"),
                (b"set k 0 0 1000\r\n" + b"x" * 1000, "cmd=set ttl=0 clsid=12 size=1000"),
                (b"delete k", "cmd=delete clsid=12 size=1000"),
            ):
                with self.subTest(request=request[:20]):
                    client.ask(request)
                    _, fields, _ = events(watcher, 1)[0]
                    if fields.get("ttl") in ("99", "29"):
                        fields["ttl"] = str(int(fields["ttl"]) + 1)
                    told = " ".join(f"{name}={fields[name]}" for name in
                                    ("cmd", "ttl", "clsid", "size") if name in fields)
                    self.assertEqual(told, event)

    def test_ttl_is_told(self):
        server = self.serve()
        watcher = self.watch(server, "mutations")
        with server.connect() as client:
            client.set(b"k", b"abc", exptime=100)
            client.set(b"k", b"abc")
        self.assertEqual([fields["ttl"] for _, fields, _ in events(watcher, 2)], ["100", "0"])

    def test_deletions(self):
        server = self.serve(threads=2)
        watcher = self.watch(server, "deletions")
        with server.connect() as client:
            client.set(b"k", b"abc")
            self.assertEqual(client.ask(b"delete none"), b"NOT_FOUND")
            self.assertEqual(client.ask(b"delete k"), b"DELETED")
        kind, _, text = events(watcher, 1)[0]
        self.assertEqual((kind, text), ("deleted", "key=k cmd=delete clsid=1 size=3"))

    def test_evictions(self):
        server = self.serve(memory_mb=8)
        watcher = self.watch(server, "evictions")
        with server.connect() as client:
            for start in range(0, 4000, 500):
                client.send(
                    b"".join(
                        b"set key%d 0 0 4000 noreply\r\n%s\r\n" % (i, b"v" * 4000)
                        for i in range(start, start + 500)
                    )
                )
                client.ask(b"version")
            evictions = int(client.stats()["evictions"])
            self.assertGreater(evictions, 0)
            kind, fields, _ = events(watcher, 1)[0]
            self.assertEqual((kind, fields["size"], fields["ttl"]), ("eviction", "4000", "-1"))
            self.assertRegex(fields["key"], r"^key\d+$")

    def test_connevents(self):
        server = self.serve(threads=2)
        watcher = self.watch(server, "connevents")
        with server.connect() as client:
            port = client.socket.getsockname()[1]
            client.ask(b"version")
        seen = [(kind, fields) for kind, fields, _ in events(watcher, 2)]
        self.assertEqual([kind for kind, _ in seen], ["conn_new", "conn_close"])
        for _, fields in seen:
            self.assertEqual(fields["rip"], "127.0.0.1")
            self.assertEqual(fields["rport"], str(port))
            self.assertEqual(fields["transport"], "tcp")
        self.assertEqual(seen[1][1]["reason"], "normal")

    def leaves(self, server, watcher, end):
        """Of a client that end(client) ends: what is told of its going."""
        client = server.connect()
        port = client.socket.getsockname()[1]
        end(client)
        events_of_it = [fields for _, fields, _ in events(watcher, 2)]
        client.close()
        self.assertEqual([fields["rport"] for fields in events_of_it], [str(port)] * 2)
        self.assertEqual(events_of_it[1]["rip"], "127.0.0.1")
        return events_of_it[1]["reason"]

    def reset(self, client):
        client.ask(b"version")
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    def hang_up_in_a_value(self, client):
        client.send(b"set k 0 0 10\r\nx")
        client.socket.shutdown(socket.SHUT_WR)

    def test_why_clients_have_gone(self):
        server = self.serve("-o", "idle_timeout=1", threads=2)
        watcher = self.watch(server, "connevents")
        for end, reason in (
            (lambda client: client.send(b"quit\r\n"), "normal"),
            (lambda client: client.socket.shutdown(socket.SHUT_WR), "normal"),
            (self.hang_up_in_a_value, "normal"),
            (lambda client: client.send(b"\x80\x07" + bytes(22)), "normal"),
            (self.reset, "error"),
            (lambda client: client.send(b"x" * 3000), "error"),
            (lambda client: client.send(b"POST / HTTP/1.1\r\n"), "error"),
            (lambda client: client.send(b"\x80" + b"\xff" * 23), "error"),
            (lambda client: client.rest(), "idle_timeout"),
        ):
            with self.subTest(reason=reason):
                self.assertEqual(self.leaves(server, watcher, end), reason)

    def test_a_shutdown_is_told(self):
        server = self.serve("-A", threads=2)
        watcher = self.watch(server, "connevents")
        with server.connect() as client, server.connect() as other:
            other.ask(b"version")
            client.send(b"shutdown graceful\r\n")
            other.rest()
            text = watcher.rest().decode()
        reasons = re.findall(r"type=conn_close .* reason=(\w+) ", text)
        self.assertEqual(set(reasons), {"shutdown"})
        self.assertEqual(server.wait(5.0), 0)

    def test_clients_of_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            server = self.serve("-s", path, tcp=False)
            family = socket.AF_UNIX
            watcher = harness.eventually(lambda: self.reached(path), "the socket answers")
            self.assertEqual(watcher.ask(b"watch connevents"), b"OK")
            with harness.Connection(path, family=family) as client:
                client.ask(b"version")
            for _, fields, _ in events(watcher, 2):
                self.assertEqual((fields["rip"], fields["rport"], fields["transport"]),
                                 ("unix", "0", "local"))
            watcher.close()
            server.stop()

    def reached(self, path):
        try:
            return harness.Connection(path, family=socket.AF_UNIX)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def test_at_most_twenty(self):
        server = self.serve(threads=2)
        watchers = [self.watch(server, "fetchers") for _ in range(20)]
        with server.connect() as client:
            self.assertEqual(client.ask(b"watch"), b"WATCHER_TOO_MANY log watcher limit reached")
            self.assertEqual(client.stats()["log_watchers"], "20")
        watchers.pop().close()
        harness.eventually(lambda: self.may_watch(server), "a place is free")

    def may_watch(self, server):
        with server.connect() as client:
            return client.ask(b"watch") == b"OK"

    def test_a_watcher_is_not_heard_and_stays(self):
        server = self.serve("--idle-timeout", "1s", threads=2)
        idle = self.enterContext(server.connect())
        watcher = self.enterContext(server.connect())
        watcher.send(b"watch mutations\r\nset k 0 0 1\r\nx\r\nquit\r\n")
        self.assertEqual(watcher.line(), b"OK")
        watcher.send(b"get k\r\nquit\r\n" * 1000)
        self.assertEqual(idle.rest(), b"")  # which was silent for as long
        with server.connect() as client:
            self.assertIsNone(client.get(b"k"))
            client.set(b"after", b"v")
            self.assertEqual(events(watcher, 1)[0][1]["key"], "after")
            states = client.stats("conns").values()
            self.assertIn("conn_watch", states)

    def test_a_watcher_that_hangs_up_is_gone(self):
        server = self.serve()
        watcher = self.watch(server, "fetchers")
        watcher.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(watcher.rest(), b"")
        harness.eventually(lambda: server.stats()["log_watchers"] == "0", "its place is free")

    def test_several_watchers_of_several_cores_see_the_same(self):
        server = self.serve(threads=4)
        watchers = [self.watch(server, "fetchers") for _ in range(12)]
        with server.connect() as client:
            for number in range(50):
                client.get(b"key%d" % number)
        expected = sorted(f"key{number}" for number in range(50))
        for watcher in watchers:
            found = events(watcher, 50)
            self.assertEqual(sorted(fields["key"] for _, fields, _ in found), expected)
            self.assertEqual(len({fields["cfd"] for _, fields, _ in found}), 1)

    def test_who_does_not_read_skips_and_holds_nobody_up(self):
        for threads in (1, 4):
            server = self.serve(threads=threads)
            deaf = self.watch(server, "fetchers", receive_buffer=4096)
            reader = self.watch(server, "mutations")
            loaders = [threading.Thread(target=self.load, args=(server, i)) for i in range(2)]
            for loader in loaders:
                loader.start()
            for loader in loaders:
                loader.join()
            stats = server.stats()
            lost = int(stats["log_watcher_skipped"])
            self.assertGreater(lost, 0)
            self.assertLess(int(stats["response_obj_bytes"]), 4 << 20)
            # Whoever reads again is told how much it missed, and sees what comes then.
            with server.connect() as client:
                client.set(b"last", b"v")
                self.assertEqual(events(reader, 1)[0][1]["key"], "last")
                lines = skipped = 0
                client.send(b"get last\r\n")
                while True:
                    line = deaf.line().decode()
                    if line.startswith("skipped="):
                        skipped += int(line[8:])
                        continue
                    lines += 1
                    if "key=last" in line:
                        break
                    if lines % 100 == 0:  # what it has read has made room by now
                        client.send(b"get last\r\n")
                self.assertGreaterEqual(skipped, lost)
                self.assertGreater(lines, 100)

    def load(self, server, number):
        with server.connect() as client:
            for _ in range(20):
                client.send(
                    b"".join(b"get load:%d:%d\r\n" % (number, i) for i in range(1000)) + b"mn\r\n"
                )
                for _ in range(1001):
                    client.line()

    def test_watchers_do_not_outlive_the_server(self):
        server = self.serve(threads=2)
        watchers = [self.watch(server, "fetchers connevents") for _ in range(5)]
        server.stop()
        for watcher in watchers:
            watcher.rest()


class DetailTest(harness.ServerTestCase):
    def dump(self, client):
        client.send(b"stats detail dump\r\n")
        lines = []
        while (line := client.line()) != b"END":
            lines.append(line.decode())
        return lines

    def test_prefixes(self):
        for threads in (1, 4):
            server = self.serve(threads=threads)
            with server.connect() as client:
                client.set(b"a:0", b"v")
                self.assertEqual(self.dump(client), [])
                self.assertEqual(client.ask(b"stats detail on"), b"OK")
                self.assertEqual(client.stats("settings")["detail_enabled"], "yes")
                for number in range(10):
                    client.set(b"a:%d" % number, b"v")
                    client.get(b"b:%d" % number)
                client.get(b"a:1:2")
                client.get(b"a:3")
                client.get(b"none")
                client.ask(b"delete a:3")
                self.assertEqual(
                    self.dump(client),
                    ["PREFIX a get 2 hit 1 set 10 del 1", "PREFIX b get 10 hit 0 set 0 del 0"],
                )
                self.assertEqual(client.ask(b"stats detail off"), b"OK")
                client.get(b"a:3")
                self.assertEqual(len(self.dump(client)), 2)
                self.assertEqual(client.ask(b"stats reset"), b"RESET")
                self.assertEqual(self.dump(client), [])

    def test_from_the_next_command_on(self):
        for threads in (1, 4):
            server = self.serve(threads=threads)
            with server.connect() as client:
                gets = b"".join(b"get p%d:k\r\n" % i for i in range(20))
                client.send(
                    b"get before:k\r\nstats detail on\r\n" + gets
                    + b"stats detail off\r\nget after:k\r\nstats detail dump\r\n"
                )  # fmt: skip
                self.assertEqual(client.line(), b"END")
                self.assertEqual(client.line(), b"OK")
                self.assertEqual([client.line() for _ in range(20)], [b"END"] * 20)
                self.assertEqual([client.line(), client.line()], [b"OK", b"END"])
                prefixes = []
                while (line := client.line()) != b"END":
                    prefixes.append(line.split()[1])
                self.assertEqual(prefixes, sorted(b"p%d" % i for i in range(20)))

    def test_stats_count_what_was_asked_before(self):
        server = self.serve(threads=4)
        with server.connect() as client:
            client.send(b"".join(b"get k%d\r\n" % i for i in range(30)) + b"stats\r\n")
            for _ in range(30):
                self.assertEqual(client.line(), b"END")
            stats = {}
            while (line := client.line()) != b"END":
                _, name, value = line.split(b" ", 2)
                stats[name] = value
            self.assertEqual(stats[b"cmd_get"], b"30")

    def test_words(self):
        server = self.serve()
        usage = b"CLIENT_ERROR usage: stats detail on|off|dump"
        with server.connect() as client:
            for words in (b"", b" foo", b" ON"):
                self.assertEqual(client.ask(b"stats detail" + words), usage)

    def test_another_delimiter_counts_from_the_start(self):
        server = self.serve("-D", ".")
        with server.connect() as client:
            client.set(b"a.b:c", b"v")
            self.assertEqual(self.dump(client), ["PREFIX a get 0 hit 0 set 1 del 0"])
            settings = client.stats("settings")
            self.assertEqual(settings["stat_key_prefix"], ".")
            self.assertEqual(settings["detail_enabled"], "yes")

    def test_prefixes_without_end_are_bounded(self):
        server = self.serve(threads=2)
        with server.connect() as client:
            client.ask(b"stats detail on")
            for start in range(0, 20000, 1000):
                client.send(b"".join(b"get p%d:k\r\n" % i for i in range(start, start + 1000)))
                for _ in range(1000):
                    client.line()
            lines = self.dump(client)
            self.assertLessEqual(len(lines), 2 * 1000 + 1)
            self.assertEqual(sum(int(line.split()[3]) for line in lines), 20000)


class ShutdownTest(harness.ServerTestCase):
    def test_only_if_it_was_allowed(self):
        server = self.serve()
        with server.connect() as client:
            for words in (b"", b" graceful", b" foo"):
                self.assertEqual(client.ask(b"shutdown" + words), b"SERVER_ERROR: shutdown not enabled")

    def test_at_once(self):
        for threads in (1, 2):
            server = self.serve("-A", threads=threads)
            with server.connect() as client:
                self.assertEqual(client.stats("settings")["shutdown_command"], "yes")
                self.assertEqual(client.ask(b"shutdown foo"), b"CLIENT_ERROR invalid shutdown mode")
                client.send(b"shutdown\r\n")
                self.assertEqual(client.rest(), b"")
            self.assertEqual(server.wait(5.0), 0)

    def test_gracefully(self):
        server = self.serve("-A", threads=2)
        value = b"v" * 10000
        with server.connect(receive_buffer=4096) as slow, server.connect() as client:
            client.set(b"k", value)
            slow.send(b"get k\r\n" * 50)
            harness.eventually(lambda: int(client.stats()["cmd_get"]) >= 50, "all is executed")
            client.send(b"shutdown graceful\r\n")
            self.assertEqual(client.rest(), b"")
            expected = b"VALUE k 0 10000\r\n" + value + b"\r\nEND\r\n"
            self.assertTrue(slow.rest() == expected * 50)
        self.assertEqual(server.wait(5.0), 0)


class StubTest(harness.ServerTestCase):
    def test_parts_that_larder_has_not_answer(self):
        server = self.serve("-F")
        with server.connect() as client:
            for request, answer in (
                (b"slabs reassign 1 2", b"OK"), (b"slabs automove 1", b"OK"), (b"slabs", b"ERROR"),
                (b"lru mode segmented", b"OK"), (b"lru tune 10 20 0.1 2.0", b"OK"),
                (b"lru temp_ttl 60", b"OK"), (b"lru", b"ERROR"), (b"lru_crawler enable", b"OK"),
                (b"lru_crawler disable", b"OK"), (b"lru_crawler sle" b"ep 100", b"OK"),
                (b"lru_crawler tocrawl 10", b"OK"), (b"lru_crawler crawl all", b"OK"),
                (b"lru_crawler", b"ERROR"), (b"verbosity 1", b"OK"), (b"verbosity", b"ERROR"),
                (b"cache_memlimit", b"ERROR"), (b"stats nonsense", b"ERROR"),
                (b"flush_all", b"CLIENT_ERROR flush_all not allowed"),
            ):  # fmt: skip
                self.assertEqual(client.ask(request), answer, request)
