"""A catalogue in memory, and volumes whose files are a dictionary."""

from __future__ import annotations

import sqlite3

from attrs import define, field
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed

from rotoclear.media.catalogue import Catalogue, Entry
from rotoclear.media.files.shelf import FileBusy, FileError, FileMissing
from rotoclear.media.files.wire import Adopted
from rotoclear.state.database import MIGRATIONS, Database


def catalogue() -> Catalogue:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for script in MIGRATIONS:
        connection.executescript(script)
    return Catalogue(Database(connection, maybeDeferred))


def entry(id_: str, **more: object) -> Entry:
    given: dict[str, object] = {
        "id": id_,
        "kind": "recording",
        "volume": "dir/one",
        "volume_name": "One",
        "file": f"2026/11/24/{id_}.mp4",
        "began": 1000.0,
        "width": 64,
        "height": 48,
        "camera": 1,
        "state": "complete",
        "sha256": "ab" * 32,
        **more,
    }
    return Entry(**given)  # type: ignore[arg-type]


def adopted(*, cut: bool = True, duration: float = 8.0) -> Adopted:
    return Adopted(
        size=4000,
        duration=duration,
        width=64,
        height=48,
        frames=round(duration * 25),
        modified=2000.0,
        cut=cut,
    )


@define(eq=False)
class File:
    content: bytes
    open: bool = True

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        return succeed(self.content[offset : offset + length])

    def close(self) -> None:
        self.open = False


@define(eq=False)
class Shelf:
    """
    A volume.

    :ivar files: what is on it, by name.
    :ivar left: what becomes of films that were not closed, by name.
    :ivar sums: with what one that is to be summed fails, by name.
    :ivar uncounted: with what it fails to tell sizes.
    :ivar untold: of which it does not tell whether they are there.
    :ivar trouble: with what every call fails.
    :ivar slow: what is asked for is answered by the test.
    """

    files: dict[str, bytes] = field(factory=dict)
    left: dict[str, Adopted | FileError | None] = field(factory=dict)
    sums: dict[str, FileError] = field(factory=dict)
    uncounted: FileError | None = None
    untold: set[str] = field(factory=set)
    trouble: FileError | None = None
    slow: bool = False
    waiting: list[Deferred[object]] = field(factory=list)
    opened: list[File] = field(factory=list)
    did: list[tuple[str, str]] = field(factory=list)
    stopped: bool = False

    def _answer(self, value: object) -> Deferred:
        if self.trouble is not None:
            return fail(self.trouble)
        if self.slow:
            self.waiting.append(Deferred())
            return self.waiting[-1].addCallback(lambda _: value)
        return fail(value) if isinstance(value, Exception) else succeed(value)

    def open(self, name: str) -> Deferred:
        if name not in self.files:
            return self._answer(FileMissing("The file is not on the volume"))
        self.opened.append(File(self.files[name]))
        return self._answer(self.opened[-1])

    def remove(self, name: str, *, unfinished: bool = False) -> Deferred:
        if unfinished and isinstance(self.left.get(name), FileBusy):
            return self._answer(self.left[name])
        self.did.append(("remove", name))
        if self.trouble is None:
            self.files.pop(name, None)
            if unfinished:
                self.left.pop(name, None)
        return self._answer(None)

    def digest(self, name: str) -> Deferred:
        self.did.append(("digest", name))
        return self._answer(self.sums.get(name, f"sum of {name}"))

    def adopt(self, name: str, patience: float = 15.0) -> Deferred:
        self.did.append(("adopt", name))
        if name not in self.left:
            return self._answer(FileMissing("The file is not on the volume"))
        return self._answer(self.left[name])

    def parts(self) -> Deferred:
        return self._answer(sorted(self.left))

    def sizes(self, names: tuple[str, ...]) -> Deferred:
        sizes = [
            None if n in self.untold else len(self.files[n]) if n in self.files else -1
            for n in names
        ]
        return self._answer(self.uncounted or sizes)

    def stop(self) -> None:
        self.stopped = True


@define(eq=False)
class Shelves:
    there: dict[str, Shelf] = field(factory=dict)

    def shelf(self, volume: str) -> Shelf | None:
        return self.there.get(volume)

    def name(self, volume: str) -> str:
        return volume.rpartition("/")[2].title()

    def volumes(self) -> list[str]:
        return list(self.there)
