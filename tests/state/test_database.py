"""The database file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rotoclear import __version__
from rotoclear.state import database
from rotoclear.state.database import (
    MIGRATIONS,
    READABLE_FROM,
    DatabaseError,
    connect,
    copy_of,
    transact,
)


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
        assert "kept" in keys(second)
        second.close()

    def older(self, path: Path, version: int) -> None:
        """A file as an older version has left it."""
        old = sqlite3.connect(path)
        for script in MIGRATIONS[:version]:
            old.executescript(script)
        old.execute(f"PRAGMA user_version = {version}")
        put(old, "kept")
        old.commit()
        old.close()

    def test_older(self, tmp_path: Path) -> None:
        """A file of any older version is brought up to date with what is in it."""
        for version in range(1, len(MIGRATIONS)):
            path = tmp_path / f"{version}.db"
            self.older(path, version)
            connection = connect(path)
            assert "kept" in keys(connection)
            assert connection.execute("SELECT * FROM assignments").fetchall() == []
            connection.close()

    def newer(self, path: Path, floor: int) -> None:
        """A file as a version after this one leaves it."""
        connection = connect(path)
        put(connection, "kept")
        connection.execute("ALTER TABLE users ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        connection.executemany(
            "UPDATE meta SET value = ? WHERE key = ?",
            [(str(floor), "schema-readable-from"), ("9.8.7", "schema-written-by")],
        )
        connection.close()

    def test_newer(self, tmp_path: Path) -> None:
        """Only added to: the way back to the version before needs nothing else."""
        path = tmp_path / "a.db"
        self.newer(path, len(MIGRATIONS))
        connection = connect(path)
        assert "kept" in keys(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        connection.close()

    def test_newer_and_different(self, tmp_path: Path) -> None:
        """It is not touched, and the person told both versions and what to do."""
        path = tmp_path / "a.db"
        self.newer(path, len(MIGRATIONS) + 1)
        before = path.read_bytes()
        expected = rf"a\.db: written by rotoclear 9\.8\.7 \(schema .*this is {__version__}, which"
        with pytest.raises(DatabaseError, match=expected) as caught:
            connect(path)
        assert str(caught.value).endswith("or restore a backup")
        assert path.read_bytes() == before
        copy_of(path, len(MIGRATIONS)).touch()
        with pytest.raises(DatabaseError, match=r"put the copy .*a\.db\.schema-\d+, in its place"):
            connect(path)

    def test_newer_of_before_there_was_a_rule(self, tmp_path: Path) -> None:
        path = tmp_path / "a.db"
        self.newer(path, 1)
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM meta")
        connection.close()
        with pytest.raises(DatabaseError, match="written by rotoclear of a newer version"):
            connect(path)

    def test_copy(self, tmp_path: Path) -> None:
        """An update leaves the file as it was, for its owner alone, and only the last one."""
        path = tmp_path / "a.db"
        self.older(path, 2)
        copy_of(path, 1).touch()
        connect(path).close()
        copy = copy_of(path, 2)
        assert not copy_of(path, 1).exists()
        assert copy.stat().st_mode & 0o777 == 0o600
        with sqlite3.connect(copy) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (2,)
            assert keys(connection) == ["kept"]
        connection.close()
        before = copy.stat().st_mtime_ns
        connect(path).close()
        assert copy.stat().st_mtime_ns == before

    def test_no_room_for_a_copy(self, tmp_path: Path) -> None:
        """Then nothing is changed: there would be no way back."""
        path = tmp_path / "a.db"
        self.older(path, 2)
        copy_of(path, 2).mkdir()
        with pytest.raises(DatabaseError, match="make room"):
            connect(path)
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        connection.close()

    def test_half_an_update(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """All of it is done, or nothing."""
        path = tmp_path / "a.db"
        self.older(path, 1)
        monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE x (y); nonsense"))
        with pytest.raises(DatabaseError, match="nonsense"):
            connect(path)
        monkeypatch.undo()
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        connection.close()
        connect(path).close()

    def test_only_added_to(self, tmp_path: Path) -> None:
        """What READABLE_FROM promises, as far as a program can see it."""
        path = tmp_path / "a.db"
        self.older(path, READABLE_FROM)
        with sqlite3.connect(path) as connection:
            before = self.columns(connection)
        connection.close()
        connection = connect(path)
        after = self.columns(connection)
        connection.close()
        assert before.keys() <= after.keys()
        for table, columns in before.items():
            assert after[table][: len(columns)] == columns
            for _, name, _, not_null, default, _ in after[table][len(columns) :]:
                assert not not_null or default is not None, (table, name)

    def columns(self, connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {
            name: connection.execute(f"PRAGMA table_info({name})").fetchall()
            for (name,) in tables.fetchall()
        }

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
        assert "half" not in keys(connection)
        connection.close()
