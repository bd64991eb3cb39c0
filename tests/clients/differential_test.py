#!/usr/bin/env python3
"""The same random commands to memcached and to Larder; every reply is compared, byte for byte.

As differential.py says. Commands are valid and invalid. CAS uniques may differ, but must map one to
one. A command that may differ goes in a group of its own and names a key that nothing else reads,
so that a rule sees exactly its own replies.

Nothing is evicted, and nothing expires by the passing of time: exptimes are 0, past or far.
"""

import dataclasses
import random
import re

import differential
from differential import CLOSED, Rule

ITEM_BYTES_MAX = 1 << 20
# What both count against it beside key and value; more with client flags.
ITEM_OVERHEAD = 59
ITEM_FLAGS = 4


# --- replies --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Value:
    key: bytes
    flags: bytes
    data: bytes
    unique: bytes  # empty: without


def split_reply(reply):
    """Lines, and Values: between them every byte of the reply. None if it cannot be read."""
    units = []
    at = 0
    while at < len(reply):
        end = reply.find(b"\r\n", at)
        if end < 0:
            return None
        line = reply[at:end]
        at = end + 2
        words = line.split(b" ")
        if words[0] != b"VALUE":
            units.append(line)
            continue
        if len(words) not in (4, 5) or not words[3].isdigit():
            return None
        size = int(words[3])
        data = reply[at:at + size]
        if b"%d" % size != words[3] or reply[at + size:at + size + 2] != b"\r\n":
            return None
        at += size + 2
        units.append(Value(words[1], words[2], data, words[4] if len(words) == 5 else b""))
    return units


class Uniques:
    """Which of Larder's CAS uniques stands for which of memcached's: one for one, of each key.
    Keys that live on different cores of Larder may have the same unique."""

    def __init__(self):
        self.to_larder = {}
        self.to_memcached = {}
        self.of_key = {}

    def match(self, ours, theirs):
        if (ours.unique == b"") != (theirs.unique == b""):
            return False
        if ours.unique == b"":
            return True
        key = ours.key
        if self.to_larder.setdefault((key, theirs.unique), ours.unique) != ours.unique:
            return False
        if self.to_memcached.setdefault((key, ours.unique), theirs.unique) != theirs.unique:
            return False
        self.of_key[ours.key] = (theirs.unique, ours.unique)
        return True


# --- what may differ ------------------------------------------------------------------------------

BAD_FORMAT = b"CLIENT_ERROR bad command line format"
ERROR = b"ERROR"
TOO_LARGE = b"SERVER_ERROR object too large for cache"


def only_errors_become_bad_format(theirs, ours):
    return len(theirs) == len(ours) and all(
        a == b or (a == ERROR and b == BAD_FORMAT) for a, b in zip(theirs, ours))


def refused_as_bad(theirs, ours):
    # The line is refused; the data that was meant for it is then an unknown command, and where
    # memcached too takes it for one, it says the same.
    return len(ours) >= 1 and ours[0].startswith(b"CLIENT_ERROR ") and all(
        unit == ERROR for unit in ours[1:])


def values_before_the_error(theirs, ours):
    return theirs == [BAD_FORMAT] and ours[-1:] == [BAD_FORMAT] and all(
        isinstance(unit, Value) for unit in ours[:-1])


RULES = {
    "blank line": Rule(
        "a line without tokens (what is left of a wrong data chunk, too) is ERROR in 1.6.18 and "
        "a bad command line in 1.6.45, as here",
        only_errors_become_bad_format),
    "bare cas": Rule(
        "cas without anything is ERROR in 1.6.18 and a bad command line in 1.6.45, as here",
        only_errors_become_bad_format),
    "plus sign": Rule(
        "1.6.18 reads numbers by strtol, which takes a plus sign; here a number is digits",
        refused_as_bad),
    "length beyond 32 bits": Rule(
        "1.6.18 cuts declared lengths to 32 bits, so that 4294967299 means 3; here it is refused",
        refused_as_bad),
    "exptime beyond 32 bits": Rule(
        "1.6.18 cuts exptimes to 32 bits, so that times after January 2038 are past; here they "
        "are what they say",
        lambda theirs, ours: theirs == [b"STORED", b"END"] and ours == [
            b"STORED", Value(b"odd", b"0", b"abc", b""), b"END"]),
    "control character in a key": Rule(
        "1.6.18 serves keys with control characters, and a NUL ends its line; here a key has none",
        refused_as_bad),
    "wrong key in a list": Rule(
        "1.6.18 drops the VALUEs before the wrong key, and even replies to commands pipelined "
        "before (so it goes alone in this test); here they are sent, then the error",
        values_before_the_error),
    "number from 2^63": Rule(
        "1.6.18 looks for a minus sign beyond the end of such a value, and may find one",
        lambda theirs, ours: ours == [b"STORED", b"0", b"18446744073709551615"]),
    "blank value": Rule(
        "1.6.18 reads on behind a value of white space only, and may find a number there",
        lambda theirs, ours: ours == [
            b"STORED", b"CLIENT_ERROR cannot increment or decrement non-numeric value"]),
    "padding after decr": Rule(
        "1.6.18 pads a shrunk number with blanks unless the item is in use at that moment; here "
        "it is always padded",
        None),  # judged in match_units, as it concerns values that are read later
    "append beyond the limit": Rule(
        "where the joined value is too large, memcached says NOT_STORED, as if there were no item; "
        "here it says what is wrong, and counts it",
        lambda theirs, ours: theirs[1] == b"NOT_STORED" and ours[1] == TOO_LARGE and
        theirs[:1] + theirs[2:] == ours[:1] + ours[2:]),
    "browser": Rule(
        "a POST, a Host: and a first line that ends in HTTP/… close here; 1.6.18 closes only for "
        "unknown verbs before HTTP/…",
        lambda theirs, ours: ours == [CLOSED] and theirs[-1:] != [CLOSED]),
}


# --- commands -------------------------------------------------------------------------------------


@dataclasses.dataclass
class Command:
    text: bytes                # {unique} stands for the CAS unique of `unique_of`
    unique_of: bytes = b""
    rule: str = ""             # may differ; goes alone
    closes: bool = False       # the server is expected to close; goes alone or last

    def bytes_for(self, uniques, side):
        if b"{unique}" not in self.text:
            return self.text
        never = b"18446744073709551614"
        known = uniques.of_key.get(self.unique_of, (never, never))
        return self.text.replace(b"{unique}", known[side])


class Generator:
    """Draws commands. Keys k…: anything; n…: numbers below 2^63 and short words; odd: only by
    commands that may differ. So that no incr meets what memcached reads beyond its end (RULES)."""

    STORE = [b"set", b"set", b"set", b"add", b"replace", b"append", b"prepend"]
    EXPTIME = [b"0"] * 6 + [b"-1", b"100000", b"2592000", b"1000000000", b"2000000000",
                            b"-2147483648", b"000"]
    FLAGS = [b"0"] * 4 + [b"1", b"65535", b"4294967295", b"4294967296", b"007"]
    NOREPLY = [b""] * 5 + [b" noreply"]
    WRONG_NUMBER = [b"x", b"-", b"1x", b"0x10", b"", b"18446744073709551616",
                    b"99999999999999999999999", b"noreply", b"1.5", b"--1"]
    WRONG_LENGTH = [b"-1", b"-2147483648", b"2147483646", b"2147483647", b"2147483648",
                    b"4294967295", b"9223372036854775808", b"18446744073709551616", b"0x10", b"x"]

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.keys = [b"k%d" % i for i in range(30)] + [b"K" * 250, b"\xff\x80high", b"noreply"]
        self.numbers = [b"n%d" % i for i in range(8)]
        self.kinds = [
            (30, self.get), (25, self.store), (12, self.number), (8, self.cas), (6, self.delete),
            (6, self.touch), (4, self.get_and_touch), (6, self.wrong_line), (3, self.wrong_chunk),
            (2, self.server_verb), (1, self.too_large), (1, self.at_the_limit), (3, self.may_differ), (0.3, self.closing),
        ]

    def commands(self):
        weights = [weight for weight, _ in self.kinds]
        return [self.random.choices([kind for _, kind in self.kinds], weights)[0]()]

    def pick(self, choices):
        return self.random.choice(choices)

    def end(self):
        return self.pick([b"\r\n", b"\r\n", b"\r\n", b"\n", b" \r\n"])

    def blank(self):
        return self.pick([b" "] * 20 + [b"  "])

    def any_key(self):
        return self.pick(self.keys + self.numbers)

    def value(self):
        size = self.random.choice([0, 1, 2, 5, 10, 50, 100, 1000, 4000, 30000])
        if size <= 10 and self.random.random() < 0.3:
            return self.pick([b"END\r\n", b"\r\n", b"\r\n\r\n", b"get k1\r\n", b"\0\1\2"])
        return self.random.randbytes(size)

    def get(self):
        verb = self.pick([b"get", b"get", b"gets"])
        keys = [self.any_key() for _ in range(self.pick([1, 1, 1, 2, 3, 10, 60]))]
        return Command(self.blank().join([verb] + keys) + self.end())

    def get_and_touch(self):
        keys = [self.any_key() for _ in range(self.pick([0, 1, 1, 2, 5]))]
        return Command(b" ".join([self.pick([b"gat", b"gats"]), self.pick(self.EXPTIME)] + keys) +
                       self.end())

    def store(self):
        value = self.value()
        words = [self.pick(self.STORE), self.pick(self.keys), self.pick(self.FLAGS),
                 self.pick(self.EXPTIME), b"%d" % len(value)]
        return Command(self.blank().join(words) + self.pick(self.NOREPLY) + self.end() + value +
                       b"\r\n")

    def cas(self):
        value = self.value()
        key = self.pick(self.keys)
        unique = self.pick([b"{unique}"] * 4 + [b"18446744073709551615"])
        return Command(b"cas %s %s %s %d %s%s\r\n%s\r\n" % (
            key, self.pick(self.FLAGS), self.pick(self.EXPTIME), len(value), unique,
            self.pick(self.NOREPLY), value.replace(b"{", b"(")), unique_of=key)

    def number(self):
        key = self.pick(self.numbers)
        if self.random.random() < 0.25:
            number = self.pick([b"0", b"5", b"99", b"100", b"007", b"999999999999",
                                b"18446744073709551616", b"abc", b"-1", b"1x"])
            return Command(b"set %s 3 0 %d\r\n%s\r\n" % (key, len(number), number))
        verb = self.pick([b"incr", b"decr"])
        delta = self.pick([b"0", b"1", b"7", b"95", b"1000", b"123456789012"])
        if verb == b"decr" and self.random.random() < 0.1:
            delta = b"18446744073709551615"
        return Command(b"%s %s %s%s" % (verb, key, delta, self.pick(self.NOREPLY)) + self.end())

    def delete(self):
        return Command(b"delete " + self.any_key() +
                       self.pick([b"", b"", b" 0", b" noreply", b" 0 noreply"]) + self.end())

    def touch(self):
        return Command(b"touch %s %s%s" % (self.any_key(), self.pick(self.EXPTIME),
                                           self.pick(self.NOREPLY)) + self.end())

    def server_verb(self):
        return Command(self.pick([
            b"flush_all", b"flush_all 0", b"flush_all -1", b"flush_all noreply",
            b"flush_all 0 noreply", b"flush_all x", b"flush_all x noreply", b"flush_all 0 1 2",
            b"verbosity 0", b"verbosity 0 noreply", b"verbosity", b"verbosity x", b"verbosity 0 1 2",
            b"cache_memlimit 256", b"cache_memlimit 256 noreply", b"cache_memlimit 7",
            b"cache_memlimit", b"cache_memlimit x", b"cache_memlimit 1 2 3", b"stats reset",
            b"stats nothing"]) + self.end())

    def wrong_line(self):
        key, number = self.any_key(), self.pick(self.WRONG_NUMBER)
        long_key = b"L" * self.pick([251, 252, 300, 1000])
        length = self.pick(self.WRONG_LENGTH)
        noreply = self.pick(self.NOREPLY)
        lines = [
            b"foo", b"foo bar baz", b"GET k1", b"Set k1 0 0 1", b"get", b"gets ", b"gat", b"gats ",
            b"set", b"set k1", b"set k1 0 0", b"set k1 0 0 1 2 3", b"cas k1 0 0 1", b"cas k1",
            b"set %s 0 0 %s%s" % (key, length, noreply), b"add %s 0 0 %s" % (key, length),
            b"cas %s 0 0 %s 1%s" % (key, length, noreply), b"set %s %s 0 1" % (key, number or b"x"),
            b"set %s 0 %s 1%s" % (key, number or b"x", noreply), b"set %s 0 0 noreply" % key,
            b"cas %s 0 0 1 %s" % (key, number or b"x"), b"incr %s %s%s" % (key, number or b"x", noreply),
            b"decr %s -1" % key, b"incr", b"incr " + key, b"decr %s 1 2 3" % key,
            b"touch " + key, b"touch", b"touch %s %s" % (key, number or b"x"),
            b"touch %s 0 1 2" % key, b"gat %s %s" % (number or b"x", key), b"delete",
            b"delete %s 1" % key, b"delete %s x" % key, b"delete %s 0 x" % key,
            b"delete %s x noreply" % key, b"delete %s 0 0 0" % key, b"delete " + long_key,
            b"touch %s 0" % long_key, b"incr %s x" % long_key,
            b"set %s 0 0 1%s" % (long_key, noreply), b"HTTP", b"mset a b",
        ]
        return Command(self.pick(lines) + self.end())

    def wrong_chunk(self):
        """Data that does not end where declared; what is left over begins with a known word."""
        declared = self.random.randrange(1, 40)
        verb = self.pick(self.STORE)
        return Command(b"%s %s 0 0 %d%s\r\n" % (verb, self.pick(self.keys), declared,
                                               self.pick(self.NOREPLY)) +
                       b"d" * declared + self.pick([b"dd", b"d\r", b"\rd", b"\n\n", b"\n\r"]) +
                       self.pick([b"left over\r\n", b"\r\n", b"\n"]), rule="blank line")

    def too_large(self):
        size = self.pick([1048577, 1100000, 2000000])
        verb = self.pick([b"set", b"set", b"add", b"replace", b"append", b"prepend", b"cas"])
        unique = b" 1" if verb == b"cas" else b""
        return Command(b"%s %s 0 0 %d%s%s\r\n" % (verb, self.pick(self.keys), size, unique,
                                                 self.pick(self.NOREPLY)) + b"L" * size + b"\r\n")

    def at_the_limit(self):
        """Values about as large as an item may be, of a key that nothing else reads."""
        key = b"e" * self.pick([1, 10, 250])
        flags = self.pick([b"0", b"5"])
        largest = ITEM_BYTES_MAX - ITEM_OVERHEAD - len(key) - (ITEM_FLAGS if flags != b"0" else 0)
        size = largest + self.pick([-1, 0, 1, 2])
        end = b"get %s\r\ndelete %s noreply\r\n" % (key, key)
        if self.random.random() < 0.5:
            return Command(b"%s %s %s 0 %d\r\n%s\r\n" % (
                self.pick([b"set", b"add"]), key, flags, size, b"L" * size) + end)
        first = largest - 10
        return Command(b"set %s %s 0 %d\r\n%s\r\n" % (key, flags, first, b"L" * first) +
                       b"%s %s 0 0 %d\r\n%s\r\n" % (self.pick([b"append", b"prepend"]), key,
                                                    size - first, b"M" * (size - first)) + end,
                       rule="append beyond the limit" if size > largest else "")

    def may_differ(self):
        control = self.pick([b"\t", b"\x01", b"\x7f", b"\0", b"\x1b"])
        return self.pick([
            Command(self.pick([b"\r\n", b"\n", b" \r\n", b"\r\n\r\n"]), rule="blank line"),
            Command(b"cas\r\n", rule="bare cas"),
            Command(b"set odd 0 0 +3\r\nabc\r\n", rule="plus sign"),
            Command(b"set odd +1 0 3\r\nabc\r\n", rule="plus sign"),
            Command(b"incr odd +1\r\n", rule="plus sign"),
            Command(b"touch odd +1\r\n", rule="plus sign"),
            Command(b"set odd 0 0 4294967299\r\nabc\r\n", rule="length beyond 32 bits"),
            Command(b"set odd 0 2147483648 3\r\nabc\r\nget odd\r\ndelete odd noreply\r\n",
                    rule="exptime beyond 32 bits"),
            Command(b"set o%sdd 0 0 3\r\nabc\r\n" % control, rule="control character in a key"),
            Command(b"get o%sdd\r\n" % control, rule="control character in a key"),
            Command(b"delete o%sdd\r\n" % control, rule="control character in a key"),
            Command(b"set odd 0 0 20\r\n18446744073709551615\r\nincr odd 1\r\n"
                    b"incr odd 18446744073709551615\r\n", rule="number from 2^63"),
            Command(b"set odd 0 0 2\r\n  \r\nincr odd 1\r\n", rule="blank value"),
            Command(self.pick([b"get ", b"gets ", b"gat 0 ", b"get k1 k2 "]) +
                    b"L" * self.pick([251, 300, 1000]) + self.pick([b"\r\n", b" k3\n"]),
                    rule="wrong key in a list"),
        ])

    def closing(self):
        return self.pick([
            Command(b"quit\r\n", closes=True), Command(b"quit now\n", closes=True),
            Command(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nset k1 0 0 1\r\nx\r\n", closes=True),
            Command(b"PUT /k1 HTTP/1.0\r\n", closes=True),
            Command(b"POST\r\n", closes=True, rule="browser"),
            Command(b"Host: x\r\n", closes=True, rule="browser"),
        ])


# --- the run --------------------------------------------------------------------------------------


class Run(differential.Run):
    peer = "memcached"
    generator_class = Generator
    rules = RULES
    split = staticmethod(split_reply)

    def __init__(self, arguments, other, larder):
        super().__init__(arguments, other, larder)
        self.uniques = Uniques()

    def wire(self, group, side):
        return b"".join(command.bytes_for(self.uniques, side) for command in group)

    def mark(self):
        number = b"%012d" % self.group
        end = b"STORED\r\nVALUE sync 0 12\r\n%s\r\nEND\r\n" % number
        return b"set sync 0 0 12\r\n%s\r\nget sync\r\n" % number, end

    def names(self, command):
        return [word for word in re.findall(rb"[!-~\x80-\xff]+", command.text)
                if word[:1] in b"knK\xffo"]

    def match_unit(self, group, index, theirs, ours):
        if not isinstance(theirs, Value) or not isinstance(ours, Value):
            return theirs == ours
        if (theirs.key, theirs.flags) != (ours.key, ours.flags):
            return False
        if theirs.data != ours.data:
            if theirs.data.rstrip(b" ") != ours.data.rstrip(b" ") or theirs.key[:1] != b"n":
                return False
            self.uses["padding after decr"] += 1
        return self.uniques.match(ours, theirs)

    def summary(self):
        return f", {len(self.uniques.to_larder)} CAS uniques mapped"


if __name__ == "__main__":
    differential.main(Run, __doc__)
