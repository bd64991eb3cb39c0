"""What the differential tests share: two servers, one stream of random commands, and every reply
compared.

    differential_…_test.py --larderd PATH [--peer PATH] [--io uring|event] [--threads N]
                           [--commands 50000] [--seed N]

Commands go in pipelined groups over one connection to each server, and are drawn from the seed,
which is printed: the same seed repeats the same run. A difference that is meant is a Rule, with its
reason; each use is counted and printed. Any other difference: the commands that led there are
printed, and the exit code is 1.

A protocol brings a generator, its rules, and a Run that knows how its replies look. Where --larderd
is the peer's own program, the test itself is tried: there may be no difference but within rules.
"""

import argparse
import collections
import contextlib
import dataclasses
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 30.0
MEMORY_MB = 256
# Stands behind the replies of a connection that was closed.
CLOSED = "(closed)"


# --- the two servers ------------------------------------------------------------------------------


class Server:
    """A running server and one connection to it."""

    def __init__(self, name, path, threads, io):
        self.name = name
        self.folder = tempfile.TemporaryDirectory(prefix="larder-differential-")
        os.chmod(self.folder.name, 0o777)
        self.port_file = os.path.join(self.folder.name, "ports")
        self.log = open(os.path.join(self.folder.name, "log"), "w+b")
        environment = dict(os.environ, MEMCACHED_PORT_FILENAME=self.port_file)
        self.process = subprocess.Popen([path, *self.flags(threads, io)], env=environment,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.address = None
        self.socket = None

    def flags(self, threads, io):
        flags = ["-p", "-1", "-l", "127.0.0.1", "-U", "0", "-m", str(MEMORY_MB), "-t", str(threads),
                 "--admin-listen=off"]
        return flags + ([f"--io={io}"] if io else [])

    def __enter__(self):
        try:
            self.address = self.wait_for_address()
            self.connect()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.socket is not None:
            self.socket.close()
        self.log.close()
        self.folder.cleanup()

    def wait_for_address(self):
        end = time.monotonic() + DEADLINE_S
        pause = threading.Event()
        while time.monotonic() < end and self.process.poll() is None:
            found = self.find_address()
            if found:
                return found
            pause.wait(0.01)
        return self.fail("it does not tell its address")

    def find_address(self):
        try:
            with open(self.port_file, encoding="ascii") as file:
                found = re.search(r"TCP INET: (\d+)\s", file.read())
                return ("127.0.0.1", int(found.group(1))) if found else None
        except FileNotFoundError:
            return None

    def tail(self):
        """The last that the server had to say for itself."""
        self.log.seek(0)
        return self.log.read()[-4000:].decode("utf-8", "replace")

    def fail(self, why):
        sys.exit(f"{self.name}: {why} (exit code: {self.process.poll()})\n{self.tail()}")

    def connect(self):
        if self.socket is not None:
            self.socket.close()
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(self.address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, pieces):
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except OSError:
            pass  # it has closed, or does not read: what it answers tells the rest

    def exchange(self, pieces, end):
        """Sends, and receives up to `end` at the same time: neither side waits for the other."""
        sender = threading.Thread(target=self.send, args=(pieces,))
        sender.start()
        reply = self.receive(end)
        sender.join()
        return reply

    def receive(self, end):
        """(bytes, closed): all up to `end`, or (None) up to the end of the connection."""
        reply = bytearray()
        try:
            while end is None or not reply.endswith(end):
                received = self.socket.recv(1 << 16)
                if not received:
                    return bytes(reply), True
                reply += received
        except ConnectionResetError:
            return bytes(reply), True
        except TimeoutError:
            return bytes(reply), False
        return bytes(reply), False

    def stop(self):
        self.process.terminate()
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.fail("it does not stop")
        if code != 0:
            self.fail("it did not end cleanly")


class Memcached(Server):
    def flags(self, threads, io):
        flags = super().flags(threads, None)
        flags.remove("--admin-listen=off")
        return flags + (["-u", "nobody"] if os.geteuid() == 0 else [])


class Redis(Server):
    def flags(self, threads, io):
        # Its limit of values is the least that it allows, and as large as Larder's.
        return ["--port", "0", "--unixsocket", self.socket_path(), "--save", "", "--dir",
                self.folder.name, "--proto-max-bulk-len", "1mb", "--slowlog-log-slower-than", "-1"]

    def socket_path(self):
        return os.path.join(self.folder.name, "socket")

    def find_address(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self.socket_path())
            return self.socket_path()
        return None


PEERS = {"memcached": Memcached, "redis-server": Redis}


def server_of(path, name, threads, io):
    return PEERS.get(os.path.basename(path), Server)(name, path, threads, io)


# --- what may differ ------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Rule:
    reason: str
    # (the peer's units, Larder's units) -> whether this is the difference that is meant. None: a
    # Run judges it where it matches units.
    allows: object = None


# --- the run --------------------------------------------------------------------------------------


class Run:
    """One protocol's. Its commands have `rule`, a name or "", and `closes`."""

    peer = ""  # the program that is asked the same
    generator_class = None
    rules = {}

    # What a protocol says of itself.

    def wire(self, group, side):
        """The bytes of a group, to the peer (0) or to Larder (1)."""
        raise NotImplementedError

    def mark(self):
        """(bytes, bytes): a request whose reply marks a group's end, and that reply."""
        raise NotImplementedError

    def split(self, reply):
        """What a reply consists of; None if it cannot be read."""
        raise NotImplementedError

    def names(self, command):
        """Of the keys in a command, to show what led to a difference."""
        raise NotImplementedError

    def match_unit(self, group, index, theirs, ours):
        return theirs == ours

    def greet(self):
        """After connecting."""

    def summary(self):
        return ""

    # The rest is the same for all.

    def __init__(self, arguments, other, larder):
        self.other = other
        self.larder = larder
        self.generator = self.generator_class(arguments.seed)
        self.random = random.Random(arguments.seed + 1)
        self.uses = collections.Counter()
        self.history = collections.deque(maxlen=400)
        self.group = 0
        self.is_trial = os.path.basename(arguments.larderd) == self.peer

    @staticmethod
    def add_arguments(parser):
        """Those that only this protocol has."""

    def goes_alone(self, command):
        return bool(command.rule or command.closes)

    def groups(self, commands):
        """Cuts the stream of commands where one must go alone; what is drawn together stays so."""
        pending = []
        size = 1 + self.random.randrange(16)
        for _ in range(commands):
            batch = self.generator.commands()
            alone = any(map(self.goes_alone, batch))
            if pending and (alone or len(pending) >= size):
                yield pending
                pending = []
                size = 1 + self.random.randrange(16)
            if alone:
                yield from ([command] for command in batch)
            else:
                pending += batch
        if pending:
            yield pending

    def cut(self, wire):
        """Some groups arrive in pieces."""
        if len(wire) > 20000 or self.random.random() > 0.1:
            return [wire]
        cuts = sorted(self.random.randrange(len(wire) + 1) for _ in range(3))
        return [wire[a:b] for a, b in zip([0] + cuts, cuts + [len(wire)])]

    def exchange(self, server, side, group):
        """What a server answers a group, as units; the last one is CLOSED if it closed."""
        # One that may differ may leave the connection open.
        to_the_end = group[-1].closes and not group[-1].rule
        request, end = (b"", None) if to_the_end else self.mark()
        reply, closed = server.exchange(self.cut(self.wire(group, side) + request), end)
        if not closed and (end is None or not reply.endswith(end)):
            self.fail(group, f"{server.name} does not answer; so far {reply[-300:]!r}")
        if not closed:
            reply = reply[:-len(end)]
        units = self.split(reply)
        if units is None:
            self.fail(group, f"{server.name}: unreadable: {reply!r}")
        return units + [CLOSED] if closed else units

    def compare(self, group):
        self.history.append(group)
        theirs = self.exchange(self.other, 0, group)
        ours = self.exchange(self.larder, 1, group)
        closed = CLOSED in (theirs[-1:] + ours[-1:])
        if closed:
            self.reconnect()
        if self.match(group, theirs, ours) and (not closed or group[-1].closes):
            return
        # A rule is of a command that went alone, so that it sees its replies only.
        rule = group[0].rule
        if rule and (self.is_trial or self.is_meant(group[0], theirs, ours)):
            self.uses[rule] += 1
            return
        self.fail(group, self.difference(theirs, ours))

    def is_meant(self, command, theirs, ours):
        return self.rules[command.rule].allows(theirs, ours)

    def match(self, group, theirs, ours):
        return len(theirs) == len(ours) and all(
            self.match_unit(group, i, *pair) for i, pair in enumerate(zip(theirs, ours)))

    def reconnect(self):
        self.other.connect()
        self.larder.connect()
        self.greet()

    def run(self, commands):
        self.greet()
        for group in self.groups(commands):
            self.group += 1
            self.compare(group)
            if self.random.random() < 0.005:
                self.reconnect()

    def fail(self, group, why):
        for server in (self.other, self.larder):
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(1)  # one that dies is not gone at once
                why += f"\n{server.name} has died, exit code {server.process.poll()}:\n{server.tail()}"
        names = {name for command in group for name in self.names(command)}
        print(f"\nGroup {self.group} differs. Commands of the last groups that name its keys:")
        for past in self.history:
            for command in past:
                if past is group or names & set(self.names(command)):
                    print("  ", ">" if past is group else " ", shown(command))
        print(why)
        sys.exit(1)

    def difference(self, theirs, ours):
        lines = []
        for i in range(max(len(theirs), len(ours))):
            pair = [units[i] if i < len(units) else "-" for units in (theirs, ours)]
            if pair[0] == pair[1]:
                lines.append(f"  = {shown(pair[0])}")
            else:
                lines.append(f"  ! {self.peer} {shown(pair[0])}\n    Larder {shown(pair[1])}")
        return "Replies:\n" + "\n".join(lines)


def shown(what):
    line = repr(what)
    return line if len(line) < 300 else f"{line[:200]} … {len(line)} characters"


def main(run_class, description):
    parser = argparse.ArgumentParser(description=description.split("\n", 1)[0])
    parser.add_argument("--larderd", required=True)
    parser.add_argument("--peer", default=f"/usr/bin/{run_class.peer}")
    parser.add_argument("--io", choices=["uring", "event"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--commands", type=int, default=50000)
    parser.add_argument("--seed", type=int, default=None)
    run_class.add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1 << 32)
    print(f"{os.path.basename(sys.argv[0])}: {arguments.commands} commands, --seed {arguments.seed}",
          flush=True)

    with contextlib.ExitStack() as stack:
        other = stack.enter_context(server_of(arguments.peer, run_class.peer, 2, None))
        larder = stack.enter_context(
            server_of(arguments.larderd, "larderd", arguments.threads, arguments.io))
        run = run_class(arguments, other, larder)
        run.run(arguments.commands)
        other.stop()
        larder.stop()
    print(f"{run.group} groups{run.summary()}, all replies equal but for {sum(run.uses.values())} "
          f"differences that are meant:")
    for name, rule in run.rules.items():
        print(f"  {run.uses[name]:6}  {name}: {rule.reason}")
