"""A server under test, and a plain socket to talk to it.

Server starts a binary on free ports, tells its address, and when stopped insists on a clean end:
exit code 0 within five seconds of SIGTERM and no report of a sanitizer. Any binary with memcached's
flags and its MEMCACHED_PORT_FILENAME will do, so a suite can be tried on memcached itself.

Nothing here sleeps for a fixed time: eventually() polls a condition until a deadline.
"""

import ctypes
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

# From linux/prctl.h and linux/capability.h.
PR_CAPBSET_DROP = 24
CAP_SYS_RESOURCE = 24

# Long enough for a sanitizer's build on a busy machine. Only a failing test waits that long.
DEADLINE_S = 30.0


# Many servers at once: none of them takes the default port of the admin door.
os.environ.setdefault("LARDER_ADMIN_LISTEN", "off")


class Config:
    """Set once by run_client_tests.py."""

    larderd = ""
    io = ""
    programs = ""

    @classmethod
    def is_memcached(cls):
        return "memcached" in os.path.basename(cls.larderd)


def eventually(condition, what, deadline_s=DEADLINE_S):
    """Polls until condition() is true, and returns what it returned; fails at the deadline."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        pause.wait(0.005)


class Server:
    """One running server. Use as a context manager."""

    def __init__(
        self, *flags, memory_mb=64, threads=1, tcp=True, descriptors=None, lockable=None, env=None
    ):
        self.flags = [str(flag) for flag in flags]
        self.options = ["-m", str(memory_mb), "-t", str(threads)]
        if tcp:
            self.options += ["-p", "-1", "-l", "127.0.0.1"]
        if Config.is_memcached():
            self.options += ["-u", "nobody", "-U", "0"]
        else:
            self.options += [f"--io={Config.io}"]
        self.tcp = tcp
        # Limits that the process may not lift: descriptors, bytes of locked memory.
        self.limits = {resource.RLIMIT_NOFILE: descriptors, resource.RLIMIT_MEMLOCK: lockable}
        self.env = env or {}
        self.pass_fds = ()
        self.before_exec = None  # called in the child, after everything else
        self.folder = tempfile.TemporaryDirectory(prefix="larder-test-")
        os.chmod(self.folder.name, 0o777)
        self.port_file = os.path.join(self.folder.name, "ports")
        self.error_path = os.path.join(self.folder.name, "stderr")
        self.process = None
        self.killed = False
        self.port = None

    def command_line(self):
        return [Config.larderd, *self.options, *self.flags]

    def launch(self):
        """Starts the process without waiting for it to serve."""
        limits = {what: limit for what, limit in self.limits.items() if limit}

        def prepare():
            for what, limit in limits.items():
                resource.setrlimit(what, (limit, limit))
                # Root would lift it again. For anyone else this fails, and nothing is lost.
                ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0)
            if self.before_exec:
                self.before_exec()

        with open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen(
                self.command_line(),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                preexec_fn=prepare,
                pass_fds=self.pass_fds,
                env={**os.environ, "MEMCACHED_PORT_FILENAME": self.port_file, **self.env},
            )

    def start(self):
        self.launch()
        if self.tcp:
            self.port = eventually(self._bound_port, "the server tells its port")
        return self

    def _bound_port(self):
        if self.process.poll() is not None:
            raise AssertionError(f"exit code {self.process.returncode} at start: {self.errors()}")
        found = self.ports()
        return found[0] if found else None

    def ports(self):
        """Of all addresses, in the order of the flags."""
        try:
            with open(self.port_file, encoding="ascii") as ports:
                return [int(port) for port in re.findall(r"^TCP INET: (\d+)$", ports.read(), re.M)]
        except FileNotFoundError:
            return []

    def errors(self):
        with open(self.error_path, encoding="utf-8", errors="replace") as errors:
            return errors.read()

    def wait(self, deadline_s=DEADLINE_S):
        """Exit code; fails if the process is still there at the deadline."""
        try:
            return self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {deadline_s} s: {self.errors()}") from None

    def kill(self):
        """As if the power failed. Its end is not judged afterwards."""
        self.process.kill()
        self.process.wait()
        self.killed = True

    def stop(self):
        """SIGTERM, and everything that must be true of an end."""
        if self.killed:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.wait(5.0)
        text = self.errors()
        for report in ("Sanitizer", "runtime error:", "CHECK"):
            assert report not in text, text
        assert code == 0, f"exit code {code} after SIGTERM: {text}"

    def __enter__(self):
        return self.start()

    def __exit__(self, error_type, *_):
        try:
            if error_type is None:
                self.stop()
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if error_type is not None:
                print(f"--- {' '.join(self.command_line())}\n{self.errors()}---")
            self.folder.cleanup()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def connect(self, **options):
        return Connection(("127.0.0.1", self.port), **options)

    def connect_to(self, index, **options):
        """To the address of that number."""
        return Connection(("127.0.0.1", self.ports()[index]), **options)

    def stats(self, group=""):
        with self.connect() as client:
            return client.stats(group)

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Connection:
    """A blocking socket with memcached's line ends; reads fail at the deadline."""

    def __init__(self, address, receive_buffer=None, family=socket.AF_INET):
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def _fill(self):
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def line(self):
        """The next line without its end; b"" if the server closed."""
        while b"\n" not in self.buffer:
            if not self._fill():
                break
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def exactly(self, size):
        chunks = [self.buffer]
        missing = size - len(self.buffer)
        while missing > 0:
            data = self.socket.recv(min(missing, 1 << 20))
            if not data:
                raise AssertionError(f"closed {missing} bytes early")
            chunks.append(data)
            missing -= len(data)
        whole = b"".join(chunks)
        self.buffer = whole[size:]
        return whole[:size]

    def rest(self):
        """Everything until the server closes."""
        chunks = [self.buffer]
        self.buffer = b""
        while True:
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                break
            if not data:
                break
            chunks.append(data)
        return b"".join(chunks)

    def ask(self, request):
        """Sends one command whose reply is one line."""
        self.send(request + b"\r\n")
        return self.line()

    def set(self, key, value, flags=0, exptime=0):
        head = b"set %s %d %d %d\r\n" % (key, flags, exptime, len(value))
        self.send(head + value + b"\r\n")
        return self.line()

    def values(self, request):
        """Sends a get of any kind; {key: value} of its reply."""
        self.send(request + b"\r\n")
        found = {}
        while True:
            line = self.line()
            if line == b"END":
                return found
            word, key, _, size = line.split()[:4]
            assert word == b"VALUE", line
            found[key] = self.exactly(int(size))
            assert self.exactly(2) == b"\r\n"

    def get(self, key):
        return self.values(b"get " + key).get(key)

    def stats(self, group=""):
        self.send(f"stats {group}".rstrip().encode() + b"\r\n")
        found = {}
        while True:
            line = self.line().decode()
            if line == "END":
                return found
            word, name, *value = line.split(" ", 2)
            assert word == "STAT", line
            found[name] = value[0] if value else ""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ServerTestCase(unittest.TestCase):
    """Each test starts the servers it wants; they are stopped, and judged, at its end."""

    maxDiff = 2000

    def refuse(self, *flags, env=None, standard=True, before=None):
        """Runs the server with flags that must stop its start; returns its one sentence."""
        done = subprocess.run(
            [Config.larderd, *(["-p", "-1"] if standard else []), *flags],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
            text=True,
            env={**os.environ, **(env or {})},
            preexec_fn=before,
        )
        self.assertNotEqual(done.returncode, 0, flags)
        self.assertGreater(done.returncode, 0, f"{flags} ended by a signal: {done.stderr}")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertGreater(len(lines[0]), 20)
        return lines[0]

    def serve(self, *flags, **options):
        return self.enterContext(Server(*flags, **options))

    def run_program(self, *command, typed="", **options):
        """Runs a client program, which must print nothing to stderr but on failure, and exit 0."""
        done = subprocess.run(
            [str(part) for part in command],
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=4 * DEADLINE_S,
            text=True,
            check=False,
            **options,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout
