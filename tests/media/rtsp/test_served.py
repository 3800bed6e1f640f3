"""The whole server: who is let in, what each path shows, and what befalls those who watch."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotoclear.pixels.marks import Mark, Unreadable, read_luma
from tests.harness import Client, Server
from tests.media.rtsp.viewer import LIMIT, Viewer

CONFIG = """
[rtsp]
listen = ["tcp:{rtsp}:interface=127.0.0.1"]
udp-first = 40000
udp-last = 40199
[recording]
preset = "ultrafast"
[metrics]
public = true
"""


def until(what: Callable[[], Any]) -> Any:
    """What it returns, as soon as that is something."""
    end = time.monotonic() + LIMIT
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def free_port() -> int:
    while True:
        port = random.randrange(32_000, 32_700)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


class House:
    """The server, and where it shows films."""

    def __init__(self, server: Server, port: int) -> None:
        self.server, self.port = server, port
        self.token = server.login()

    def viewer(self, path: str = "/live", password: str | None = None) -> Viewer:
        return Viewer(self.port, path, ("admin", password or self.server.admin_password))

    def status(self) -> dict[str, Any]:
        answer = self.server.request("GET", "/api/status", token=self.token)
        return dict(answer.json()["engine"])

    def command(self, *words: str) -> str:
        program = Path(sys.executable).with_name("rotoclear")
        command = [str(program), "--data-dir", str(self.server.data_dir), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    port = free_port()
    config = CONFIG.replace("{rtsp}", str(port))
    with Server(tmp_path_factory.mktemp("served"), config) as server:
        with server.client("admin") as admin:
            admin.ask({"resolution": "640x480", "fps": 20})
        yield House(server, port)


@pytest.fixture
def admin(house: House) -> Iterator[Client]:
    with house.server.client("admin") as client:
        yield client
        client.ask({"resolution": "640x480", "main-camera": 1, "pip-mode": "off"})


def mark(viewer: Viewer) -> Mark:
    """What the next picture says of itself; one with bars, between two sizes, says nothing."""
    end = time.monotonic() + LIMIT
    while True:
        (frame,) = viewer.frames(1)
        try:
            return read_luma(frame.to_ndarray(format="gray"))
        except Unreadable:
            assert time.monotonic() < end


def shows(viewer: Viewer, head: int) -> None:
    """Wait until it is shown that head."""
    until(lambda: mark(viewer).head == head)


def test_passwords(house: House) -> None:
    """A wrong one is refused, told to the log, and after five of them nothing is heard."""
    with house.viewer(password="a wr0ng one") as viewer:
        status, headers, _ = viewer.ask("DESCRIBE")
        assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
        viewer.login = ("admin", house.server.admin_password)
        assert viewer.ask("DESCRIBE")[0] == 200
        viewer.login = ("nobody", "a wr0ng one")
        assert [viewer.ask("DESCRIBE")[0] for _ in range(6)] == [401] * 5 + [503]
        status, headers, body = viewer.ask("DESCRIBE")
        assert (status, headers["Retry-After"]) == (503, body.split()[-2])
    log = house.server.log_text()
    assert "login of 'admin' from 127.0.0.1 refused: Invalid credentials" in log
    assert "Too many failed logins" in log
    assert "wr0ng" not in log
    assert house.server.admin_password not in log


def test_each_path_shows_what_it_says(house: House, admin: Client) -> None:
    """Whatever is made the active one, while they watch; nobody's session ends."""
    with (
        house.viewer("/live").play() as live,
        house.viewer("/cam1").play(udp=True) as one,
        house.viewer("/cam2").play() as two,
    ):
        for path, head in (("/live", 1), ("/cam1", 1), ("/cam2", 2)):
            viewer = {"/live": live, "/cam1": one, "/cam2": two}[path]
            assert mark(viewer).head == head
        viewers = house.status()["rtsp"]["viewers"]
        assert viewers == {"live": 1, "cam1": 1, "cam2": 1}
        metrics = house.server.request("GET", "/metrics").text()
        assert 'rotoclear_rtsp_viewers{stream="cam2"} 1.0' in metrics
        admin.ask({"main-camera": 2})
        shows(live, 2)
        assert [mark(one).head for _ in range(5)] == [1] * 5
        assert [mark(two).head for _ in range(5)] == [2] * 5
        admin.ask({"main-camera": 1, "pip-mode": "side-by-side"})
        for viewer, head in ((one, 1), (two, 2)):
            assert [mark(viewer).head for _ in range(10)] == [head] * 10
            counts = [mark(viewer).count for _ in range(10)]
            assert counts == sorted(set(counts))
    until(lambda: house.status()["rtsp"]["connections"] == 0)
    until(lambda: house.status()["streams"] == 0)


def test_another_size(house: House, admin: Client) -> None:
    """The film goes on in the new size."""
    with house.viewer().play() as viewer, house.viewer("/cam2").play() as other:
        for one in (viewer, other):
            assert one.frames(1)[0].width == 640
        admin.ask({"resolution": "1280x720"})
        for one in (viewer, other):
            until(lambda one=one: one.frames(1)[0].width == 1280)


def test_the_engine_is_killed(house: House) -> None:
    """Those who watch see nothing for a while, and then the film goes on."""
    with house.viewer().play() as viewer, house.viewer("/cam2").play() as other:
        before = mark(viewer).time
        pid = house.status()["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: house.status()["pid"] not in (None, pid))
        moment = round(time.monotonic() * 1000)
        until(lambda: mark(viewer).time > moment > before)
        until(lambda: mark(other).time > moment)


def test_a_camera_is_unplugged(house: House, admin: Client) -> None:
    """Who watches waits; who comes then is told at once; when it is back, the film goes on."""
    with house.viewer("/cam2").play() as viewer:
        assert mark(viewer).head == 2
        house.command("simulate", "unplug", "2")
        admin.until({"cam2-exists": False})
        with house.viewer("/cam2") as late:
            status, _, body = late.ask("DESCRIBE")
            assert (status, body) == (503, "Camera 2 is not plugged in\r\n")
        assert viewer.ask("GET_PARAMETER")[0] == 200
        house.command("simulate", "plug", "2")
        admin.until({"cam2-exists": True})
        moment = round(time.monotonic() * 1000)
        until(lambda: mark(viewer).time > moment)


def test_who_records_and_who_watches_share_one_encode(house: House, admin: Client) -> None:
    """What is sent is what is in the file."""
    with house.viewer("/cam1").play() as viewer:
        assert admin.ask({"record": True})["record"] is True
        viewer.frames(2)  # of the encoder before, perhaps
        until(lambda: viewer.frames(1)[0].key_frame)
        viewer.units.clear()
        viewer.frames(10)
        sent = [unit.rpartition(b"\0\0\0\1")[2] for unit in viewer.units]
        admin.ask({"record": False})
        (film,) = until(lambda: list(house.server.data_dir.rglob("*.mp4")))
        written = film.read_bytes()
        assert all(slice_ in written for slice_ in sent)
        assert viewer.frames(3)


def test_a_key_that_is_revoked_ends_who_watches_with_it(house: House) -> None:
    key = house.command("user", "stream-key", "admin")
    with house.viewer(password=key).play() as viewer:
        assert viewer.frames(1)
        house.command("user", "stream-key", "admin", "--revoke")
        viewer.lost()
        with house.viewer(password=key) as again:
            assert again.ask("DESCRIBE")[0] == 401
    assert key not in house.server.log_text()


def test_the_server_stops(house: House) -> None:
    """Whoever watches is told, and the next start serves again."""
    with house.viewer().play() as viewer:
        viewer.frames(2)
        house.server.terminate()
        viewer.lost()
        assert viewer.reports[-1][1] == 203, "an RTCP BYE comes last"
    house.server.start()
    house.token = house.server.login()
    with house.viewer().play() as viewer:
        assert viewer.frames(2)
