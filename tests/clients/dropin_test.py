"""Larder where memcached was: Debian's file, flags with effects on the process, what scripts ask."""

import os
import pwd
import re
import signal
import socket
import subprocess
import tempfile

import harness

# The file that Debian's package installs as /etc/memcached.conf.
DEBIANS_FILE = "/usr/share/memcached/memcached.conf.default"

def limit_of(pid, name):
    """Soft limit and hard limit, as /proc tells them."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
        return re.search(rf"^{name}\s+(\S+)\s+(\S+)", limits.read(), re.MULTILINE).groups()


def field_of(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return re.search(rf"^{name}:\s+(.*)$", status.read(), re.MULTILINE).group(1)


class Standalone(harness.Server):
    """A server that is told nothing but these flags."""

    def __init__(self, *flags):
        # A process that has changed its user cannot be looked into by LeakSanitizer.
        super().__init__(env={"ASAN_OPTIONS": "detect_leaks=0"})
        self.options = [*flags, f"--io={harness.Config.io}"]


class DebiansFileTest(harness.ServerTestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory(prefix="larder-test-"))
        os.chmod(self.folder, 0o777)
        self.path = os.path.join(self.folder, "memcached.conf")

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def debians(self, user):
        """Debian's file, with a port, a user and a pid file that a test may have."""
        with open(DEBIANS_FILE, encoding="utf-8") as file:
            text = file.read()
        for old, new in (
            ("\n-p 11211\n", "\n-p -1\n"),
            ("\n-u memcache\n", f"\n-u {user}\n"),
            ("\n-P /var/run/memcached/memcached.pid", f"\n-P {self.folder}/pid"),
        ):
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        return text

    def has_ipv6(self):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                return False
        return True

    def test_as_shipped_but_for_port_user_and_pid_file(self):
        user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        # Newer releases of Debian have one line more.
        text = self.debians(user.pw_name).replace("\n-l ::1\n", "\n")
        self.write(text + ("-l ::1\n" if self.has_ipv6() else ""))
        # Only what the file says decides where it listens.
        server = self.enterContext(Standalone("--memcached-conf", self.path))
        with open(os.path.join(self.folder, "pid"), encoding="ascii") as file:
            self.assertEqual(int(file.read()), server.process.pid)
        self.assertEqual(field_of(server.process.pid, "Uid").split(), [str(user.pw_uid)] * 4)
        settings = server.stats("settings")
        self.assertEqual(settings["maxbytes"], str(64 << 20))
        self.assertEqual(settings["inter"], "127.0.0.1,[::1]" if self.has_ipv6() else "127.0.0.1")
        # -d has no meaning there: who starts us with the file decides where we run.
        self.assertIsNone(server.process.poll())
        self.assertNotIn(" warning: ", server.errors())
        with server.connect() as client:
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
            self.assertEqual(client.get(b"k"), b"v")

    def test_a_look_beside_memcached(self):
        # docs/migration.md: the file as it is, on another port and without its pid file.
        flags = ["--memcached-conf", DEBIANS_FILE, "-p", "-1", "-P", ""]
        server = self.enterContext(Standalone(*flags))
        self.assertEqual(server.stats("settings")["maxbytes"], str(64 << 20))
        self.assertNotIn(" warning: ", server.errors())

    def test_flags_count_before_the_file(self):
        self.write("-R 7\n-c 8\n-o idle_timeout=9\n")
        server = self.serve("--memcached-conf", self.path, "-c", "77")
        settings = server.stats("settings")
        self.assertEqual(settings["reqs_per_event"], "7")
        self.assertEqual(settings["maxconns"], "77")
        self.assertEqual(settings["idle_timeout"], "9")

    def test_wrong_line_is_named(self):
        for text, named in (
            ("-m 64\n-t 0\n", "memcached.conf:2: -t (--threads)"),
            ("\n\nfruit 3\n", "memcached.conf:3: "),
            ("-Z\n", "TLS"),
            ("-e /x\n", "restart"),
        ):
            with self.subTest(text=text):
                self.write(text)
                self.assertIn(named, self.refuse("--memcached-conf", self.path))
        missing = os.path.join(self.folder, "missing.conf")
        self.assertIn("missing.conf", self.refuse("--memcached-conf", missing))

    def test_what_is_ignored_is_told_once(self):
        self.write("-C\n-f 1.5\n-o hot_lru_pct=30,modern\n")
        server = self.serve("--memcached-conf", self.path)
        lines = [line for line in server.errors().splitlines() if "ignored" in line]
        self.assertEqual(len(lines), 3, lines)
        for line, named in zip(lines, ("conf:1: -C", "conf:2: -f", "conf:3: -o"), strict=True):
            self.assertIn(" warning: ", line)
            self.assertIn(named, line)


class FlagsTest(harness.ServerTestCase):
    def test_every_wrong_sub_option_stops_the_start(self):
        for text, named in (
            ("fruit", "fruit"),
            ("hash_algoritm=jenkins", "did you mean hash_algorithm?"),
            ("hashpower", "hashpower needs a value"),
            ("idle_timeout=soon", "soon"),
        ):
            with self.subTest(text=text):
                self.assertIn(named, self.refuse("-o", text))

    def test_refused_flags_say_why(self):
        self.assertIn("TLS", self.refuse("-Z"))
        self.assertIn("restart", self.refuse("-e", "/dev/shm/x"))

    def test_scripts_find_the_version_that_they_look_for(self):
        version = self.run_program(harness.Config.larderd, "-V")
        self.assertRegex(version, r"^memcached 1\.6\.\d+\nlarderd \S+\n$")
        for flag in ("-V", "--version", "-h", "--help"):
            output = self.run_program(harness.Config.larderd, flag)
            self.assertEqual(output.split("\n")[0], version.split("\n")[0])
        self.assertIn("--unix-socket", self.run_program(harness.Config.larderd, "-h"))
        self.assertIn("Apache", self.run_program(harness.Config.larderd, "-i"))

    def test_core_files_are_allowed_for_another_user_too(self):
        user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        env = {"ASAN_OPTIONS": "detect_leaks=0"}
        before = limit_of(os.getpid(), "Max core file size")
        server = self.serve("-r", "-u", user.pw_name, env=env)
        soft, hard = limit_of(server.process.pid, "Max core file size")
        self.assertEqual(soft, "unlimited" if os.getuid() == 0 else before[1])
        self.assertEqual(soft, hard)
        # The kernel gives the files there to root while a process may not be dumped.
        owner = os.stat(f"/proc/{server.process.pid}/environ").st_uid
        self.assertEqual(owner, user.pw_uid)

    def test_user_is_for_root_only(self):
        # memcached passes over -u where there is nothing to give up; so that the same command line
        # works in a container.
        def give_up_root():
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)

        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="larder-test-"))
        os.chmod(folder, 0o777)
        binary = self.reachable_binary(folder)
        path = os.path.join(folder, "sock")
        process = subprocess.Popen(
            [binary, f"--io={harness.Config.io}", "-s", path, "-t", "1", "-u", "root"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=give_up_root,
        )
        self.addCleanup(process.wait, harness.DEADLINE_S)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        harness.eventually(lambda: os.path.exists(path), "it serves")
        with harness.Connection(path, family=socket.AF_UNIX) as client:
            self.assertEqual(client.ask(b"version")[:8], b"VERSION ")

    def reachable_binary(self, folder):
        """The server's program where another user may read it."""
        binary = os.path.join(folder, "larderd")
        subprocess.run(["cp", harness.Config.larderd, binary], check=True)
        os.chmod(binary, 0o755)
        return binary

    def test_star_is_every_address(self):
        server = self.enterContext(Standalone("-l", "*", "-p", "-1", "-t", "1"))
        self.assertIn("whoever reaches it can read and change everything", server.errors())
        with socket.create_connection(("127.0.0.2", server.port), harness.DEADLINE_S) as client:
            client.sendall(b"version\r\n")
            self.assertEqual(client.recv(8), b"VERSION ")

    def test_port_file_of_nowhere_is_none(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="larder-test-"))
        path = os.path.join(folder, "sock")
        server = self.serve("-s", path, tcp=False, env={"MEMCACHED_PORT_FILENAME": ""})
        harness.eventually(lambda: os.path.exists(path), "it serves")
        self.assertIsNone(server.process.poll())

    def test_missing_folder_of_the_pid_file_is_told(self):
        server = self.serve("-P", "/nonexistent/larder.pid")
        self.assertRegex(server.errors(), r" warning: cannot write /nonexistent/larder\.pid")
        with server.connect() as client:
            self.assertEqual(client.set(b"k", b"v"), b"STORED")
