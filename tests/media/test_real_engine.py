"""The whole server, its engine, and what befalls them in the middle of a recording."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from tests.harness import Client, Server
from tests.media.examined import examine
from tests.media.processes import WRITER, processes

LIMIT = 20.0
"""Seconds, on a machine that has much else to do."""

CONFIG = """
[server]
[recording]
preset = "ultrafast"
"""


def until(what: Callable[[], Any], limit: float = LIMIT) -> Any:
    """What it returns, as soon as that is something."""
    end = time.monotonic() + limit
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def films(server: Server) -> list[Path]:
    return sorted(server.data_dir.rglob("*.mp4"), key=lambda path: path.stat().st_mtime_ns)


def parts(server: Server) -> list[Path]:
    return sorted(server.data_dir.rglob("*.part"))


def times(path: Path) -> list[float]:
    """When each picture of a film is shown; it is decoded for that."""
    with av.open(str(path)) as film:
        return [float(frame.time) for frame in film.decode(video=0)]


def longest_gap(shown: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(shown))


def engine(server: Server, token: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.request("GET", "/api/status", token=token).json()["engine"]
    return answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, CONFIG) as server:
        with server.client("admin") as admin:
            assert admin.ask({"resolution": "1280x720", "fps": 30})["resolution"] == "1280x720"
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client("admin") as client:
        yield client


def record(client: Client, value: object) -> None:
    answer = client.ask({"record": value})
    assert "error" not in answer, answer


def test_record(server: Server, client: Client) -> None:
    """What was paused is not in the film; the rest plays, without a gap."""
    record(client, True)
    (part,) = parts(server)
    time.sleep(1)
    record(client, "pause")
    time.sleep(1)
    token = server.login()
    (paused,) = server.request("GET", "/api/recordings", token=token).json()["recordings"]
    assert 0 < paused["duration"] < 3
    assert paused["size"] > 0
    time.sleep(1)
    (later,) = server.request("GET", "/api/recordings", token=token).json()["recordings"]
    assert later == paused
    record(client, "pause_release")
    time.sleep(1)
    record(client, False)
    assert not part.exists()
    (film,) = films(server)
    shown = times(film)
    assert 1.5 < shown[-1] < 3
    assert shown == sorted(set(shown))
    assert longest_gap(shown) < 0.5
    assert client.get("last-recording")["last-recording"]


def test_every_picture_is_in_the_film(server: Server, client: Client) -> None:
    """None twice, none in the wrong place; those that are not there were counted as dropped."""
    token = server.login()
    until(lambda: client.ask({"snap": True}).get("info"))
    before = engine(server, token)["dropped"]
    record(client, True)
    time.sleep(2)
    record(client, False)
    time.sleep(0.5)  # the engine tells its figures four times a second
    (film,) = films(server)
    assert examine(film).missing() <= engine(server, token)["dropped"] - before


def test_stop_in_the_middle(server: Server, client: Client) -> None:
    """SIGTERM: the film is closed and in the catalogue; the next start has nothing to mend."""
    record(client, True)
    time.sleep(0.5)
    server.terminate()
    assert not parts(server)
    (film,) = films(server)
    assert times(film)
    server.start()
    with server.client("admin") as again:
        assert again.get("last-recording")["last-recording"]
        assert again.get("record") == {"record": False}
    assert "is kept" not in server.log_text()


def test_engine_lost(server: Server, client: Client) -> None:
    """Told within seconds; what was recorded plays; another film goes on with it by itself."""
    token = server.login()
    record(client, True)
    time.sleep(1)
    first = engine(server, token)
    assert first["state"] == "running"
    began = time.monotonic()
    os.kill(first["pid"], signal.SIGKILL)
    client.until({"record": False})
    told = time.monotonic() - began
    client.until({"record": True})
    back = time.monotonic() - began
    print(f"told after {told:.2f} s, back after {back:.2f} s")
    assert told < 4
    second = engine(server, token)
    assert second["pid"] != first["pid"]
    assert second["restarts"] == 1
    assert second["recording-ended"]
    time.sleep(0.5)
    record(client, False)
    until(lambda: len(films(server)) == 2)
    for film in films(server):
        assert times(film)
    rows = until(lambda: _closed(server, token))
    assert rows[0]["continues"] == rows[1]["id"]


def _closed(server: Server, token: str) -> list[dict[str, Any]]:
    rows = server.request("GET", "/api/recordings", token=token).json()["recordings"]
    return rows if all(row["state"] != "recording" for row in rows) else []


def test_paused_when_the_engine_is_lost(server: Server, client: Client) -> None:
    """It stays ended: nobody would know whether it is to go on."""
    token = server.login()
    record(client, True)
    record(client, "pause")
    os.kill(engine(server, token)["pid"], signal.SIGKILL)
    client.until({"record": False})
    until(lambda: engine(server, token)["state"] == "running")
    assert client.get("record") == {"record": False}
    record(client, True)
    record(client, False)
    assert len(until(lambda: _closed(server, token))) == 2


def test_server_killed(server: Server, client: Client) -> None:
    """Even then the film is closed: its writer does so by itself. The next start names it."""
    record(client, True)
    time.sleep(1)
    (part,) = parts(server)
    server.kill()
    # In a session of its own: nobody has waited for it.
    until(lambda: not processes(server, WRITER))
    assert len(times(part)) > 10
    server.start()
    (film,) = until(lambda: films(server))
    token = server.login()
    (row,) = until(lambda: _closed(server, token))
    assert row["state"] == "complete"
    assert row["duration"] == pytest.approx(len(times(film)) / 30, abs=0.2)


def test_camera_changed_in_the_middle(server: Server, client: Client) -> None:
    """One film, and the new head's pictures are there before the old one's end."""
    record(client, True)
    time.sleep(1)
    client.ask({"main-camera": 2})
    time.sleep(1)
    record(client, False)
    (film,) = films(server)
    shown = times(film)
    gap = longest_gap(shown)
    print(f"the longest gap is {gap:.3f} s")
    assert gap < 0.6
    assert shown[-1] > 1.5


def test_unknown_encoder(tmp_path: Path) -> None:
    """Refused with words, and the server runs."""
    with Server(tmp_path, '[recording]\nencoder = "h264_none"') as server:
        token = server.login()
        until(lambda: engine(server, token)["state"] == "running")
        with server.client("admin") as client:
            answer = client.ask({"record": True})
            assert answer["error"] == "Not available"
            assert "no encoder 'h264_none' here; there are: " in answer["message"]
            assert client.ask({"snap": True}) == {"snap": True, "info": ["snap"]}


def test_nobody_looks(server: Server, client: Client) -> None:
    """No camera runs, and the engine sleeps."""
    token = server.login()
    record(client, True)
    record(client, False)
    pid = engine(server, token)["pid"]
    frames = until(lambda: _still(server, token))
    before = _cpu(pid)
    time.sleep(3)
    assert engine(server, token)["frames"] == frames
    assert _cpu(pid) - before <= 0.1


def _still(server: Server, token: str) -> int:
    frames = engine(server, token)["frames"]
    time.sleep(1.5)
    return int(frames) if engine(server, token)["frames"] == frames else 0


def _cpu(pid: int) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
