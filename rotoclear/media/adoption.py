"""
What a crash has left: looked after as soon as its volume is there.

When the server starts, and whenever a volume comes, films that were never
closed are cut behind their last whole fragment and get their names; files that are
gone are noted; SHA-256 sums that are missing are made. Nobody waits for it, and
one film after another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.media.catalogue import MAX_PAGE, Catalogue, Entry, new_id
from rotoclear.media.files.shelf import (
    FileBusy,
    FileDamaged,
    FileError,
    FileMissing,
    Shelf,
    ShelfFailed,
)
from rotoclear.media.files.wire import Adopted
from rotoclear.media.films import EMPTY, Films

CRASHED: Final = "It was not closed: its end was cut off"
GONE: Final = "Its file is gone"

AGAIN: Final = 30.0
"""Seconds after which a volume is looked at again that could not be, or one of its films."""

SOON: Final = 2.0
"""The same of one with a film that its writer has not let go of yet."""


class Shelves(Protocol):
    """The volumes' files, as :class:`rotoclear.media.shelves.Shelves`."""

    def shelf(self, volume: str) -> Shelf | None:
        """Of a volume that is there."""

    def name(self, volume: str) -> str:
        """What people call it."""

    def volumes(self) -> list[str]:
        """Those that are there."""


class Adoption:
    """
    See the module.

    :param reactor: times another attempt.
    """

    _log = Logger()

    def __init__(
        self, reactor: IReactorTime, catalogue: Catalogue, films: Films, shelves: Shelves
    ) -> None:
        self._reactor = reactor
        self._catalogue = catalogue
        self._films = films
        self._shelves = shelves
        self._work: dict[str, Deferred[None]] = {}
        self._again: dict[tuple[str, float], IDelayedCall] = {}
        self._failing: dict[tuple[str, str], str] = {}
        self._uncounted: set[str] = set()
        films.on_lost(lambda entry: self.look(entry.volume))

    def look(self, volume: str) -> None:
        """Look at what was left on a volume."""
        self._later(volume, lambda: self._look(volume))

    def engine_lost(self) -> None:
        """
        The engine has died: look at all volumes.

        It may have begun a film of which it has not told, and whose writer has not made
        the file yet.
        """
        for volume in self._shelves.volumes():
            self.look(volume)
            self._try_again(volume, SOON)
            self._try_again(volume, AGAIN)

    def arrived(self, volume: str) -> None:
        """A volume has come: look at all that is on it."""
        self._films.lost_volume(volume)
        self._all_of(volume)

    def reread(self) -> None:
        """The catalogue has others in it now: look at all volumes. What runs goes on."""
        for volume in self._shelves.volumes():
            self._all_of(volume)

    def _all_of(self, volume: str) -> None:
        self._uncounted.add(volume)
        self._once_more(volume)

    def left(self, volume: str) -> None:
        """A volume has gone."""
        self._films.lost_volume(volume)
        self._stop(volume)

    def stop(self) -> None:
        """Begin nothing any more."""
        for volume in {*self._work, *(volume for volume, _ in self._again)}:
            self._stop(volume)

    def _stop(self, volume: str) -> None:
        for after in (SOON, AGAIN):
            again = self._again.pop((volume, after), None)
            if again is not None:
                again.cancel()
        work = self._work.pop(volume, None)
        if work is not None:
            work.cancel()
        self._uncounted.discard(volume)
        for key in [key for key in self._failing if key[0] == volume]:
            del self._failing[key]

    def settled(self) -> list[Deferred[None]]:
        """What is being done; for tests."""
        return list(self._work.values())

    def _later(self, volume: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """One after another, on each volume."""
        before = self._work.get(volume)

        async def go() -> None:
            if before is not None:
                await before
            await self._films.settled()
            try:
                await work()
            except FileError as error:
                self._log.warn(
                    "{volume} cannot be looked at: {error}", volume=volume, error=str(error)
                )
                self._try_again(volume, AGAIN)
            except CancelledError:
                pass  # it has gone
            except Exception:  # noqa: BLE001 - what comes next must be done all the same
                self._log.failure("what was left on {volume} is not looked after", volume=volume)

        self._work[volume] = Deferred.fromCoroutine(go())
        self._work[volume].addErrback(lambda failure: failure.trap(CancelledError) and None)

    def _try_again(self, volume: str, after: float) -> None:
        if (volume, after) not in self._again:
            again = self._reactor.callLater(after, self._waited, volume, after)
            self._again[volume, after] = again

    def _waited(self, volume: str, after: float) -> None:
        del self._again[volume, after]
        self._once_more(volume)

    def _once_more(self, volume: str) -> None:
        # Apart: when the one fails the other is done all the same.
        if volume in self._uncounted:
            self._later(volume, lambda: self._count(volume))
        self.look(volume)

    # -- on one volume ---------------------------------------------------

    async def _count(self, volume: str) -> None:
        """See which files are there; it is owed until it has been done."""
        shelf = self._shelves.shelf(volume)
        if shelf is None or volume not in self._uncounted:
            return
        # At once: whoever wants it meanwhile has entries that this one may have passed.
        self._uncounted.discard(volume)
        try:
            await self._count_on(shelf, volume)
        except FileError:
            self._uncounted.add(volume)
            raise

    async def _count_on(self, shelf: Shelf, volume: str) -> None:
        after = ""
        while entries := await self._catalogue.closed(volume, MAX_PAGE, after):
            after = entries[-1].id
            sizes = await shelf.sizes(tuple(entry.file for entry in entries))
            changed = [
                (entry.id, size < 0)
                for entry, size in zip(entries, sizes, strict=True)
                if size is not None and entry.missing != (size < 0)
            ]
            if None in sizes:
                self._uncounted.add(volume)
                self._try_again(volume, AGAIN)
            if changed:
                await self._catalogue.mark_missing(changed)
                self._log.info(
                    "{volume}: {gone} files are gone, {back} are back",
                    volume=volume,
                    gone=sum(missing for _, missing in changed),
                    back=sum(not missing for _, missing in changed),
                )

    async def _look(self, volume: str) -> None:
        shelf = self._shelves.shelf(volume)
        if shelf is None:
            return
        adopted = 0
        for entry in await self._catalogue.unfinished(volume):
            if not self._films.has(entry):
                adopted += await self._one(volume, entry.file, self._adopt(shelf, entry))
        for file in await shelf.parts():
            if await self._catalogue.by_file(volume, file) is None:
                unknown = self._adopt_unknown(shelf, volume, file)
                adopted += await self._one(volume, file, unknown)
        if adopted:
            await self._films.name_newest("recording")
        for entry in await self._catalogue.unsummed(volume):
            if not self._films.has(entry):
                await self._one(volume, entry.file, self._sum(shelf, entry))

    async def _one(self, volume: str, file: str, work: Coroutine[Any, Any, bool]) -> bool:
        """A file that cannot be read keeps nobody from the others; it is told of once."""
        try:
            done = await work
        except ShelfFailed:
            raise
        except FileError as error:
            reason = str(error)
            if self._failing.get((volume, file)) != reason:
                self._failing[volume, file] = reason
                self._log.warn(
                    "{file} on {volume} is tried again until it can be looked at: {reason}",
                    file=file,
                    volume=volume,
                    reason=reason,
                )
            self._try_again(volume, AGAIN)
            return False
        self._failing.pop((volume, file), None)
        return done

    async def _adopt(self, shelf: Shelf, entry: Entry) -> bool:
        """A film of ours that was not closed."""
        try:
            adopted = await shelf.adopt(entry.file)
        except FileBusy as error:
            self._log.info("{file}: {error}", file=entry.file, error=str(error))
            self._try_again(entry.volume, SOON)
            return False
        except (FileMissing, FileDamaged) as error:
            gone = isinstance(error, FileMissing)
            await self._damaged(entry, GONE if gone else str(error), missing=gone)
            return False
        if adopted is None:
            await self._damaged(entry, EMPTY, missing=True)
            return False
        self._kept(entry.file, adopted)
        await self._catalogue.change(entry.id, **_found(entry.began, adopted))
        return True

    async def _damaged(self, entry: Entry, reason: str, *, missing: bool) -> None:
        self._log.warn("{file}: {reason}", file=entry.file, reason=reason)
        await self._catalogue.change(
            entry.id, state="damaged", ended=entry.began, reason=reason, missing=missing
        )

    async def _adopt_unknown(self, shelf: Shelf, volume: str, file: str) -> bool:
        """A film of another device, or one that a crash has kept out of the catalogue."""
        try:
            adopted = await shelf.adopt(file, 0)
        except FileBusy:
            self._try_again(volume, SOON)
            return False
        except (FileMissing, FileDamaged) as error:
            self._log.info("{file}: {error}", file=file, error=str(error))
            return False
        if adopted is None or await self._catalogue.by_file(volume, file) is not None:
            return False  # or it was begun and ended while we looked
        self._kept(file, adopted)
        began = _began(file, adopted)
        entry = Entry(
            id=new_id(began),
            kind="recording",
            volume=volume,
            volume_name=self._shelves.name(volume),
            file=file,
            began=began,
            width=adopted.width,
            height=adopted.height,
            rate=round(adopted.frames / adopted.duration) if adopted.duration else 0,
            camera=0,
            state="recovered",
        )
        await self._catalogue.put(entry)
        await self._catalogue.change(entry.id, **_found(began, adopted))
        return True

    def _kept(self, file: str, adopted: Adopted) -> None:
        self._log.info("{file} is kept: {seconds:.1f} s", file=file, seconds=adopted.duration)

    async def _sum(self, shelf: Shelf, entry: Entry) -> bool:
        try:
            digest = await shelf.digest(entry.file)
        except (FileMissing, FileDamaged) as error:
            self._log.warn("{file}: {error}", file=entry.file, error=str(error))
            await self._catalogue.change(entry.id, missing=True)
            return False
        await self._catalogue.change(entry.id, sha256=digest)
        return True


def _found(began: float, adopted: Adopted) -> dict[str, object]:
    """What an entry is told of its film."""
    return {
        "state": "recovered" if adopted.cut else "complete",
        "ended": began + adopted.duration,
        "duration": adopted.duration,
        "size": adopted.size,
        "frames": adopted.frames,
        "width": adopted.width,
        "height": adopted.height,
        "reason": CRASHED if adopted.cut else "",
        "missing": False,
    }


def _began(file: str, adopted: Adopted) -> float:
    """When a film was begun: its name tells."""
    name = file.rpartition("/")[2]
    try:
        local = time.strptime(name[: len("rotoclear-20261124-093005")], "rotoclear-%Y%m%d-%H%M%S")
        return time.mktime(local)
    except (ValueError, OverflowError):
        return adopted.modified - adopted.duration
