"""Memcached's binary protocol, for tests: requests that may lie about themselves, and replies."""

import collections
import struct

HEADER = struct.Struct(">BBHBBHIIQ")

GET, SET, ADD, REPLACE, DELETE, INCR, DECR, QUIT, FLUSH = range(0x00, 0x09)
GETQ, NOOP, VERSION, GETK, GETKQ, APPEND, PREPEND, STAT = range(0x09, 0x11)
SETQ, ADDQ, REPLACEQ, DELETEQ, INCRQ, DECRQ, QUITQ, FLUSHQ = range(0x11, 0x19)
APPENDQ, PREPENDQ = 0x19, 0x1A
TOUCH, GAT, GATQ = 0x1C, 0x1D, 0x1E
SASL_LIST, SASL_AUTH, SASL_STEP, GATK, GATKQ = range(0x20, 0x25)

OK, NOT_FOUND, EXISTS, TOO_LARGE, INVALID, NOT_STORED, NON_NUMERIC = range(7)
AUTH_FAILED, AUTH_CONTINUE, UNKNOWN, NO_MEMORY = 0x20, 0x21, 0x81, 0x82

NO_CREATION = 0xFFFFFFFF

Reply = collections.namedtuple("Reply", "opcode status opaque unique extras key value")


def request(opcode, key=b"", extras=b"", value=b"", unique=0, opaque=0, magic=0x80, **header):
    """A request. `header` may declare key_bytes, extras_bytes and body_bytes otherwise."""
    return HEADER.pack(
        magic,
        opcode,
        header.get("key_bytes", len(key)),
        header.get("extras_bytes", len(extras)),
        0,
        0,
        header.get("body_bytes", len(extras) + len(key) + len(value)),
        opaque,
        unique,
    ) + extras + key + value


def store(opcode, key, value, flags=0, exptime=0, **fields):
    extras = b"" if opcode in (APPEND, PREPEND, APPENDQ, PREPENDQ) else struct.pack(
        ">II", flags, exptime)
    return request(opcode, key, extras, value, **fields)


def count(opcode, key, delta, initial=0, exptime=NO_CREATION, **fields):
    return request(opcode, key, struct.pack(">QQI", delta, initial, exptime), **fields)


def touch(opcode, key, exptime, **fields):
    return request(opcode, key, struct.pack(">I", exptime), **fields)


def plain(user, password, opcode=SASL_AUTH):
    return request(opcode, b"PLAIN", value=b"\0" + user + b"\0" + password)


def split(data):
    """The replies in `data`, and what is left of it."""
    replies = []
    at = 0
    while len(data) - at >= HEADER.size:
        (magic, opcode, key_bytes, extras_bytes, _, status, body_bytes, opaque,
         unique) = HEADER.unpack_from(data, at)
        if magic != 0x81 or key_bytes + extras_bytes > body_bytes:
            break
        if len(data) - at - HEADER.size < body_bytes:
            break
        body = data[at + HEADER.size : at + HEADER.size + body_bytes]
        at += HEADER.size + body_bytes
        replies.append(Reply(opcode, status, opaque, unique, body[:extras_bytes],
                             body[extras_bytes : extras_bytes + key_bytes],
                             body[extras_bytes + key_bytes :]))
    return replies, data[at:]


def receive(connection):
    """The next reply, from a harness.Connection."""
    head = connection.exactly(HEADER.size)
    body_bytes = HEADER.unpack(head)[6]
    replies, rest = split(head + connection.exactly(body_bytes))
    assert len(replies) == 1 and rest == b"", (head, rest)
    return replies[0]


def ask(connection, *requests):
    """Sends the requests and a noop; all replies before the noop's."""
    connection.send(b"".join(requests) + request(NOOP, opaque=0xFFFFFFFF))
    replies = []
    while True:
        reply = receive(connection)
        if (reply.opcode, reply.opaque) == (NOOP, 0xFFFFFFFF):
            return replies
        replies.append(reply)


def ask_one(connection, one):
    replies = ask(connection, one)
    assert len(replies) == 1, replies
    return replies[0]


def ask_last(connection, *requests):
    """Sends requests that end the connection; all replies up to the end."""
    connection.send(b"".join(requests))
    replies, rest = split(connection.rest())
    assert rest == b"", rest
    return replies
