"""RESP, Redis' protocol, from a plain socket: requests as bytes, replies as Python values.

A simple string is a str, a bulk string bytes, an error an Error, a null None; maps and sets of RESP3
are dict and frozenset, of RESP2 lists.
"""


class Error(str):
    """An error reply, as it came."""

    def __repr__(self):
        return f"Error({str(self)!r})"


def request(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = as_bytes(word)
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def as_bytes(word):
    if isinstance(word, bytes):
        return word
    return str(word).encode()


def _hashable(value):
    return tuple(_hashable(each) for each in value) if isinstance(value, list) else value


def reply(connection):
    """The next reply; None also if the server closed."""
    line = connection.line()
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        return Error(rest.decode("utf-8", "replace"))
    if kind == b":":
        return int(rest)
    if kind == b",":
        return float(rest)
    if kind == b"#":
        return rest == b"t"
    if kind in (b"$", b"="):
        size = int(rest)
        if size < 0:
            return None
        value = connection.exactly(size + 2)[:-2]
        return value[4:] if kind == b"=" else value
    if kind == b"_":
        return None
    if kind in (b"*", b">"):
        return None if int(rest) < 0 else [reply(connection) for _ in range(int(rest))]
    if kind == b"~":
        return frozenset(_hashable(reply(connection)) for _ in range(int(rest)))
    if kind == b"%":
        return {reply(connection): reply(connection) for _ in range(int(rest))}
    raise AssertionError(f"no reply: {line!r}")


def ask(connection, *words):
    connection.send(request(*words))
    return reply(connection)


def ask_all(connection, *requests):
    """A pipeline: all requests are sent before the first reply is read."""
    connection.send(b"".join(request(*words) for words in requests))
    return [reply(connection) for _ in requests]
