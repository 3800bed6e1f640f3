"""
The bookkeeper: what the engine does with files, written into the catalogue.

Events of the engine come in order and are written in order. After a crash, of
the engine or of everything, it looks at each film that was being written.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rotoclear.media.catalogue import Catalogue, Entry, Kind, new_id
from rotoclear.media.engine import wire
from rotoclear.media.files.shelf import FileError, FileMissing, Shelf
from rotoclear.state.model import Model

LOST: Final = "The picture engine stopped working"
CRASHED: Final = "The server was not stopped properly"


@frozen
class Place:
    """
    Where films go.

    :ivar volume: driver and identity, with a slash between.
    :ivar name: for people.
    :ivar path: the folder.
    """

    volume: str
    name: str
    path: str


@frozen
class Take:
    """What is being recorded: all that the engine does not know."""

    place: Place
    camera: int
    user: str = ""
    continues: str = ""


class Shelves(Protocol):
    """The volumes' files, as :class:`rotoclear.media.shelves.Shelves`."""

    def shelf(self, volume: str) -> Shelf | None:
        """Of a volume that is there."""


class Films:
    """
    See the module.

    :param model: its ``last-recording`` and ``last-snapshot`` are kept true.
    :param wall: tells the time, seconds since 1970.
    """

    _log = Logger()

    def __init__(
        self,
        model: Model,
        catalogue: Catalogue,
        shelves: Shelves,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._model = model
        self._catalogue = catalogue
        self._shelves = shelves
        self._wall = wall
        self._take: Take | None = None
        self._open: dict[str, Entry] = {}
        self._work: Deferred[None] = Deferred()
        self._work.callback(None)

    async def restore(self) -> None:
        """Name the newest of both kinds."""
        for kind, key in _KEYS.items():
            newest = await self._catalogue.page(kind, 1)
            self._model.commit({key: newest[0].id if newest else ""})

    # -- what is recorded ------------------------------------------------

    def begin(self, take: Take) -> None:
        """The films that are opened from now on are of this recording."""
        self._take = take

    def event(self, event: wire.Opened | wire.Closed | wire.Hashed | wire.Ended) -> None:
        """The engine has done something with a file."""
        self._later(lambda: self._write(event))

    def settled(self) -> Deferred[None]:
        """Fires when everything so far is written."""
        return self._later(_nothing)

    def _later(self, work: Callable[[], Awaitable[None]]) -> Deferred[None]:
        """One after another."""
        before = self._work

        async def go() -> None:
            await before
            try:
                await work()
            except Exception:  # noqa: BLE001 - what comes next must be written all the same
                self._log.failure("the catalogue could not be written")

        self._work = Deferred.fromCoroutine(go())
        shown: Deferred[None] = Deferred()
        self._work.addCallback(lambda _: shown.callback(None))
        self._work.addErrback(lambda failure: self._log.failure("", failure))
        return shown

    async def _write(self, event: wire.Opened | wire.Closed | wire.Hashed | wire.Ended) -> None:
        match event:
            case wire.Opened():
                await self._opened(event)
            case wire.Closed():
                await self._closed(event)
            case wire.Hashed(file, digest):
                entry = self._open.pop(file, None)
                if entry is not None:
                    await self._catalogue.change(entry.id, sha256=digest)

    async def _opened(self, event: wire.Opened) -> None:
        take = self._take
        if take is None:
            self._log.error("a film nobody has asked for: {file}", file=event.file)
            return
        entry = Entry(
            id=new_id(event.began),
            kind="recording",
            volume=take.place.volume,
            volume_name=take.place.name,
            file=event.file,
            began=event.began,
            width=event.width,
            height=event.height,
            rate=event.rate,
            camera=take.camera,
            state="recording",
            user=take.user,
            continues=take.continues,
        )
        self._open[event.file] = entry
        self._take = Take(take.place, take.camera, take.user, entry.id)
        await self._catalogue.put(entry)

    async def _closed(self, event: wire.Closed) -> None:
        entry = self._open.get(event.file)
        if entry is None:
            return
        if not event.size:
            del self._open[event.file]
            await self._catalogue.remove(entry.id)
            return
        await self._catalogue.change(
            entry.id,
            state="recovered" if event.ended else "complete",
            ended=self._wall(),
            duration=event.duration,
            size=event.size,
            frames=event.frames,
            reason=event.ended,
        )
        self._model.commit({"last-recording": entry.id})

    async def snapshot(self, place: Place, stored: wire.Stored, camera: int, user: str) -> str:
        """A picture was stored; returns its entry's id when that is on the disk."""
        entry = Entry(
            id=new_id(stored.taken),
            kind="snapshot",
            volume=place.volume,
            volume_name=place.name,
            file=stored.file,
            began=stored.taken,
            ended=stored.taken,
            size=stored.size,
            width=stored.width,
            height=stored.height,
            camera=camera,
            state="complete",
            sha256=stored.sha256,
            user=user,
        )
        await self._catalogue.put(entry)
        self._model.commit({"last-snapshot": entry.id})
        return entry.id

    # -- after a crash ---------------------------------------------------

    def lost(self) -> str:
        """
        The engine is gone; what it wrote is looked at as soon as it is closed.

        :return: the entry that a recording would go on with, or ``""``.
        """
        films, self._open = list(self._open.values()), {}
        for entry in films:
            self._later(lambda entry=entry: self._adopt(entry, LOST))  # type: ignore[misc]
        unfinished = [entry for entry in films if not entry.sha256]
        return unfinished[-1].id if unfinished else ""

    def adopt(self, volume: str) -> Deferred[None]:
        """A volume has come: look at the films on it that were being written."""
        return self._later(lambda: self._adopt_all(volume))

    async def _adopt_all(self, volume: str) -> None:
        for entry in await self._catalogue.unfinished():
            if entry.volume == volume and entry.file not in self._open:
                await self._adopt(entry, CRASHED)

    async def _adopt(self, entry: Entry, reason: str) -> None:
        shelf = self._shelves.shelf(entry.volume)
        if shelf is None:
            return  # when the volume comes back
        try:
            adopted = await shelf.adopt(entry.file)
        except FileMissing:
            adopted = None
        except FileError as error:
            self._log.warn("{file} cannot be looked at: {error}", file=entry.file, error=str(error))
            await self._catalogue.change(entry.id, state="damaged", reason=str(error))
            return
        if adopted is None:
            self._log.warn("{file}: there is nothing to play", file=entry.file)
            await self._catalogue.remove(entry.id)
            return
        self._log.info(
            "{file} is kept: {duration:.1f} s", file=entry.file, duration=adopted.duration
        )
        await self._catalogue.change(
            entry.id,
            state="recovered" if adopted.cut else "complete",
            ended=entry.began + adopted.duration,
            duration=adopted.duration,
            size=adopted.size,
            frames=adopted.frames,
            reason=reason,
        )
        self._model.commit({"last-recording": entry.id})
        await self._catalogue.change(entry.id, sha256=await shelf.digest(entry.file))


_KEYS: Final[dict[Kind, str]] = {"recording": "last-recording", "snapshot": "last-snapshot"}


async def _nothing() -> None:
    pass
