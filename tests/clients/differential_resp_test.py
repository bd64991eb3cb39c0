#!/usr/bin/env python3
"""The same random commands to Redis and to Larder, in RESP2 or RESP3 (--resp); every reply is
compared, byte for byte.

As differential.py says. All commands of the subset are drawn, with random options, right and wrong
ones, wrong numbers of arguments, integers and floats that are none, and in transactions. What may
differ is told by request (RULES), and judged reply by reply, in what EXEC answers too.

Nothing is evicted, and nothing expires by the passing of time: times are past, or far from now and
from each other.
"""

import dataclasses
import random

import differential
import resp_protocol
from differential import CLOSED, Rule

SECONDS_SLACK = 2

QUEUED = ("+", b"QUEUED")


# --- replies --------------------------------------------------------------------------------------


def split_reply(data):
    """Replies as (type, content): bytes, or a tuple of replies. None if they cannot be read."""
    at, units = 0, []
    while at < len(data):
        unit, at = read_reply(data, at)
        if unit is None:
            return None
        units.append(unit)
    return units


def read_reply(data, at):
    end = data.find(b"\r\n", at)
    if end < 0:
        return None, at
    kind, line, at = chr(data[at]), data[at + 1:end], end + 2
    if kind in "+-:,#_(":
        return (kind, line), at
    size = int(line)
    if size < 0:
        return (kind, None), at
    if kind in "$=!":
        if data[at + size:at + size + 2] != b"\r\n":
            return None, at
        return (kind, data[at:at + size]), at + size + 2
    if kind not in "*~>%":
        return None, at
    parts = []
    for _ in range(size * (2 if kind == "%" else 1)):
        part, at = read_reply(data, at)
        if part is None:
            return None, at
        parts.append(part)
    return (kind, tuple(parts)), at


# --- what may differ ------------------------------------------------------------------------------


def about_as_many(slack):
    """Both are numbers, and nearly the same ones; those below zero mean something else."""
    def allows(theirs, ours):
        if theirs[0] != ":" or ours[0] != ":":
            return False
        numbers = int(theirs[1]), int(ours[1])
        return min(numbers) >= 0 and abs(numbers[0] - numbers[1]) <= slack
    return allows


def same_kind(theirs, ours):
    return theirs[0] == ours[0]


def in_any_order(theirs, ours):
    return theirs[0] == ours[0] and isinstance(ours[1], tuple) and sorted(theirs[1]) == sorted(ours[1])


def unknown_here(_, ours):
    return ours[0] == "-" and ours[1].startswith(b"ERR unknown command")


def unknown_subcommand_here(_, ours):
    return ours[0] == "-" and ours[1].startswith(b"ERR unknown subcommand")


def described_alike(theirs, ours):
    """COMMAND INFO: name, arity, flags in any order, and where the keys are."""
    if len(theirs[1]) != len(ours[1]):
        return False
    for a, b in zip(theirs[1], ours[1]):
        if a == b:
            continue
        a, b = a[1], b[1]
        if a is None or b is None or len(a) != len(b):
            return False
        if a[:2] != b[:2] or a[3:6] != b[3:6] or not in_any_order(a[2], b[2]):
            return False
    return True


RULES = {
    "coarse seconds": Rule(
        "times are kept to the second, rounded up; and a second may pass between the two servers",
        about_as_many(SECONDS_SLACK)),
    "coarse milliseconds": Rule(
        "the same, told in milliseconds",
        about_as_many(SECONDS_SLACK * 1000)),
    "order of keys": Rule(
        "KEYS has no order", in_any_order),
    "random key": Rule(
        "it is random; but none for none", same_kind),
    "cursor": Rule(
        "cursors and what a step finds are of the table; that a whole scan finds every key once is "
        "for resp_test.py", lambda theirs, ours: theirs[0] == ours[0] == "*" and
        [part[0] for part in theirs[1]] == [part[0] for part in ours[1]]),
    "types beyond strings": Rule(
        "there are no other types here, so their commands are unknown", unknown_here),
    "not of the subset": Rule(
        "what a cache has no use for is unknown", unknown_here),
    "subcommands not of the subset": Rule(
        "the same of subcommands", unknown_subcommand_here),
    "what the server is": Rule(
        "INFO, ids, times and addresses are the server's own", same_kind),
    "settings": Rule(
        "each server has its own", same_kind),
    "descriptions": Rule(
        "key specifications, categories of access, hints and documentation are Redis' own; name, "
        "arity, flags and positions of keys are the same", described_alike),
    "encodings": Rule(
        "Redis tells how a value came to be (raw after APPEND), here it is told by its bytes",
        lambda theirs, ours: {theirs[1], ours[1]} <= {b"int", b"embstr", b"raw"}),
    "help": Rule(
        "in words of our own", same_kind),
    "memory": Rule(
        "items have another form", same_kind),
    "shared integers": Rule(
        "Redis shares the objects of small integers, and tells so",
        lambda theirs, ours: theirs == (":", b"2147483647") and ours == (":", b"1")),
    "idle times": Rule(
        "a second may pass", about_as_many(SECONDS_SLACK)),
    "long keys": Rule(
        "keys have up to 65,535 bytes here",
        lambda _, ours: ours == ("-", b"ERR key is longer than 65535 bytes")),
    "long arguments": Rule(
        "what is longer than a value may be is swallowed here and answered with the error that "
        "values have; Redis closes the connection",
        lambda theirs, ours: theirs == [("-", b"ERR Protocol error: invalid bulk length"), CLOSED] and
        ours == [("-", b"ERR string exceeds maximum allowed size (proto-max-bulk-len)")]),
    "saving": Rule(
        "a cache is not saved", lambda _, ours: ours == ("-", b"ERR a cache is not saved")),
    "last save": Rule(
        "nothing was ever saved", lambda _, ours: ours == (":", b"0")),
}


# --- requests -------------------------------------------------------------------------------------


@dataclasses.dataclass(repr=False)
class Request:
    words: tuple
    rule: str = ""
    closes: bool = False
    alone: bool = False
    wire: bytes = b""  # what goes over the line, where that is not a request with the words

    def __repr__(self):
        return repr(self.wire or self.words)

    def bytes(self):
        return self.wire or resp_protocol.request(*self.words)


SECONDS = "coarse seconds"
MILLISECONDS = "coarse milliseconds"


class Generator:
    """Draws requests. Keys k…: anything; n…: mostly numbers."""

    BAD_INTEGERS = [b"x", b"", b"1.5", b"1e3", b" 1", b"1 ", b"+1", b"01", b"-0", b"0x10", b"nan",
                    b"9223372036854775808", b"-9223372036854775809", b"99999999999999999999999"]
    INTEGERS = [b"0", b"1", b"-1", b"7", b"100", b"-50", b"123456789012", b"9223372036854775807",
                b"-9223372036854775808", b"4611686018427387904"]
    FLOATS = [b"0", b"1", b"-1", b"0.1", b"1.5", b"-2.25", b"3.0e3", b"1e-5", b"1e17", b"1e20",
              b"5e-324", b"123456.789", b"0.1e1", b".5", b"5."]
    BAD_FLOATS = [b"x", b"", b" 1", b"1 ", b"1.5x", b"--1", b"1e", b"1,5", b"nan", b"-nan"]
    OFFSETS = [b"0", b"1", b"-1", b"5", b"-5", b"100", b"-100", b"40000", b"9223372036854775807",
               b"-9223372036854775808"]
    FAR = 4_000_000_000

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = [b"k%d" % i for i in range(30)] + [b"K" * 300, b"\xff\x80 high\r\n", b"", b"\0k"]
        self.numbers = [b"n%d" % i for i in range(10)]
        self.version = 2
        self.watching = False
        kinds = [
            (20, self.get), (16, self.set), (6, self.set_with_time), (5, self.other_write),
            (6, self.getex), (5, self.range), (4, self.write_range), (10, self.sum),
            (6, self.sum_float), (6, self.many), (6, self.set_many), (4, self.rename),
            (3, self.copy), (9, self.expire), (8, self.time_left), (3, self.type_and_object),
            (3, self.keyspace), (4, self.connection), (3, self.server), (1, self.client),
            (0.4, self.flush),
        ]
        self.queued_kinds = kinds + [
            (0.4, self.misplaced), (0.3, self.wrong_count),
        ]
        self.kinds = kinds + [
            (4, self.wrong_count), (2, self.stranger), (8, self.transaction), (2, self.watch),
            (0.3, self.too_large), (0.2, self.bad_line), (0.2, self.closing), (0.3, self.reset),
        ]

    def commands(self):
        return self.draw(self.kinds)

    def draw(self, kinds):
        weights = [weight for weight, _ in kinds]
        requests = self.random.choices([kind for _, kind in kinds], weights)[0]()
        return [requests] if isinstance(requests, Request) else requests

    # What requests are made of.

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, probability):
        return self.random.random() < probability

    def name(self, name):
        """A command's or an option's, in some case of letters."""
        return self.pick([name.upper(), name.upper(), name.lower(), name.capitalize()])

    def request(self, name, *words, rule=""):
        return Request((self.name(name),) + words, rule)

    def key(self):
        return self.pick(self.keys + self.numbers)

    def some_keys(self):
        return [self.key() for _ in range(self.pick([1, 1, 2, 3, 5, 20]))]

    def integer(self):
        return self.pick(self.BAD_INTEGERS if self.chance(0.2) else self.INTEGERS)

    def value(self):
        if self.chance(0.3):
            return self.number()
        size = self.pick([0, 1, 2, 5, 10, 44, 45, 100, 1000, 4000, 30000])
        if size <= 10 and self.chance(0.3):
            return self.pick([b"\r\n", b"$-1\r\n", b"*1\r\n", b"\0\1\2", b"+OK\r\n"])
        return self.random.randbytes(size)

    def number(self):
        """Or a word. None with a blank behind it: decr of Memcached pads with them, so that here they
        are part of no number, and in Redis it is none."""
        words = self.INTEGERS + self.FLOATS + self.BAD_INTEGERS + self.BAD_FLOATS
        return self.pick(words).rstrip(b" ")

    def seconds(self):
        """Far from now and from others: what is compared is far apart."""
        return self.random.randrange(100, 1_000_000) * 10

    def time(self, unit):
        """An argument of EX, PX, EXAT or PXAT."""
        if self.chance(0.15):
            # What would be beyond the calendar in seconds, Redis takes as milliseconds.
            far = [b"9223372036854775"] if unit == "ex" else []
            return self.pick(self.BAD_INTEGERS + far + [b"9223372036854775808", b"0", b"-1"])
        seconds = self.seconds() + (self.FAR if "at" in unit else 0)
        return b"%d" % (seconds * (1000 if "p" in unit else 1))

    def time_option(self):
        unit = self.pick(["ex", "px", "exat", "pxat"])
        return [self.name(unit.encode()), self.time(unit)]

    # Strings.

    def get(self):
        name = self.pick([b"get"] * 6 + [b"strlen", b"getdel"])
        return self.request(name, self.key())

    def set(self):
        words = [self.key(), self.value()]
        if words[0] in self.numbers:
            words[1] = self.number()
        for _ in range(self.pick([0, 0, 0, 1, 1, 2, 3])):
            words += self.pick([[b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"], [b"nx"], [b"get"],
                                self.time_option(), self.time_option(), self.time_option(),
                                [self.pick([b"EX", b"NONSENSE", b"PERSIST", b"", b"0"])]])
        return self.request(b"set", *words)

    def set_with_time(self):
        if self.chance(0.2):
            # What has expired already counts in Redis until somebody looks.
            key = self.key()
            return [self.request(b"set", key, b"v", self.pick([b"EXAT", b"PXAT"]), b"1"),
                    self.request(b"exists", key)]
        name, unit = self.pick([(b"setex", "ex"), (b"psetex", "px")])
        return self.request(name, self.key(), self.time(unit), self.value())

    def other_write(self):
        return self.request(self.pick([b"setnx", b"getset", b"append", b"append"]), self.key(),
                            self.value())

    def getex(self):
        words = [self.key()]
        for _ in range(self.pick([0, 1, 1, 1, 2])):
            words += self.pick([self.time_option(), self.time_option(), [b"PERSIST"],
                                [self.pick([b"PX", b"KEEPTTL", b"NX", b""])]])
        return self.request(b"getex", *words)

    def range(self):
        offsets = [self.pick(self.BAD_INTEGERS if self.chance(0.1) else self.OFFSETS)
                   for _ in range(2)]
        return self.request(self.pick([b"getrange", b"getrange", b"substr"]), self.key(), *offsets)

    def write_range(self):
        offset = self.pick(self.BAD_INTEGERS if self.chance(0.1) else self.OFFSETS + [
            b"2", b"10", b"536870911", b"536870912", b"1200000"])
        return self.request(b"setrange", self.key(), offset,
                            self.pick([b"", b"x", b"some bytes", self.value()]))

    def sum(self):
        key = self.pick(self.numbers * 3 + self.keys)
        name = self.pick([b"incr", b"decr", b"incrby", b"decrby"])
        return self.request(name, key, *([self.integer()] if name.endswith(b"by") else []))

    def sum_float(self):
        key = self.pick(self.numbers * 3 + self.keys)
        return self.request(b"incrbyfloat", key, self.pick(
            self.BAD_FLOATS + [b"inf", b"-inf", b"1e400"] if self.chance(0.2) else self.FLOATS))

    # Several keys.

    def many(self):
        name = self.pick([b"mget", b"mget", b"mget", b"del", b"unlink", b"exists", b"touch"])
        return self.request(name, *self.some_keys())

    def set_many(self):
        words = [word for key in self.some_keys() for word in (key, self.pick([b"1", self.value()]))]
        if self.chance(0.1):
            words.pop()
        return self.request(self.pick([b"mset", b"mset", b"msetnx"]), *words)

    def rename(self):
        return self.request(self.pick([b"rename", b"renamenx"]), self.key(), self.key())

    def copy(self):
        words = [self.key(), self.key()]
        for _ in range(self.pick([0, 0, 1, 2])):
            words += self.pick([[b"REPLACE"], [b"replace"], [b"DB", self.pick([b"0", b"1"])],
                                [b"DB", self.pick([b"-1", b"16", b"x", b"99999999999"])],
                                [self.pick([b"DB", b"NX", b""])]])
        return self.request(b"copy", *words)

    # Times.

    def expire(self):
        name, unit = self.pick([(b"expire", "ex"), (b"pexpire", "px"), (b"expireat", "exat"),
                                (b"pexpireat", "pxat")])
        options = [self.name(self.pick([b"nx", b"xx", b"gt", b"lt"]))
                   for _ in range(self.pick([0, 0, 1, 1, 2]))]
        if self.chance(0.05):
            options.append(self.pick([b"ZZ", b"", b"a\nb"]))
        time = self.pick([b"-1", b"0", b"1"]) if self.chance(0.1) and "at" in unit else self.time(unit)
        return self.request(name, self.key(), time, *options)

    def time_left(self):
        name = self.pick([b"ttl", b"pttl", b"expiretime", b"pexpiretime", b"persist"])
        if name == b"persist":
            return self.request(name, self.key())
        return self.request(name, self.key(), rule=MILLISECONDS if name[:1] == b"p" else SECONDS)

    # Keys.

    def type_and_object(self):
        key = self.key()
        return self.pick([
            self.request(b"type", key), self.request(b"type", key),
            self.request(b"object", b"encoding", key, rule="encodings"),
            self.request(b"object", b"refcount", key, rule="shared integers"),
            self.request(b"object", b"idletime", key, rule="idle times"),
            self.request(b"object", b"freq", key), self.request(b"object", b"encoding"),
            self.request(b"object", b"nonsense", key), self.request(b"object", b"help", rule="help"),
            self.request(b"memory", b"usage", key, rule="memory"),
            self.request(b"memory", b"usage", key, b"samples", b"5", rule="memory"),
            self.request(b"memory", b"usage", key, b"samples", b"-5"),
            self.request(b"memory", b"usage", key, b"nonsense"),
            self.request(b"memory", b"usage"), self.request(b"memory", b"nonsense"),
        ])

    def keyspace(self):
        pattern = self.pick([b"*", b"k*", b"k?", b"[kn]1*", b"k[^1-3]", b"n\\1", b"", b"k1", b"*1*",
                             b"[a-k]2", b"[", b"k[", b"k\\", b"K*K*", b"[^k]*", b"k[1-", b"?*"])
        cursor = self.pick([b"0", b"0", b"x", b"-1", b"18446744073709551616", b""])
        words = self.pick([[], [b"MATCH", pattern], [b"COUNT", self.pick([b"5", b"0", b"-1", b"x"])],
                           [b"TYPE", self.pick([b"string", b"STRING", b"list", b"nonsense"])],
                           [b"MATCH"], [b"NONSENSE", b"1"], [b"COUNT", b"9", b"MATCH", pattern]])
        return self.pick([
            self.request(b"keys", pattern, rule="order of keys"),
            self.request(b"dbsize"), self.request(b"dbsize"),
            self.request(b"randomkey", rule="random key"),
            self.request(b"scan", cursor, *words, rule="cursor"),
        ])

    # The connection and the server.

    def connection(self):
        return self.pick([
            self.request(b"ping"), self.request(b"ping", self.value()), self.request(b"echo", b"hi"),
            self.request(b"echo", self.value()),
            self.request(b"select", self.pick([b"0", b"0", b"0", b"1", b"1", b"16", b"-1", b"x",
                                               b"99999999999", b"01"])),
            self.request(b"hello", self.pick([b"4", b"1", b"x", b"", b"3.0"])),
            self.hello(), self.hello(b"SETNAME", b"me"), self.hello(b"AUTH", b"default", b"any"),
            self.request(b"hello", self.pick([b"2", b"3"]), b"NONSENSE"),
            self.request(b"hello", b"3", self.pick([b"SETNAME", b"AUTH"])),
            self.request(b"hello", b"3", b"AUTH", b"nobody", b"wrong"),
            self.request(b"hello", b"3", b"AUTH", b"default"),
            self.request(b"auth", b"wrong"), self.request(b"auth", b"nobody", b"wrong"),
            self.request(b"auth", b"default", b"any"), self.request(b"auth", b"a", b"b", b"c"),
            self.request(b"readonly"), self.request(b"readwrite"), self.request(b"asking"),
        ])

    def client(self):
        return self.pick([
            self.request(b"client", b"id", rule="what the server is"),
            self.request(b"client", b"info", rule="what the server is"),
            self.request(b"client", b"list", rule="what the server is"),
            self.request(b"client", b"list", b"type", self.pick([b"normal", b"pubsub", b"x"]),
                         rule="what the server is"),
            self.request(b"client", b"list", b"nonsense"),
            self.request(b"client", b"list", b"id", self.pick([b"x", b"0", b"-1", b"999999999"])),
            self.request(b"client", b"setname", self.pick([b"me", b"", b"a b", b"a\nb", b"\xff"])),
            self.request(b"client", b"getname"), self.request(b"client", b"id", b"superfluous"),
            self.request(b"client", b"no-evict", self.pick([b"on", b"OFF", b"x"])),
            self.request(b"client", b"reply", self.pick([b"on", b"x"])),
            self.request(b"client", b"kill", self.pick([b"1.2.3.4:5", b"id"])),
            self.request(b"client", b"kill", b"id", self.pick([b"x", b"0", b"-1", b"999999999"])),
            self.request(b"client", b"kill", b"addr", b"1.2.3.4:5", b"skipme",
                         self.pick([b"yes", b"no", b"x"])),
            self.request(b"client", b"kill", b"type", self.pick([b"pubsub", b"master", b"x"])),
            self.request(b"client", b"kill", b"user", self.pick([b"nobody"])),
            self.request(b"client", b"kill", b"laddr", b"1.2.3.4:5"),
            self.request(b"client", b"kill", b"nonsense", b"x"),
            self.request(b"client", b"kill"), self.request(b"client", b"nonsense"),
            self.request(b"client"),
        ])

    def server(self):
        section = self.pick([b"server", b"clients", b"memory", b"stats", b"replication", b"cpu",
                             b"cluster", b"keyspace", b"all", b"everything", b"nonsense"])
        name = self.pick([b"get", b"set", b"mset", b"expire", b"GETEX", b"scan", b"multi", b"none"])
        return self.pick([
            self.request(b"info", rule="what the server is"),
            self.request(b"info", section, rule="what the server is"),
            self.request(b"time", rule="what the server is"),
            self.request(b"config", b"get", b"maxmemory", rule="settings"), self.request(b"config", b"get", b"nothing"),
            self.request(b"config", b"get", b"*", rule="settings"),
            self.request(b"config", b"get", b"databases", b"save", b"nothing", rule="order of keys"),
            self.request(b"config", b"get"), self.request(b"config", b"set", b"nothing", b"1"),
            self.request(b"config", b"set", b"databases", b"5"),
            self.request(b"config", b"set", b"maxmemory", b"x"),
            self.request(b"config", b"set", b"maxmemory"), self.request(b"config", b"nonsense"),
            self.request(b"config", b"resetstat"), self.request(b"config", b"resetstat", b"x"),
            self.request(b"command", b"count", rule="what the server is"),
            self.request(b"command", b"info", name, b"none", rule="descriptions"),
            self.request(b"command", b"docs", b"none"), self.request(b"command", b"nonsense"),
            self.request(b"command", b"getkeys", self.pick([b"get", b"mget", b"mset", b"ping", b"x"]),
                         b"a", b"b"),
            self.request(b"command", b"getkeys"), self.request(b"command", b"list", b"x"),
            self.request(b"command", b"count", b"x"),
            self.request(b"slowlog", b"len"), self.request(b"slowlog", b"get"),
            self.request(b"slowlog", b"get", self.pick([b"5", b"-1", b"-2", b"x"])),
            self.request(b"slowlog", b"reset"), self.request(b"slowlog", b"nonsense"),
            self.request(b"latency", b"latest"), self.request(b"latency", b"history", b"command"),
            self.request(b"latency", b"history"), self.request(b"latency", b"reset"),
            self.request(b"latency", b"reset", b"command"), self.request(b"latency", b"nonsense"),
            self.request(b"lastsave", rule="last save"),
            self.request(self.pick([b"save", b"bgsave"]), rule="saving"),
            self.request(b"debug", self.pick([b"sleep", b"jmap", b"populate"]), b"0"),
            self.request(b"cluster", self.pick([b"info", b"slots", b"nonsense", b"keyslot"])),
            self.request(b"memory", b"stats", rule="what the server is"),
        ])

    COUNTS = {
        b"get": (0, 2), b"set": (0, 1), b"setex": (2, 4), b"psetex": (0, 2), b"setnx": (1, 3),
        b"getset": (1, 3), b"getdel": (0, 2), b"getex": (0,), b"mget": (0,), b"mset": (0, 1, 3),
        b"msetnx": (0, 1, 3), b"append": (1, 3), b"strlen": (0, 2), b"getrange": (2, 4),
        b"substr": (2, 4), b"setrange": (2, 4), b"incr": (0, 2), b"incrby": (1, 3), b"decr": (0, 2),
        b"decrby": (1, 3), b"incrbyfloat": (1, 3), b"del": (0,), b"unlink": (0,), b"exists": (0,),
        b"touch": (0,), b"rename": (1, 3), b"renamenx": (1, 3), b"copy": (1,), b"type": (0, 2),
        b"expire": (1,), b"pexpire": (0, 1), b"expireat": (1,), b"pexpireat": (1,), b"ttl": (0, 2),
        b"pttl": (0, 2), b"expiretime": (0, 2), b"pexpiretime": (0, 2), b"persist": (0, 2),
        b"ping": (2, 3), b"echo": (0, 2), b"auth": (0,), b"select": (0, 2), b"reset": (1,),
        b"client": (0,), b"multi": (1,), b"exec": (1,), b"discard": (1,), b"watch": (0,),
        b"unwatch": (1,), b"time": (1,), b"keys": (0, 2), b"scan": (0,), b"config": (0,),
        b"slowlog": (0,), b"latency": (0,), b"lastsave": (1,), b"save": (1,), b"dbsize": (1,),
        b"randomkey": (1,), b"object": (0,), b"memory": (0,), b"flushdb": (2,), b"flushall": (2, 3),
        b"debug": (0,), b"cluster": (0,), b"readonly": (1,), b"readwrite": (1,), b"bgsave": (2,),
    }

    def wrong_count(self):
        name = self.pick(list(self.COUNTS))
        return self.request(name, *[b"1"] * self.pick(self.COUNTS[name]))

    def stranger(self):
        words = self.pick([
            (b"LLEN", b"none"), (b"HGET", b"none", b"f"), (b"SCARD", b"none"), (b"ZCARD", b"none"),
            (b"XLEN", b"none"), (b"HGETALL", b"none"), (b"PFCOUNT", b"none"), (b"GETBIT", b"none", b"1"),
        ])
        return self.pick([
            Request(words, rule="types beyond strings"),
            Request((b"PUBLISH", b"channel", b"x"), rule="not of the subset"),
            Request((b"EVAL", b"return 1", b"0"), rule="not of the subset"),
            Request((b"WAIT", b"0", b"0"), rule="not of the subset"),
            Request((b"ACL", b"WHOAMI"), rule="not of the subset"),
            Request((b"CLIENT", b"TRACKINGINFO"), rule="subcommands not of the subset"),
            Request((b"NONSENSE",)), Request((b"NONSENSE", b"a", b"b" * 200, b"c")),
            Request((b"get\n", b"k")), Request((b"",)), Request((b"X" * 200, b"a" * 100, b"b" * 100)),
            Request((b"GET" * 50,)),
        ])

    # Transactions.

    def transaction(self):
        requests = [self.request(b"multi")] if self.chance(0.95) else []
        # What is about the connection is done here even where WATCH stops the rest.
        kinds = [(weight, kind) for weight, kind in self.queued_kinds
                 if not self.watching or kind not in (self.connection, self.client)]
        for _ in range(self.random.randrange(8)):
            requests += self.draw(kinds)
        self.watching = False
        return requests + [self.request(self.pick([b"exec"] * 8 + [b"discard"]))]

    def misplaced(self):
        return self.pick([self.request(b"multi"), self.request(b"watch", b"k1"),
                          self.request(b"multi", b"superfluous"), self.request(b"nonsense")])

    def watch(self):
        """Keys that exist: one that comes and goes is none that has changed here."""
        keys = self.some_keys()
        self.watching = True
        return self.pick([[self.request(b"mset", *[word for key in keys for word in (key, b"1")]),
                           self.request(b"watch", *keys)],
                          [self.request(b"unwatch")]])

    # What is rare.

    def flush(self):
        return self.request(self.pick([b"flushdb", b"flushall"]),
                            *self.pick([[], [], [b"ASYNC"], [b"sync"], [b"nonsense"]]))

    def too_large(self):
        large = b"L" * self.pick([1048577, 1100000])
        return self.pick([
            # Together they are.
            [self.request(b"set", b"large", b"l" * 700000), self.request(b"append", b"large", large[:700000]),
             self.request(b"strlen", b"large"), self.request(b"del", b"large")],
            [self.request(b"get", b"L" * 70000, rule="long keys")],
            [Request((b"SET", b"large", large), rule="long arguments", closes=True, alone=True)],
        ])

    def bad_line(self):
        return Request((), wire=self.pick([b"*0\r\n", b"*-1\r\n", b"*0\r\n*-5\r\n"]) + b"*1\r\n$4\r\nPING\r\n")

    def closing(self):
        return Request((), closes=True, wire=self.pick([
            b"*x\r\n", b"*1\r\nGET\r\n", b"*1\r\n$x\r\n", b"*1\r\n$-1\r\n", b"*2\r\n$3\r\nGET\r\n:1\r\n",
            b"*2147483648\r\n", b"*1\r\n$99999999999\r\n", b"*1\r\n$4\r\nQUIT\r\n",
            b"*01\r\n", b"*2\r\n$4\r\nQUIT\r\n$1\r\nx\r\n",
        ]))

    def reset(self):
        return [Request((b"RESET",)), self.hello()]

    def hello(self, *words):
        return self.request(b"hello", b"%d" % self.version, *words, rule="what the server is")


# --- the run --------------------------------------------------------------------------------------


class Run(differential.Run):
    peer = "redis-server"
    generator_class = Generator
    rules = RULES
    split = staticmethod(split_reply)

    @staticmethod
    def add_arguments(parser):
        parser.add_argument("--resp", type=int, choices=[2, 3], default=2)

    def __init__(self, arguments, other, larder):
        super().__init__(arguments, other, larder)
        self.version = self.generator.version = arguments.resp
        self.queued = []

    def goes_alone(self, command):
        return command.closes or command.alone

    def wire(self, group, side):
        return b"".join(request.bytes() for request in group)

    def mark(self):
        word = b"mark %d" % self.group
        return resp_protocol.request("ECHO", word), b"$%d\r\n%s\r\n" % (len(word), word)

    def names(self, command):
        return command.words[1:]

    def greet(self):
        hello = resp_protocol.request("HELLO", self.version)
        for server in (self.other, self.larder):
            request, end = self.mark()
            if server.exchange([hello + request], end)[1]:
                server.fail("it does not say hello")

    def match_unit(self, group, index, theirs, ours):
        if CLOSED in (theirs, ours) or index >= len(group):
            return theirs == ours
        request = group[index]
        if theirs == ours == QUEUED:
            self.queued.append(request)
            return True
        name = request.words[0].upper() if request.words else b""
        queued = []
        if name in (b"EXEC", b"DISCARD"):
            queued, self.queued = self.queued, []
        if name == b"EXEC" and theirs[0] == ours[0] == "*" and theirs[1] and ours[1]:
            return len(theirs[1]) == len(ours[1]) == len(queued) and all(
                map(self.match_reply, queued, theirs[1], ours[1]))
        return self.match_reply(request, theirs, ours)

    def match_reply(self, request, theirs, ours):
        if theirs == ours:
            return True
        if not request.rule or not (self.is_trial or self.rules[request.rule].allows(theirs, ours)):
            return False
        self.uses[request.rule] += 1
        return True


if __name__ == "__main__":
    differential.main(Run, __doc__)
