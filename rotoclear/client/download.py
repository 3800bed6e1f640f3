"""
Fetching a file: it is complete and right in the end, or it is not there.

It is written beside its place as ``NAME.ID.part``, checked (size, SHA-256), and then
renamed. When the connection is lost, the rest is fetched (RFC 9110 14.2), and when the
program has ended in between, so it is by the next call.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from attrs import frozen

from rotoclear.client.backoff import Backoff
from rotoclear.client.catalogue import Entry
from rotoclear.client.errors import ClientError, ConnectionFailed, Corrupted, Disconnected, TimedOut
from rotoclear.client.http import Http, Reply

T = TypeVar("T")

PIECE: Final = 2**18
"""Bytes that are written at once."""

FRUITLESS: Final = 6
"""Attempts in a row that bring nothing, after which it is given up."""

_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)", re.ASCII)
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")

_LOST: Final = (ConnectionFailed, Disconnected, TimedOut)


@frozen
class Progress:
    """
    How far it is.

    :ivar received: bytes that are here, those of an earlier attempt included.
    :ivar total: bytes that it will be.
    """

    received: int
    total: int


class Loop(Protocol):
    """What a face lends to a download."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Call something that blocks."""


class Download:
    """
    One file.

    :param target: where it is to be.
    :param overwrite: replace what is there.
    :param progress: called now and then.
    :param retry: go on after a loss.
    """

    def __init__(
        self,
        loop: Loop,
        http: Http,
        entry: Entry,
        target: Path,
        *,
        overwrite: bool,
        progress: Callable[[Progress], None] | None,
        retry: bool,
        backoff: Backoff,
    ) -> None:
        self._loop = loop
        self._http = http
        self._entry = entry
        self._target = target
        self._part = target.with_name(f"{target.name}.{entry.id}.part")
        self._overwrite = overwrite
        self._progress = progress
        self._retry = retry
        self._backoff = backoff
        self._tag = ""
        self._total: int | None = None
        self._sha256 = entry.sha256
        self._here = 0

    async def run(self) -> Path:
        """
        Fetch it.

        :raises FileExistsError: there is something, and not ``overwrite``.
        :raises OSError: it cannot be written.
        :raises Corrupted: what was received is not what the server has.
        """
        await self._loop.in_thread(self._check_target)
        self._here = await self._loop.in_thread(self._size)
        old = self._here
        while True:
            await self._fetch_all()
            if await self._loop.in_thread(self._right):
                break
            await self._loop.in_thread(self._part.unlink)
            self._here = 0
            if not old:
                raise Corrupted("What was received is not what the server has (SHA-256)")
            old = 0  # what an earlier call has left was no good
        await self._loop.in_thread(self._finish)
        return self._target

    async def _fetch_all(self) -> None:
        """Until all of it is here."""
        fruitless = 0
        while True:
            before = self._here
            try:
                if await self._fetch():
                    return
                error: ClientError = Disconnected("The download broke off")
            except _LOST as lost:
                error = lost
            fruitless = 0 if self._here > before else fruitless + 1
            if not self._retry or fruitless >= FRUITLESS:
                raise error
            good_for = float("inf") if self._here > before else 0.0
            await self._loop.sleep(self._backoff.delay(good_for))

    async def _fetch(self) -> bool:
        """One attempt; say whether it is all here now."""
        headers = {}
        if self._here:
            headers["Range"] = f"bytes={self._here}-"
            if self._tag:
                headers["If-Range"] = self._tag
        reply = await self._http.open(
            "GET", self._entry.path, headers, good=frozenset({200, 206, 416})
        )
        try:
            if reply.status == 416:
                # There is nothing behind what is here: it is all of it, or of something else.
                return await self._judge_end(reply)
            begin = self._look_at(reply)
            await self._loop.in_thread(self._cut, begin)
            self._here = begin
            await self._receive(reply)
        finally:
            reply.close()
        return self._here == self._total

    async def _judge_end(self, reply: Reply) -> bool:
        total = reply.headers.get("content-range", "").removeprefix("bytes */")
        if total.isdecimal() and int(total) == self._here:
            self._total = self._here
            return True
        await self._loop.in_thread(self._cut, 0)
        self._here = 0
        return False

    def _look_at(self, reply: Reply) -> int:
        """Read the head; return where in the file the body begins."""
        self._tag = reply.headers.get("etag", "")
        digest = _DIGEST.search(reply.headers.get("repr-digest", ""))
        if digest is not None:  # RFC 9530 2
            try:
                self._sha256 = base64.b64decode(digest[1], validate=True).hex()
            except binascii.Error:
                pass
        if reply.status == 206:
            found = _RANGE.fullmatch(reply.headers.get("content-range", ""))
            if found is None or int(found[1]) != self._here:
                raise ConnectionFailed("The server sends another part of the file than was asked")
            self._total = int(found[2])
            return self._here
        length = reply.headers.get("content-length", "")
        if not length.isdecimal():
            raise ConnectionFailed("The server does not say how large the file is")
        self._total = int(length)
        return 0

    async def _receive(self, reply: Reply) -> None:
        piece = bytearray()
        self._tell()
        try:
            async for chunk in reply.chunks():
                piece += chunk
                if len(piece) >= PIECE:
                    await self._write(piece)
        finally:
            # What has come before a loss need not come again.
            await self._write(piece)

    async def _write(self, piece: bytearray) -> None:
        data = bytes(piece)
        piece.clear()
        if data:
            await self._loop.in_thread(self._append, data)
            self._here += len(data)
            self._tell()

    def _tell(self) -> None:
        if self._progress is not None and self._total is not None:
            self._progress(Progress(self._here, self._total))

    # -- in a thread -----------------------------------------------------

    def _check_target(self) -> None:
        if not self._overwrite and self._target.exists():
            raise FileExistsError(f"{self._target} is there already")

    def _size(self) -> int:
        try:
            return self._part.stat().st_size
        except FileNotFoundError:
            return 0

    def _cut(self, size: int) -> None:
        with self._part.open("ab") as file:
            file.truncate(size)

    def _append(self, data: bytes) -> None:
        with self._part.open("ab") as file:
            file.write(data)

    def _right(self) -> bool:
        if not self._sha256:
            return True
        with self._part.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self._sha256.lower()

    def _finish(self) -> None:
        self._check_target()
        self._part.replace(self._target)
