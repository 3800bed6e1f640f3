"""A WebSocket client that keeps no rule (RFC 6455, RFC 7692) unless it is told to."""

from __future__ import annotations

import base64
import os
import socket
import struct
import time
import zlib
from typing import Final, Self

from attrs import frozen

from tests.harness import Server
from tests.harness.server import HOST

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

RSV1: Final = 4
"""The bit that says that a message is deflated."""

LIMIT: Final = 10.0
"""Seconds that one wait may take."""


def handshake(*headers: str) -> bytes:
    """The request that opens a connection."""
    lines = [
        "GET /api/v1 HTTP/1.1",
        "Host: device",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x1f\x2e\x3d\x4c",
    form: str | None = None,
    claim: int | None = None,
) -> bytes:
    """
    A frame, right or wrong.

    :param rsv: the three reserved bits, as a number.
    :param mask: ``None``: unmasked.
    :param form: how the length is written (``"H"``, ``"Q"``), whether or not it must be.
    :param claim: the length that it says it has.
    """
    size = len(payload) if claim is None else claim
    if form is None:
        form = "" if size < 126 else "H" if size < 65_536 else "Q"
    first = fin << 7 | rsv << 4 | opcode
    marker = {"": size, "H": 126, "Q": 127}[form]
    head = bytes((first, (mask is not None) << 7 | marker))
    if form:
        head += struct.pack(f"!{form}", size)
    if mask is None:
        return head + payload
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """RFC 6455, 5.3."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def deflated(payload: bytes) -> bytes:
    """A message's payload as RFC 7692, 7.2.1 has it."""
    squeeze = zlib.compressobj(wbits=-15)
    return (squeeze.compress(payload) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]


@frozen
class Ended(Exception):
    """
    The server has ended the connection.

    :ivar code: of its close frame; ``None``: there was none.
    """

    code: int | None
    reason: str = ""


class RawSocket:
    """
    A connection; a context manager.

    :param deflate: ask for permessage-deflate.
    :param receive_buffer: bytes that the kernel shall take for us (roughly).
    :raises ConnectionError: it was not let in; the text is the answer.
    """

    def __init__(
        self, server: Server, *, deflate: bool = False, receive_buffer: int | None = None
    ) -> None:
        self._socket = connect(server, receive_buffer)
        self.sendall = self._socket.sendall
        self._buffer = bytearray()
        offer = ["Sec-WebSocket-Extensions: permessage-deflate"] if deflate else []
        self.sendall(handshake(*offer))
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        if not head.startswith(b"HTTP/1.1 101 "):
            self._socket.close()
            raise ConnectionError(head.decode("latin-1"))
        assert (b"permessage-deflate" in head) == deflate, head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without a word."""
        self._socket.close()

    def abort(self) -> None:
        """Hang up with a reset."""
        abort(self._socket)

    def receive(self) -> bytes:
        """
        The payload of the next text message; pings are answered.

        :raises Ended: the server ended the connection.
        :raises TimeoutError: nothing else came.
        """
        deadline = time.monotonic() + LIMIT
        while True:
            first, payload = self._frame()
            if time.monotonic() > deadline:
                raise TimeoutError("nothing but pings and pongs")
            opcode = first & 15
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else None
                raise Ended(code, payload[2:].decode())
            if opcode == PING:
                self.sendall(frame(payload, PONG))
            elif opcode != PONG:
                assert first & 0b1011_1111 == 0b1000_0001, f"an odd frame: {first:#x}"
                if first & RSV1 << 4:
                    payload = zlib.decompress(payload + b"\0\0\xff\xff\3\0", -15)
                return payload

    def ended(self) -> int | None:
        """
        Drop what comes until the server ends the connection; the close code.

        :raises TimeoutError: it does not.
        """
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            try:
                self.receive()
            except Ended as end:
                return end.code
        raise TimeoutError("it is still open")

    def _frame(self) -> tuple[int, bytes]:
        self._need(2)
        first, size = self._buffer[0], self._buffer[1]
        assert size < 128, "a server's frames are not masked"
        start = 2
        if size > 125:
            start = 4 if size == 126 else 10
            self._need(start)
            size = int.from_bytes(self._buffer[2:start], "big")
        self._need(start + size)
        payload = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return first, payload

    def _need(self, size: int) -> None:
        while len(self._buffer) < size:
            self._fill()

    def _fill(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Ended(None)
        self._buffer += data


def connect(server: Server, receive_buffer: int | None = None) -> socket.socket:
    """A TCP connection to the server."""
    connection = socket.socket()
    connection.settimeout(LIMIT)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect((HOST, server.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def abort(connection: socket.socket) -> None:
    """Close a connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
