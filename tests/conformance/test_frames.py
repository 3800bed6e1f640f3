"""RFC 6455, 5: framing, control frames, reserved bits and opcodes, fragments (cases 1 to 5)."""

from __future__ import annotations

import pytest

from tests.conformance.agent import (
    BINARY,
    CONTINUATION,
    PIECES,
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

HELLO = frame(TEXT, b"hello")
HELLO_BACK = Answer(TEXT, b"hello")


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537])
def test_lengths(port: int, opcode: int, size: int) -> None:
    payload = b"*" * size
    assert talk(port, frame(opcode, payload), close()) == closed(Answer(opcode, payload))


@pytest.mark.parametrize("size", [0, 5, 126, 1000])
def test_byte_by_byte(port: int, size: int) -> None:
    payload = b"*" * size
    assert talk(port, frame(TEXT, payload), close(), piece=1) == closed(Answer(TEXT, payload))


def test_large_in_pieces(port: int) -> None:
    payload = b"\xfe" * 65_536
    assert talk(port, frame(BINARY, payload), close(), piece=997) == closed(Answer(BINARY, payload))


@pytest.mark.parametrize("piece", PIECES)
def test_many_at_once(port: int, piece: int | None) -> None:
    sent = [frame(TEXT, b"%d" % n) for n in range(100)]
    back = [Answer(TEXT, b"%d" % n) for n in range(100)]
    assert talk(port, *sent, close(), piece=piece) == closed(*back)


def test_client_must_mask(port: int) -> None:
    assert talk(port, HELLO, frame(TEXT, b"hello", masked=False)) == refused(1002, HELLO_BACK)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("payload", [b"", b"hello", bytes(range(0xF0, 0x100)), b"*" * 125])
def test_ping(port: int, payload: bytes, piece: int | None) -> None:
    back = closed(Answer(PONG, payload))
    assert talk(port, frame(PING, payload), close(), piece=piece) == back


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_control_frames_are_short(port: int, opcode: int) -> None:
    assert talk(port, frame(opcode, b"*" * 126)) == refused(1002)


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_control_frames_have_no_fragments(port: int, opcode: int) -> None:
    assert talk(port, *fragments(opcode, b"a", b"b")) == refused(1002)


def test_ten_pings(port: int) -> None:
    numbers = [b"%d" % n for n in range(10)]
    back = closed(*(Answer(PONG, n) for n in numbers))
    assert talk(port, *(frame(PING, n) for n in numbers), close()) == back


def test_pong_nobody_asked_for(port: int) -> None:
    sent = [frame(PONG), frame(PONG, b"why"), frame(PING, b"there?"), close()]
    assert talk(port, *sent) == closed(Answer(PONG, b"there?"))


@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG])
def test_reserved_bits(port: int, opcode: int, rsv: int) -> None:
    assert talk(port, HELLO, frame(opcode, b"*", rsv=rsv), HELLO) == refused(1002, HELLO_BACK)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes(port: int, opcode: int, piece: int | None) -> None:
    outcome = talk(port, HELLO, frame(opcode, b"*"), HELLO, piece=piece)
    assert outcome == refused(1002, HELLO_BACK)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("parts", [(b"one", b"two"), (b"", b"", b""), (b"", b"mid", b"")])
def test_fragments(port: int, parts: tuple[bytes, ...], opcode: int, piece: int | None) -> None:
    outcome = talk(port, *fragments(opcode, *parts), close(), piece=piece)
    assert outcome == closed(Answer(opcode, b"".join(parts)))


@pytest.mark.parametrize("piece", PIECES)
def test_control_frames_between_fragments(port: int, piece: int | None) -> None:
    first, second, third = fragments(TEXT, b"a", b"b", b"c")
    pings = [frame(PING, b"%d" % n) for n in range(2)]
    outcome = talk(
        port, first, pings[0], second, frame(PONG), pings[1], third, close(), piece=piece
    )
    assert outcome == closed(Answer(PONG, b"0"), Answer(PONG, b"1"), Answer(TEXT, b"abc"))


@pytest.mark.parametrize("fin", [True, False])
def test_nothing_to_continue(port: int, fin: bool) -> None:
    sent = [HELLO, frame(CONTINUATION, b"*", fin=fin), HELLO]
    assert talk(port, *sent) == refused(1002, HELLO_BACK)


def test_nothing_to_continue_any_more(port: int) -> None:
    sent = [*fragments(TEXT, b"hel", b"lo"), frame(CONTINUATION, b"*")]
    assert talk(port, *sent) == refused(1002, HELLO_BACK)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_new_message_inside_another(port: int, opcode: int) -> None:
    assert talk(port, fragments(TEXT, b"a", b"b")[0], frame(opcode, b"*")) == refused(1002)
