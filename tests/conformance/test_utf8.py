"""RFC 6455, 8.1: text is UTF-8 (RFC 3629), and what is not is refused (cases 6)."""

from __future__ import annotations

import pytest

from tests.conformance.agent import (
    CONTINUATION,
    PIECES,
    TEXT,
    Answer,
    close,
    closed,
    fragments,
    frame,
    refused,
    talk,
)

KOSME = "κόσμε".encode()

GOOD = {
    "greek": KOSME,
    "umlauts": "Hellö-µ@ßöä".encode() * 20,
    "first of each length": "\0\x80ࠀ\U00010000".encode(),
    "last of each length": "\x7f߿\uffff\U0010ffff".encode(),
    "around the surrogates": "\ud7ff\ue000\ufffd".encode(),
    "noncharacters": "\ufdd0\ufffe\U0001fffe\U0010fffe".encode(),
}

BAD = {
    "surrogate among letters": KOSME + b"\xed\xa0\x80" + b"edited",
    "first surrogate": b"\xed\xa0\x80",
    "last surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xad\xbf\xed\xbf\xbf",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "lone continuation": b"\x80",
    "only continuations": b"\xbf\x80" * 8,
    "byte FE": b"\xfe",
    "byte FF": b"\xff",
    "start without its rest": b"\xc3 ",
    "starts without rests": b"\xe0 \xef ",
    "overlong slash, two bytes": b"\xc0\xaf",
    "overlong slash, three bytes": b"\xe0\x80\xaf",
    "overlong slash, four bytes": b"\xf0\x80\x80\xaf",
    "largest overlong": b"\xf0\x8f\xbf\xbf",
    "overlong zero": b"\xc0\x80",
}

INCOMPLETE = {
    "one of two": b"\xc3",
    "two of three": b"\xe2\x82",
    "three of four": b"\xf0\x9f\x98",
}

LONG = b"*" * 126
"""So that Autobahn has to read it, and not the short cut for small messages."""


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good(port: int, text: bytes, piece: int | None) -> None:
    assert talk(port, frame(TEXT, text), close(), piece=piece) == closed(Answer(TEXT, text))


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_split_anywhere(port: int, text: bytes) -> None:
    parts = [text[n : n + 1] for n in range(len(text))]
    assert talk(port, *fragments(TEXT, *parts), close()) == closed(Answer(TEXT, text))


@pytest.mark.parametrize("before", [b"", LONG], ids=["short", "long"])
@pytest.mark.parametrize("text", (BAD | INCOMPLETE).values(), ids=BAD | INCOMPLETE)
def test_bad(port: int, text: bytes, before: bytes) -> None:
    assert talk(port, frame(TEXT, before + text), frame(TEXT, b"more")) == refused(1007)


@pytest.mark.parametrize("text", (BAD | INCOMPLETE).values(), ids=BAD | INCOMPLETE)
def test_bad_byte_by_byte(port: int, text: bytes) -> None:
    assert talk(port, frame(TEXT, text), piece=1) == refused(1007)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_is_noticed_before_the_message_is_complete(port: int, text: bytes) -> None:
    assert talk(port, frame(TEXT, text, fin=False)) == refused(1007)


def test_bad_is_noticed_before_the_frame_is_complete(port: int) -> None:
    unfinished = frame(TEXT, KOSME + b"\xf4\x90\x80\x80" + b"*" * 50)[:-40]
    assert talk(port, unfinished) == refused(1007)


def test_incomplete_at_the_end_of_the_message(port: int) -> None:
    sent = [frame(TEXT, KOSME, fin=False), frame(CONTINUATION, b"\xe2\x82")]
    assert talk(port, *sent) == refused(1007)
