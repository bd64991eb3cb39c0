"""The process: how it starts, refuses to start, and ends."""

import ctypes
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import tempfile

import harness

# From linux/prctl.h.
PR_SET_CHILD_SUBREAPER = 36


class StartTest(harness.ServerTestCase):
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

    def test_memory_that_cannot_be_had_stops_the_start(self):
        self.assertIn("at least 3 threads", self.refuse("-m", "40g", "-t", "1"))

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
        # What one that was killed has left behind must not be in the way.
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        for _ in range(2):
            server = self.serve("-s", path, "-a", "600", tcp=False)
            client = harness.eventually(lambda: self.reached(path), "the socket answers")
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
            self.assertEqual(client.get(b"k"), b"v")
            client.close()
            server.stop()
            self.assertFalse(os.path.exists(path))

    def reached(self, path):
        try:
            return harness.Connection(path, family=socket.AF_UNIX)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    def test_the_journal_is_told_priorities(self):
        server = harness.Server()
        # systemd says which file it has given us as stderr.
        with open(server.error_path, "wb") as journal:
            about = os.fstat(journal.fileno())
        server.env["JOURNAL_STREAM"] = f"{about.st_dev}:{about.st_ino}"
        self.enterContext(server)
        server.stop()
        lines = server.errors().splitlines()
        self.assertIn("listening on 127.0.0.1:", server.errors())
        self.assertEqual([line for line in lines if not re.match(r"<[346]>[a-z]", line)], [])

    def test_pid_file(self):
        path = os.path.join(self.serve().folder.name, "larder.pid")
        server = self.serve("-P", path)
        with open(path, encoding="ascii") as file:
            self.assertEqual(int(file.read()), server.process.pid)
        server.stop()
        self.assertFalse(os.path.exists(path))

    def test_pid_file_of_another_stays(self):
        path = os.path.join(self.serve().folder.name, "larder.pid")
        server = self.serve("-P", path)
        with open(path, "w", encoding="ascii") as file:
            file.write("1\n")
        server.stop()
        self.assertTrue(os.path.exists(path))

    def test_start_is_told(self):
        server = self.serve(threads=2)
        line = harness.eventually(lambda: self.start_line(server), "it says where it listens")
        self.assertIn(f" info: listening on 127.0.0.1:{server.port} (this host only", line)
        self.assertIn(f"loop {harness.Config.io}, 2 threads, 64m of memory", line)
        self.assertNotIn("memory-limit", server.errors())

    def start_line(self, server):
        found = re.search(r"^.* listening on .*\n", server.errors(), re.MULTILINE)
        return found.group() if found else None

    def test_verbose_shows_the_settings(self):
        server = self.serve("-v", "-R", "303")
        self.assertIn(" debug: max-reqs-per-event = 303\n", server.errors())
        self.assertIn(" debug: memory-limit = 64m\n", server.errors())

    def test_user(self):
        # Root becomes another; whoever else runs this may only name themselves.
        wanted = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        # A process that has changed its user cannot be looked into by LeakSanitizer.
        server = self.serve("-u", wanted.pw_name, env={"ASAN_OPTIONS": "detect_leaks=0"})
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
            text = status.read()
        for name, number in (("Uid", wanted.pw_uid), ("Gid", wanted.pw_gid)):
            found = re.search(rf"^{name}:\s+(.*)$", text, re.MULTILINE).group(1)
            self.assertEqual(found.split(), [str(number)] * 4)
        with server.connect() as client:
            self.assertEqual(client.set(b"k", b"v"), b"STORED")


class DaemonTest(harness.ServerTestCase):
    """-d: the command ends when the server listens, and holds nothing of its starter."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="larder-test-"))
        self.pid_path = os.path.join(self.folder, "larder.pid")
        # So that the daemon is our child when its starter has ended, and we learn how it ends.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start(self, *flags):
        """Returns once nobody holds our pipes any more."""
        ports = os.path.join(self.folder, "ports")
        return subprocess.run(
            [harness.Config.larderd, "-d", f"--io={harness.Config.io}", "-t", "1", *flags],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=harness.DEADLINE_S,
            check=False,
            text=True,
            env={**os.environ, "MEMCACHED_PORT_FILENAME": ports},
        )

    def daemon(self):
        with open(self.pid_path, encoding="ascii") as file:
            pid = int(file.read())
        self.addCleanup(self.kill, pid)
        return pid

    def kill(self, pid):
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        except ChildProcessError:  # it has ended, and exit_code() saw it
            pass

    def exit_code(self, pid):
        ended, status = os.waitpid(pid, os.WNOHANG)
        return (os.waitstatus_to_exitcode(status),) if ended else None

    def test_it_serves_when_the_command_ends(self):
        # Relative paths are those of the folder that it was started in.
        done = self.start("-P", "larder.pid", "-s", "larder.sock")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = os.path.join(self.folder, "larder.sock")
        self.assertIn(f"listening on {path};", done.stderr)
        pid = self.daemon()
        with harness.Connection(path, family=socket.AF_UNIX) as client:
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        for descriptor in range(3):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{descriptor}"), "/dev/null")
        self.assertEqual(os.getsid(pid), pid)
        os.kill(pid, signal.SIGTERM)
        ended = harness.eventually(lambda: self.exit_code(pid), "it ends", 5.0)
        self.assertEqual(ended, (0,))
        self.assertEqual(os.listdir(self.folder), ["ports"])

    def test_debians_file_in_the_background(self):
        with open(os.path.join(self.folder, "memcached.conf"), "w", encoding="ascii") as file:
            file.write("-d\nlogfile /var/log/memcached.log\n-P larder.pid\n-s larder.sock\n")
        done = self.start("--memcached-conf", "memcached.conf")
        self.assertEqual(done.returncode, 0, done.stderr)
        pid = self.daemon()
        path = os.path.join(self.folder, "larder.sock")
        with harness.Connection(path, family=socket.AF_UNIX) as client:
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
        os.kill(pid, signal.SIGTERM)
        ended = harness.eventually(lambda: self.exit_code(pid), "it ends", 5.0)
        self.assertEqual(ended, (0,))

    def test_it_says_why_it_does_not_serve(self):
        first = self.serve()
        done = self.start("-P", "larder.pid", "-l", "127.0.0.1", "-p", str(first.port))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rf"^.* error: .*127\.0\.0\.1:{first.port}.*\n$")
        self.assertFalse(os.path.exists(self.pid_path))


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

    def owe_for_ever(self, server):
        """A client that has asked for more than the kernel's buffers hold, and reads nothing."""
        deaf = self.enterContext(server.connect(receive_buffer=4096))
        with server.connect() as other:
            other.set(b"k", self.VALUE)
            deaf.send(b"get k\r\n" * 5000)
            harness.eventually(
                lambda: int(other.stats()["larder_reply_pauses"]) > 0, "it is served no further"
            )

    def refuses(self, server):
        try:
            server.connect().close()
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # just as it happens
            return False
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
        self.owe_for_ever(server)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(5.0), 0)

    def test_second_signal_ends_at_once(self):
        path = os.path.join(self.serve().folder.name, "larder.pid")
        server = self.serve("-P", path)
        self.owe_for_ever(server)
        server.process.send_signal(signal.SIGTERM)
        harness.eventually(lambda: self.refuses(server), "accepting stops", 4.0)
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(1.0), 0)
        self.assertFalse(os.path.exists(path))

    def test_idle_clients_are_closed_and_interrupt_is_an_end_too(self):
        server = self.serve()
        clients = [self.enterContext(server.connect()) for _ in range(20)]
        for client in clients:
            client.ask(b"version")
        server.process.send_signal(signal.SIGINT)
        for client in clients:
            self.assertEqual(client.rest(), b"")
        self.assertEqual(server.wait(5.0), 0)
