#!/usr/bin/env python3
"""The same random meta commands to memcached and to Larder; see differential_test.py.

Classic commands come in between. Times are compared to within two seconds, and when an item was
read last (l, la=) not at all: memcached tells it to the minute, and by rules of its own.
"""

import dataclasses

import differential
import differential_test as classic
from differential import Rule
from differential_test import Command, Value

TTL_SLACK_S = 2
BLANK_LINE = classic.RULES["blank line"]


@dataclasses.dataclass(frozen=True)
class Reply:
    """A line of codes and flags, and its value if it has one."""

    code: bytes
    flags: tuple
    data: bytes = b""

    def key(self):
        return next((flag[1:] for flag in self.flags if flag[:1] == b"k"), b"")


def split_reply(reply):
    """Lines, Values and Replies. None if it cannot be read."""
    units = []
    at = 0
    while at < len(reply):
        end = reply.find(b"\r\n", at)
        if end < 0:
            return None
        words = reply[at:end].split(b" ")
        if words[0] in (b"HD", b"EN", b"NF", b"NS", b"EX", b"ME"):
            units.append(Reply(words[0], tuple(words[1:])))
            at = end + 2
        elif words[0] == b"VA":
            size = int(words[1])
            data = reply[end + 2:end + 2 + size]
            at = end + 2 + size + 2
            if reply[at - 2:at] != b"\r\n":
                return None
            units.append(Reply(b"VA %d" % size, tuple(words[2:]), data))
        elif words[0] == b"VALUE":
            at = end + 2 + int(words[3]) + 2
            units += classic.split_reply(reply[end - len(b" ".join(words)):at])
        else:
            units.append(reply[at:end])
            at = end + 2
    return units


def words(theirs_too, ours):
    """They say this, we say that, and everything else is the same."""
    return lambda theirs, mine: len(theirs) == len(mine) and all(
        a == b or (a == theirs_too and b == ours) for a, b in zip(theirs, mine))


NEWER = b"CLIENT_ERROR invalid flag"
NEWER_OF_MANY = b"CLIENT_ERROR invalid or duplicate flag"

RULES = {
    "blank line": BLANK_LINE,
    "bare command": Rule(
        "mg, ms, md, ma without anything are ERROR in 1.6.18 and a bad command line in 1.6.45, as "
        "here",
        words(b"ERROR", b"CLIENT_ERROR bad command line format")),
    "quiet misses": Rule(
        "q hides the NF of md and ma in 1.6.45, as here; 1.6.18 says it",
        lambda theirs, ours: len(theirs) == 1 and theirs[0].code == b"NF" and ours == []),
    "flags of newer ones": Rule(
        "1.6.18 knows neither E nor x, and takes no notice of s and N of ms",
        lambda theirs, ours: len(theirs) == len(ours)),
    "one sentence for two": Rule(
        "md and ma of 1.6.18 have one sentence for all flags that are wrong; here it is told what",
        lambda theirs, ours: theirs == [NEWER_OF_MANY] and len(ours) == 1 and
        ours[0].startswith(b"CLIENT_ERROR ")),
    "longest opaque": Rule(
        "an opaque of 32 bytes is taken here; 1.6.18 counts the letter O, too",
        lambda theirs, ours: theirs == [b"CLIENT_ERROR opaque token too long"] and
        ours in ([Reply(code, (b"O" + b"x" * 32,))] for code in (b"EN", b"HD"))),
    "length of modes": Rule(
        "an M without a letter is an invalid mode in 1.6.45, as here; 1.6.18 has a sentence for it",
        lambda theirs, ours: theirs == [b"CLIENT_ERROR incorrect length for M token"] and
        ours == [b"CLIENT_ERROR invalid mode for ms M token"]),
    "wrong key of a store": Rule(
        "the value of an ms with a wrong key is swallowed here; 1.6.18 takes it for a command",
        lambda theirs, ours: ours == [b"CLIENT_ERROR bad command line format"] and
        theirs[:1] == ours),
    "padding after decr": classic.RULES["padding after decr"],
}


class Generator(classic.Generator):
    """Keys k…: anything, in words; b…: the same, spelled in base64; n…: numbers; odd: only by
    commands that may differ."""

    def __init__(self, seed):
        super().__init__(seed)
        self.keys = [b"k%d" % i for i in range(20)] + [b"K" * 250, b"\xff\x80high"]
        self.encoded = [b"YmluYXJ5AAEC", b"YmxhbmsgIA==", b"YnJlYWsNCg=="]
        self.opaque = 0
        self.kinds = [
            (30, self.meta_get), (22, self.meta_set), (12, self.meta_number), (8, self.meta_delete),
            (4, self.describe), (4, self.noop), (6, self.wrong_meta), (3, self.may_differ_meta),
            (5, self.get), (5, self.store), (3, self.delete),
        ]

    def flags(self, given, asked):
        """Those that give something first: what t tells is what is then true, in both."""
        asked = self.random.sample(asked, self.random.randrange(len(asked) + 1))
        if self.random.random() < 0.5:
            self.opaque += 1
            asked.append(b"O%d" % self.opaque)
        return b"".join(self.blank() + flag for flag in given + asked)

    def key_flags(self):
        """A key, and what its spelling needs. Always with k, so that a unique has a name."""
        if self.random.random() < 0.15:
            return self.pick(self.encoded), [b"b", b"k"]
        return self.pick(self.keys), [b"k"]

    def maybe(self, flag, chance=0.3):
        return [flag] if self.random.random() < chance else []

    def quiet(self):
        return self.maybe(b"q", 0.2)

    def exptime(self):
        return self.pick([b"0", b"0", b"100000", b"2592000", b"2000000000"])

    def meta_get(self):
        key, given = self.key_flags()
        kind = self.random.randrange(10)
        if kind == 0:
            given.append(b"T" + self.exptime())
        elif kind == 1 and b"b" not in given:  # memcached forgets how the key was spelled
            given.append(b"N" + self.exptime())
        elif kind == 2:
            given.append(b"R" + self.pick([b"0", b"30", b"200000", b"3000000"]))
        elif kind == 3:
            return Command(b"mg %s T-1 v%s\r\n" % (key, b" b" if b"b" in given else b""))
        given += self.maybe(b"u", 0.1) + self.quiet()
        return Command(b"mg " + key + self.flags(
            given, [b"v", b"s", b"t", b"c", b"f", b"h", b"l", b"Pxy", b"L1"]) + self.end())

    def meta_set(self):
        value = self.value()
        key, given = self.key_flags()
        unique_of = b""
        # memcached forgets how a key was spelled when it joins values.
        modes = [b"MS", b"ME", b"MR"] + ([b"MA", b"MP"] if b"b" not in given else [])
        given += self.maybe(self.pick(modes), 0.5)
        if self.random.random() < 0.2:
            given.append(b"C" + self.pick([b"{unique}"] * 4 + [b"18446744073709551615", b"0"]))
            unique_of = key
            value = value.replace(b"{", b"(")
        given += self.maybe(b"F" + self.pick([b"0", b"5", b"4294967295"]))
        given += self.maybe(b"T" + self.pick([b"0", b"100000", b"2000000000", b"-1"]))
        given += self.maybe(b"I", 0.1) + self.quiet()
        return Command(b"ms %s %d%s%s%s\r\n" % (
            key, len(value), self.flags(given, []), self.end(), value), unique_of=unique_of)

    def meta_number(self):
        key = self.pick(self.numbers)
        if self.random.random() < 0.2:
            number = self.pick([b"0", b"5", b"99", b"100", b"999999999999", b"abc", b"1x"])
            return Command(b"ms %s %d F3\r\n%s\r\n" % (key, len(number), number))
        given = [b"k"] + self.maybe(self.pick([b"MI", b"MD", b"M+", b"M-"]), 0.7)
        given += self.maybe(b"D" + self.pick([b"0", b"1", b"7", b"95", b"1000"]))
        if self.random.random() < 0.2:
            given += [b"N" + self.exptime()] + self.maybe(b"J" + self.pick([b"0", b"13", b"99"]))
        unique_of = b""
        if self.random.random() < 0.2:
            given.append(b"C" + self.pick([b"{unique}"] * 3 + [b"18446744073709551615", b"0"]))
            unique_of = key
        return Command(b"ma " + key + self.flags(given, [b"v", b"t", b"c", b"P1"]) + self.end(),
                       unique_of=unique_of)

    def meta_delete(self):
        key, given = self.key_flags()
        unique_of = b""
        if self.random.random() < 0.3:
            given.append(b"C" + self.pick([b"{unique}"] * 3 + [b"18446744073709551615"]))
            unique_of = key
        if self.random.random() < 0.6:
            given += [b"I"] + self.maybe(b"T" + self.exptime())
        return Command(b"md " + key + self.flags(given, []) + self.end(), unique_of=unique_of)

    def describe(self):
        return Command(b"me " + self.pick(self.keys + self.numbers) + self.end())

    def noop(self):
        return Command(self.pick([b"mn", b"mn", b"mn anything"]) + self.end())

    def wrong_meta(self):
        key = self.pick(self.keys)
        long_opaque = b"O" + b"o" * self.pick([40, 100])
        return Command(self.pick([
            b"mg %s v v" % key, b"mg %s q k q" % key, b"mg %s ! v" % key, b"mg %s noreply" % key,
            b"mg %s j" % key, b"mg %s T" % key, b"mg %s Tx" % key, b"mg %s N1x" % key,
            b"mg %s Rr" % key, b"mg never %s" % long_opaque, b"mg " + b"L" * 251,
            b"md " + b"L" * 251, b"ma " + b"L" * 251, b"me " + b"L" * 251, b"me",
            b"mg Zm9 b", b"mg Zm9v!A== b", b"mx %s" % key, b"mget %s" % key, b"m", b"MG %s" % key,
            b"ms %s" % key, b"ms %s x" % key, b"ms %s -1" % key, b"ma %s MX" % key,
            b"ms %s 2147483646 q" % key,
            b"ms %s 2 MX\r\nhi" % key, b"ms %s 2 T\r\nhi" % key, b"ms %s 2 F\r\nhi" % key,
            b"ms %s 2 Fx k\r\nhi" % key, b"ms %s 2 C-\r\nhi" % key, b"ms %s 2 k k\r\nhi" % key,
            b"ms %s 2 j\r\nhi" % key,
        ]) + b"\r\n")

    def may_differ_meta(self):
        return self.pick([
            Command(self.pick([b"mg", b"ms", b"md", b"ma"]) + b"\r\n", rule="bare command"),
            Command(self.pick([b"md", b"ma"]) + b" never q\r\n", rule="quiet misses"),
            Command(self.pick([b"mg odd E5", b"md odd x", b"ms odd 2 s\r\nhi",
                               b"ms odd 2 MA N0\r\nhi"]) + b"\r\n", rule="flags of newer ones"),
            Command(self.pick([b"md odd v v", b"ma odd k k", b"ma odd Dx", b"ma odd Jx",
                               b"md odd !", b"ma odd T", b"md odd Cx"]) + b"\r\n",
                    rule="one sentence for two"),
            Command(b"mg odd O" + b"x" * 32 + b"\r\n", rule="longest opaque"),
            Command(b"ms odd 2 M\r\nhi\r\n", rule="length of modes"),
            Command(b"ms %s 2\r\nhi\r\n" % (b"L" * 251), rule="wrong key of a store"),
            Command(b"ms never 2 C77 c\r\nhi\r\n"),
            Command(b"ms odd 3\r\nabcde\r\n", rule="blank line"),
        ])


class Run(classic.Run):
    generator_class = Generator
    rules = RULES
    split = staticmethod(split_reply)

    def match_unit(self, group, index, theirs, ours):
        if not isinstance(theirs, Reply) or not isinstance(ours, Reply):
            return super().match_unit(group, index, theirs, ours)
        if len(theirs.flags) != len(ours.flags):
            return False
        if theirs.code == b"ME":
            return ours.code == b"ME" and all(
                self.match_described(*pair, ours.flags[0])
                for pair in zip(theirs.flags, ours.flags))
        if (theirs.code, theirs.data) != (ours.code, ours.data):
            padded = theirs.data.rstrip(b" ") == ours.data.rstrip(b" ") and ours.key()[:1] == b"n"
            if theirs.code[:2] != b"VA" or not padded:
                return False
            self.uses["padding after decr"] += 1
        return all(self.match_flag(a, b, ours) for a, b in zip(theirs.flags, ours.flags))

    def match_flag(self, theirs, ours, reply):
        letter = ours[:1]
        if theirs[:1] != letter:
            return False
        if letter == b"t" and theirs != ours:
            left = int(theirs[1:]), int(ours[1:])
            return min(left) >= 0 and max(left) - min(left) <= TTL_SLACK_S
        if letter == b"c":
            return self.match_unique(theirs[1:], ours[1:], reply.key())
        if letter == b"l":
            return True
        # A number that is in use at that moment memcached does not change in place: then it is not
        # padded, and nobody has read it yet.
        return theirs == ours or (letter in b"sh" and reply.key()[:1] == b"n")

    def match_described(self, theirs, ours, key):
        name = ours.partition(b"=")[0]
        if name in (b"exp", b"la"):
            return theirs.partition(b"=")[0] == name
        if name == b"cas":
            return self.match_unique(theirs[4:], ours[4:], key)
        return theirs == ours or (key[:1] == b"n" and name in (b"size", b"cls", b"fetch"))

    def match_unique(self, theirs, ours, key):
        if b"0" in (theirs, ours):
            return theirs == ours  # of what is not there
        return self.uniques.match(Value(key, b"", b"", ours), Value(key, b"", b"", theirs))


if __name__ == "__main__":
    differential.main(Run, __doc__)
