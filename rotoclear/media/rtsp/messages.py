"""
Requests and answers as RTSP 1.0 writes them (RFC 2326, 4 to 7 and 10.12).

What comes in is bounded before it is understood: whoever sends more, or
something else, gets one answer that says so, and is disconnected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

MAX_HEAD: Final = 8192
"""Bytes of a request's first line and headers."""

MAX_HEADERS: Final = 64
"""Headers of a request."""

MAX_BODY: Final = 4096
"""Bytes of a request's body; nothing that is understood here needs any."""

VERSION: Final = "RTSP/1.0"

REASONS: Final[Mapping[int, str]] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid In This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
    551: "Option Not Supported",
}

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]{1,2048}")


class BadRequest(Exception):
    """
    What came is no request; nothing that comes after it can be understood.

    :ivar status: to be answered with.
    :ivar cseq: its number, if that could be read.
    """

    def __init__(self, text: str, status: int = 400, cseq: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.cseq = cseq


@frozen
class Request:
    """
    One request.

    :ivar uri: as the client wrote it: printable ASCII, no spaces.
    :ivar headers: by their names in small letters; those that came twice joined by commas.
    """

    method: str
    uri: str
    cseq: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """
        The path of its address without a slash at the end, ``""`` for ``*``.

        :raises BadRequest: it is no address.
        """
        try:
            parts = urlsplit(self.uri)
        except ValueError:
            raise BadRequest("This is no address", cseq=self.cseq) from None
        if self.uri == "*":
            return ""
        if parts.scheme not in ("", "rtsp", "rtsps", "rtspu"):
            raise BadRequest("An address begins with rtsp://", cseq=self.cseq)
        return parts.path.rstrip("/")


@frozen
class Interleaved:
    """Binary data between the requests (RFC 2326, 10.12)."""

    channel: int
    data: bytes = field(repr=False)


class Parser:
    """Takes requests out of a stream of bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Request | Interleaved]:
        """
        What is complete with these bytes.

        :raises BadRequest: once, and then no more can be read.
        """
        self._buffer += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Request | Interleaved | None:
        buffer = self._buffer
        while buffer[:2] == b"\r\n":
            del buffer[:2]
        if buffer[:1] == b"$":
            return self._interleaved()
        if buffer and not 0x20 < buffer[0] < 0x7F and buffer != b"\r":
            # TLS, say: whoever waits for an answer to that need not wait long.
            raise BadRequest("This is no request: it begins with no letter")
        end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
        if end < 0:
            if len(buffer) > MAX_HEAD:
                raise BadRequest("The request is too long", 413)
            return None
        head = _Head(bytes(buffer[:end]))
        start = end + 4
        if len(buffer) < start + head.length:
            return None
        body = bytes(buffer[start : start + head.length])
        del buffer[: start + head.length]
        return Request(head.method, head.uri, head.cseq, head.headers, body)

    def _interleaved(self) -> Interleaved | None:
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        end = 4 + int.from_bytes(buffer[2:4])
        if len(buffer) < end:
            return None
        found = Interleaved(buffer[1], bytes(buffer[4:end]))
        del buffer[:end]
        return found


class _Head:
    """
    First line and headers.

    :raises BadRequest: they are none.
    """

    def __init__(self, raw: bytes) -> None:
        try:
            # Headers may hold UTF-8 (a user's name); anything else is a mistake.
            first, *lines = raw.decode("utf-8").split("\r\n")
        except UnicodeDecodeError:
            raise BadRequest("The request is not UTF-8") from None
        if len(lines) > MAX_HEADERS:
            raise BadRequest("The request has too many headers", 413)
        self.headers = _headers(lines)
        number = self.headers.get("cseq", "")
        self.cseq = number if _NUMBER.fullmatch(number) else ""
        words = first.split(" ")
        if len(words) != 3 or not _TOKEN.fullmatch(words[0]) or not _PRINTABLE.fullmatch(words[1]):
            raise BadRequest("The first line is no request", cseq=self.cseq)
        self.method, self.uri, version = words
        if version != VERSION:
            status = 505 if re.fullmatch(r"RTSP/\d+\.\d+", version) else 400
            raise BadRequest("Only RTSP/1.0 is spoken here", status, self.cseq)
        if not self.cseq:
            raise BadRequest("There is no CSeq")
        self.length = self._length()

    def _length(self) -> int:
        text = self.headers.get("content-length", "0")
        if not _NUMBER.fullmatch(text):
            raise BadRequest("The length of the body is no number", cseq=self.cseq)
        if int(text) > MAX_BODY:
            raise BadRequest("The body is too long", 413, self.cseq)
        return int(text)


def _headers(lines: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name) or any(c in value for c in "\r\n\0"):
            raise BadRequest("This is no header")
        key, value = name.lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def answer(
    status: int,
    cseq: str = "",
    headers: Sequence[tuple[str, str]] = (),
    body: str = "",
) -> bytes:
    """
    One answer.

    :param status: one of :data:`REASONS`.
    :param cseq: the request's number; left out when nobody knows it.
    """
    lines = [f"{VERSION} {status} {REASONS[status]}"]
    if cseq:
        lines.append(f"CSeq: {cseq}")
    lines.append("Server: rotoclear")
    lines += [f"{name}: {value}" for name, value in headers]
    content = body.encode()
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content
