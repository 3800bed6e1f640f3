"""RFC 7692: permessage-deflate, negotiated and used (cases 12 and 13)."""

from __future__ import annotations

import random
import zlib

import pytest

from tests.conformance.agent import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Agent,
    Answer,
    close,
    closed,
    fragments,
    frame,
    refused,
)
from tests.conformance.conftest import MESSAGE_SIZE

TAIL = b"\x00\x00\xff\xff"
RSV1 = 4

OFFERS = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_no_context_takeover",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; client_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=15; client_max_window_bits=15",
]
"""Like those of the suite's chapter 13, and what browsers send."""

NONSENSE = [
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_no_context_takeover=1",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; no_such_parameter",
]
"""Offers that nobody may agree to (RFC 7692, 7.1)."""


def parameter(agreed: str, name: str) -> str | None:
    """A parameter's value, ``""`` for one that has none, ``None`` if it is not there."""
    for part in agreed.split(";")[1:]:
        found, _, value = part.strip().partition("=")
        if found == name:
            return value
    return None


class Deflated:
    """A connection that compresses all it sends, as far as was agreed."""

    def __init__(self, port: int, offer: str = OFFERS[0]) -> None:
        self.agent = Agent(port, offer)
        agreed = self.agent.agreed
        self._keeps = parameter(agreed, "client_no_context_takeover") is None
        self._bits = -int(parameter(agreed, "client_max_window_bits") or 15)
        self._window = -int(parameter(agreed, "server_max_window_bits") or 15)
        self._compressor = self._new()

    def _new(self) -> zlib._Compress:
        return zlib.compressobj(wbits=self._bits)

    def deflate(self, payload: bytes) -> bytes:
        """One message's (RFC 7692, 7.2.1)."""
        if not self._keeps:
            self._compressor = self._new()
        data = self._compressor.compress(payload) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return data.removesuffix(TAIL)

    def inflate(self, answer: Answer) -> bytes:
        """What a message from the server says: it never leans on earlier ones."""
        if not answer.compressed:
            return answer.payload
        return zlib.decompressobj(self._window).decompress(answer.payload + TAIL)


def payloads(size: int) -> dict[str, bytes]:
    """Some that shrink, and some that do not."""
    noise = random.Random(size)  # the same each time
    return {
        "zeros": bytes(size),
        "text": (b'{"brightness": 50, "contrast": 50}, ' * (size // 36 + 1))[:size],
        "noise": noise.randbytes(size),
    }


@pytest.mark.parametrize("offer", OFFERS)
def test_agreed(port: int, offer: str) -> None:
    agent = Agent(port, offer)
    assert agent.agreed.startswith("permessage-deflate")
    if parameter(offer, "server_no_context_takeover") is not None:
        assert parameter(agent.agreed, "server_no_context_takeover") == ""
    asked = parameter(offer, "server_max_window_bits")
    if asked is not None:
        # It may be less, but not more (RFC 7692, 7.1.2.1).
        assert int(parameter(agent.agreed, "server_max_window_bits") or 15) <= int(asked)
    if parameter(offer, "client_max_window_bits") is None:
        assert parameter(agent.agreed, "client_max_window_bits") is None
    agent.send(close())
    agent.outcome()


@pytest.mark.parametrize("offer", NONSENSE)
def test_nonsense_is_declined(port: int, offer: str) -> None:
    """The connection goes on without it (RFC 7692, 7.1)."""
    agent = Agent(port, offer)
    assert agent.agreed == ""
    agent.send(frame(TEXT, b"hello"), close())
    assert agent.outcome() == closed(Answer(TEXT, b"hello"))


def test_the_first_good_offer_is_agreed_to(port: int) -> None:
    agent = Agent(port, f"{NONSENSE[0]}, {OFFERS[3]}, {OFFERS[0]}")
    assert parameter(agent.agreed, "server_no_context_takeover") == ""


def test_unknown_extensions_are_declined(port: int) -> None:
    agent = Agent(port, "permessage-snappy; level=9")
    assert agent.agreed == ""
    agent.send(frame(TEXT, b"hello"), close())
    assert agent.outcome() == closed(Answer(TEXT, b"hello"))


@pytest.mark.parametrize("size", [0, 16, 125, 1024, 1025, 65_536, 131_072])
@pytest.mark.parametrize("offer", OFFERS)
def test_messages(port: int, offer: str, size: int) -> None:
    """Each twice: whatever was kept of the first must fit the second."""
    client = Deflated(port, offer)
    for payload in payloads(size).values():
        for _ in range(2):
            client.agent.send(frame(BINARY, client.deflate(payload), rsv=RSV1))
            answer = client.agent.receive()
            assert answer is not None
            assert client.inflate(answer) == payload
    client.agent.send(close())
    assert client.agent.outcome() == closed()


def test_compressed_only_where_it_pays(port: int) -> None:
    client = Deflated(port)
    small, large = b"*" * 1024, b"*" * 1025
    client.agent.send(frame(TEXT, small), frame(TEXT, large), close())
    first, second = client.agent.outcome().answers
    assert not first.compressed
    assert second.compressed
    assert len(second.payload) < 100
    assert client.inflate(second) == large


@pytest.mark.parametrize("parts", [2, 7])
def test_fragments(port: int, parts: int) -> None:
    client = Deflated(port)
    payload = payloads(8192)["noise"]
    data = client.deflate(payload)
    step = len(data) // parts + 1
    pieces = [data[n : n + step] for n in range(0, len(data), step)]
    first, *rest = fragments(BINARY, *pieces, rsv=RSV1)
    client.agent.send(first, frame(PING, b"there?"), *rest, close())
    pong, echo = client.agent.outcome().answers
    assert pong == Answer(PONG, b"there?")
    assert client.inflate(echo) == payload


def test_byte_by_byte(port: int) -> None:
    client = Deflated(port)
    payload = payloads(2000)["text"]
    client.agent.send(frame(TEXT, client.deflate(payload), rsv=RSV1), close(), piece=1)
    assert [client.inflate(answer) for answer in client.agent.outcome().answers] == [payload]


def test_not_compressed_is_allowed(port: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(TEXT, b"plain"), close())
    assert client.agent.outcome() == closed(Answer(TEXT, b"plain"))


def test_text_is_checked_after_inflating(port: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(TEXT, client.deflate(b"\xed\xa0\x80"), rsv=RSV1))
    assert client.agent.outcome() == refused(1007)


@pytest.mark.parametrize("rsv", [1, 2, 3, 5, 6, 7])
def test_other_reserved_bits(port: int, rsv: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(TEXT, b"", rsv=rsv))
    assert client.agent.outcome() == refused(1002)


def test_control_frames_are_never_compressed(port: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(PING, client.deflate(b"hello"), rsv=RSV1))
    assert client.agent.outcome() == refused(1002)


def test_only_the_first_fragment_says_compressed(port: int) -> None:
    client = Deflated(port)
    data = client.deflate(b"*" * 100)
    client.agent.send(
        frame(TEXT, data[:2], fin=False, rsv=RSV1), frame(CONTINUATION, data[2:], rsv=RSV1)
    )
    assert client.agent.outcome() == refused(1002)


def test_nonsense_instead_of_compressed_data(port: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(TEXT, b"\xff" * 20, rsv=RSV1))
    assert client.agent.outcome().code in (1002, 1007)


def test_limit_holds_for_the_inflated_message(port: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(BINARY, client.deflate(bytes(MESSAGE_SIZE)), rsv=RSV1), close())
    (answer,) = client.agent.outcome().answers
    assert client.inflate(answer) == bytes(MESSAGE_SIZE)


@pytest.mark.parametrize("size", [MESSAGE_SIZE + 1, MESSAGE_SIZE + 2, 100 * MESSAGE_SIZE])
def test_bomb(port: int, size: int) -> None:
    client = Deflated(port)
    client.agent.send(frame(BINARY, client.deflate(bytes(size)), rsv=RSV1))
    assert client.agent.outcome() == refused(1009)
