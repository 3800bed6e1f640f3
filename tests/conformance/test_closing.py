"""RFC 6455, 5.5.1 and 7: the closing handshake, its codes and reasons (cases 7)."""

from __future__ import annotations

import pytest

from tests.conformance.agent import (
    CLOSE,
    CONTINUATION,
    PIECES,
    PING,
    TEXT,
    Answer,
    close,
    closed,
    fragments,
    frame,
    refused,
    talk,
)

HELLO = frame(TEXT, b"hello")
HELLO_BACK = Answer(TEXT, b"hello")

VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
INVALID = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]


@pytest.mark.parametrize("piece", PIECES)
def test_after_a_message(port: int, piece: int | None) -> None:
    assert talk(port, HELLO, close(), piece=piece) == closed(HELLO_BACK)


def test_twice(port: int) -> None:
    assert talk(port, close(), close()) == closed()


@pytest.mark.parametrize("late", [HELLO, frame(PING), frame(3)], ids=["text", "ping", "nonsense"])
def test_what_comes_later_is_ignored(port: int, late: bytes) -> None:
    assert talk(port, HELLO, close(), late) == closed(HELLO_BACK)


def test_inside_a_message(port: int) -> None:
    first, second = fragments(TEXT, b"a", b"b")
    assert talk(port, first, close(), second) == closed()


def test_after_a_large_message(port: int) -> None:
    payload = b"*" * 200_000
    assert talk(port, frame(TEXT, payload), close()) == closed(Answer(TEXT, payload))


def test_without_a_code(port: int) -> None:
    assert talk(port, close(None)).code in (None, 1000)


def test_half_a_code(port: int) -> None:
    assert talk(port, frame(CLOSE, b"\x03")) == refused(1002)


@pytest.mark.parametrize("code", VALID)
def test_valid_codes(port: int, code: int) -> None:
    assert talk(port, close(code, b"because")).code in (code, 1000)


@pytest.mark.parametrize("code", INVALID)
def test_invalid_codes(port: int, code: int) -> None:
    assert talk(port, close(code)) == refused(1002)


def test_longest_reason(port: int) -> None:
    assert talk(port, close(1000, b"*" * 123)) == closed()


def test_too_long_a_reason(port: int) -> None:
    assert talk(port, close(1000, b"*" * 124)) == refused(1002)


def test_reason_that_is_no_text(port: int) -> None:
    assert talk(port, close(1000, b"\xce\xba\xed\xa0\x80")) == refused(1007)


def test_fragments(port: int) -> None:
    sent = [frame(CLOSE, b"\x03\xe8", fin=False), frame(CONTINUATION)]
    assert talk(port, *sent) == refused(1002)


def test_after_a_fault(port: int) -> None:
    """The first close frame counts, ours: the client's is only the answer to it."""
    assert talk(port, frame(3), close()) == refused(1002)
