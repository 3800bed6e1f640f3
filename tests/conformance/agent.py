"""A client that says whatever it is told to, bytes as they are, and listens to the end."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
from collections.abc import Iterator, Sequence

from attrs import field, frozen

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

LIMIT = 10.0
"""Seconds that anything may take."""

MASK = b"\x0f\xc3\x5a\x96"


@frozen
class Answer:
    """
    A frame from the server.

    :ivar compressed: RSV1 is set (RFC 7692, 7.2.3).
    """

    opcode: int
    payload: bytes = field(default=b"", repr=lambda data: f"{len(data)} bytes {data[:40]!r}")
    compressed: bool = False


@frozen
class Outcome:
    """
    How a conversation went.

    :ivar answers: all that came before the server's close frame.
    :ivar code: in that frame; ``None``: there was none in it.
    """

    answers: list[Answer]
    code: int | None


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """A client's frame (RFC 6455, 5.2), right or wrong."""
    size = len(payload)
    head = bytearray([fin << 7 | rsv << 4 | opcode, masked << 7])
    if size < 126:
        head[1] |= size
    elif size < 65_536:
        head[1] |= 126
        head += size.to_bytes(2, "big")
    else:
        head[1] |= 127
        head += size.to_bytes(8, "big")
    if not masked:
        return bytes(head) + payload
    mask = (MASK * (size // 4 + 1))[:size]
    masked_payload = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return bytes(head) + MASK + masked_payload.to_bytes(size, "big")


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def fragments(opcode: int, *parts: bytes, rsv: int = 0) -> list[bytes]:
    """A message in so many frames."""
    last = len(parts) - 1
    return [
        frame(CONTINUATION if n else opcode, part, fin=n == last, rsv=0 if n else rsv)
        for n, part in enumerate(parts)
    ]


class Refused(Exception):
    """The handshake was answered with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Agent:
    """
    One connection.

    :param offer: the extensions that are asked for.
    :raises Refused: the server does not want it.
    :ivar agreed: the extensions that the server has agreed to.
    """

    def __init__(self, port: int, offer: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), LIMIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")
        self._has_closed = False
        self.agreed = self._shake_hands(offer)

    def _shake_hands(self, offer: str) -> str:
        extensions = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            (
                "GET /api/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{extensions}"
                f"Sec-WebSocket-Key: {key}\r\n\r\n"
            ).encode()
        )
        status = int(self._stream.readline().split()[1])
        if status != 101:
            raise Refused(status)
        headers = {}
        while (line := self._stream.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return headers.get("sec-websocket-extensions", "")

    def send(self, *frames: bytes, piece: int | None = None) -> None:
        """
        Send frames; in pieces of so many bytes, each a packet of its own.

        If the server hangs up meanwhile, :meth:`outcome` tells what it has said.
        """
        data = b"".join(frames)
        self._has_closed = self._has_closed or any(f[0] & 15 == CLOSE for f in frames)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            for start in range(0, len(data), piece or max(1, len(data))):
                self._socket.sendall(data[start : start + (piece or len(data))])

    def receive(self) -> Answer | None:
        """The next frame; ``None``: there is none any more."""
        head = self._stream.read(2)
        if not head:
            return None
        assert head[0] & 0x80, "it never fragments what it sends"
        assert not head[1] & 0x80, "servers do not mask (RFC 6455, 5.1)"
        size = head[1] & 127
        if size > 125:
            size = int.from_bytes(self._stream.read(2 if size == 126 else 8), "big")
        return Answer(head[0] & 15, self._stream.read(size), bool(head[0] & 0x40))

    def outcome(self) -> Outcome:
        """Listen until the server has closed, and close as is proper."""
        answers = list(self._until_close())
        closing = answers.pop()
        assert closing.opcode == CLOSE, "it hung up without a close frame"
        # Its end may be a reset: that is no matter once the close frame is here.
        if not self._has_closed:
            self.send(frame(CLOSE, closing.payload))
        with contextlib.suppress(ConnectionResetError):
            assert self.receive() is None, "nothing may come after a close frame"
        self._stream.close()
        self._socket.close()
        return Outcome(answers, int.from_bytes(closing.payload[:2], "big") or None)

    def _until_close(self) -> Iterator[Answer]:
        while (answer := self.receive()) is not None:
            yield answer
            if answer.opcode == CLOSE:
                return


def talk(port: int, *frames: bytes, piece: int | None = None) -> Outcome:
    """Send this on a connection of its own, and see what comes of it."""
    agent = Agent(port)
    agent.send(*frames, piece=piece)
    return agent.outcome()


def closed(*answers: Answer, code: int | None = 1000) -> Outcome:
    """The outcome of a conversation in which nothing was wrong."""
    return Outcome(list(answers), code)


def refused(code: int, *answers: Answer) -> Outcome:
    """The outcome of a conversation that the server has ended."""
    return Outcome(list(answers), code)


PIECES: Sequence[int | None] = (None, 1)
"""All at once; byte by byte."""
