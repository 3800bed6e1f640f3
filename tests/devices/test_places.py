"""Numbers and volumes of a real server with a vendor's devices, over restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.devices.places import Places
from tests.harness.server import ROOT, Server


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "vendor")


def serve(places: Places, tmp_path: Path, more: str = "") -> Server:
    """A server, not started yet, that knows these devices only."""
    path = f"{ROOT}:{places.environment['PYTHONPATH']}"
    return Server(tmp_path / "server", places.configuration(more), env={"PYTHONPATH": path})


def status(server: Server, what: str) -> Any:
    answer = server.request("GET", "/api/status", token=server.login())
    return answer.json()["devices"][what]


def heads(server: Server) -> list[str | None]:
    """The identities of heads 1 and 2."""
    return [head.get("identity") for head in status(server, "heads")]


def test_new_heads_are_numbered_by_port_and_keep_their_numbers(
    places: Places, tmp_path: Path
) -> None:
    first, second = places.camera("a", port="usb-1.10"), places.camera("b", port="usb-1.2")
    server = serve(places, tmp_path)
    with server:
        assert heads(server) == ["b", "a"]
        with server.client("admin") as client:
            client.ask({"brightness": 77})
    assert places.holds("b") == {"brightness": 77}
    # Its ports are changed while the server is off, and one comes back later.
    second.unlink()
    (places.cameras / "b.holds").unlink()
    first.unlink()
    places.camera("a", port="usb-1.1")
    with server, server.client("admin") as client:
        assert heads(server) == [None, "a"]
        places.camera("b", port="usb-1.10")
        client.until({"cam1-exists": True})
        assert heads(server) == ["b", "a"]
        places.await_held("b", {"brightness": 77})


def test_the_configuration_says_which_is_which_and_keeps_the_place_free(
    places: Places, tmp_path: Path
) -> None:
    places.camera("a", port="usb-1", serial="S1")
    places.camera("c", port="usb-3")
    server = serve(places, tmp_path, '[heads]\ncamera-1 = "S9"\ncamera-2 = "S1"\n')
    with server, server.client("admin") as client:
        assert heads(server) == [None, "a"]
        assert status(server, "heads")[0]["kept-for"] == "S9"
        (waiting,) = status(server, "waiting")
        assert (waiting["identity"], waiting["kind"]) == ("c", "camera")
        places.camera("z", port="usb-9", serial="S9")
        client.until({"cam1-exists": True})
        assert heads(server) == ["z", "a"]
    assert "camera 1 is kept for S9, which is not there" in server.log_text()


def test_a_stick_takes_over_and_gives_back(places: Places, tmp_path: Path) -> None:
    places.volume("disk", removable=False)
    with serve(places, tmp_path) as server, server.client("admin") as client:
        assert client.get("storage-name")["storage-name"] == "Acme disk"
        stick = places.volume("stick", removable=True)
        client.until({"storage-name": "Acme stick"})
        ranks = {v["identity"]: (v["rank"], v["records"]) for v in status(server, "volumes")}
        assert ranks == {"disk": (2, False), "stick": (1, True)}
        stick.unlink()
        client.until({"storage-name": "Acme disk"})
        client.until({"storage-free": 500})
