"""
What goes into a backup, and how it comes back: functions for a database's own thread.

Tokens and stream keys do not go along: a stolen backup lets nobody in. The catalogue is not
replaced but joined: films that were made since are still on their volumes.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from attrs import field, frozen

from rotoclear.backup.archive import BackupError
from rotoclear.state.database import DatabaseError, connect
from rotoclear.state.permissions import ADMINISTRATOR, USER_ROLES

PREFIX: Final = "backup-"
"""How files begin that are there while a backup is made or restored."""

JOINED: Final = "media"
"""The table that is not replaced."""

_LEFT_OUT: Final = ("stream_keys", "tokens")
_NOTE: Final = "initial-password-of"
"""In ``meta``: the password in a file, which does not go along."""


@frozen
class Restored:
    """
    What a database has now.

    :ivar settings: all saved ones, decoded.
    """

    settings: dict[str, object]
    users: int
    media: int = field(default=0)


def new_name() -> str:
    """A file's name in the data folder that nobody guesses, and that the next start removes."""
    return f"{PREFIX}{secrets.token_hex(8)}.db"


def is_name(name: str) -> bool:
    """Whether :func:`new_name` makes such ones: no path, nothing of anybody else's."""
    return re.fullmatch(rf"{PREFIX}[0-9a-f]{{16}}\.db", name) is not None


def tidy(folder: Path, name: str = f"{PREFIX}*.db") -> None:
    """Remove a file and those that SQLite has put beside it: of commands that were killed, too."""
    for path in folder.glob(f"{name}*"):
        with suppress(OSError):
            path.unlink()


def copy(connection: sqlite3.Connection, path: Path) -> None:
    """
    A copy of a database that is in use, fit for a backup.

    :raises OSError: the file cannot be made.
    :raises sqlite3.Error: likewise.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        connection.backup(made)
        made.execute("PRAGMA journal_mode = DELETE")
        for table in _LEFT_OUT:
            made.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
        made.execute("DELETE FROM meta WHERE key = ?", (_NOTE,))
        made.execute("VACUUM")  # what was deleted is still in its pages


def check(path: Path) -> None:
    """
    See to it that a backup's database can be restored: whole, of today's schema, and not locked.

    :raises BackupError: it cannot.
    """
    try:
        with closing(connect(path)) as connection:
            rows = connection.execute("SELECT name, role FROM users").fetchall()
            connection.execute("PRAGMA journal_mode = DELETE")
            for _, value in connection.execute("SELECT key, value FROM settings"):
                json.loads(value)
    except DatabaseError as error:
        reason = str(error).partition(": ")[2]
        if reason.startswith("written by"):
            raise BackupError(f"the backup was {reason.partition('. ')[0]}") from None
        raise BackupError(f"the backup is damaged: {reason}") from None
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise BackupError(f"the backup is damaged: {error}") from None
    if any(role not in USER_ROLES for _, role in rows):
        raise BackupError("the backup is damaged: a user has a role that there is not")
    if not any(role == ADMINISTRATOR for _, role in rows):
        raise BackupError("the backup has no administrator: nobody could manage the users")


def replace(connection: sqlite3.Connection, path: Path | None) -> Restored:
    """
    Put a backup's content in the place of what there is; within the caller's transaction.

    :param path: its database, checked; ``None``: nothing, as on the first day. The
        catalogue stays then.
    """
    connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    tables = _tables(connection)
    connection.execute("DELETE FROM meta WHERE key = ?", (_NOTE,))
    for table in tables:
        if table != JOINED:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    if path is not None:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as source:
            there = _tables(source)
            for table in tables:
                if table in there and table not in _LEFT_OUT:
                    _fill(connection, source, table)
    settings = connection.execute("SELECT key, value FROM settings").fetchall()
    return Restored(
        {key: json.loads(value) for key, value in settings},
        _count(connection, "users"),
        _count(connection, JOINED),
    )


def forget(connection: sqlite3.Connection) -> None:
    """After :func:`replace`, and outside of it: leave nothing of what was there in the log."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _fill(connection: sqlite3.Connection, source: sqlite3.Connection, table: str) -> None:
    # What only one of them has, is the other one's default.
    columns = [name for name in _columns(connection, table) if name in _columns(source, table)]
    rows: Any = source.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608
    if table == JOINED:
        rows = _joined(connection, columns, rows.fetchall())
    marks = ", ".join("?" for _ in columns)
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
        rows,
    )


def _joined(connection: sqlite3.Connection, columns: list[str], rows: list[Any]) -> list[Any]:
    """Entries that are not there yet come before those that are: they were made before."""
    number, name, state = (columns.index(column) for column in ("number", "id", "state"))
    there = {row[0] for row in connection.execute(f"SELECT id FROM {JOINED}")}  # noqa: S608
    missing = sorted(
        (list(row) for row in rows if row[name] not in there), key=lambda row: row[number]
    )
    if not missing:
        return []
    # Of a film that was found on a volume the backup knows more: who made it, with which camera.
    volume, file = columns.index("volume"), columns.index("file")
    connection.executemany(
        f"DELETE FROM {JOINED} "  # noqa: S608
        "WHERE volume = ? AND file = ? AND camera = 0 AND user = ''",
        [(row[volume], row[file]) for row in missing],
    )
    # In two steps: no number may be there twice for a moment.
    connection.execute(f"UPDATE {JOINED} SET number = -number")  # noqa: S608
    connection.execute(f"UPDATE {JOINED} SET number = ? - number", (len(missing),))  # noqa: S608
    for position, row in enumerate(missing, 1):
        row[number] = position
        if row[state] == "recording":  # it was, when the backup was made
            row[state] = "interrupted"
    return missing


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "AND name <> 'meta'"  # it tells of the file itself
    )
    # Whoever refers to somebody goes first, when they are emptied.
    return sorted((name for (name,) in rows), key=lambda name: (name not in _LEFT_OUT, name))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
