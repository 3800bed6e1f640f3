"""
The one database file, and the one thread that touches it.

**Versions of the schema.** A newer server brings the schema up to date, and keeps a
copy of the file as it was (:func:`copy_of`). An older server opens a file of a newer
schema as it is, so that going back to the version before takes nothing but that,
as long as what was added does not disturb it: :data:`READABLE_FROM`. Otherwise it
refuses, and names both versions and the copy. So whoever writes SQL names the columns,
and whoever adds to :data:`MIGRATIONS` only adds tables, indexes, and columns with a
default; or raises :data:`READABLE_FROM`.

SQLite in WAL mode with ``synchronous=FULL``: a transaction that has been
answered survives ``kill -9`` and a power cut. Everything runs in a single
worker thread, so the reactor never waits for a disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from rotoclear import __version__

T = TypeVar("T")

FILE_NAME: Final = "rotoclear.db"

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE users (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        hash TEXT NOT NULL,
        created REAL NOT NULL,
        changed REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE tokens (
        hash BLOB PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        created REAL NOT NULL,
        idle REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX tokens_of_user ON tokens (user);
    """,
    """
    CREATE TABLE assignments (
        kind TEXT NOT NULL,
        number INTEGER NOT NULL,
        driver TEXT NOT NULL,
        identity TEXT NOT NULL,
        serial TEXT NOT NULL,
        port TEXT NOT NULL,
        seen REAL NOT NULL,
        PRIMARY KEY (kind, number)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE media (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        volume TEXT NOT NULL,
        volume_name TEXT NOT NULL,
        file TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL,
        duration REAL NOT NULL DEFAULT 0,
        size INTEGER NOT NULL DEFAULT 0,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        rate INTEGER NOT NULL DEFAULT 0,
        frames INTEGER NOT NULL DEFAULT 0,
        camera INTEGER NOT NULL,
        state TEXT NOT NULL,
        sha256 TEXT NOT NULL DEFAULT '',
        user TEXT NOT NULL DEFAULT '',
        continues TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        missing INTEGER NOT NULL DEFAULT 0,
        known REAL
    );
    CREATE INDEX media_by_number ON media (kind, number);
    CREATE INDEX media_by_file ON media (volume, file);
    """,
    """
    CREATE TABLE stream_keys (
        user TEXT PRIMARY KEY REFERENCES users (name) ON DELETE CASCADE,
        key TEXT NOT NULL,
        created REAL NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""How each schema version comes from the one before. Only ever add to the end."""

READABLE_FROM: Final = 1
"""The lowest schema version whose servers can work with a file of the newest one."""

_FLOOR: Final = "schema-readable-from"
_WRITER: Final = "schema-written-by"
"""Rows of ``meta``: :data:`READABLE_FROM` of the server that has changed the schema last, and
its version."""


class DatabaseError(Exception):
    """The database cannot be used. ``str()`` is one line for people."""


def copy_of(path: Path, version: int) -> Path:
    """Where the copy of a database file is kept, as it was with that version of the schema."""
    return path.with_name(f"{path.name}.schema-{version}")


def connect(path: Path) -> sqlite3.Connection:
    """
    Open the database file, make it if need be, and bring its schema up to date.

    Blocks; the connection may be used from any one thread at a time.

    :raises DatabaseError: it cannot be opened, is damaged, or was written by a
        newer version that has changed what this one relies on.
    """
    try:
        # Not for others to read, from its first moment on; SQLite gives the
        # files that it adds the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror}") from error
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise DatabaseError(f"{path}: {error}; move the file away to start anew") from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise DatabaseError(f"{path}: damaged ({verdict}); restore it or move it away")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        _refuse_unless_readable(connection, path, version)
    elif version < len(MIGRATIONS):
        if version:
            _keep_copy(connection, path, version)
        _migrate(connection, version)


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of an older version up to date, or a new one: all of it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in MIGRATIONS[version:]:
            # executescript() would commit.
            for statement in _statements(script):
                connection.execute(statement)
        connection.executemany(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
            [(_FLOOR, str(READABLE_FROM)), (_WRITER, __version__)],
        )
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


def _refuse_unless_readable(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """
    Decide about a file of a newer version.

    :raises DatabaseError: this server would not understand it.
    """
    told = dict(
        connection.execute("SELECT key, value FROM meta WHERE key IN (?, ?)", (_FLOOR, _WRITER))
    )
    floor = told.get(_FLOOR, "")
    if floor.isascii() and floor.isdigit() and int(floor) <= len(MIGRATIONS):
        return
    copies = [copy_of(path, known) for known in range(len(MIGRATIONS), 0, -1)]
    copy = next((copy for copy in copies if copy.exists()), None)
    back = f"put the copy from before its update, {copy}, in its place" if copy else ""
    raise DatabaseError(
        f"{path}: written by rotoclear {told.get(_WRITER, 'of a newer version')} (schema "
        f"{version}); this is {__version__}, which knows {len(MIGRATIONS)}. Install that version "
        f"again, or {back or 'restore a backup'}"
    )


def _keep_copy(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """
    Keep the file as it is, for the way back; older copies are dropped.

    :raises DatabaseError: it cannot be written.
    """
    copy = copy_of(path, version)
    draft = copy.with_name(copy.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        # For nobody else to read from its first moment on.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection.execute("VACUUM INTO ?", (str(draft),))
        draft.replace(copy)
    except (OSError, sqlite3.Error) as error:
        draft.unlink(missing_ok=True)
        raise DatabaseError(
            f"{path}: cannot be copied to {copy} before its schema is updated: {error}; "
            "make room for it"
        ) from error
    for number in range(1, version):
        copy_of(path, number).unlink(missing_ok=True)


def transact(connection: sqlite3.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    """Run a function within one transaction: all of it is done, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = function(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return result


class Database:
    """
    The open database of a running server.

    :param connection: from :func:`connect`; closed by :meth:`close`.
    :param in_thread: runs a function away from the reactor, one at a time and
        in order.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        in_thread: Callable[[Callable[[], object]], Deferred[object]],
        stop_thread: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._in_thread = in_thread
        self._stop_thread = stop_thread

    @classmethod
    def start(cls, reactor: IReactorFromThreads, path: Path) -> Database:
        """
        Open a database with a worker thread of its own.

        :raises DatabaseError: as :func:`connect`.
        """
        connection = connect(path)
        pool = ThreadPool(minthreads=1, maxthreads=1, name="database")
        pool.start()

        def in_thread(function: Callable[[], object]) -> Deferred[object]:
            return deferToThreadPool(reactor, pool, function)

        return cls(connection, in_thread, pool.stop)

    def run(self, function: Callable[[sqlite3.Connection], T]) -> Deferred[T]:
        """
        Run a function in the worker thread, within one transaction.

        :return: fires with its result when that is on the disk; fails with
            whatever it raised, and then nothing of it was written.
        """
        return self._in_thread(  # type: ignore[return-value]
            lambda: transact(self._connection, function)
        )

    def outside(self, function: Callable[[sqlite3.Connection], T]) -> Deferred[T]:
        """Likewise, in its turn, but outside of any transaction."""
        return self._in_thread(  # type: ignore[return-value]
            lambda: function(self._connection)
        )

    def close(self) -> Deferred[None]:
        """Close the file after what was asked before, and end the thread."""

        def closed(result: object) -> None:
            self._stop_thread()

        return self._in_thread(self._connection.close).addCallback(closed)
