"""Databases for these tests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rotoclear.state.database import connect, transact


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """An open one."""
    with closing(connect(path)) as connection:
        yield connection


def add_user(connection: sqlite3.Connection, name: str, role: str = "administrator") -> None:
    connection.execute("INSERT INTO users VALUES (?, ?, 'hash of ' || ?, 1, 1)", (name, role, name))


def add_film(connection: sqlite3.Connection, id_: str, state: str = "complete") -> None:
    connection.execute(
        "INSERT INTO media (id, kind, volume, volume_name, file, began, width, height, camera, "
        "state) VALUES (?, 'recording', 'v', 'v', ?, 1, 1, 1, 1, ?)",
        (id_, f"{id_}.mp4", state),
    )


def filled(path: Path) -> Path:
    """One that has something of everything."""
    with database(path) as connection:

        def fill(db: sqlite3.Connection) -> None:
            add_user(db, "ann")
            add_user(db, "joe", "viewer")
            db.execute("INSERT INTO settings VALUES ('brightness', '75')")
            db.execute("INSERT INTO tokens VALUES (x'00', 'joe', 1, 1)")
            db.execute("INSERT INTO stream_keys VALUES ('joe', 'a secret key', 1)")
            db.execute("INSERT INTO meta VALUES ('initial-password-of', 'ann')")
            add_film(db, "old-1")
            add_film(db, "old-2", "recording")

        transact(connection, fill)
    return path


def rows(connection: sqlite3.Connection, query: str) -> list[tuple]:
    return connection.execute(query).fetchall()
