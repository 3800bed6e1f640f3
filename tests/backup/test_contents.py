"""What goes into a backup, and how it comes back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rotoclear.backup import contents
from rotoclear.backup.archive import BackupError
from rotoclear.state.database import MIGRATIONS, transact
from tests.backup.stored import add_film, add_user, database, filled, rows


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    with database(filled(tmp_path / "source.db")) as connection:
        contents.copy(connection, tmp_path / "copy.db")
    return tmp_path / "copy.db"


def test_replaced(copy: Path, tmp_path: Path) -> None:
    with database(tmp_path / "other.db") as connection:
        add_user(connection, "eve")
        connection.execute("INSERT INTO settings VALUES ('contrast', '1')")
        connection.execute("INSERT INTO tokens VALUES (x'01', 'eve', 1, 1)")
        restored = transact(connection, lambda db: contents.replace(db, copy))
        assert restored == contents.Restored({"brightness": 75}, users=2, media=2)
        assert rows(connection, "SELECT name FROM users ORDER BY name") == [("ann",), ("joe",)]
        assert rows(connection, "SELECT * FROM tokens") == []
        told = rows(connection, "SELECT key FROM meta ORDER BY key")
        assert told == [("schema-readable-from",), ("schema-written-by",)]


def test_catalogue_is_joined(copy: Path, tmp_path: Path) -> None:
    """Films made since are still there, and still the newest; what was being recorded is not."""
    with database(tmp_path / "other.db") as connection:
        add_film(connection, "old-2")
        add_film(connection, "new-1")
        transact(connection, lambda db: contents.replace(db, copy))
        found = rows(connection, "SELECT id, state FROM media ORDER BY number")
        assert found == [("old-1", "complete"), ("old-2", "complete"), ("new-1", "complete")]
        add_film(connection, "newer")
        assert rows(connection, "SELECT id FROM media ORDER BY number DESC LIMIT 1") == [("newer",)]


def test_film_that_was_found_meanwhile_is_listed_once(copy: Path, tmp_path: Path) -> None:
    """A new server has found it on its volume, and does not know whose it is."""
    with database(tmp_path / "new.db") as connection:
        for id_, camera in (("found", 0), ("made", 1)):
            add_film(connection, id_)
            connection.execute(
                "UPDATE media SET file = 'old-1.mp4', camera = ? WHERE id = ?", (camera, id_)
            )
        transact(connection, lambda db: contents.replace(db, copy))
        found = [name for (name,) in connection.execute("SELECT id FROM media ORDER BY number")]
        assert found == ["old-1", "old-2", "made"]


def test_unfinished_film_on_another_device(copy: Path, tmp_path: Path) -> None:
    with database(tmp_path / "other.db") as connection:
        transact(connection, lambda db: contents.replace(db, copy))
        found = rows(connection, "SELECT id, state FROM media ORDER BY number")
        assert found == [("old-1", "complete"), ("old-2", "interrupted")]


def test_reset(tmp_path: Path) -> None:
    """Everything but the catalogue; and it is gone from the file."""
    path = filled(tmp_path / "a.db")
    with database(path) as connection:
        restored = transact(connection, lambda db: contents.replace(db, None))
        contents.forget(connection)
        assert restored == contents.Restored({}, users=0, media=2)
        assert b"a secret key" not in path.read_bytes()
        assert b"hash of ann" not in path.read_bytes()
        assert b"a secret key" not in (tmp_path / "a.db-wal").read_bytes()


def test_all_or_nothing(copy: Path, tmp_path: Path) -> None:
    """What fails in the middle has changed nothing."""
    with database(copy) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("DROP TABLE users")
        connection.execute("CREATE TABLE users (name, role, hash, created, changed)")
        connection.execute("INSERT INTO users VALUES ('x', NULL, 'h', 1, 1)")
    with database(filled(tmp_path / "other.db")) as connection:
        before = list(connection.iterdump())
        with pytest.raises(sqlite3.IntegrityError):
            transact(connection, lambda db: contents.replace(db, copy))
        assert list(connection.iterdump()) == before


class TestCheck:
    def test_good(self, copy: Path) -> None:
        contents.check(copy)

    def test_older_schema(self, tmp_path: Path) -> None:
        """Brought up to date."""
        path = tmp_path / "old.db"
        with sqlite3.connect(path) as connection:
            connection.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1")
            add_user(connection, "ann")
        connection.close()
        contents.check(path)
        with database(tmp_path / "other.db") as connection:
            restored = transact(connection, lambda db: contents.replace(db, path))
            assert restored.users == 1
        contents.tidy(tmp_path, "old.db")
        assert not list(tmp_path.glob("old*"))

    def test_newer_schema_that_is_understood(self, copy: Path, tmp_path: Path) -> None:
        """A server that was put back to the version before backs up and restores its file."""
        with sqlite3.connect(copy) as connection:
            connection.execute("CREATE TABLE later (a)")
            connection.execute("ALTER TABLE users ADD COLUMN later TEXT DEFAULT ''")
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        contents.check(copy)
        with database(tmp_path / "other.db") as connection:
            assert transact(connection, lambda db: contents.replace(db, copy)).users == 2
        with database(copy) as connection:
            other = filled(tmp_path / "third.db")
            assert transact(connection, lambda db: contents.replace(db, other)).users == 2

    @pytest.mark.parametrize(
        ("statement", "words"),
        [
            ("DELETE FROM users WHERE name = 'ann'", "no administrator"),
            ("UPDATE users SET role = 'king' WHERE name = 'joe'", "a role that there is not"),
            ("UPDATE settings SET value = 'nonsense'", "damaged"),
            ("DROP TABLE settings", "damaged"),
            ("PRAGMA user_version = 99; UPDATE meta SET value = '98'", "was written by rotoclear"),
        ],
    )
    def test_bad(self, copy: Path, statement: str, words: str) -> None:
        with sqlite3.connect(copy) as connection:
            connection.executescript(statement)
        connection.close()
        with pytest.raises(BackupError, match=words):
            contents.check(copy)

    @pytest.mark.parametrize("data", [b"", b"no database" * 999], ids=("empty", "text"))
    def test_no_database(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "x.db").write_bytes(data)
        with pytest.raises(BackupError):
            contents.check(tmp_path / "x.db")


def test_names() -> None:
    """A name from outside is never a path."""
    assert contents.is_name(contents.new_name())
    for name in ("rotoclear.db", "../" + contents.new_name(), contents.new_name() + "\n", ""):
        assert not contents.is_name(name)


def test_tidy(tmp_path: Path) -> None:
    (tmp_path / contents.new_name()).touch()
    (tmp_path / "rotoclear.db").touch()
    contents.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rotoclear.db"]
