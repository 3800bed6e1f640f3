"""
The catalogue: what films and pictures there are, where, and what is known of them.

It is in the database before anybody is told of a change. Entries have the order
in which they were made: a clock that is set does not move them.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from attrs import evolve, fields, frozen
from twisted.internet.defer import Deferred

from rotoclear.state.database import Database

Kind = Literal["recording", "snapshot"]

State = Literal["recording", "interrupted", "complete", "recovered", "damaged"]
"""
``recording``: being written; ``interrupted``: it ended before it was closed, and is
looked at as soon as its volume is there; ``complete``: closed; ``recovered``: a crash
cut its end off, the rest plays; ``damaged``: there is nothing to play.
"""

MAX_PAGE: Final = 500
"""Rows that may be asked for at once."""


@frozen(kw_only=True)
class Entry:
    """
    One film or picture.

    :ivar volume: the driver's name and the volume's identity, with a slash between.
    :ivar volume_name: for people.
    :ivar file: relative to the volume.
    :ivar began: seconds since 1970, by the clock of that moment.
    :ivar ended: likewise; ``None`` while it is written.
    :ivar duration: seconds that it plays.
    :ivar size: bytes.
    :ivar rate: frames per second that were asked for; 0 for a picture.
    :ivar camera: the active one when it began; 0: not known.
    :ivar sha256: in hexadecimal, once it is known.
    :ivar user: who started it; empty if it was not somebody with a name.
    :ivar continues: the entry whose recording it goes on with, or empty.
    :ivar reason: why it ended, if that was not asked for.
    :ivar missing: its file was not on its volume when that was there.
    :ivar known: when a clock that can be trusted first saw it closed (seconds since
        1970); ``None``: not yet. Its age counts from there.
    """

    id: str
    kind: Kind
    volume: str
    volume_name: str
    file: str
    began: float
    ended: float | None = None
    duration: float = 0.0
    size: int = 0
    width: int
    height: int
    rate: int = 0
    frames: int = 0
    camera: int
    state: State
    sha256: str = ""
    user: str = ""
    continues: str = ""
    reason: str = ""
    missing: bool = False
    known: float | None = None


_COLUMNS: Final = tuple(field.name for field in fields(Entry))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM media"  # noqa: S608 - names of ours

_CLOSED: Final = "state IN ('complete', 'recovered', 'damaged')"
_NUMBER: Final = "(SELECT number FROM media WHERE id = ?)"
_PLAYS: Final = "state IN ('complete', 'recovered')"


def new_id(began: float) -> str:
    """A name for an entry: its time (UTC), and something that nobody guesses."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(began))
    return f"{moment}-{secrets.token_hex(4)}"


class Catalogue:
    """
    The table. Every method returns when it is done; none blocks.

    :param database: is open.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- changes ---------------------------------------------------------

    def put(self, entry: Entry) -> Deferred[Entry]:
        """Add an entry; it is on the disk then."""

        def work(connection: sqlite3.Connection) -> Entry:
            marks = ", ".join("?" for _ in _COLUMNS)
            connection.execute(
                f"INSERT INTO media ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608
                [getattr(entry, name) for name in _COLUMNS],
            )
            return entry

        return self._database.run(work)

    def change(self, id_: str, **changes: object) -> Deferred[Entry | None]:
        """Change some of an entry; ``None`` if there is none."""

        def work(connection: sqlite3.Connection) -> Entry | None:
            entry = _one(connection, "WHERE id = ?", id_)
            if entry is None:
                return None
            sets = ", ".join(f"{name} = ?" for name in changes)
            connection.execute(
                f"UPDATE media SET {sets} WHERE id = ?",  # noqa: S608 - names of ours
                [*changes.values(), id_],
            )
            return evolve(entry, **changes)  # type: ignore[arg-type]

        for name in changes:
            if name not in _COLUMNS:
                raise ValueError(name)
        return self._database.run(work)

    def remove(self, id_: str) -> Deferred[None]:
        """Forget an entry."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM media WHERE id = ?", (id_,))

        return self._database.run(work)

    def interrupt(self) -> Deferred[None]:
        """The server has just started: nothing is being recorded."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE media SET state = 'interrupted' WHERE state = 'recording'")

        return self._database.run(work)

    def mark_missing(self, ids: Iterable[tuple[str, bool]]) -> Deferred[None]:
        """Note of entries whether their files are missing."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE media SET missing = ? WHERE id = ?",
                [(missing, id_) for id_, missing in ids],
            )

        return self._database.run(work)

    def date(self, now: float) -> Deferred[None]:
        """A trusted clock sees all that is closed and was not seen by one before."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"UPDATE media SET known = ? WHERE known IS NULL AND {_CLOSED}",  # noqa: S608
                (now,),
            )

        return self._database.run(work)

    # -- what there is ---------------------------------------------------

    def get(self, kind: Kind, id_: str) -> Deferred[Entry | None]:
        """One entry."""
        return self._database.run(
            lambda connection: _one(connection, "WHERE id = ? AND kind = ?", id_, kind)
        )

    def by_file(self, volume: str, file: str) -> Deferred[Entry | None]:
        """The entry of a file."""
        return self._database.run(
            lambda connection: _one(connection, "WHERE volume = ? AND file = ?", volume, file)
        )

    def page(self, kind: Kind, limit: int, before: str = "") -> Deferred[list[Entry] | None]:
        """
        The newest entries, the newest first.

        :param limit: how many, 1 to :data:`MAX_PAGE`.
        :param before: an entry's id: only those that are older.
        :return: ``None``: there is no such entry.
        """

        def work(connection: sqlite3.Connection) -> list[Entry] | None:
            where, values = "WHERE kind = ?", [kind]
            if before:
                found = connection.execute(
                    "SELECT number FROM media WHERE kind = ? AND id = ?", (kind, before)
                ).fetchone()
                if found is None:
                    return None
                where, values = f"{where} AND number < ?", [kind, found[0]]
            return _many(connection, f"{where} ORDER BY number DESC LIMIT ?", *values, limit)

        return self._database.run(work)

    def count(self, kind: Kind) -> Deferred[int]:
        """How many there are."""

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT count(*) FROM media WHERE kind = ?", (kind,))
            return int(row.fetchone()[0])

        return self._database.run(work)

    def newest(self, kind: Kind) -> Deferred[Entry | None]:
        """The newest that can be played or looked at."""
        return self._database.run(
            lambda connection: _one(
                connection, f"WHERE kind = ? AND {_PLAYS} ORDER BY number DESC", kind
            )
        )

    def unfinished(self, volume: str) -> Deferred[list[Entry]]:
        """Films on a volume that were never closed, the oldest first."""
        return self._database.run(
            lambda connection: _many(
                connection,
                "WHERE volume = ? AND state IN ('recording', 'interrupted') ORDER BY number",
                volume,
            )
        )

    def unsummed(self, volume: str) -> Deferred[list[Entry]]:
        """Films on a volume whose SHA-256 is not known, the oldest first."""
        return self._database.run(
            lambda connection: _many(
                connection,
                f"WHERE volume = ? AND sha256 = '' AND {_PLAYS} AND NOT missing ORDER BY number",
                volume,
            )
        )

    def closed(self, volume: str, limit: int, after: str = "") -> Deferred[list[Entry]]:
        """
        What is closed on a volume, the oldest first.

        :param after: an entry's id: only those that are newer.
        """
        return self._database.run(
            lambda connection: _many(
                connection,
                f"WHERE volume = ? AND {_CLOSED} AND number > ifnull({_NUMBER}, 0) "
                "ORDER BY number LIMIT ?",
                volume,
                after,
                limit,
            )
        )

    def latest(self) -> Deferred[float]:
        """The latest moment that a trusted clock has told; 0: none has."""

        def work(connection: sqlite3.Connection) -> float:
            row = connection.execute("SELECT max(known) FROM media").fetchone()
            return float(row[0] or 0)

        return self._database.run(work)


def _many(connection: sqlite3.Connection, rest: str, *values: object) -> list[Entry]:
    rows: Sequence[Sequence[object]] = connection.execute(f"{_SELECT} {rest}", values).fetchall()
    entries = [Entry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]  # type: ignore[arg-type]
    return [evolve(entry, missing=bool(entry.missing)) for entry in entries]


def _one(connection: sqlite3.Connection, rest: str, *values: object) -> Entry | None:
    found = _many(connection, f"{rest} LIMIT 1", *values)
    return found[0] if found else None
