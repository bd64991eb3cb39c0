#!/usr/bin/env python3
"""The same random commands of the binary protocol to memcached and to Larder; every reply is
compared.

As differential.py says. CAS uniques may differ, but must map one to one. Commands after which the
connection closes go alone: what memcached still owes then, it may drop.
"""

import dataclasses
import random
import struct

import binary_protocol as b
import differential
import differential_test as text
from differential import CLOSED, Rule

MARK = 0x80000000  # in opaques: the noop that ends a group


def of_one(allows):
    """A rule about two single replies."""
    return lambda theirs, ours: len(theirs) == len(ours) == 1 and allows(theirs[0], ours[0])



RULES = {
    "expired at once": Rule(
        "what is stored as expired already has a CAS unique in memcached; here it is not stored, and "
        "has none"),
    "version": Rule(
        "another version is spoken",
        of_one(lambda theirs, ours: ours._replace(value=b"") == theirs._replace(value=b""))),
    "append beyond the limit": Rule(
        "where the joined value is too large, memcached says that it is not stored, as if there were "
        "no item; here it says what is wrong",
        of_one(lambda theirs, ours: (theirs.status, ours.status) == (b.NOT_STORED, b.TOO_LARGE))),
    "padding after decr": Rule(
        "1.6.18 pads a shrunk number with blanks unless the item is in use at that moment; here it is "
        "always padded"),
    "body of an unknown opcode": Rule(
        "1.6.18 takes it for the next request; here it is swallowed",
        lambda theirs, ours: [one.status for one in ours] == [b.UNKNOWN]),
    "superfluous value": Rule(
        "1.6.18 ignores the value of touch, gat and stat, and takes it for the next request; here "
        "such a request is wrong and closes the connection",
        lambda theirs, ours: len(ours) == 2 and ours[0].status == b.INVALID and ours[1] == CLOSED),
}
# After these memcached is out of step.
ONLY_OURS = ("body of an unknown opcode", "superfluous value")


@dataclasses.dataclass
class Request:
    opcode: int
    key: bytes = b""
    extras: bytes = b""
    value: bytes = b""
    unique: str = ""          # "known", "wrong" or none
    rule: str = ""            # may differ; goes alone
    closes: bool = False      # the server is expected to close; goes alone
    header: dict = dataclasses.field(default_factory=dict)

    def bytes_for(self, opaque, known, side):
        unique = 0
        if self.unique == "known":
            unique = known.get(self.key, (1 << 63, 1 << 63))[side]
        elif self.unique == "wrong":
            unique = (1 << 64) - 1
        wire = b.request(self.opcode, self.key, self.extras, self.value, unique, opaque,
                         **self.header)
        # memcached waits for what extras and key are declared to be before it looks at them.
        parts = (self.header.get("key_bytes", len(self.key)) +
                 self.header.get("extras_bytes", len(self.extras)))
        return wire + bytes(max(0, b.HEADER.size + parts - len(wire)))


class Generator:
    """Draws requests. Keys k…: anything; n…: numbers below 2^63 and short words, so that no incr
    meets what memcached reads beyond its end."""

    STORES = [b.SET] * 4 + [b.ADD, b.REPLACE, b.SETQ, b.SETQ, b.ADDQ, b.REPLACEQ]
    JOINS = [b.APPEND, b.PREPEND, b.APPENDQ, b.PREPENDQ]
    PAST = 2592001  # absolute, in January 1970
    # Not 0xFFFFFFFF: it is -1 here, as in memcached's text protocol; in its binary one it is the year 2106.
    EXPTIMES = [0] * 6 + [2592000, PAST, 0x7FFFFFFF, 0xFFFFFFFE]
    GROUPS = [b"nonsense", b"reset", b"detail", b"itemsx"]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice
        self.keys = [b"k%d" % i for i in range(30)] + [b"K" * 250, b"\xff\x80high", b"\0 \r\n"]
        self.numbers = [b"n%d" % i for i in range(8)]
        self.kinds = [
            (30, self.read), (22, self.store), (6, self.join), (15, self.count), (6, self.delete),
            (8, self.touch), (3, self.server_verb), (2, self.unknown), (1, self.too_large),
            (1, self.at_the_limit), (1.5, self.wrong), (1, self.may_differ),
        ]

    def commands(self):
        weights = [weight for weight, _ in self.kinds]
        request = self.random.choices([kind for _, kind in self.kinds], weights)[0]()
        if "magic" in request.header:
            # The first byte of a connection would choose its protocol.
            return [Request(b.NOOP), request]
        if request.rule == "append beyond the limit":
            return [Request(b.SETQ, request.key, bytes(8), b"L" * 700000), request]
        return [request]

    def any_key(self):
        return self.pick(self.keys + self.numbers)

    def unique(self):
        return self.pick([""] * 8 + ["known", "known", "wrong"])

    def read(self):
        return Request(self.pick([b.GET, b.GETQ, b.GETK, b.GETKQ]), self.any_key(),
                       unique=self.unique())

    def store(self):
        size = self.pick([0, 1, 2, 5, 10, 50, 100, 1000, 4000, 30000, 60000])
        flags = self.pick([0, 0, 1, 0xFFFFFFFF])
        return Request(self.pick(self.STORES), self.pick(self.keys),
                       struct.pack(">II", flags, self.pick(self.EXPTIMES)),
                       self.random.randbytes(size), self.unique())

    def join(self):
        return Request(self.pick(self.JOINS), self.pick(self.keys), b"",
                       self.random.randbytes(self.pick([0, 1, 10, 1000])), self.unique())

    def count(self):
        key = self.pick(self.numbers)
        if self.random.random() < 0.2:
            word = self.pick([b"0", b"5", b"99", b"100", b"007", b"999999999999", b"abc", b"-1", b"1x",
                              b"18446744073709551616"])
            return Request(b.SET, key, struct.pack(">II", 3, 0), word)
        opcode = self.pick([b.INCR, b.DECR, b.INCRQ, b.DECRQ])
        delta = self.pick([0, 1, 7, 95, 1000, 123456789012])
        if opcode in (b.DECR, b.DECRQ) and self.random.random() < 0.1:
            delta = (1 << 64) - 1
        exptime = self.pick([b.NO_CREATION, 0, 0, 2592000, self.PAST])
        return Request(opcode, key, struct.pack(">QQI", delta, self.pick([0, 1, 99, 1 << 40]), exptime),
                       unique=self.unique())

    def delete(self):
        return Request(self.pick([b.DELETE, b.DELETEQ]), self.any_key(), unique=self.unique())

    def touch(self):
        return Request(self.pick([b.TOUCH, b.GAT, b.GATQ, b.GATK, b.GATKQ]), self.any_key(),
                       struct.pack(">I", self.pick(self.EXPTIMES)), unique=self.unique())

    def server_verb(self):
        return self.pick([
            Request(b.NOOP), Request(b.FLUSH), Request(b.FLUSHQ), Request(b.FLUSH, extras=bytes(4)),
            Request(b.STAT, self.pick(self.GROUPS)), Request(b.SASL_LIST),
            Request(b.SASL_AUTH, b"PLAIN", b"", b"\0u\0p"), Request(b.SASL_STEP, b"PLAIN"),
        ])

    def unknown(self):
        return Request(self.pick([0x1B, 0x1F, 0x25, 0x40, 0x60, 0x80, 0xFF]))

    def too_large(self):
        joins = self.random.random() < 0.3
        return Request(self.pick(self.JOINS if joins else self.STORES), self.pick(self.keys),
                       b"" if joins else bytes(8), b"L" * self.pick([1048577, 1100000, 2000000]))

    def at_the_limit(self):
        key = b"e" * self.pick([1, 10, 250])
        flags = self.pick([0, 5])
        largest = text.ITEM_BYTES_MAX - text.ITEM_OVERHEAD - len(key)
        if flags:
            largest -= text.ITEM_FLAGS
        return Request(self.pick([b.SET, b.SETQ]), key, struct.pack(">II", flags, 0),
                       b"L" * (largest + self.pick([-1, 0, 1, 2])))

    def wrong(self):
        key = self.any_key()
        requests = [
            Request(b.GET), Request(b.GET, key, b"1234"), Request(b.GETQ, key, value=b"v"),
            Request(b.GET, b"L" * 251), Request(b.SETQ, b"L" * 300, bytes(8), b"v"),
            Request(b.SET, key, b"1234", b"v"), Request(b.SET, b"", bytes(8), b"v"),
            Request(b.ADD, key, bytes(12)), Request(b.APPEND, key, bytes(8), b"v"),
            Request(b.PREPEND, b"", b"", b"v"), Request(b.DELETE, b""), Request(b.DELETE, key, b"1234"),
            Request(b.DELETEQ, key, value=b"v"), Request(b.INCR, key, bytes(8)),
            Request(b.DECR, b"", bytes(20)), Request(b.INCRQ, key, bytes(20), b"v"),
            Request(b.TOUCH, key), Request(b.GAT, key, bytes(8)), Request(b.GATK, b"", bytes(4)),
            Request(b.NOOP, key), Request(b.NOOP, value=b"v"), Request(b.VERSION, b"k"),
            Request(b.FLUSH, extras=b"123"), Request(b.FLUSH, key), Request(b.FLUSHQ, value=b"1234"),
            Request(b.STAT, extras=b"1234"), Request(b.SASL_LIST, key), Request(b.SASL_AUTH),
            Request(b.SASL_AUTH, b"PLAIN", b"1234"), Request(b.QUIT), Request(b.QUITQ),
            Request(b.GET, key, header={"key_bytes": 251}),
            Request(b.SET, key, bytes(8), header={"body_bytes": 4}),
            Request(b.GET, key, header={"extras_bytes": 255}),
            Request(0x60, key, header={"key_bytes": 300}),
            Request(b.NOOP, header={"magic": 0x81}), Request(b.NOOP, header={"magic": 0}),
        ]
        request = self.pick(requests)
        request.closes = True
        return request

    def may_differ(self):
        return self.pick([
            Request(b.VERSION, rule="version"),
            Request(self.pick(self.JOINS), b"large", b"", b"M" * 700000,
                    rule="append beyond the limit"),
            Request(0x60, b"k", b"extras", b"value" * 10, rule="body of an unknown opcode"),
            Request(b.TOUCH, b"odd", bytes(4), b"v", rule="superfluous value"),
            Request(b.GAT, b"odd", bytes(4), b"v", rule="superfluous value"),
            Request(b.STAT, b"reset", b"", b"v", rule="superfluous value"),
        ])


class Run(differential.Run):
    peer = "memcached"
    generator_class = Generator
    rules = RULES

    def __init__(self, arguments, other, larder):
        super().__init__(arguments, other, larder)
        self.known = {}  # key -> (memcached's unique, Larder's)
        self.to_larder = {}
        self.to_memcached = {}

    def wire(self, group, side):
        return b"".join(request.bytes_for(i, self.known, side) for i, request in enumerate(group))

    def mark(self):
        opaque = MARK + self.group
        return (b.request(b.NOOP, opaque=opaque),
                b.HEADER.pack(0x81, b.NOOP, 0, 0, 0, 0, 0, opaque, 0))

    def split(self, reply):
        replies, rest = b.split(reply)
        return None if rest else replies

    def names(self, command):
        return [command.key]

    def compare(self, group):
        if group[0].rule not in ONLY_OURS:
            return super().compare(group)
        self.history.append(group)
        ours = self.exchange(self.larder, 1, group)
        if not self.is_trial and not self.is_meant(group[0], [], ours):
            self.fail(group, f"Larder {ours}")
        self.uses[group[0].rule] += 1
        if ours[-1:] == [CLOSED]:
            self.reconnect()
        return None

    def match_unit(self, group, index, theirs, ours):
        if CLOSED in (theirs, ours):
            return theirs == ours
        if theirs._replace(unique=0, value=b"") != ours._replace(unique=0, value=b""):
            return False
        key = group[ours.opaque].key
        if theirs.value != ours.value:
            if theirs.value.rstrip(b" ") != ours.value.rstrip(b" ") or key[:1] != b"n":
                return False
            self.uses["padding after decr"] += 1
        if ours.unique == 0:
            if theirs.unique == 0:
                return True
            past = group[ours.opaque].extras.endswith(struct.pack(">I", Generator.PAST))
            self.uses["expired at once"] += past
            return past
        self.known[key] = (theirs.unique, ours.unique)
        return (self.to_larder.setdefault((key, theirs.unique), ours.unique) == ours.unique and
                self.to_memcached.setdefault((key, ours.unique), theirs.unique) == theirs.unique)

    def summary(self):
        return f", {len(self.to_larder)} CAS uniques mapped"


if __name__ == "__main__":
    differential.main(Run, __doc__)
