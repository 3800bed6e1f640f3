"""The command and a whole server: ``twistd -n rotoclear``, clients connected."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotoclear.state.permissions import ROLES
from tests.command.running import Result, run
from tests.harness import Server

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests here."""
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


def command(server: Server, *words: str, stdin: str = "") -> str:
    """What the command said; it has to succeed."""
    result = run(*words, "--data-dir", str(server.data_dir), stdin=stdin)
    assert (result.code, result.err) == (0, "")
    return result.out


def test_rights_change_at_once(server: Server) -> None:
    command(server, "user", "add", "joe", "--role", "viewer", stdin=PASSWORD)
    with server.client("joe", PASSWORD) as client:
        assert client.ask({"brightness": 60})["error"] == "Permission denied"
        for role in ("operator", "administrator", "viewer"):
            command(server, "user", "role", "joe", role)
            told = client.until(lambda message: "authenticated" in message)
            assert told == {"authenticated": True, "permissions": sorted(ROLES[role])}
        assert client.ask({"brightness": 61})["error"] == "Permission denied"
    command(server, "user", "remove", "joe")


@pytest.mark.parametrize("words", [("passwd", "ann"), ("remove", "ann")])
def test_rights_end_at_once(server: Server, words: tuple[str, ...]) -> None:
    command(server, "user", "add", "ann", "--role", "operator", stdin=PASSWORD)
    with server.client("ann", PASSWORD) as client:
        assert client.ask({"brightness": 40})["info"] == ["brightness"]
        command(server, "user", *words, stdin="another good one")
        told = client.until(lambda message: "authenticated" in message)
        assert told["authenticated"] is False
        assert client.ask({"brightness": 41})["error"] == "Permission denied"
    if words[0] != "remove":
        with server.client("ann", "another good one"):
            command(server, "user", "remove", "ann")


def test_a_way_back_in(tmp_path: Path) -> None:
    """The administrator forgot the password, and may even have stopped the server for that."""
    with Server(tmp_path) as server:
        assert (server.data_dir / "initial-admin-password").exists()
        server.terminate()
        command(server, "user", "passwd", "admin", stdin=PASSWORD)
        assert not (server.data_dir / "initial-admin-password").exists()
        server.start()
        with server.client("admin", PASSWORD):
            pass
        command(server, "user", "passwd", "admin", stdin="another good one")
        with server.client("admin", "another good one"):
            pass


def test_simulated_unplug(server: Server) -> None:
    with server.client() as client:
        assert client.get("cam2-exists") == {"cam2-exists": True}
        command(server, "simulate", "unplug", "2")
        client.until({"cam2-exists": False})
        command(server, "simulate", "plug", "2")
        client.until({"cam2-exists": True})


def test_simulated_fault(server: Server) -> None:
    with server.client("admin") as client:
        command(server, "simulate", "fault", "1", "error", "control=brightness", "times=1")
        assert client.ask({"brightness": 33})["error"] == "Device error"
        command(server, "simulate", "clear", "1")
        assert client.ask({"brightness": 34})["info"] == ["brightness"]


def test_what_cannot_be_simulated(server: Server) -> None:
    for words in (("unplug", "3"), ("fault", "1", "dance"), ("fault", "1", "latency", "x=1")):
        result = run("simulate", *words, "--data-dir", str(server.data_dir))
        assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)


def test_status(server: Server) -> None:
    status = json.loads(command(server, "status", "--json"))
    assert status["pid"] == server.pid
    assert "drivers" in status["devices"]
    assert command(server, "status").startswith("rotoclear ")


def test_socket_is_the_owners(server: Server) -> None:
    assert os.stat(server.data_dir / "control.sock").st_mode & 0o777 == 0o600


def test_no_secret_in_the_log(server: Server) -> None:
    assert PASSWORD not in server.log_text()


def test_stopped_server_leaves_no_socket(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        server.kill()  # and what a killed one leaves is in nobody's way
        assert (server.data_dir / "control.sock").is_socket()
        result = run("status", "--data-dir", str(server.data_dir))
        assert result == Result(
            3,
            "",
            f"rotoclear: no server is running on {server.data_dir}; "
            "--data-dir names another folder\n",
        )
        server.start()
        command(server, "status")
        server.terminate()
        assert not (server.data_dir / "control.sock").exists()
