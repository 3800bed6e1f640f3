"""
The catalogue: what films and pictures there are, where, and what is known of them.

It is in the database before anybody is told of a change.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Sequence
from typing import Final, Literal

from attrs import evolve, fields, frozen
from twisted.internet.defer import Deferred

from rotoclear.state.database import Database

Kind = Literal["recording", "snapshot"]

State = Literal["recording", "complete", "recovered", "damaged"]
"""
``recording``: being written; ``complete``: closed; ``recovered``: a crash cut its
end off; ``damaged``: there is nothing to play.
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
    :ivar began: seconds since 1970.
    :ivar ended: likewise; ``None`` while it is written.
    :ivar duration: seconds that it plays.
    :ivar size: bytes.
    :ivar rate: frames per second that were asked for; 0 for a picture.
    :ivar camera: the active one when it began.
    :ivar sha256: in hexadecimal, once it is known.
    :ivar user: who started it; empty if it was not somebody with a name.
    :ivar continues: the entry whose recording it goes on with, or empty.
    :ivar reason: why it ended, if that was not asked for.
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


_COLUMNS: Final = tuple(field.name for field in fields(Entry))
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM media"  # noqa: S608 - names of ours


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

    def put(self, entry: Entry) -> Deferred[Entry]:
        """Add an entry, or replace it; it is on the disk then."""

        def work(connection: sqlite3.Connection) -> Entry:
            marks = ", ".join("?" for _ in _COLUMNS)
            connection.execute(
                f"INSERT OR REPLACE INTO media ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608
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

    def get(self, kind: Kind, id_: str) -> Deferred[Entry | None]:
        """One entry."""
        return self._database.run(
            lambda connection: _one(connection, "WHERE id = ? AND kind = ?", id_, kind)
        )

    def page(
        self, kind: Kind, limit: int, before: tuple[float, str] | None = None
    ) -> Deferred[list[Entry]]:
        """
        The newest entries, the newest first.

        :param limit: how many, 1 to :data:`MAX_PAGE`.
        :param before: ``began`` and ``id`` of an entry: only those that are older.
        """
        where, values = "WHERE kind = ?", [kind]
        if before is not None:
            where, values = f"{where} AND (began, id) < (?, ?)", [kind, *before]  # type: ignore[list-item]
        order = "ORDER BY began DESC, id DESC LIMIT ?"
        return self._database.run(
            lambda connection: _many(connection, f"{where} {order}", *values, limit)
        )

    def count(self, kind: Kind) -> Deferred[int]:
        """How many there are."""

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT count(*) FROM media WHERE kind = ?", (kind,))
            return int(row.fetchone()[0])

        return self._database.run(work)

    def unfinished(self) -> Deferred[list[Entry]]:
        """Films that were being written when the server, or its engine, ended."""
        return self._database.run(
            lambda connection: _many(connection, "WHERE state = 'recording' ORDER BY began")
        )

    def oldest(self, volume: str, limit: int) -> Deferred[list[Entry]]:
        """The oldest on a volume that are not being written, the oldest first."""
        return self._database.run(
            lambda connection: _many(
                connection,
                "WHERE volume = ? AND state != 'recording' ORDER BY began, id LIMIT ?",
                volume,
                limit,
            )
        )

    def by_file(self, volume: str, file: str) -> Deferred[Entry | None]:
        """The entry of a file."""
        return self._database.run(
            lambda connection: _one(connection, "WHERE volume = ? AND file = ?", volume, file)
        )


def _many(connection: sqlite3.Connection, rest: str, *values: object) -> list[Entry]:
    rows: Sequence[Sequence[object]] = connection.execute(f"{_SELECT} {rest}", values).fetchall()
    return [Entry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]  # type: ignore[arg-type]


def _one(connection: sqlite3.Connection, rest: str, *values: object) -> Entry | None:
    found = _many(connection, f"{rest} LIMIT 1", *values)
    return found[0] if found else None
