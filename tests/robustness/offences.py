"""What ends a connection, and with which close code (RFC 6455, 7.4)."""

from __future__ import annotations

import random
import zlib
from typing import Final

from attrs import frozen

from tests.robustness.messages import MAX_SIZE
from tests.robustness.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    RSV1,
    TEXT,
    deflated,
    frame,
)

NORMAL: Final = 1000
PROTOCOL: Final = 1002
NOT_UTF8: Final = 1007
TOO_LARGE: Final = 1009


@frozen
class Offence:
    """
    Something that must end the connection.

    :ivar codes: the close codes that are right.
    """

    what: str
    wire: bytes
    codes: tuple[int | None, ...]


def offence(draw: random.Random, *, deflate: bool) -> Offence:
    """Draw one; some take a connection with permessage-deflate."""
    makers = [_opcode, _reserved_bits, _unmasked, _control, _sequence, _close, _utf8, _large]
    if deflate:
        makers += [_bomb, _bad_deflate] * 2
    return draw.choice(makers)(draw)


def _opcode(draw: random.Random) -> Offence:
    opcode = draw.choice([3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
    return Offence(f"opcode {opcode}", frame(b"{}", opcode), (PROTOCOL,))


def _reserved_bits(draw: random.Random) -> Offence:
    bits = draw.choice([1, 2, 3, 5, 6, 7])
    opcode = draw.choice([TEXT, BINARY, PING, CLOSE])
    return Offence(f"reserved bits {bits}", frame(b"{}", opcode, rsv=bits), (PROTOCOL,))


def _unmasked(draw: random.Random) -> Offence:
    opcode = draw.choice([TEXT, BINARY, PING])
    return Offence("unmasked", frame(b'{"get": []}', opcode, mask=None), (PROTOCOL,))


def _control(draw: random.Random) -> Offence:
    opcode = draw.choice([PING, PONG, CLOSE])
    what, wire = draw.choice(
        [
            ("fragmented control frame", frame(b"", opcode, fin=False)),
            ("long control frame", frame(b"x" * draw.choice([126, 4000]), opcode)),
            ("deflated control frame", frame(b"", opcode, rsv=RSV1)),
        ]
    )
    return Offence(what, wire, (PROTOCOL,))


def _sequence(draw: random.Random) -> Offence:
    start = frame(b'{"get":', fin=False)
    what, wire = draw.choice(
        [
            ("continuation of nothing", frame(b"{}", CONTINUATION)),
            ("a message within a message", start + frame(b"{}", TEXT)),
            ("a binary message within a message", start + frame(b"{}", BINARY)),
        ]
    )
    return Offence(what, wire, (PROTOCOL,))


def _close(draw: random.Random) -> Offence:
    what, payload, code = draw.choice(
        [
            ("one byte", b"\x03", PROTOCOL),
            ("code 0", b"\0\0", PROTOCOL),
            ("code 1005", b"\x03\xed", PROTOCOL),
            ("code 1006", b"\x03\xee", PROTOCOL),
            ("code 2999", b"\x0b\xb7", PROTOCOL),
            ("code 65535", b"\xff\xff", PROTOCOL),
            ("reason is no UTF-8", b"\x03\xe8\xff\xfe", NOT_UTF8),
            ("code 1000", b"\x03\xe8bye", NORMAL),
            ("code 4999", b"\x13\x87", NORMAL),
        ]
    )
    codes: tuple[int | None, ...] = (code,)
    if code == NORMAL:
        codes = (NORMAL, 4999)
    return Offence(f"close: {what}", frame(payload, CLOSE), codes)


def _utf8(draw: random.Random) -> Offence:
    bad = draw.choice(
        [
            b"\xff",
            b"\x80",
            b"\xc0\xaf",
            b"\xe2\x82",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            bytes(draw.randrange(128, 192) for _ in range(5)),
        ]
    )
    payload = b'{"brightness": "' + bad + b'"}'
    cut = draw.randrange(1, len(payload))
    whole = draw.random() < 0.5
    wire = frame(payload)
    if not whole:
        wire = frame(payload[:cut], fin=False) + frame(payload[cut:], CONTINUATION)
    return Offence(f"no UTF-8: {bad!r}", wire, (NOT_UTF8,))


def _large(draw: random.Random) -> Offence:
    over = MAX_SIZE + draw.choice([1, 1000, MAX_SIZE])
    what, wire, codes = draw.choice(
        [
            ("too large", frame(b" " * over), (TOO_LARGE,)),
            ("claims 2**40", frame(b"{}", claim=2**40), (TOO_LARGE,)),
            ("claims 2**63", frame(b"{}", claim=2**63, form="Q"), (PROTOCOL, TOO_LARGE)),
            (
                "too large in pieces",
                frame(b" " * (over // 2), fin=False)
                + frame(b" " * (over // 4), CONTINUATION, fin=False)
                + frame(b" " * over, CONTINUATION),
                (TOO_LARGE,),
            ),
            ("a length written too long", frame(b"{}", form="Q"), (PROTOCOL,)),
            ("a binary one, too large", frame(b"\0" * over, BINARY), (TOO_LARGE,)),
        ]
    )
    return Offence(what, wire, codes)


def _bomb(draw: random.Random) -> Offence:
    size = draw.choice([MAX_SIZE + 1, 2**20, 2**25])
    payload = deflated(b" " * size)
    wire = frame(payload, rsv=RSV1)
    if draw.random() < 0.5:
        wire = frame(payload[:9], fin=False, rsv=RSV1) + frame(payload[9:], CONTINUATION)
    return Offence(f"inflates to {size}", wire, (TOO_LARGE,))


def _bad_deflate(draw: random.Random) -> Offence:
    good = deflated(b'{"get": "*"}')
    payload = draw.choice(
        [b"\xff" * 20, b"\x07", good[:-1] + b"\xff\xff\xff", zlib.compress(b"{}"), b"\x06" + good]
    )
    return Offence("bad deflate data", frame(payload, rsv=RSV1), (PROTOCOL, NOT_UTF8))
