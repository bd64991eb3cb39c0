"""Transactions of RESP clients over several cores: MULTI, WATCH, and commands with several keys.

What happens at the same time must look as if it had happened one after the other: the test of that
draws transactions at random, lets several clients run them at once, and looks for an order of all of
them that explains every answer.
"""

import random
import socket
import threading

import differential
import harness
import resp_protocol as resp

OK = "OK"


class RespTransactionsTest(harness.ServerTestCase):
    def connect(self, *flags, **options):
        self.server = self.serve(*flags, **options)
        return self.enterContext(self.server.connect())

    def test_multi(self):
        for threads in (1, 2, 4):
            client = self.connect(threads=threads)
            self.assertEqual(
                resp.ask_all(client, ("MULTI",), ("SET", "a", "1"), ("INCR", "a"), ("GET", "b"),
                             ("MSET", "b", "x", "c", "y"), ("MGET", "a", "b", "c"), ("PING",),
                             ("DEL", "a", "b", "none"), ("INCR", "c"), ("EXEC",), ("GET", "c")),
                [OK] + ["QUEUED"] * 8 +
                [[OK, 2, None, OK, [b"2", b"x", b"y"], "PONG", 2,
                  resp.Error("ERR value is not an integer or out of range")], b"y"])
            self.assertEqual(resp.ask_all(client, ("MULTI",), ("EXEC",)), [OK, []])

    def test_multi_errors(self):
        client = self.connect(threads=2)
        self.assertEqual(
            resp.ask_all(client, ("EXEC",), ("DISCARD",), ("MULTI",), ("MULTI",), ("WATCH", "a"),
                         ("SET", "a", "1"), ("DISCARD",), ("GET", "a")),
            [resp.Error("ERR EXEC without MULTI"), resp.Error("ERR DISCARD without MULTI"), OK,
             resp.Error("ERR MULTI calls can not be nested"),
             resp.Error("ERR WATCH inside MULTI is not allowed"), "QUEUED", OK, None])
        abort = resp.Error("EXECABORT Transaction discarded because of previous errors.")
        for wrong in (("GET",), ("NONE",)):
            replies = resp.ask_all(client, ("MULTI",), ("SET", "a", "1"), wrong, ("EXEC",),
                                   ("GET", "a"))
            self.assertIsInstance(replies[2], resp.Error)
            self.assertEqual(replies[3:], [abort, None])

    def test_select_inside_multi(self):
        client = self.connect(threads=2)
        self.assertEqual(
            resp.ask_all(client, ("MULTI",), ("SET", "k", "0"), ("SELECT", 1), ("SET", "k", "1"),
                         ("EXEC",), ("GET", "k"), ("SELECT", 0), ("GET", "k"))[4:],
            [[OK, OK, OK], b"1", OK, b"0"])

    def test_what_is_not_executed_changes_nothing(self):
        """Of a transaction that a watched key stops, SELECT, HELLO and CLIENT are not executed
        either. As Redis has it, which is asked the same."""
        def converse(client, other):
            said = []
            for change in (True, False):
                resp.ask_all(client, ("WATCH", "k"), ("SET", "only", "0"))
                if change:
                    resp.ask(other, "SET", "k", "x")
                said += resp.ask_all(
                    client, ("MULTI",), ("CLIENT", "SETNAME", "me"), ("SELECT", 3),
                    ("SET", "only", "3"), ("MGET", "only", "none"), ("SELECT", "99"),
                    ("GET", "only"), ("EXEC",), ("GET", "only"), ("CLIENT", "GETNAME"),
                    ("SELECT", 0), ("GET", "only"))
                said += resp.ask_all(client, ("WATCH", "k"))
                if change:
                    resp.ask(other, "SET", "k", "y")
                said += resp.ask_all(client, ("MULTI",), ("HELLO", 3), ("EXEC",))[:2]
                # A null of RESP2, or of RESP3.
                client.send(resp.request("GET", "none"))
                said.append(client.line())
            return said

        told = []
        for threads in (1, 3):
            client = self.connect(threads=threads)
            told.append(converse(client, self.enterContext(self.server.connect())))
        with differential.server_of("/usr/bin/redis-server", "redis-server", 1, None) as redis:
            pair = [harness.Connection(redis.address, family=socket.AF_UNIX) for _ in range(2)]
            told.append(converse(*pair))
            for connection in pair:
                connection.close()
        self.assertEqual(told[0], told[-1])
        self.assertEqual(told[1], told[-1])
        self.assertIn(b"$-1", told[-1])
        self.assertIn(b"_", told[-1])

    def test_watch(self):
        for threads in (1, 2):
            client = self.connect(threads=threads)
            other = self.enterContext(self.server.connect())
            for change, wanted in (
                    ((b"PING",), [OK]), ((b"SET", b"k", b"x"), None), ((b"SET", b"n", b"x"), None),
                    ((b"DEL", b"k"), None), ((b"SET", b"unrelated", b"x"), [OK])):
                resp.ask_all(client, ("MSET", "k", "v"), ("DEL", "n"))
                self.assertEqual(resp.ask(client, "WATCH", "k", "n", "none"), OK)
                resp.ask(other, *change)
                self.assertEqual(
                    resp.ask_all(client, ("MULTI",), ("SET", "done", "1"), ("EXEC",))[2], wanted,
                    change)
            resp.ask(client, "WATCH", "k")
            resp.ask(client, "UNWATCH")
            resp.ask(other, "SET", "k", "y")
            self.assertEqual(resp.ask_all(client, ("MULTI",), ("PING",), ("EXEC",))[2], ["PONG"])

    def test_rename_copy_msetnx(self):
        for threads in (1, 2, 4):
            client = self.connect(threads=threads)
            no_key = resp.Error("ERR no such key")
            same = resp.Error("ERR source and destination objects are the same")
            for i in range(20):
                a, b = f"a{i}", f"b{i}"
                self.assertEqual(
                    resp.ask_all(
                        client, ("SET", a, "v", "EX", 100), ("RENAME", a, b), ("GET", a),
                        ("TTL", b), ("RENAME", a, b), ("RENAMENX", a, b), ("SET", a, "w"),
                        ("RENAMENX", a, b), ("COPY", a, b), ("COPY", a, b, "REPLACE"), ("GET", b),
                        ("TTL", b), ("COPY", a, a), ("COPY", a, a, "DB", 1), ("COPY", "none", b),
                        ("RENAME", a, a), ("MSETNX", a, "1", "x", "2"), ("EXISTS", "x"),
                        ("DEL", a, b), ("MSETNX", a, "1", b, "2", a, "3"), ("MGET", a, b)),
                    [OK, OK, None, 100, no_key, no_key, OK, 0, 0, 1, b"w", -1, same, 1, 0, OK, 0, 0,
                     2, 1, [b"3", b"2"]])
                resp.ask_all(client, ("DEL", a, b), ("SELECT", 1), ("DEL", a), ("SELECT", 0))

    def test_an_mset_is_never_seen_half_done(self):
        """Pipelined GETs, MGET and MULTI, while others write the same pair of keys."""
        client = self.connect(threads=4)
        keys = ["k%d" % i for i in range(6)]
        resp.ask(client, "MSET", *[word for key in keys for word in (key, "0")])
        done = threading.Event()

        def write(number):
            with self.server.connect() as writer:
                turn = random.Random(number)
                count = 0
                while not done.is_set():
                    count += 1
                    pair = sorted(keys, key=lambda _: turn.random())
                    value = f"{number}-{count}"
                    resp.ask(writer, "MSET", *[word for key in pair for word in (key, value)])

        writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for writer in writers:
            writer.start()
        try:
            # The order of a writer's values tells whether what is read later is older.
            for _ in range(300):
                self.assertEqual(len(set(resp.ask(client, "MGET", *keys))), 1)
                requests = [("GET", key) for key in keys]
                self.assertEqual(
                    len(set(resp.ask_all(client, ("MULTI",), *requests, ("EXEC",))[-1])), 1)
                self.check_goes_forward(resp.ask_all(client, *requests, *requests))
        finally:
            done.set()
            for writer in writers:
                writer.join()

    def check_goes_forward(self, values):
        """Values of a pipeline of GETs: no writer's older one comes after a newer one."""
        newest = {}
        for value in values:
            number, _, count = value.partition(b"-")
            self.assertGreaterEqual(int(count or 0), newest.get(number, 0), values)
            newest[number] = int(count or 0)

    def test_transfers_keep_the_sum(self):
        """WATCH, GET, MULTI, SET, EXEC: money is neither made nor lost."""
        client = self.connect(threads=4)
        accounts = [f"account{i}" for i in range(5)]
        resp.ask(client, "MSET", *[word for name in accounts for word in (name, "100")])
        done = [0] * 4

        def transfer(number):
            turn = random.Random(number)
            with self.server.connect() as teller:
                for _ in range(100):
                    source, target = turn.sample(accounts, 2)
                    resp.ask(teller, "WATCH", source, target)
                    have, other = (int(value) for value in resp.ask(teller, "MGET", source, target))
                    replies = resp.ask_all(teller, ("MULTI",), ("SET", source, have - 1),
                                           ("SET", target, other + 1), ("EXEC",))
                    done[number] += replies[-1] is not None

        tellers = [threading.Thread(target=transfer, args=(number,)) for number in range(4)]
        for teller in tellers:
            teller.start()
        while any(teller.is_alive() for teller in tellers):
            self.assertEqual(sum(int(value) for value in resp.ask(client, "MGET", *accounts)), 500)
        self.assertGreater(sum(done), 0)
        self.assertEqual(sum(int(value) for value in resp.ask(client, "MGET", *accounts)), 500)

    def test_random_transactions_are_serialisable(self):
        """Each transaction appends its own mark to some keys and reads others, in one EXEC. A key's
        value is then the order of all that wrote it; every read is a prefix of that. An edge for each
        two transactions whose order a key tells: there must be no circle."""
        client = self.connect(threads=4)
        keys = [f"s{i}" for i in range(5)]
        history = []
        lock = threading.Lock()

        def run(number):
            turn = random.Random(1000 + number)
            with self.server.connect() as worker:
                for count in range(60):
                    mark = b"%d.%d;" % (number, count)
                    writes = turn.sample(keys, turn.randint(1, 3))
                    reads = turn.sample(keys, turn.randint(1, 3))
                    requests = ([("APPEND", key, mark) for key in writes] +
                                [("GET", key) for key in reads])
                    replies = resp.ask_all(worker, ("MULTI",), *requests, ("EXEC",))[-1]
                    seen = dict(zip(reads, replies[len(writes):]))
                    with lock:
                        history.append((mark, writes, seen))

        workers = [threading.Thread(target=run, args=(number,)) for number in range(5)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        final = {key: (resp.ask(client, "GET", key) or b"").split(b";")[:-1] for key in keys}
        after = {mark: set() for mark, _, _ in history}
        for mark, _, seen in history:
            for key, value in seen.items():
                order = final[key]
                got = (value or b"").split(b";")[:-1]
                self.assertEqual(got, order[:len(got)], key)
                # Everything read was before; what came next on that key, after.
                for other in got:
                    if other + b";" != mark:
                        after[other + b";"].add(mark)
                for other in order[len(got):len(got) + 1]:
                    after[mark].add(other + b";")
        for order in final.values():
            for first, second in zip(order, order[1:]):
                after[first + b";"].add(second + b";")
        self.assertTrue(self.has_no_circle(after))

    @staticmethod
    def has_no_circle(after):
        before = {mark: 0 for mark in after}
        for marks in after.values():
            for mark in marks:
                before[mark] += 1
        free = [mark for mark, count in before.items() if count == 0]
        placed = 0
        while free:
            placed += 1
            for mark in after[free.pop()]:
                before[mark] -= 1
                if before[mark] == 0:
                    free.append(mark)
        return placed == len(after)

    def test_a_client_that_goes_leaves_nothing_kept(self):
        client = self.connect(threads=4)
        keys = [f"k{i}" for i in range(20)]
        wire = resp.request("MSET", *[word for key in keys for word in (key, "v")])
        for _ in range(30):
            with self.server.connect() as leaving:
                leaving.send(wire * 5)
        self.assertEqual(resp.ask(client, "MGET", *keys)[:1] and
                         resp.ask(client, "DEL", *keys) >= 0, True)
