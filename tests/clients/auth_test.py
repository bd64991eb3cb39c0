"""Text authentication (-Y): nobody is served who has not said who they are, and nothing else changes."""

import contextlib
import os
import signal
import socket

import harness

USERS = "alice:secret\nbob:hunter2\r\nc:d:e\n"
AUTH = b"set k 0 0 12\r\nalice secret\r\n"
UNAUTHENTICATED = b"CLIENT_ERROR unauthenticated"
FAILURE = b"CLIENT_ERROR authentication failure"
TOO_LONG = b"CLIENT_ERROR auth token too long"


class AuthTestCase(harness.ServerTestCase):
    def setUp(self):
        folder = harness.Server().folder
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "users")
        self.write_users(USERS)

    def write_users(self, text):
        with open(self.path + ".new", "w", encoding="ascii", newline="") as file:
            file.write(text)
        os.rename(self.path + ".new", self.path)

    def serve_users(self, *flags, **options):
        return self.serve("-Y", self.path, *flags, **options)

    def enter(self, server, request=AUTH):
        client = self.enterContext(server.connect())
        client.send(request)
        self.assertEqual(client.line(), b"STORED")
        return client

    def replies(self, server, request, count):
        """The first `count` lines of the reply, on a connection of its own."""
        with server.connect() as client:
            client.send(request)
            return [client.line() for _ in range(count)]


class AuthTest(AuthTestCase):
    def test_nothing_is_served_before(self):
        server = self.serve_users(threads=2)
        for request in (
            b"get k", b"gets k", b"gat 0 k", b"version", b"quit", b"stats", b"flush_all", b"mn",
            b"mg k v", b"ms k 0", b"me k", b"add k 0 0 0", b"cas k 0 0 0 1", b"delete k", b"touch k 0",
            b"incr k 1", b"verbosity 1", b"watch", b"shutdown", b"lru_crawler metadump all", b"",
            b"set k 0 0", b"set k 0 0 x", b"set k 0 0 -1", b"nonsense",
        ):  # fmt: skip
            with self.subTest(request=request):
                lines = self.replies(server, request + b"\r\n" + AUTH, 2)
                self.assertEqual(lines, [UNAUTHENTICATED, b"STORED"])
        client = self.enter(server)
        self.assertEqual(client.stats()["curr_items"], "0")
        self.assertEqual(client.stats()["cmd_get"], "0")

    def test_users_come_in(self):
        server = self.serve_users()
        for request in (
            AUTH, b"set any 7 x 11\r\nbob hunter2\r\n", b"set k 0 0 5\nc d:e\r\n",
            b"set k 0 0 12 noreply\r\nalice secret\r\n",
        ):  # fmt: skip
            client = self.enter(server, request)
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
            self.assertEqual(client.get(b"k"), b"v")

    def test_wrong_ones_do_not_and_may_try_again(self):
        server = self.serve_users()
        with server.connect() as client:
            tries = [b"alice wrong", b"alice secrets", b"alic secret", b"bob secret", b"ALICE secret"]
            for text in tries:
                client.send(b"set k 0 0 %d\r\n%s\r\n" % (len(text), text))
                self.assertEqual(client.line(), FAILURE)
            client.send(b"set k 0 0 5\r\nalice\r\n")
            self.assertEqual(client.line(), b"CLIENT_ERROR bad authentication token format")
            client.send(b"set k 0 0 12\r\nalice secretXX")
            self.assertEqual(client.line(), b"CLIENT_ERROR bad command line termination")
            client.send(AUTH)
            self.assertEqual(client.line(), b"STORED")
            stats = client.stats()
            self.assertEqual(stats["auth_cmds"], str(len(tries) + 1))
            self.assertEqual(stats["auth_errors"], str(len(tries)))
            self.assertEqual(client.stats("settings")["auth_enabled_ascii"], self.path)

    def test_commands_behind_it_are_served_in_order(self):
        server = self.serve_users(threads=4)
        wire = (
            b"get before\r\n" + AUTH + b"set a 0 0 1\r\n1\r\nget a\r\nset k 0 0 12\r\nalice wrongx\r\n"
            b"get k\r\nversion\r\n"
        )
        expected = [
            UNAUTHENTICATED, b"STORED", b"STORED", b"VALUE a 0 1", b"1", b"END", b"STORED",
            b"VALUE k 0 12", b"alice wrongx", b"END", b"VERSION 1.6.45",
        ]  # fmt: skip
        self.assertEqual(self.replies(server, wire, len(expected)), expected)
        # However the bytes are cut.
        for size in (1, 3, 17):
            with server.connect() as client:
                for at in range(0, len(wire), size):
                    client.send(wire[at : at + size])
                self.assertEqual([client.line() for _ in expected], expected)

    def test_a_long_pipeline_behind_it(self):
        server = self.serve_users("-R", "7", threads=2)
        with server.connect() as client:
            client.send(b"mn\r\n" * 50 + AUTH + b"set n 0 0 1\r\n0\r\n" + b"incr n 1\r\n" * 5000)
            for _ in range(50):
                self.assertEqual(client.line(), UNAUTHENTICATED)
            self.assertEqual([client.line(), client.line()], [b"STORED"] * 2)
            for number in range(1, 5001):
                self.assertEqual(int(client.line()), number)

    def test_giant_tokens_are_swallowed_and_the_next_line_is_heard(self):
        server = self.serve_users()
        for size in (1025, 5000, 1 << 20):
            with server.connect() as client:
                value = b"alice " + b"x" * (size - 6)
                client.send(b"set k 0 0 %d\r\n%s\r\n" % (size, value) + AUTH)
                self.assertEqual([client.line(), client.line()], [TOO_LONG, b"STORED"])
        with server.connect() as client:
            client.send(b"x" * 2049)
            self.assertEqual(client.rest(), b"")

    def test_declared_lengths_are_only_words(self):
        server = self.serve_users("-c", "500")
        clients = [self.enterContext(server.connect()) for _ in range(300)]
        for client in clients:
            client.send(b"set k 0 0 1000000000\r\nalice secret")
            self.assertEqual(client.line(), TOO_LONG)
        client = self.enter(server)
        self.assertLess(int(client.stats()["read_buf_bytes"]), 4 << 20)

    def test_many_clients_on_several_threads(self):
        server = self.serve_users("-c", "500", threads=4)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.connect()) for _ in range(200)]
            for number, client in enumerate(clients):
                client.send(AUTH if number % 2 else b"set k 0 0 12\r\nalice Secret\r\n")
            for number, client in enumerate(clients):
                self.assertEqual(client.line(), b"STORED" if number % 2 else FAILURE)
                client.send(b"get k\r\n")
            for number, client in enumerate(clients):
                self.assertEqual(client.line(), b"END" if number % 2 else UNAUTHENTICATED)

    def test_unix_socket_asks_as_well(self):
        path = self.path + ".sock"
        server = self.serve_users("-s", path, tcp=False)
        client = harness.eventually(lambda: self.reached(path), "the socket answers")
        with client:
            self.assertEqual(client.ask(b"version"), UNAUTHENTICATED)
            client.send(AUTH)
            self.assertEqual(client.line(), b"STORED")
            self.assertEqual(client.ask(b"version")[:8], b"VERSION ")
        server.stop()

    def reached(self, path):
        try:
            return harness.Connection(path, family=socket.AF_UNIX)
        except (FileNotFoundError, ConnectionRefusedError):
            return None


class ReloadTest(AuthTestCase):
    """SIGHUP: new users count, those who are in stay, a wrong file changes nothing."""

    def accepts(self, server, text):
        with server.connect() as client:
            client.send(b"set k 0 0 %d\r\n%s\r\n" % (len(text), text))
            return client.line() == b"STORED"

    def test_reload(self):
        server = self.serve_users(threads=2)
        inside = self.enter(server)
        self.write_users("dora:new\n")
        server.process.send_signal(signal.SIGHUP)
        harness.eventually(lambda: self.accepts(server, b"dora new"), "the new user comes in")
        self.assertFalse(self.accepts(server, b"alice secret"))
        self.assertEqual(inside.set(b"k", b"v"), b"STORED")

        self.write_users("dora:newer\nnobody\n")
        server.process.send_signal(signal.SIGHUP)
        told = f"{self.path}: line 2: there is no colon"
        harness.eventually(lambda: told in server.errors(), "the wrong line is told")
        self.assertEqual(server.errors().count("warning"), 1)
        self.assertTrue(self.accepts(server, b"dora new"))
        self.assertFalse(self.accepts(server, b"dora newer"))

        os.unlink(self.path)
        server.process.send_signal(signal.SIGHUP)
        harness.eventually(lambda: "cannot be read" in server.errors(), "the loss is told")
        self.assertTrue(self.accepts(server, b"dora new"))

    def test_without_users_it_is_no_signal_to_end(self):
        server = self.serve()
        server.process.send_signal(signal.SIGHUP)
        with server.connect() as client:
            self.assertEqual(client.set(b"k", b"v"), b"STORED")

    def test_reloads_while_clients_come(self):
        server = self.serve_users("-c", "500", threads=2)
        for number in range(100):
            self.write_users(f"alice:secret\nother{number}:x\n")
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(self.accepts(server, b"alice secret"))


class StartTest(AuthTestCase):
    def test_a_wrong_file_stops_the_start(self):
        for text, told in (
            ("alice\n", "line 1: there is no colon; a line is name:password"),
            ("alice:secret\n:x\n", "line 2: the name is empty"),
            ("alice:\n", "line 1: the password is empty"),
            ("", "there is no user in it"),
        ):
            self.write_users(text)
            sentence = self.refuse("-Y", self.path)
            self.assertIn(f"-Y (--auth-file): {self.path}: ", sentence)
            self.assertIn(told, sentence)
        sentence = self.refuse("-Y", self.path + ".none")
        self.assertIn("cannot be read (No such file", sentence)
