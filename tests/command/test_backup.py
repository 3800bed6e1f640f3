"""``rotoclear backup``, ``restore`` and ``factory-reset``, with a real server and without one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.backup.stored import add_film, database
from tests.command.running import Result, run
from tests.harness import Server
from tests.media.making import film

PASSWORD = "a password of the tests"


def command(server: Server, *words: str, stdin: str = "") -> Result:
    return run(*words, "--data-dir", str(server.data_dir), stdin=stdin)


def done(server: Server, *words: str, stdin: str = "") -> str:
    result = command(server, *words, stdin=stdin)
    assert result.code == 0, result
    return result.out


def refused(server: Server, *words: str) -> str:
    result = command(server, *words)
    assert result.code == 1, result
    assert result.err.startswith("rotoclear: ")
    assert result.err.count("\n") == 1
    return result.err


def nothing_left(server: Server) -> None:
    assert not list(server.data_dir.glob("backup-*"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """One whose tests leave it as the last ``restore`` did."""
    with Server(tmp_path_factory.mktemp("backup")) as server:
        done(server, "user", "add", "hall", "--role", "operator", stdin=PASSWORD)
        yield server


def test_there_and_back(server: Server, tmp_path: Path) -> None:
    """While clients are connected: all are told of the settings, and none is logged in any more."""
    file = tmp_path / "device.zip"
    with server.client("admin") as admin, server.client() as watcher:
        admin.ask({"brightness": 31, "cam2-light": True})
        told = done(server, "backup", str(file))
        assert told.endswith(" 2 settings, 2 users, 0 films and pictures\n"), told
        assert file.stat().st_mode & 0o777 == 0o600
        nothing_left(server)
        done(server, "user", "add", "eve", "--role", "viewer", stdin=PASSWORD)
        admin.ask({"brightness": 99, "contrast": 7})
        watcher.until({"contrast": 7})
        told = done(server, "restore", "--yes", str(file))
        assert told.endswith("restored\n"), told
        seen: dict[str, object] = {}
        while not {"brightness", "contrast"} <= seen.keys():
            seen |= watcher.receive()
        assert seen == {"brightness": 31, "contrast": 50}
        message = admin.until(lambda message: "authenticated" in message)
        assert message["authenticated"] is False
        assert admin.ask({"brightness": 1})["error"] == "Permission denied"
        assert admin.get("brightness", "cam2-light") == {"brightness": 31, "cam2-light": True}
    nothing_left(server)
    assert "eve" not in done(server, "user", "list")
    with server.client("hall", PASSWORD):
        pass  # the password is the one that it was
    server.restart()
    with server.client() as client:
        assert client.get("brightness", "contrast") == {"brightness": 31, "contrast": 50}


def test_refused_changes_nothing(server: Server, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    done(server, "backup", str(good))
    data = bytearray(good.read_bytes())
    with server.client("admin") as admin:
        admin.ask({"brightness": 12})
        users = done(server, "user", "list")
        data[len(data) // 2] ^= 1
        bad.write_bytes(data)
        assert "damaged" in refused(server, "restore", "--yes", str(bad))
        with zipfile.ZipFile(bad, "w") as file:
            file.writestr("holiday.jpg", b"x")
        assert "no backup of rotoclear" in refused(server, "restore", "--yes", str(bad))
        assert "cannot be read" in refused(server, "restore", "--yes", str(tmp_path / "none"))
        admin.ask({"record": True})
        try:
            assert "recording is running" in refused(server, "restore", "--yes", str(good))
            assert "recording is running" in refused(server, "factory-reset", "--yes")
        finally:
            admin.ask({"record": False})
        assert admin.get("brightness") == {"brightness": 12}
        assert admin.ask({"brightness": 13})["info"] == ["brightness"], "still logged in"
    assert done(server, "user", "list") == users
    nothing_left(server)


def test_not_by_mistake(server: Server, tmp_path: Path) -> None:
    result = command(server, "factory-reset")
    assert result.code == 2
    assert "--yes" in result.err


def test_where_it_cannot_be_written(server: Server, tmp_path: Path) -> None:
    assert "cannot be written" in refused(server, "backup", str(tmp_path / "no" / "where.zip"))
    (tmp_path / "folder").mkdir()
    assert "cannot be written" in refused(server, "backup", str(tmp_path / "folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    nothing_left(server)


def test_stopped(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "device.zip"
    with server.client("admin") as admin:
        admin.ask({"brightness": 44})
    server.terminate()
    done(server, "backup", str(file))
    done(server, "user", "add", "eve", "--role", "viewer", stdin=PASSWORD)
    done(server, "restore", "--yes", str(file))
    assert "eve" not in done(server, "user", "list")
    assert "damaged" not in done(server, "backup", str(file))
    nothing_left(server)
    server.start()
    with server.client() as client:
        assert client.get("brightness") == {"brightness": 44}


def test_film_that_was_being_recorded(server: Server, tmp_path: Path) -> None:
    """When the backup was made; it has been closed since, and is listed without a restart."""
    file, name = tmp_path / "device.zip", "2026/11/24/rotoclear-20261124-093005.mp4"
    server.terminate()
    with database(server.data_dir / "rotoclear.db") as connection:
        connection.execute("DELETE FROM media")  # what others have recorded
        add_film(connection, "known", "recording")
        connection.execute(
            "UPDATE media SET volume = 'simulated-storage/stick-1', file = ?", (name,)
        )
        done(server, "backup", str(file))
        connection.execute("DELETE FROM media")
    film(server.data_dir / "simulated-stick" / name)
    server.start()
    token = server.login()
    empty = server.request("GET", "/api/recordings", token=token).json()
    assert empty["total"] == 0
    done(server, "restore", "--yes", str(file))
    with server.client("admin") as admin:
        if admin.get("last-recording") == {"last-recording": ""}:
            admin.until({"last-recording": "known"})
    token = server.login()
    (found,) = server.request("GET", "/api/recordings", token=token).json()["recordings"]
    assert (found["state"], found["available"]) == ("complete", True)
    assert server.request("DELETE", found["url"], token=token).status == 204


def test_factory_reset(server: Server) -> None:
    """Films stay; users, settings and tokens do not; the new password is where it is said to be."""
    token = server.login()
    with server.client("admin") as admin:
        admin.ask({"brightness": 77})
        admin.ask({"snap": True})
        told = done(server, "factory-reset", "--yes")
        admin.until({"brightness": 50})
        (shot,) = (admin.get("last-recording", "last-snapshot", "brightness"),)
        assert shot["brightness"] == 50
    assert server.request("GET", "/api/users", token=token).status == 401
    password = server.data_dir / "initial-admin-password"
    assert str(password) in told
    token = server.login("admin", password.read_text().strip())
    users = server.request("GET", "/api/users", token=token).json()
    assert [user["name"] for user in users["users"]] == ["admin"]
    pictures = server.request("GET", "/api/snapshots", token=token).json()
    assert pictures["total"] == 1
    assert server.request("GET", pictures["snapshots"][0]["url"], token=token).status == 200
    assert '"users-replaced"' not in server.log_text()
    assert "all users reset by 'uid" in server.log_text()
