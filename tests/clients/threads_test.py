"""Several threads: each key has one owner, and no client can tell where it lives."""

import threading

import harness

LARGE = 900_000


def in_parallel(count, work):
    """Runs work(0) … work(count - 1) at once; re-raises the first failure."""
    failures = []

    def guarded(index):
        try:
            work(index)
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Threads:
    """The tests, for a number of threads; the cases below name two of them."""

    THREADS = 0

    def setUp(self):
        self.server = self.serve(threads=self.THREADS, memory_mb=256)

    def test_every_connection_sees_every_key(self):
        with self.server.connect() as writer:
            for i in range(500):
                self.assertEqual(writer.set(b"key%d" % i, b"value%d" % i), b"STORED")
        line = b"get " + b" ".join(b"key%d" % i for i in range(500))
        expected = {b"key%d" % i: b"value%d" % i for i in range(500)}
        for _ in range(4 * self.THREADS):
            with self.server.connect() as reader:
                self.assertEqual(reader.values(line), expected)
        self.assertEqual(self.server.stats()["threads"], str(self.THREADS))
        self.assertEqual(self.server.stats()["curr_items"], "500")

    def test_large_values_both_ways(self):
        values = {b"large%d" % i: bytes([i]) * (LARGE + i) for i in range(16)}
        clients = [self.enterContext(self.server.connect()) for _ in range(8)]
        for i, (key, value) in enumerate(values.items()):
            self.assertEqual(clients[i % 8].set(key, value), b"STORED")
        for client in clients:
            for key, value in values.items():
                self.assertEqual(client.get(key), value)
        self.assertEqual(clients[0].values(b"get " + b" ".join(values)), values)

    def test_large_values_at_once_from_many_clients(self):
        def work(index):
            value = bytes([index]) * LARGE
            with self.server.connect() as client:
                for i in range(8):
                    key = b"c%d-%d" % (index, i % 3)
                    self.assertEqual(client.set(key, value), b"STORED")
                    self.assertEqual(client.get(key), value)

        in_parallel(8, work)

    def test_pipeline_is_answered_in_order(self):
        requests, expected = [], []
        for i in range(3000):
            requests.append(b"set k%d 0 0 5\r\n%05d\r\nget k%d missing%d\r\n" % (i, i, i, i))
            expected.append(b"STORED\r\nVALUE k%d 0 5\r\n%05d\r\nEND\r\n" % (i, i))
            if i % 10 == 0:
                requests.append(b"incr n 1\r\nnonsense\r\ndelete k%d\r\n" % i)
                expected.append(b"%d\r\nERROR\r\nDELETED\r\n" % (i // 10 + 1))
        expected = b"".join(expected)
        with self.server.connect() as client:
            client.set(b"n", b"0")
            sender = threading.Thread(target=client.send, args=(b"".join(requests),))
            sender.start()
            replies = client.exactly(len(expected))
            sender.join()
        self.assertEqual(replies, expected)

    def test_small_and_large_mixed_in_one_pipeline(self):
        with self.server.connect() as client:
            client.set(b"large", b"L" * LARGE)
            for i in range(20):
                client.set(b"small%d" % i, b"s%d" % i)
            request = b"".join(b"get small%d\r\nget large\r\n" % i for i in range(20))
            client.send(request)
            for i in range(20):
                value = b"s%d" % i
                head = b"VALUE small%d 0 %d\r\n%s\r\nEND\r\n" % (i, len(value), value)
                self.assertEqual(client.exactly(len(head)), head)
                expected = b"VALUE large 0 %d\r\n%s\r\nEND\r\n" % (LARGE, b"L" * LARGE)
                self.assertTrue(client.exactly(len(expected)) == expected)

    def test_increments_of_all_clients_are_counted(self):
        keys = [b"n%d" % i for i in range(8)]
        with self.server.connect() as client:
            for key in keys:
                client.set(key, b"0")

        def work(_):
            request = b"".join(b"incr %s 1\r\n" % keys[i % 8] for i in range(800))
            with self.server.connect() as client:
                client.send(request)
                for _ in range(800):
                    self.assertTrue(client.line().isdigit())

        in_parallel(8, work)
        with self.server.connect() as client:
            self.assertEqual([client.get(key) for key in keys], [b"800"] * 8)
            self.assertEqual(client.stats()["incr_hits"], "6400")

    def test_one_cas_wins(self):
        with self.server.connect() as client:
            for round_number in range(20):
                key = b"cas%d" % round_number
                client.set(key, b"0")
                client.send(b"gets " + key + b"\r\n")
                unique = client.line().split()[4]
                client.exactly(len(b"0\r\nEND\r\n"))
                answers = []

                def work(index, key=key, unique=unique, answers=answers):
                    with self.server.connect() as rival:
                        answers.append(rival.ask(b"cas %s 0 0 1 %s\r\n%d" % (key, unique, index)))

                in_parallel(6, work)
                self.assertEqual(sorted(answers), [b"EXISTS"] * 5 + [b"STORED"])

    def test_flush_is_seen_by_all_when_answered(self):
        clients = [self.enterContext(self.server.connect()) for _ in range(6)]
        for round_number in range(10):
            for i, client in enumerate(clients):
                client.set(b"f%d-%d" % (round_number, i), b"v")
            self.assertEqual(clients[round_number % 6].ask(b"flush_all"), b"OK")
            line = b"get " + b" ".join(b"f%d-%d" % (round_number, i) for i in range(6))
            for client in clients:
                self.assertEqual(client.values(line), {})

    def test_clients_that_vanish_leave_nothing(self):
        with self.server.connect() as client:
            client.set(b"large", b"L" * LARGE)

        def work(index):
            for _ in range(20):
                with self.server.connect() as rude:
                    rude.send(b"get large\r\n" * 4 + b"set half%d 0 0 500000\r\nxx" % index)

        in_parallel(4, work)
        with self.server.connect() as client:
            self.assertEqual(client.get(b"large"), b"L" * LARGE)
            self.assertIsNone(client.get(b"half0"))
            harness.eventually(
                lambda: client.stats()["curr_connections"] in ("1", "2"), "connections are freed"
            )


class TwoThreadsTest(Threads, harness.ServerTestCase):
    THREADS = 2


class FourThreadsTest(Threads, harness.ServerTestCase):
    THREADS = 4
