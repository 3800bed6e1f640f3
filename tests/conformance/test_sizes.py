"""Large messages, in all sorts of pieces, up to the limit and beyond (cases 9 and 10)."""

from __future__ import annotations

import pytest

from tests.conformance.agent import (
    BINARY,
    PING,
    PONG,
    TEXT,
    Answer,
    close,
    closed,
    fragments,
    frame,
    refused,
    talk,
)
from tests.conformance.conftest import MESSAGE_SIZE


def split(payload: bytes, size: int) -> list[bytes]:
    """Its parts of so many bytes."""
    return [payload[start : start + size] for start in range(0, len(payload), size)]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("piece", [None, 1300, 65_536])
def test_at_the_limit(port: int, opcode: int, piece: int | None) -> None:
    payload = b"*" * MESSAGE_SIZE
    back = closed(Answer(opcode, payload))
    assert talk(port, frame(opcode, payload), close(), piece=piece) == back


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [64, 1300, 65_536])
def test_at_the_limit_in_fragments(port: int, opcode: int, size: int) -> None:
    payload = bytes(range(0x20, 0x60)) * (MESSAGE_SIZE // 64)
    sent = fragments(opcode, *split(payload, size))
    assert talk(port, *sent, close()) == closed(Answer(opcode, payload))


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_beyond_the_limit(port: int, opcode: int) -> None:
    """Its head is enough: nobody waits for the rest."""
    assert talk(port, frame(opcode, b"*" * (MESSAGE_SIZE + 1))[:100]) == refused(1009)


def test_beyond_the_limit_in_fragments(port: int) -> None:
    part = b"*" * (MESSAGE_SIZE // 4)
    assert talk(port, *fragments(TEXT, part, part, part, part, b"*", b"")) == refused(1009)


def test_absurd_length(port: int) -> None:
    head = b"\x81\xff" + (2**62).to_bytes(8, "big") + b"\0\0\0\0"
    assert talk(port, head) == refused(1009)


def test_negative_length(port: int) -> None:
    """The first bit must be 0 (RFC 6455, 5.2)."""
    head = b"\x81\xff" + (2**63).to_bytes(8, "big") + b"\0\0\0\0"
    assert talk(port, head).code in (1002, 1009)


@pytest.mark.parametrize("head", [b"\x81\xfe\x00\x7d", b"\x81\xff" + (65_535).to_bytes(8, "big")])
def test_length_in_more_bytes_than_it_takes(port: int, head: bytes) -> None:
    """It must be the least number of bytes (RFC 6455, 5.2)."""
    assert talk(port, head + b"\0\0\0\0" + b"*" * 125) == refused(1002)


def test_many_large_ones(port: int) -> None:
    payload = b"*" * 65_536
    sent = [*(frame(BINARY, payload) for _ in range(4)), frame(PING, b"there?"), close()]
    back = [*(Answer(BINARY, payload) for _ in range(4)), Answer(PONG, b"there?")]
    assert talk(port, *sent) == closed(*back)
