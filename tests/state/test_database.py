"""The database file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rotoclear.state.database import MIGRATIONS, DatabaseError, connect, transact


def put(connection: sqlite3.Connection, key: str) -> None:
    connection.execute("INSERT INTO meta VALUES (?, 'x')", (key,))


def keys(connection: sqlite3.Connection) -> list[str]:
    return [key for (key,) in connection.execute("SELECT key FROM meta ORDER BY key")]


class TestConnect:
    def test_new(self, tmp_path: Path) -> None:
        connection = connect(tmp_path / "new.db")
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
        connection.close()

    def test_private(self, tmp_path: Path) -> None:
        """Hashes of passwords and tokens are in it: nobody else may read any of its files."""
        connection = connect(tmp_path / "a.db")
        transact(connection, lambda c: put(c, "x"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        assert modes == {"a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}
        connection.close()

    def test_again(self, tmp_path: Path) -> None:
        first = connect(tmp_path / "a.db")
        transact(first, lambda c: put(c, "kept"))
        first.close()
        second = connect(tmp_path / "a.db")
        assert keys(second) == ["kept"]
        second.close()

    def test_older(self, tmp_path: Path) -> None:
        """A file of any older version is brought up to date with what is in it."""
        for version in range(1, len(MIGRATIONS)):
            path = tmp_path / f"{version}.db"
            old = sqlite3.connect(path)
            for script in MIGRATIONS[:version]:
                old.executescript(script)
            old.execute(f"PRAGMA user_version = {version}")
            put(old, "kept")
            old.commit()
            old.close()
            connection = connect(path)
            assert keys(connection) == ["kept"]
            assert connection.execute("SELECT * FROM assignments").fetchall() == []
            connection.close()

    def test_newer(self, tmp_path: Path) -> None:
        """A file of a newer version is not touched, and the person told what to do."""
        connection = connect(tmp_path / "a.db")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        connection.close()
        with pytest.raises(DatabaseError, match=r"newer version.*schema"):
            connect(tmp_path / "a.db")

    def test_garbage(self, tmp_path: Path) -> None:
        path = tmp_path / "a.db"
        path.write_bytes(b"this is no database" * 100)
        with pytest.raises(DatabaseError, match=r"a\.db.*move the file away"):
            connect(path)
        assert path.read_bytes().startswith(b"this is no database")

    def test_damaged(self, tmp_path: Path) -> None:
        path = tmp_path / "a.db"
        connection = connect(path)
        transact(connection, lambda c: [put(c, f"key {n:05}") for n in range(2000)])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        content = bytearray(path.read_bytes())
        content[-8192:-4096] = b"\xff" * 4096
        path.write_bytes(content)
        with pytest.raises(DatabaseError, match=r"a\.db"):
            connect(path)

    def test_unreachable(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseError, match=r"No such file"):
            connect(tmp_path / "nowhere" / "a.db")


class TestTransact:
    def test_all_or_nothing(self, tmp_path: Path) -> None:
        connection = connect(tmp_path / "a.db")

        def half(connection: sqlite3.Connection) -> None:
            put(connection, "half")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            transact(connection, half)
        assert keys(connection) == []
        connection.close()
