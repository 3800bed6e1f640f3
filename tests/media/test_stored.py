"""Stored films with a real server: fetched, removed, and what is left after a crash."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Server
from tests.harness.server import HOST
from tests.media.making import film, seconds_of
from tests.media.processes import WRITER, processes

VOLUME = "simulated-storage/stick-1"


def until(condition: Callable[[], Any], what: str, limit: float = 20.0) -> Any:
    """What the condition gives as soon as it gives something."""
    late = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < late, f"not in time: {what}"
        time.sleep(0.02)
    return found


class Stored:
    """A server, and what is on its stick."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stick = server.data_dir / "simulated-stick"
        self.token = ""

    def start(self) -> None:
        self.server.start()
        self.token = self.server.login()

    def ask(self, method: str, path: str, **headers: str):
        return self.server.request(method, path, token=self.token, headers=headers)

    def films(self) -> list[dict[str, Any]]:
        return self.ask("GET", "/api/recordings").json()["recordings"]

    def summed(self) -> list[dict[str, Any]]:
        """The films, once all is known of them."""
        return until(
            lambda: (films := self.films()) and all(one["sha256"] for one in films) and films,
            "the SHA-256 of all films is known",
        )

    def record(self) -> None:
        with self.server.client("admin") as client:
            # A machine that is busy may not have a picture within the two seconds.
            until(lambda: client.ask({"record": True}).get("info"), "it records")

    def stop(self) -> None:
        with self.server.client("admin") as client:
            assert client.ask({"record": False})["info"] == ["record"]

    def part(self) -> Path:
        """The film that is being written, with something to play in it."""

        def look() -> Path | None:
            return next((p for p in self.stick.rglob("*.part") if p.stat().st_size > 500_000), None)

        return until(look, "something is recorded")

    def processes(self, module: str) -> list[int]:
        """Those of this server that run a module."""
        return processes(self.server, module)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    server = Server(tmp_path)
    stored = Stored(server)
    with server:
        stored.token = server.login()
        yield stored


def test_recorded_fetched_and_removed(stored: Stored) -> None:
    stored.record()
    stored.part()
    (running,) = stored.films()
    assert (running["state"], running["available"], running["user"]) == (
        "recording",
        False,
        "admin",
    )
    for method in ("GET", "DELETE"):
        answer = stored.ask(method, running["url"])
        assert answer.status == 409
        assert "being recorded" in answer.json()["message"]
    stored.stop()
    (done,) = stored.summed()
    assert (done["id"], done["state"], done["available"]) == (running["id"], "complete", True)
    whole = stored.ask("GET", done["url"])
    assert whole.status == 200
    assert hashlib.sha256(whole.body).hexdigest() == done["sha256"]
    assert len(whole.body) == done["size"]
    middle = stored.ask("GET", done["url"], Range="bytes=1000-300000")
    assert (middle.status, middle.body) == (206, whole.body[1000:300001])
    with stored.server.client("admin") as client:
        assert client.get("last-recording") == {"last-recording": done["id"]}
        assert stored.ask("DELETE", done["url"]).status == 204
        assert client.get("last-recording") == {"last-recording": ""}
    assert stored.films() == []
    assert list(stored.stick.rglob("*.mp4")) == []
    assert stored.ask("GET", done["url"]).status == 404


def test_server_killed(stored: Stored) -> None:
    """The engine ends with it, and the writer closes the film: nothing is lost."""
    stored.record()
    stored.part()
    stored.server.kill()
    stored.start()
    (kept,) = stored.summed()
    assert kept["state"] in ("complete", "recovered")
    assert seconds_of(stored.stick / kept["file"]) == pytest.approx(kept["duration"], abs=0.05)
    with stored.server.client("admin") as client:
        assert client.get("last-recording") == {"last-recording": kept["id"]}


def test_everything_killed(stored: Stored) -> None:
    """What is left is cut behind its last whole fragment, and listed."""
    stored.record()
    part = stored.part()
    for pid in stored.processes(WRITER):
        os.kill(pid, signal.SIGKILL)
    stored.server.kill()
    with part.open("ab") as file:
        file.write(b"\0\0\7\0moof and then the power went")
    stored.start()
    (kept,) = stored.summed()
    assert (kept["state"], kept["available"], kept["user"]) == ("recovered", True, "admin")
    assert seconds_of(part.with_suffix("")) == pytest.approx(kept["duration"], abs=0.05)
    fetched = stored.ask("GET", kept["url"])
    assert hashlib.sha256(fetched.body).hexdigest() == kept["sha256"]


def test_film_of_another_device(stored: Stored) -> None:
    stored.server.terminate()
    film(stored.stick / "2026/11/24/rotoclear-20261124-093005.mp4.part", 100, closed=False)
    stored.start()
    (found,) = stored.summed()
    assert (found["state"], found["camera"], found["user"]) == ("recovered", 0, "")
    assert stored.ask("GET", found["url"]).status == 200


def test_file_that_was_removed(stored: Stored) -> None:
    stored.record()
    stored.part()
    stored.stop()
    (done,) = stored.summed()
    (stored.stick / done["file"]).unlink()
    answer = stored.ask("GET", done["url"])
    assert answer.status == 409
    assert "not on" in answer.json()["message"]
    assert stored.films()[0]["available"] is False
    stored.server.restart()
    stored.token = stored.server.login()
    assert stored.films()[0]["available"] is False
    assert stored.ask("DELETE", done["url"]).status == 204


class TestFailingVolume:
    """The process that reads the volume dies or hangs in the middle of a download."""

    SIZE = 64 * 2**20

    @pytest.fixture
    def large(self, stored: Stored) -> str:
        """A film that does not fit into any buffer; returns its address."""
        stored.record()
        stored.part()
        stored.stop()
        (done,) = stored.summed()
        os.truncate(stored.stick / done["file"], self.SIZE)
        return str(done["url"])

    def begin(self, stored: Stored, url: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, stored.server.port, timeout=30)
        connection.request("GET", url, headers={"Authorization": f"Bearer {stored.token}"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert len(answer.read(100_000)) == 100_000
        return answer

    def test_killed(self, stored: Stored, large: str) -> None:
        answer = self.begin(stored, large)
        (pid,) = stored.processes("rotoclear.media.files")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()
        part = stored.ask("GET", large, Range="bytes=100000-100009")
        assert (part.status, len(part.body)) == (206, 10)

    def test_hangs(self, stored: Stored, large: str) -> None:
        """Whoever asks is told after a while; everybody else is served all the time."""
        answer = self.begin(stored, large)
        (pid,) = stored.processes("rotoclear.media.files")
        os.kill(pid, signal.SIGSTOP)
        ends: list[str] = []

        def read() -> None:
            try:
                answer.read()
            except (http.client.IncompleteRead, ConnectionError):
                ends.append("it was cut")

        reader = threading.Thread(target=read)
        reader.start()
        slowest = 0.0
        with stored.server.client("admin") as client:
            began = time.monotonic()
            while Path(f"/proc/{pid}").exists() and time.monotonic() - began < 30:
                asked = time.monotonic()
                assert "brightness" in client.get("brightness")
                slowest = max(slowest, time.monotonic() - asked)
                time.sleep(0.01)
        assert 5 < time.monotonic() - began < 20, "it is killed after ten seconds"
        assert slowest < 1
        reader.join(20)
        assert ends == ["it was cut"]
        assert stored.ask("GET", large, Range="bytes=0-9").status == 206

    def test_slow_client(self, stored: Stored, large: str) -> None:
        """What it does not take is not read: memory does not grow."""
        memory = _memory(stored.server.pid)
        clients = [self.begin(stored, large) for _ in range(4)]
        for _ in range(20):
            assert stored.ask("GET", large, Range="bytes=5-9").status == 206
        assert _memory(stored.server.pid) - memory < 16 * 2**20
        for client in clients:
            assert len(client.read()) == self.SIZE - 100_000


def _memory(pid: int) -> int:
    """Bytes of memory that a process uses."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def test_retention(tmp_path: Path) -> None:
    """What is too old goes, by a clock that is said to be good."""
    config = "[retention]\nkeep-days = 1\ntrust-clock = true\n"
    with Server(tmp_path, config) as server:
        stored = Stored(server)
        stored.token = server.login()
        stored.record()
        stored.part()
        stored.stop()
        (done,) = stored.summed()
        server.terminate()
        with sqlite3.connect(server.data_dir / "rotoclear.db") as database:
            database.execute("UPDATE media SET known = ?", (time.time() - 86_400 * 2,))
        database.close()
        stored.start()
        assert len(stored.films()) == 1
        until(lambda: not stored.films(), "it is deleted")
        assert not (stored.stick / done["file"]).exists()
        assert f"{done['file']} is deleted: it is too old" in server.log_text()
