"""Which device has which number, remembered across restarts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.devices.device import Kind
from rotoclear.state.database import Database

RENEWAL: Final = 86_400.0
"""Seconds after which it is written down again that a device was seen: memory cards wear out."""


@frozen
class Owner:
    """
    The device that has a number, or had it last.

    :ivar serial: as it says itself, or ``""``.
    :ivar port: likewise.
    """

    driver: str
    identity: str
    serial: str = ""
    port: str = ""

    def same(self, other: Owner | None) -> bool:
        """It is the same device, wherever it is plugged in."""
        return other is not None and (self.driver, self.identity) == (other.driver, other.identity)


@frozen
class Place:
    """
    A number that somebody has or had.

    :ivar seen: when the owner was last plugged in, to the day; seconds since 1970.
    """

    owner: Owner
    seen: float


_Key = tuple[str, int]
_Rows = list[tuple[_Key, Place | None]]


def load(connection: sqlite3.Connection) -> dict[_Key, Place]:
    """All that was written down."""
    rows = connection.execute(
        "SELECT kind, number, driver, identity, serial, port, seen FROM assignments"
    )
    return {(kind, number): Place(Owner(*owner), seen) for kind, number, *owner, seen in rows}


def save(connection: sqlite3.Connection, rows: Iterable[tuple[_Key, Place | None]]) -> None:
    """Write some down; ``None`` strikes one out."""
    for (kind, number), place in rows:
        if place is None:
            connection.execute(
                "DELETE FROM assignments WHERE kind = ? AND number = ?", (kind, number)
            )
            continue
        owner = place.owner
        connection.execute(
            "REPLACE INTO assignments (kind, number, driver, identity, serial, port, seen) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, number, owner.driver, owner.identity, owner.serial, owner.port, place.seen),
        )


class Assignments:
    """
    Remembers the owners of numbers, in the database once it has one.

    That they cannot be written down is logged, and tried again with the next
    change: heads work all the same.

    :param wall_clock: seconds since 1970.
    """

    _log = Logger()

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self._wall_clock = wall_clock
        self._places: dict[_Key, Place] = {}
        self._database: Database | None = None
        self._unsaved: set[_Key] = set()
        self._writing = False

    async def restore(self, database: Database) -> None:
        """Take back what was written down; to be called before any device is there."""
        self._database = database
        try:
            self._places = await database.run(load)
        except sqlite3.Error as error:
            self._log.error(
                "the numbers of heads and lamps are not known any more: {error}", error=str(error)
            )

    def place(self, kind: Kind, number: int) -> Place | None:
        """Whose number it is, or was last; ``None``: nobody's yet."""
        return self._places.get((kind, number))

    def owner(self, kind: Kind, number: int) -> Owner | None:
        """As :meth:`place`."""
        place = self.place(kind, number)
        return None if place is None else place.owner

    def assign(self, kind: Kind, number: int, owner: Owner) -> None:
        """It is this one's now, and any other number of that kind that it had is nobody's."""
        key, now = (kind, number), self._wall_clock()
        for other, place in tuple(self._places.items()):
            if other[0] == kind and other != key and owner.same(place.owner):
                del self._places[other]
                self._unsaved.add(other)
        before = self._places.get(key)
        if before is None or before.owner != owner or abs(now - before.seen) >= RENEWAL:
            self._places[key] = Place(owner, now)
            self._unsaved.add(key)
        if self._unsaved and not self._writing:
            self._write()

    def flush(self) -> Deferred[None]:
        """Fires when all is written down, or was refused. Never fails."""
        return self._write()

    def _write(self) -> Deferred[None]:
        if self._database is None:
            return succeed(None)
        keys, self._unsaved = self._unsaved, set()
        rows: _Rows = [(key, self._places.get(key)) for key in keys]
        self._writing = True
        return self._database.run(lambda connection: save(connection, rows)).addCallbacks(
            self._written, self._failed, errbackArgs=(keys,)
        )

    def _written(self, result: None) -> None:
        self._writing = False
        if self._unsaved:
            self._write()

    def _failed(self, failure: Failure, keys: set[_Key]) -> None:
        self._writing = False
        self._unsaved |= keys
        self._log.error(
            "the numbers of heads and lamps are not saved: {error}",
            error=failure.getErrorMessage(),
        )
