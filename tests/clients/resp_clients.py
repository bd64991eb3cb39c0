"""What the suites of Redis' clients share: a wire that can be watched and cut, and one way to ask.

The client is a script or a program in its own language:

    SCRIPT HOST PORT PASSWORD

The password is empty where there is none. It prints "ok PART" for each part of its test. It finds
`from-memcached` and `shared-number` as a Memcached client stored them, leaves `from-redis`, and asks
PING for CUT once: then its connection breaks before it has the reply.
"""

import contextlib
import socket
import threading

import harness

# Bytes of every kind, and of the two line ends.
BINARY = bytes(range(256)) + b"\r\n\r\n"

CUT = b"cut-this-connection"


class Tap:
    """A wire between clients and a server: remembers how each client began, and cuts on request.

    Use as a context manager. Connections are served by threads of their own, two each.
    """

    REMEMBERED_BYTES_MAX = 4096

    def __init__(self, server_port):
        self.server_port = server_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.begun = []  # the first bytes of each client, in the order in which they came
        self.has_cut = False
        self.sockets = []
        self.threads = []

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        for each in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self.threads:
            thread.join()

    def _start(self, work, *arguments):
        self.threads.append(threading.Thread(target=work, args=arguments))
        self.threads[-1].start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [client, server]
            self.begun.append(bytearray())
            self._start(self._carry, client, server, self.begun[-1])
            self._start(self._carry, server, client, None)

    def _carry(self, source, sink, begun):
        """Until either end closes. `begun` is None for what the server says."""
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 18):
                if begun is not None:
                    begun += data[:self.REMEMBERED_BYTES_MAX - len(begun)]
                    if CUT in data and not self.has_cut:
                        self.has_cut = True
                        break
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def first_requests(self):
        """What the first client sent first, each request as its words with blanks between."""
        return [b" ".join(words).decode(errors="backslashreplace")
                for words in requests(bytes(self.begun[0]))]


def requests(data):
    """The whole requests at the beginning of what a client sent."""
    found = []
    lines = data.split(b"\r\n")
    while len(lines) > 1 and lines[0][:1] == b"*":
        words = int(lines[0][1:])
        if len(lines) < 1 + 2 * words + 1:
            break
        found.append(lines[2:2 + 2 * words:2])
        lines = lines[1 + 2 * words:]
    return found


class RespClientTestCase(harness.ServerTestCase):
    FLAGS = ("--keys-output-limit=100",)  # of the servers that servers() starts

    def ask_everything(self, *command, parts, first, env=None):
        """Runs the client against one core and no password, and against two that want one.

        `first` is what the client sends first when there is no password: a list of requests, or of
        their beginnings if they tell a version.
        """
        for server, password, memcached in self.servers():
            self.assertEqual(memcached.set(b"from-memcached", BINARY, flags=5), b"STORED")
            self.assertEqual(memcached.set(b"shared-number", b"41", flags=5), b"STORED")
            begun = self.ask(server, password, *command, parts=parts, env=env)
            if not password:
                self.check_beginning(begun, first)
            self.assertEqual(memcached.get(b"from-redis"), BINARY)
            self.assertEqual(memcached.ask(b"incr shared-number 1"), b"43")

    def servers(self):
        """Yields servers, their passwords, and a client of Memcached whom they have let in."""
        for threads, password in ((1, ""), (2, "secret")):
            flags = ("--requirepass", password) if password else ()
            server = self.serve(*self.FLAGS, *flags, threads=threads)
            memcached = self.enterContext(server.connect())
            if password:
                self.assertEqual(memcached.set(b"auth", b"default " + password.encode()), b"STORED")
            yield server, password, memcached

    def ask(self, server, password, *command, parts, env=None):
        """Runs the client, which must go through so many parts; tells how it began to speak."""
        with Tap(server.port) as tap:
            output = self.run_program(*command, "127.0.0.1", tap.port, password, env=env)
            self.assertEqual(output.count("ok "), parts, output)
            self.assertTrue(tap.has_cut)
            return tap.first_requests()

    def check_beginning(self, requests_sent, first):
        self.assertGreaterEqual(len(requests_sent), len(first))
        for sent, wanted in zip(requests_sent, first):
            self.assertTrue(sent.startswith(wanted), requests_sent[:len(first)])
