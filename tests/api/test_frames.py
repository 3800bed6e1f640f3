"""Frames, as RFC 6455 5.2 draws them."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from rotoclear.api.frames import small_text, text_frame


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "8100"),
        (1, "8101"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_text_frame(size: int, header: str) -> None:
    payload = b"x" * size
    assert text_frame(payload) == bytes.fromhex(header) + payload


@pytest.mark.parametrize("text", ["", "a", "abcd", "ä\N{GRINNING FACE}", "x" * 125])
def test_small_text(text: str) -> None:
    frame = Frame(Opcode.TEXT, text.encode()).serialize(mask=True)
    assert small_text(frame) == text.encode()


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x81",
        b"\x81\x80abc",
        Frame(Opcode.TEXT, b"a").serialize(mask=False),
        Frame(Opcode.TEXT, b"a").serialize(mask=True)[:-1],
        Frame(Opcode.TEXT, b"a").serialize(mask=True) * 2,
        Frame(Opcode.TEXT, b"x" * 126).serialize(mask=True),
        Frame(Opcode.TEXT, b"\xff").serialize(mask=True),
        Frame(Opcode.TEXT, b"\xed\xa0\x80").serialize(mask=True),
        Frame(Opcode.TEXT, b"a", fin=False).serialize(mask=True),
        b"\xc1\x81abcdx",
        Frame(Opcode.BINARY, b"a").serialize(mask=True),
        Frame(Opcode.PING, b"a").serialize(mask=True),
        Frame(Opcode.CLOSE, b"").serialize(mask=True),
        Frame(Opcode.CONT, b"a").serialize(mask=True),
    ],
    ids=len,  # the bytes themselves are others each time, by their masks
)
def test_others_are_for_autobahn(frame: bytes) -> None:
    assert small_text(frame) is None
