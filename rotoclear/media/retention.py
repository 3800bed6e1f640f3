"""
The oldest films and pictures go: those that are too old, and those whose room is needed.

Only what is closed goes, one file at a time, the oldest first in the order in which
they were made; of a recording that still runs that is its beginning. Nothing goes
by a clock that cannot be trusted (:mod:`rotoclear.media.clock`).
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final, Protocol

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from rotoclear.interfaces import VolumeUsage
from rotoclear.media.catalogue import Catalogue, Entry
from rotoclear.media.clock import Clock
from rotoclear.media.files.shelf import FileError, Shelf
from rotoclear.media.films import Films
from rotoclear.state.errors import DeviceError

FIRST: Final = 5.0
"""Seconds before the first look: the volumes have come by then."""

PERIOD: Final = 60.0
"""Seconds between two looks."""

PAUSE: Final = 1.0
"""Seconds between two deletions: recording goes on meanwhile."""

DAY: Final = 86_400

BATCH: Final = 100
"""Entries that are looked at at once."""


@frozen
class Rules:
    """
    What is kept.

    :ivar days: for which it is kept; 0: for ever.
    :ivar free: bytes that are to be free on the volume that records; 0: as many as are.
    :ivar share: likewise, a hundredth of its size.
    """

    days: float = 0
    free: int = 0
    share: int = 0


class Shelves(Protocol):
    """The volumes' files, as :class:`rotoclear.media.shelves.Shelves`."""

    def shelf(self, volume: str) -> Shelf | None:
        """Of a volume that is there."""

    def volumes(self) -> list[str]:
        """Those that are there."""


class Volumes(Protocol):
    """The volumes, as :class:`rotoclear.devices.volumes.Volumes`."""

    def current(self) -> Any:
        """The volume that records, or ``None``."""


class Retention(Service):
    """
    See the module.

    :param reactor: times the looks.
    :ivar objection: why nothing is deleted, for people; empty: nothing is in the way.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        rules: Rules,
        catalogue: Catalogue,
        films: Films,
        shelves: Shelves,
        volumes: Volumes,
        clock: Clock,
    ) -> None:
        self._reactor = reactor
        self._rules = rules
        self._catalogue = catalogue
        self._films = films
        self._shelves = shelves
        self._volumes = volumes
        self._clock = clock
        self._running: Deferred[None] | None = None
        self.objection = ""

    def startService(self) -> None:
        """Look from now on, if there is a rule."""
        Service.startService(self)
        if self._rules != Rules():
            self._running = Deferred.fromCoroutine(self._run())
            self._running.addErrback(lambda failure: failure.trap(CancelledError) and None)

    def stopService(self) -> None:
        """Look no more."""
        Service.stopService(self)
        if self._running is not None:
            self._running.cancel()
            self._running = None

    async def _run(self) -> None:
        await deferLater(self._reactor, FIRST)
        while True:
            try:
                await self._look()
            except CancelledError:
                raise
            except (FileError, DeviceError) as error:
                self._log.warn("nothing can be deleted now: {error}", error=str(error))
            except Exception:  # noqa: BLE001 - the next look may succeed
                self._log.failure("what is too old cannot be found")
            await deferLater(self._reactor, PERIOD)

    async def _look(self) -> None:
        objection = self._clock.objection(await self._catalogue.latest())
        if objection != self.objection:
            self.objection = objection
            self._log.info(
                "nothing is deleted: the clock cannot be trusted, {why}"
                if objection
                else "the clock can be trusted",
                why=objection,
            )
        if objection:
            return
        await self._catalogue.date(self._clock.now())
        if self._rules.days:
            for volume in self._shelves.volumes():
                await self._by_age(volume)
        if self._rules.free or self._rules.share:
            await self._by_room()

    async def _by_age(self, volume: str) -> None:
        limit = self._clock.now() - self._rules.days * DAY
        after = ""
        while entries := await self._catalogue.closed(volume, BATCH, after):
            after = entries[-1].id
            for entry in entries:
                # Those that come later have become known later.
                if entry.known is None or entry.known >= limit:
                    return
                if not await self._delete(entry, "it is too old"):
                    return

    async def _by_room(self) -> None:
        after = ""
        while (device := self._volumes.current()) is not None:
            usage = await self._usage(device)
            if usage.free >= max(self._rules.free, usage.total * self._rules.share // 100):
                return
            entries = await self._catalogue.closed(f"{device.driver}/{device.identity}", 1, after)
            if not entries:
                return
            (entry,) = entries
            after = entry.id
            if not await self._delete(entry, "room is needed"):
                return

    async def _usage(self, device: Any) -> VolumeUsage:
        asked: Awaitable[object] = device.call("usage")
        usage = await asked
        if not isinstance(usage, VolumeUsage):
            raise DeviceError("The volume does not tell its usage")
        return usage

    async def _delete(self, entry: Entry, why: str) -> bool:
        """One, and a pause; ``False``: it cannot be done now."""
        shelf = self._shelves.shelf(entry.volume)
        if shelf is None:
            return False
        if self._films.has(entry):
            return True  # its SHA-256 is being made: it is new
        # Though it is missing: it may have come back, and would take room for good.
        await shelf.remove(entry.file)
        await self._catalogue.remove(entry.id)
        self._log.info("{file} is deleted: {why}", file=entry.file, why=why)
        await self._films.name_newest(entry.kind)
        await deferLater(self._reactor, PAUSE)
        return True
