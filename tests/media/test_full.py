"""A volume that is full in the middle of a recording: a real file system, of 16 megabytes."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.browser import tool
from tests.harness import Client, Server
from tests.media.examined import examine
from tests.robustness.vitals import MIB, until

LIMIT = 30.0

SIZE = 16 * MIB

CONFIG = """\
[recording]
preset = "ultrafast"
quality = 10
bitrate = 100000
reserve = 1
"""
"""It is filled in seconds."""


class SmallVolume(Server):
    """A server whose stick is a file system of its own, which nobody else sees."""

    def command(self) -> list[str]:
        # Who is not root may mount as root of a namespace of users (user_namespaces(7)).
        command = [tool("unshare"), "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        stick = shlex.quote(str(self.data_dir / "simulated-stick"))
        mount = f"mkdir -p {stick} && mount -t tmpfs -o size={SIZE} tmpfs {stick}"
        return [*command, "sh", "-c", f'{mount} && exec "$@"', "sh", *super().command()]

    @property
    def stick(self) -> Path:
        """How it is to be seen from here."""
        return Path(f"/proc/{self.pid}/root{self.data_dir / 'simulated-stick'}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmallVolume]:
    with SmallVolume(tmp_path, CONFIG) as server:
        yield server


def written(server: SmallVolume) -> int:
    """Bytes of the film that is being written."""
    return sum(part.stat().st_size for part in server.stick.rglob("*.part"))


def begins(client: Client) -> bool:
    """On a machine that is busy the first picture may take too long."""
    return client.ask({"record": True}).get("info") == ["record"]


def fill(path: Path) -> None:
    """Take all the room that is left."""
    try:
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(MIB // 16))
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - it is how this ends


@pytest.mark.parametrize("how", ["by itself", "by somebody else"])
def test_full(server: SmallVolume, how: str) -> None:
    """Told to all, with the reason; the film plays; when there is room the next one works."""
    token = server.login()
    filler = server.stick / "filler"
    with server.client("admin") as client, server.client("admin") as other:
        client.limit = other.limit = LIMIT
        assert "error" not in client.ask({"resolution": "1280x720", "fps": 30})
        until(lambda: "info" in client.ask({"snap": True}), "there are pictures", LIMIT)
        until(lambda: begins(client), "it records", LIMIT)
        other.until({"record": True})
        if how == "by somebody else":
            # All at once: there is no time to keep the reserve.
            until(lambda: written(server) > MIB, "something can be played", LIMIT)
            fill(filler)
        other.until({"record": False})
        status = server.request("GET", "/api/status", token=token).json()
        assert status["engine"]["recording-ended"] == "The volume is full"
        assert "the recording has ended: The volume is full" in server.log_text()

        def rows() -> list[dict[str, object]]:
            answer = server.request("GET", "/api/recordings", token=token)
            return [row for row in answer.json()["recordings"] if row["sha256"]]

        row = until_some(rows)
        assert row["reason"] == "The volume is full"
        assert row["available"] is True
        film = server.stick / str(row["file"])
        assert len(examine(film).marks) > 2
        # It is as full as before: that is said, and nothing is left of the attempt.
        answer = client.ask({"record": True})
        if "info" not in answer:
            assert "full" in answer["message"], answer
        until(lambda: client.get("record") == {"record": False}, "it has ended", LIMIT)
        until(lambda: not list(server.stick.rglob("*.part")), "nothing is being written", LIMIT)
        # There is room again.
        assert server.request("DELETE", str(row["url"]), token=token).status == 204
        filler.unlink(missing_ok=True)
        until(lambda: begins(client), "it records", LIMIT)
        assert client.ask({"snap": True}) == {"snap": True, "info": ["snap"]}
        assert client.ask({"record": False}) == {"record": False, "info": ["record"]}
        assert examine(server.stick / str(until_some(rows)["file"])).marks


def until_some(rows):
    """The newest of them, when there is one."""
    found = []

    def look() -> bool:
        found[:] = rows()
        return bool(found)

    until(look, "the film is listed", LIMIT)
    return found[0]
