"""The media's room, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.interfaces import CameraDescription
from rotoclear.media.adoption import Adoption
from rotoclear.media.catalogue import Catalogue
from rotoclear.media.clock import Clock
from rotoclear.media.engine import wire
from rotoclear.media.feed import Feed
from rotoclear.media.films import Films
from rotoclear.media.interfaces import HoldsVideo
from rotoclear.media.library import Library
from rotoclear.media.pixel_engine import PixelEngine
from rotoclear.media.process import Spawn, spawner
from rotoclear.media.recorder import Recorder
from rotoclear.media.retention import Retention, Rules
from rotoclear.media.service import EngineService
from rotoclear.media.shelves import Shelves
from rotoclear.media.snapshots import Snapshots
from rotoclear.state.database import Database
from rotoclear.state.model import Model

SETTLE: Final = 3.0
"""Seconds after which nobody waits for the engine to be ready."""

CLOSING: Final = 2.5
"""Seconds that a film has to be closed, and written into the catalogue, when the server stops."""


class Heads(Protocol):
    """The heads, as :class:`rotoclear.devices.heads.Heads`."""

    def present(self, number: int) -> bool:
        """It is there."""

    def device(self, number: int) -> Any:
        """The camera that can be called now, or ``None``."""

    def description(self, number: int) -> CameraDescription | None:
        """What it is, or was."""

    def observe(self, observer: Callable[[int], None]) -> None:
        """Have it called with a head's number when that head has changed."""


class Volumes(Protocol):
    """The volumes, as :class:`rotoclear.devices.volumes.Volumes`."""

    def current(self) -> Any:
        """The volume that records, or ``None``."""

    def present(self) -> list[Any]:
        """All that are there."""

    def observe(self, observer: Callable[[], None]) -> None:
        """Have it called when another one records, or none."""

    def watch(self, observer: Callable[[], None]) -> None:
        """Have it called when one has come or gone."""

    def hold(self) -> None:
        """Change it from now on only if it is lost."""

    def release(self) -> None:
        """Undo one :meth:`hold`."""


class Media(Service):
    """
    Pictures and films: the engine, the keys that it serves, and what it has made.

    To be made before the devices are started, and started after them.

    :param reactor: starts processes and keeps the time.
    :param model: gets the lanes of ``record`` and ``snap``.
    :param video: holds size and rate still while a recording runs.
    :param database: has the catalogue.
    :param plan: how to record.
    :param quality: of live JPEGs, 1 to 100.
    :param rules: what is kept of it.
    :param clock: says how old something is.
    :param spawn: starts the engine's process; for tests.
    :ivar engine: gives live pictures, single ones and the film as it is made.
    :ivar feed: shows the live picture to many, of one encode.
    :ivar catalogue: what there is.
    :ivar shelves: the files on the volumes.
    :ivar films: keeps the catalogue.
    :ivar library: gives what is stored to those who ask.
    :ivar adoption: looks after what a crash has left.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        model: Model,
        heads: Heads,
        volumes: Volumes,
        video: HoldsVideo,
        database: Database,
        plan: wire.Plan,
        quality: int,
        rules: Rules,
        clock: Clock,
        spawn: Spawn | None = None,
    ) -> None:
        self._reactor = reactor
        self.engine = EngineService(reactor, spawn or spawner(reactor), model, heads, plan, quality)
        self.catalogue = Catalogue(database)
        self.shelves = Shelves(reactor, volumes)
        self.films = Films(model, self.catalogue)
        self.library = Library(self.catalogue, self.films, self.shelves)
        self.adoption = Adoption(reactor, self.catalogue, self.films, self.shelves)
        self._retention = Retention(
            reactor, rules, self.catalogue, self.films, self.shelves, volumes, clock
        )
        self._pixels = PixelEngine(self.engine, model, heads, volumes, self.films, plan)
        self._recorder = Recorder(reactor, model, heads, volumes, self._pixels, video)
        self._snapshots = Snapshots(reactor, model, heads, volumes, self._pixels)
        self.feed = Feed(self.engine)
        self.engine.on_event(self.films.event)
        self.engine.on_change(self._engine_changed)
        self.shelves.watch(self.adoption.arrived, self.adoption.left)

    async def restore(self) -> None:
        """Name the newest film and picture. Before the start."""
        await self.films.restore()

    async def reread(self) -> None:
        """The catalogue is another one: name its newest, and see what is there of it."""
        await self.films.reread()
        self.adoption.reread()

    def startService(self) -> None:
        """Start the engine, in the background."""
        Service.startService(self)
        self.engine.startService()
        self._retention.startService()

    def stopService(self) -> Deferred[None]:
        """Close what is being recorded, and end the engine; takes three seconds at most."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        closing = Deferred.fromCoroutine(self._close()).addTimeout(CLOSING, self._reactor)
        closing.addErrback(self._not_closed)
        await closing
        self.engine.stopService()
        self._retention.stopService()
        self.adoption.stop()
        self.shelves.stop()

    def _engine_changed(self, running: bool) -> None:
        if not running:
            self.adoption.engine_lost()

    async def _close(self) -> None:
        await self._pixels.stop()
        await self.films.settled()

    def _not_closed(self, failure: Failure) -> None:
        """It is closed all the same, and looked at when the server is started again."""
        self._log.warn("a film was not closed in time: {why}", why=failure.getErrorMessage())

    def settled(self) -> Deferred[None]:
        """Fires when the engine is ready, or has failed; after three seconds at most."""
        settled = self.engine.settled()
        return settled.addTimeout(SETTLE, self._reactor).addErrback(
            lambda failure: failure.trap(TookTooLong) and None
        )

    # -- reports ---------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """
        What the engine does, ready for JSON.

        That of :meth:`rotoclear.media.service.EngineService.status`, and
        ``recording-ended``: why the last recording ended by itself, or ``null``; and
        ``retention``: why nothing is deleted though the rules would have it, or empty.
        """
        return {
            **self.engine.status(),
            "recording-ended": self._recorder.ending,
            "retention": self._retention.objection,
        }

    def health(self) -> dict[str, dict[str, object]]:
        """
        The engine's state.

        It is not ``vital``: without pictures the devices can still be controlled, and it
        is started again by itself.
        """
        return {"engine": {**self.engine.health(), "vital": False}}
