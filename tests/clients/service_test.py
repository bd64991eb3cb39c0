"""As a service: what a service manager is told, and the sockets that it passes.

Method: the test is the service manager. It listens on NOTIFY_SOCKET, and starts the server by a
shell that puts listening sockets where LISTEN_FDS says they are.
"""

import contextlib
import ctypes
import os
import re
import signal
import socket
import time

import harness

# From linux/ptrace.h.
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_DETACH = 17


class Manager:
    """Receives what the server says, in order."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)

    def receive(self, deadline_s=harness.DEADLINE_S):
        """The next message as {name: value}; None if there is none until the deadline."""
        self.socket.settimeout(deadline_s)
        try:
            message = self.socket.recv(4096).decode()
        except (TimeoutError, BlockingIOError):
            return None
        return dict(line.split("=", 1) for line in message.splitlines())

    def until(self, name):
        """Messages up to and with the first that has `name`."""
        messages = []
        while not messages or name not in messages[-1]:
            message = self.receive()
            assert message is not None, f"no {name} after {messages}"
            messages.append(message)
        return messages


class ServiceServer(harness.Server):
    """A server whose parent may pass it sockets, as {name: listening socket}."""

    ITSELF = "$$"

    def __init__(self, *flags, passed=None, passed_to=ITSELF, watchdog_s=None, **options):
        super().__init__(*flags, **options)
        self.manager = Manager(self.folder.name)
        self.env["NOTIFY_SOCKET"] = self.manager.path
        if watchdog_s:
            self.env["WATCHDOG_USEC"] = str(int(watchdog_s * 1e6))
        self.passed_to = passed_to
        if passed:
            self.pass_fds = [listening.fileno() for listening in passed.values()]
            self.env["LISTEN_FDS"] = str(len(passed))
            self.env["LISTEN_FDNAMES"] = ":".join(passed)

    def command_line(self):
        # The process id is known to the child only. Descriptors go to places that are free first:
        # one that is passed may have the number of another's place.
        script = f"export LISTEN_PID={self.passed_to}\n"
        script += "".join(f"exec {200 + i}<&{fd}\n" for i, fd in enumerate(self.pass_fds))
        script += "".join(f"exec {3 + i}<&{200 + i}-\n" for i in range(len(self.pass_fds)))
        return ["bash", "-c", script + 'exec "$@"', "bash", *super().command_line()]


class ServiceTestCase(harness.ServerTestCase):
    def serve_as_service(self, *flags, **options):
        return self.enterContext(ServiceServer(*flags, **options))

    def listen(self, family=socket.AF_INET, address=("127.0.0.1", 0)):
        listening = self.enterContext(socket.socket(family, socket.SOCK_STREAM))
        listening.bind(address)
        listening.listen(100)
        return listening


class NotifyTest(ServiceTestCase):
    def test_ready_when_it_serves_and_stopping_when_it_ends(self):
        server = self.serve_as_service(threads=2)
        ready = server.manager.receive()
        self.assertEqual(ready["READY"], "1")
        self.assertIn(f"listening on {server.address}", ready["STATUS"])
        self.assertIn("2 threads", ready["STATUS"])
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.manager.receive()["STOPPING"], "1")
        self.assertEqual(server.wait(5.0), 0)
        self.assertIsNone(server.manager.receive(0))

    def test_whoever_waits_for_ready_is_answered_by_every_core(self):
        server = self.serve_as_service(threads=4)
        server.manager.until("READY")
        with server.connect() as client:
            for i in range(100):
                self.assertEqual(client.set(b"k%d" % i, b"v"), b"STORED")

    def test_reload_reads_the_users_again_and_says_so(self):
        folder = self.serve().folder.name
        users = os.path.join(folder, "users")
        with open(users, "w", encoding="ascii") as file:
            file.write("ann:first\n")
        server = self.serve_as_service("-Y", users)
        server.manager.until("READY")
        with open(users, "w", encoding="ascii") as file:
            file.write("ann:second\n")
        server.process.send_signal(signal.SIGHUP)
        reloading, ready = server.manager.until("READY")
        self.assertEqual(reloading["RELOADING"], "1")
        self.assertLessEqual(int(reloading["MONOTONIC_USEC"]), time.monotonic_ns() // 1000)
        self.assertIn("listening on", ready["STATUS"])
        with server.connect() as client:
            self.assertEqual(client.set(b"k", b"ann second"), b"STORED")
        os.remove(users)
        server.process.send_signal(signal.SIGHUP)
        ready = server.manager.until("READY")[-1]
        self.assertRegex(ready["STATUS"], r"-Y .*users.*; the users stay as they were")

    def test_a_start_that_fails_is_never_ready(self):
        taken = self.listen()
        server = ServiceServer("-l", f"127.0.0.1:{taken.getsockname()[1]}")
        self.addCleanup(server.folder.cleanup)
        server.launch()
        self.assertEqual(server.wait(), 1)
        self.assertIsNone(server.manager.receive(0))


class WatchdogTest(ServiceTestCase):
    """It is told that we live as long as every core does."""

    @contextlib.contextmanager
    def hanging(self, server, thread):
        """The thread of that name stops; the others go on."""
        tasks = f"/proc/{server.process.pid}/task"
        names = {}
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm", encoding="ascii") as comm:
                names[comm.read().strip()] = int(task)
        libc = ctypes.CDLL(None, use_errno=True)

        def ptrace(request):
            code = libc.ptrace(ctypes.c_long(request), ctypes.c_long(names[thread]), None, None)
            self.assertEqual(code, 0, os.strerror(ctypes.get_errno()))

        ptrace(PTRACE_SEIZE)
        ptrace(PTRACE_INTERRUPT)
        os.waitpid(names[thread], 0x40000000)  # __WALL: a thread that is no child of ours
        try:
            yield
        finally:
            ptrace(PTRACE_DETACH)

    def test_idle_cores_feed_it(self):
        server = self.serve_as_service(threads=2, watchdog_s=0.1)
        server.manager.until("READY")
        for _ in range(5):
            self.assertEqual(server.manager.receive(), {"WATCHDOG": "1"})

    def test_one_core_that_hangs_starves_it(self):
        server = self.serve_as_service(threads=3, watchdog_s=1.0)
        server.manager.until("WATCHDOG")
        with self.hanging(server, "core-1"):
            silence = server.manager.until("STATUS")[-1]
            self.assertRegex(silence["STATUS"], r"^core 1 made no turn")
            for _ in range(3):
                self.assertEqual(server.manager.receive(), silence)
        *still, recovered, fed = server.manager.until("WATCHDOG")
        self.assertTrue(all(message == silence for message in still))
        self.assertIn("listening on", recovered["STATUS"])
        self.assertEqual(fed, {"WATCHDOG": "1"})

    def test_without_a_watchdog_nothing_is_said(self):
        server = self.serve_as_service()
        server.manager.until("READY")
        server.process.send_signal(signal.SIGTERM)
        self.assertIn("STOPPING", server.manager.receive())


class PassedSocketsTest(ServiceTestCase):
    def connect_to(self, listening):
        return self.enterContext(harness.Connection(listening.getsockname(), family=listening.family))

    def test_they_take_the_place_of_those_in_the_settings(self):
        folder = self.serve().folder.name
        tcp = self.listen()
        unix = self.listen(socket.AF_UNIX, os.path.join(folder, "passed.sock"))
        settings = ("-p", "1", "-s", os.path.join(folder, "not-made.sock"))
        server = self.serve_as_service(
            *settings, tcp=False, threads=2, passed={"larderd.socket": tcp, "unix": unix}
        )
        status = server.manager.receive()["STATUS"]
        port = tcp.getsockname()[1]
        self.assertIn(f"127.0.0.1:{port}, {unix.getsockname()} (passed by", status)
        self.assertFalse(os.path.exists(settings[-1]))
        for listening in (tcp, unix):
            client = self.connect_to(listening)
            for i in range(50):
                self.assertEqual(client.set(b"k%d" % i, b"v"), b"STORED")
        conns = client.stats("conns")
        self.assertIn(f"tcp:127.0.0.1:{port}", conns.values())

    def test_one_of_them_is_the_admin_door(self):
        cache, door = self.listen(), self.listen()
        server = self.serve_as_service(
            "--admin-listen=off", tcp=False, passed={"admin": door, "larderd.socket": cache}
        )
        server.manager.until("READY")
        visitor = self.connect_to(door)
        visitor.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(visitor.line(), b"HTTP/1.1 200 OK")
        client = self.connect_to(cache)
        self.assertEqual(client.set(b"k", b"v"), b"STORED")
        address = "127.0.0.1:%d" % door.getsockname()[1]
        self.assertEqual(client.stats("settings")["larder_admin_listen"], address)

    def test_clients_between_two_servers_wait_and_are_served(self):
        listening = self.listen()
        first = self.serve_as_service(tcp=False, passed={"larderd.socket": listening})
        first.manager.until("READY")
        old = self.connect_to(listening)
        self.assertEqual(old.set(b"k", b"v"), b"STORED")
        first.process.send_signal(signal.SIGTERM)
        self.assertEqual(old.rest(), b"")
        self.assertEqual(first.wait(5.0), 0)
        waiting = self.connect_to(listening)
        waiting.send(b"get k\r\n")
        second = self.serve_as_service(tcp=False, passed={"larderd.socket": listening})
        second.manager.until("READY")
        self.assertEqual(waiting.line(), b"END")

    def test_what_does_not_listen_is_refused(self):
        mute = self.enterContext(socket.socket())
        server = ServiceServer(tcp=False, passed={"larderd.socket": mute})
        self.addCleanup(server.folder.cleanup)
        server.launch()
        self.assertEqual(server.wait(), 1)
        self.assertTrue(re.search("the passed descriptor 3 is no listening", server.errors()))

    def test_sockets_for_another_process_are_not_ours(self):
        passed = self.listen()
        server = self.serve_as_service(passed={"larderd.socket": passed}, passed_to=1)
        self.assertNotIn("passed", server.manager.receive()["STATUS"])
        self.assertNotEqual(server.port, passed.getsockname()[1])
