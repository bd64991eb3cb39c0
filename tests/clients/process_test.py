"""The process: how it starts, refuses to start, and ends."""

import os
import signal
import socket
import stat
import subprocess

import harness


class StartTest(harness.ServerTestCase):
    def refuse(self, *flags, env=None, standard=True):
        """Runs the server with flags that must stop its start; returns its one sentence."""
        done = subprocess.run(
            [harness.Config.larderd, *(["-p", "-1"] if standard else []), *flags],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=harness.DEADLINE_S,
            check=False,
            text=True,
            env={**os.environ, **(env or {})},
        )
        self.assertNotEqual(done.returncode, 0, flags)
        self.assertGreater(done.returncode, 0, f"{flags} ended by a signal: {done.stderr}")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertGreater(len(lines[0]), 20)
        return lines[0]

    def test_wrong_flags_stop_the_start(self):
        for flags, named in (
            (["-t", "0"], "-t"),
            (["-c", "0"], "-c"),
            (["-c", "-1"], "-c"),
            (["-B", "http"], "-B"),
            (["-l", "fooble."], "fooble"),
            (["-I", "1000"], "1000"),
            (["-m", "64", "-I", "40m"], "40m"),
            (["-m", "many"], "many"),
            (["-U", "11211"], "UDP"),
            (["-p", "70000"], "70000"),
            (["--io=fast"], "fast"),
            (["--no-such-flag"], "--no-such-flag"),
            (["stray"], "stray"),
        ):
            with self.subTest(flags=flags):
                self.assertIn(named, self.refuse(*flags))

    def test_wrong_file_is_named_with_its_line(self):
        folder = self.serve().folder.name
        path = os.path.join(folder, "larder.conf")
        for text, named in (
            ("# fine\nthreads = 0\n", "2"),
            ("threads = 1\n\nno-such-setting = 3\n", "no-such-setting"),
            ('conn-limit = "crowd"\n', "crowd"),
            ("this is no setting\n", "1"),
        ):
            with self.subTest(text=text):
                with open(path, "w", encoding="ascii") as file:
                    file.write(text)
                sentence = self.refuse("--config", path)
                self.assertIn("larder.conf", sentence)
                self.assertIn(named, sentence)
        self.assertIn("missing.conf", self.refuse("--config", os.path.join(folder, "missing.conf")))

    def test_wrong_variable_stops_the_start(self):
        self.assertIn("LARDER_THREADS", self.refuse(env={"LARDER_THREADS": "none"}))

    def test_flag_over_variable_over_file(self):
        folder = self.serve().folder.name
        path = os.path.join(folder, "larder.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("conn-limit = 101\nlisten-backlog = 102\nmax-reqs-per-event = 103\n")
        env = {"LARDER_LISTEN_BACKLOG": "202", "LARDER_MAX_REQS_PER_EVENT": "203"}
        server = self.serve("--config", path, "-R", "303", env=env)
        settings = server.stats("settings")
        self.assertEqual(settings["maxconns"], "101")
        self.assertEqual(settings["tcp_backlog"], "202")
        self.assertEqual(settings["reqs_per_event"], "303")

    def test_version_and_help_go_to_stdout_and_end_well(self):
        for flag in ("-V", "-h"):
            output = self.run_program(harness.Config.larderd, flag)
            self.assertIn("larder", output.lower())

    def test_second_instance_on_the_port_is_refused(self):
        for threads in (1, 2):
            first = self.serve(threads=threads)
            sentence = self.refuse(
                "-p", str(first.port), "-l", "127.0.0.1", "-t", str(threads),
                f"--io={harness.Config.io}", standard=False,
            )  # fmt: skip
            self.assertIn(str(first.port), sentence)
            with first.connect() as client:
                self.assertEqual(client.ask(b"version")[:8], b"VERSION ")

    def test_unix_socket(self):
        folder = self.serve().folder.name
        path = os.path.join(folder, "larder.sock")
        # The second time, what the first left behind must not be in the way.
        for _ in range(2):
            server = self.serve("-s", path, "-a", "600", tcp=False)
            client = harness.eventually(lambda: self.reached(path), "the socket answers")
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
            self.assertEqual(client.get(b"k"), b"v")
            client.close()
            server.stop()

    def reached(self, path):
        try:
            return harness.Connection(path, family=socket.AF_UNIX)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def test_pid_file(self):
        path = os.path.join(self.serve().folder.name, "larder.pid")
        server = self.serve("-P", path)
        with open(path, encoding="ascii") as file:
            self.assertEqual(int(file.read()), server.process.pid)
        server.stop()
        self.assertFalse(os.path.exists(path))


class EndTest(harness.ServerTestCase):
    """SIGTERM: no new clients, everything owed, exit 0 within five seconds."""

    REPLIES = 50
    VALUE = b"v" * 10000

    def owe(self, server):
        """A client that has asked for half a megabyte and has not read a byte."""
        slow = self.enterContext(server.connect(receive_buffer=4096))
        with server.connect() as other:
            other.set(b"k", self.VALUE)
            slow.send(b"get k\r\n" * self.REPLIES)
            harness.eventually(
                lambda: int(other.stats()["cmd_get"]) >= self.REPLIES, "all gets are executed"
            )
        return slow

    def refuses(self, server):
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    def check_owed_replies_arrive(self, threads):
        server = self.serve(threads=threads)
        slow = self.owe(server)
        server.process.send_signal(signal.SIGTERM)
        harness.eventually(lambda: self.refuses(server), "accepting stops", 4.0)
        reply = b"VALUE k 0 10000\r\n" + self.VALUE + b"\r\nEND\r\n"
        self.assertTrue(slow.rest() == reply * self.REPLIES)
        self.assertEqual(server.wait(5.0), 0)

    def test_owed_replies_arrive_after_sigterm(self):
        self.check_owed_replies_arrive(threads=1)

    def test_owed_replies_arrive_after_sigterm_on_two_threads(self):
        self.check_owed_replies_arrive(threads=2)

    def test_client_that_never_reads_does_not_hold_the_end(self):
        server = self.serve()
        self.owe(server)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(5.0), 0)

    def test_second_signal_ends_at_once(self):
        server = self.serve()
        self.owe(server)
        server.process.send_signal(signal.SIGTERM)
        harness.eventually(lambda: self.refuses(server), "accepting stops", 4.0)
        server.process.send_signal(signal.SIGTERM)
        server.wait(1.0)

    def test_idle_clients_are_closed_and_interrupt_is_an_end_too(self):
        server = self.serve()
        clients = [self.enterContext(server.connect()) for _ in range(20)]
        for client in clients:
            client.ask(b"version")
        server.process.send_signal(signal.SIGINT)
        for client in clients:
            self.assertEqual(client.rest(), b"")
        self.assertEqual(server.wait(5.0), 0)
