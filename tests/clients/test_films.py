"""Films of every kind, played by Debian's Chromium from their first picture to their last."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.clients.browser import Browser
from tests.harness import Client, Server
from tests.media.examined import examine
from tests.media.processes import ENGINE, WRITER, processes
from tests.robustness.vitals import until

LIMIT = 30.0

CONFIG = """\
[recording]
preset = "ultrafast"
segment-minutes = 0.03
"""

PLAY = """new Promise((resolve) => {
  const video = document.createElement("video");
  video.muted = true;
  video.onerror = () => resolve({failed: video.error.message});
  video.onended = () => resolve({
    duration: video.duration,
    at: video.currentTime,
    width: video.videoWidth,
    height: video.videoHeight,
    pictures: video.getVideoPlaybackQuality().totalVideoFrames,
  });
  video.src = "%s";
  document.body.append(video);
  video.play();
})"""


class Cinema:
    """A server that records, and all its films."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.token = server.login()
        self.films: dict[str, list[dict[str, Any]]] = {}
        self._seen: set[str] = set()

    def client(self) -> Client:
        client = self.server.client("admin", max_queue=None)
        client.limit = LIMIT
        return client

    def begin(self, client: Client) -> None:
        until(lambda: "info" in client.ask({"record": True}), "it records", LIMIT)

    def rows(self) -> list[dict[str, Any]]:
        answer = self.server.request("GET", "/api/recordings", token=self.token)
        rows: list[dict[str, Any]] = answer.json()["recordings"]
        return [row for row in rows if row["id"] not in self._seen]

    def keep(self, kind: str) -> None:
        """What has been recorded since the last time is of this kind."""
        until(lambda: all(row["sha256"] for row in self.rows()), "all are closed", LIMIT)
        self.films[kind] = self.rows()
        self._seen.update(row["id"] for row in self.films[kind])

    def part(self) -> Path:
        """The film that is being written, with more than one fragment in it."""
        stick = self.server.data_dir / "simulated-stick"
        found: list[Path] = []

        def look() -> bool:
            # One may just be getting its name.
            with suppress(FileNotFoundError):
                parts = list(stick.rglob("*.part"))
                found[:] = [path for path in parts if path.read_bytes().count(b"moof") > 1]
            return bool(found)

        until(look, "something is recorded", LIMIT)
        return found[0]


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cinema]:
    with Server(tmp_path_factory.mktemp("cinema"), CONFIG) as server:
        cinema = Cinema(server)
        with cinema.client() as client:
            client.ask({"resolution": "640x480", "fps": 30})
            until(lambda: "info" in client.ask({"snap": True}), "there are pictures", LIMIT)
            cinema.begin(client)
            time.sleep(0.5)
            client.ask({"record": "pause"})
            time.sleep(0.3)
            client.ask({"record": "pause_release"})
            time.sleep(0.5)
            client.ask({"record": False})
            cinema.keep("paused and resumed")
            cinema.begin(client)
            time.sleep(0.5)
            client.ask({"main-camera": 2})
            time.sleep(0.8)
            client.ask({"record": False})
            cinema.keep("another head in the middle")
            cinema.begin(client)
            until(lambda: len(cinema.rows()) > 1, "there is another file", LIMIT)
            client.ask({"record": False})
            cinema.keep("in two files")
            cinema.begin(client)
            cinema.part()
            client.until({"record": True})
            os.kill(processes(server, ENGINE)[0], signal.SIGKILL)
            client.until({"record": False})
            client.until({"record": True})
            client.ask({"record": False})
            cinema.keep("engine killed")
            cinema.begin(client)
            cinema.part()
            client.until({"record": True})
            for pid in processes(server, WRITER):
                with suppress(ProcessLookupError):  # it was a segment's that has just ended
                    os.kill(pid, signal.SIGKILL)
            client.until({"record": False})
            cinema.keep("cut off")
        yield cinema


@pytest.mark.parametrize(
    "kind",
    [
        "paused and resumed",
        "another head in the middle",
        "in two files",
        "engine killed",
        "cut off",
    ],
)
def test_plays(cinema: Cinema, browser: Browser, kind: str) -> None:
    server = cinema.server
    rows = [row for row in cinema.films[kind] if row["state"] != "damaged"]
    assert len(rows) >= (2 if kind in ("in two files", "engine killed") else 1)
    if kind == "cut off":
        assert rows[0]["state"] == "recovered"
    for row in rows:
        film = examine(server.data_dir / "simulated-stick" / row["file"])
        answer = server.request("POST", "/api/tickets", {"path": row["url"]}, token=cinema.token)
        ticket = answer.json()["ticket"]
        with browser.page("0", origin=server.http) as page:
            played = page.evaluate(PLAY % f"{row['url']}?ticket={ticket}")
        assert "failed" not in played, played
        assert (played["width"], played["height"]) == (640, 480)
        assert played["duration"] == pytest.approx(film.times[-1], abs=0.2)
        assert played["at"] == pytest.approx(played["duration"], abs=0.1)
        assert played["pictures"] > 0
