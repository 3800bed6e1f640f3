"""
The bookkeeper: what the engine does with files, written into the catalogue.

Events of the engine come in order and are written in order. What was not closed
when the engine was lost is left to :mod:`rotoclear.media.adoption`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

from attrs import define, evolve, frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rotoclear.media.catalogue import Catalogue, Entry, Kind, new_id
from rotoclear.media.engine import wire
from rotoclear.state.model import Model

Event = wire.Opened | wire.Progress | wire.Closed | wire.Torn | wire.Hashed | wire.Ended
"""What becomes of films."""

LOST: Final = "The picture engine stopped working"
EMPTY: Final = "No picture of it has reached the disk"


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


@define(eq=False)
class _Film:
    """
    A film that the engine has in hand.

    :ivar progress: how far it has come, while it is written.
    :ivar closed: all that is missing is its SHA-256.
    """

    entry: Entry
    progress: wire.Progress | None = None
    closed: bool = False


class Films:
    """
    See the module.

    :param model: its ``last-recording`` and ``last-snapshot`` are kept true.
    :param wall: tells the time, seconds since 1970.
    """

    _log = Logger()

    def __init__(
        self, model: Model, catalogue: Catalogue, wall: Callable[[], float] = time.time
    ) -> None:
        self._model = model
        self._catalogue = catalogue
        self._wall = wall
        self._take: Take | None = None
        self._open: dict[str, _Film] = {}
        self._on_lost: list[Callable[[Entry], None]] = []
        self._work: Deferred[None] = Deferred()
        self._work.callback(None)

    async def restore(self) -> None:
        """Before the start: nothing is being recorded; name the newest of both kinds."""
        await self._catalogue.interrupt()
        await self.reread()

    async def reread(self) -> None:
        """The catalogue has others in it now: name the newest of both kinds."""
        for kind in _KEYS:
            await self.name_newest(kind)

    async def name_newest(self, kind: Kind) -> None:
        """Something was added or removed: name the one that is the newest now."""
        newest = await self._catalogue.newest(kind)
        self._model.commit({_KEYS[kind]: newest.id if newest else ""})

    def on_lost(self, observer: Callable[[Entry], None]) -> None:
        """Have it called with each film that was not closed when what made it was lost."""
        self._on_lost.append(observer)

    def has(self, entry: Entry) -> bool:
        """The engine has it in hand: it is being written, or its SHA-256 is made."""
        film = self._open.get(entry.file)
        return film is not None and film.entry.id == entry.id

    def so_far(self, entry: Entry) -> Entry:
        """The same; of one that is being written, with its duration and size by now."""
        film = self._open.get(entry.file)
        if film is None or film.progress is None or not self.has(entry):
            return entry
        return evolve(entry, duration=film.progress.duration, size=film.progress.size)

    # -- what is recorded ------------------------------------------------

    def begin(self, take: Take) -> None:
        """The films that are opened from now on are of this recording."""
        if take.continues and not take.user and self._take is not None:
            take = evolve(take, user=self._take.user)
        self._take = take

    def event(self, event: Event) -> None:
        """The engine has done something with a file."""
        match event:
            case wire.Opened():
                self._opened(event)
            case wire.Progress(file):
                film = self._open.get(file)
                if film is not None and not film.closed:
                    film.progress = event
            case wire.Closed():
                self._closed(event)
            case wire.Torn(file):
                self._give_up(file)
            case wire.Hashed(file, digest):
                film = self._open.pop(file, None)
                if film is not None:
                    self._change(film.entry, sha256=digest)

    def _opened(self, event: wire.Opened) -> None:
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
        self._give_up(event.file)
        self._open[event.file] = _Film(entry)
        self._take = evolve(take, continues=entry.id)
        self._later(lambda: self._catalogue.put(entry))

    def _closed(self, event: wire.Closed) -> None:
        film = self._open.get(event.file)
        if film is None:
            return
        ended = self._wall()
        if not event.size:
            del self._open[event.file]
            reason = event.ended or EMPTY
            self._change(film.entry, state="damaged", ended=ended, reason=reason, missing=True)
            return
        film.closed, film.progress = True, None
        self._change(
            film.entry,
            state="complete",
            ended=ended,
            duration=event.duration,
            size=event.size,
            frames=event.frames,
            reason=event.ended,
        )
        self._later(lambda: self.name_newest("recording"))

    def snapshot(self, place: Place, stored: wire.Stored, camera: int, user: str) -> Deferred[str]:
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
        # Whoever waits may be cancelled; the picture is there, and is to be found.
        waiting: Deferred[str] = Deferred()
        Deferred.fromCoroutine(self._snapshot(entry)).chainDeferred(waiting)
        return waiting

    async def _snapshot(self, entry: Entry) -> str:
        await self._catalogue.put(entry)
        self._model.commit({_KEYS["snapshot"]: entry.id})
        return entry.id

    # -- what is lost ----------------------------------------------------

    def lost(self) -> str:
        """
        The engine is gone, and will say no more of the films it had.

        :return: the entry that a recording would go on with, or ``""``.
        """
        unfinished = [film.entry.id for film in self._open.values() if not film.closed]
        for file in tuple(self._open):
            self._give_up(file)
        return unfinished[-1] if unfinished else ""

    def lost_volume(self, volume: str) -> None:
        """A volume has gone, and what was being written on it."""
        for file, film in tuple(self._open.items()):
            if film.entry.volume == volume:
                self._give_up(file)

    def _give_up(self, file: str) -> None:
        film = self._open.pop(file, None)
        if film is None or film.closed:
            return
        entry = film.entry
        self._change(entry, state="interrupted")
        self._later(lambda: self._tell(entry))

    async def _tell(self, entry: Entry) -> None:
        for observer in self._on_lost:
            observer(entry)

    # -- one after another -----------------------------------------------

    def settled(self) -> Deferred[None]:
        """Fires when everything so far is written."""
        return self._later(_nothing)

    def _change(self, entry: Entry, **changes: object) -> None:
        self._later(lambda: self._catalogue.change(entry.id, **changes))

    def _later(self, work: Callable[[], Awaitable[object]]) -> Deferred[None]:
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
        return shown


_KEYS: Final[dict[Kind, str]] = {"recording": "last-recording", "snapshot": "last-snapshot"}


async def _nothing() -> None:
    pass
