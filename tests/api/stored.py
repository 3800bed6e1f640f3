"""Stored films and pictures whose files answer as the test says."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from rotoclear.media.catalogue import Entry


@define(eq=False)
class File:
    """
    A file that is read as the test says.

    :ivar slow: the test answers.
    """

    content: bytes
    slow: bool = False
    closed: bool = False
    asked: list[tuple[int, int]] = field(factory=list)
    waiting: list[Deferred[bytes]] = field(factory=list)
    cancelled: int = 0

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        assert not self.closed
        self.asked.append((offset, length))
        if not self.slow:
            return succeed(self.content[offset : offset + length])
        self.waiting.append(Deferred(self._cancel))
        return self.waiting[-1]

    def answer(self) -> None:
        offset, length = self.asked[-1]
        self.waiting.pop(0).callback(self.content[offset : offset + length])

    def close(self) -> None:
        self.closed = True

    def _cancel(self, _: object) -> None:
        self.cancelled += 1


@define
class Library:
    entries: list[Entry] = field(factory=list)
    files: dict[str, File] = field(factory=dict)
    trouble: Exception | None = None
    removed: list[tuple[str, str, str]] = field(factory=list)
    forgotten: list[str] = field(factory=list)
    opening: Deferred[None] | None = None

    async def page(self, kind: str, limit: int, before: str) -> Sequence[tuple[Entry, bool]] | None:
        rows = [one for one in self.entries if one.kind == kind]
        if before:
            if before not in [one.id for one in rows]:
                return None
            rows = rows[[one.id for one in rows].index(before) + 1 :]
        return [(one, one.id in self.files) for one in rows[:limit]]

    async def count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.entries)

    async def open(self, kind: str, id_: str) -> tuple[Entry, File] | None:
        if self.opening is not None:
            await self.opening
        if self.trouble is not None:
            raise self.trouble
        for one in self.entries:
            if (one.kind, one.id) == (kind, id_):
                self.files[id_].closed = False
                return one, self.files[id_]
        return None

    async def remove(self, kind: str, id_: str, by: str, *, forget: bool) -> bool:
        if self.trouble is not None:
            raise self.trouble
        if forget:
            self.forgotten.append(id_)
        self.removed.append((kind, id_, by))
        return any((one.kind, one.id) == (kind, id_) for one in self.entries)
