"""The USB camera is filmed, on a USB disk too, which is pulled while it is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pytest

from tests.harness import Client
from tests.hil.guest import LIMIT, GuestServer, Viewer, ask_until, there, told
from tests.hil.machine import Machine
from tests.hil.plugged import Disk
from tests.hil.times import timed

LABEL: Final = "/dev/disk/by-label/HILSTICK"

MOUNT: Final = f"mkdir -p /media/hil && mount {LABEL} /media/hil"

COLOURS: Final = (((255, 0, 0), (0, 255, 0)), ((0, 0, 255), (255, 255, 255)))
"""Of the camera's picture: :data:`tests.hil.usb_camera.QUARTERS`."""


@pytest.fixture
def viewer(server: GuestServer, admin: Client, both: None) -> Iterator[Viewer]:
    """Somebody looks at the USB camera, and sees something."""
    with Viewer(server) as viewer:
        ask_until(admin, {"main-camera": 2}, "info")
        ask_until(admin, {"resolution": "320x240"}, "info")
        with timed("live picture: until the first one has come"):
            viewer.sees(1)
        yield viewer


def test_the_usb_cameras_picture_arrives_in_a_film(
    server: GuestServer, admin: Client, viewer: Viewer, tmp_path: Path
) -> None:
    film = recorded(server, admin, viewer)
    assert (film["state"], film["reason"], film["camera"]) == ("complete", "", 2)
    shows_the_camera(server, film, tmp_path)


def test_a_usb_disk_is_pulled_while_a_film_is_written_on_it(
    server: GuestServer,
    admin: Client,
    observer: Client,
    viewer: Viewer,
    machine: Machine,
    tmp_path: Path,
) -> None:
    """It was preferred, the internal disk takes over, and the film is there with the disk again."""
    internal = str(admin.get("storage-name")["storage-name"])
    disk = Disk.formatted(machine, tmp_path / "disk.img", "HILSTICK", megabytes=256)
    disk.plug()
    machine.wait(f"[ -e {LABEL} ]")
    with timed("USB disk mounted: until it is what is recorded on"):
        machine.run(MOUNT)
        there(admin, {"storage-name": "HILSTICK", "storage-exists": True})
    record(admin, viewer)
    (begun,) = [row["id"] for row in films(server) if row["state"] == "recording"]
    viewer.sees(80)  # for some seconds: each second what there is of it goes to the disk
    with timed("USB disk pulled while it is written: until record is false"):
        disk.pull()
        told(observer, {"record": False})
    there(admin, {"record": False, "storage-name": internal, "storage-exists": True})
    assert server.get("/api/status", server.token)["engine"]["recording-ended"]
    machine.run("umount -l /media/hil")
    machine.wait(f"[ ! -e {LABEL} ]")

    film = recorded(server, admin, viewer)
    assert (film["state"], film["volume"]) == ("complete", internal)
    shows_the_camera(server, film, tmp_path)

    disk.plug()
    machine.wait(f"[ -e {LABEL} ]")
    machine.run(MOUNT)
    with timed("USB disk plugged in again: until the film on it can be fetched"):
        film = fetchable(server, begun)
    assert film["state"] in ("complete", "recovered")
    shows_the_camera(server, film, tmp_path)
    machine.run("umount /media/hil")
    there(admin, {"storage-name": internal})
    disk.pull()


def record(admin: Client, viewer: Viewer) -> None:
    """Begin, and go on until there is something in the film."""
    with timed("record: until it is confirmed"):
        ask_until(admin, {"record": True}, "info")
    viewer.sees(20)


def recorded(server: GuestServer, admin: Client, viewer: Viewer) -> dict[str, Any]:
    """Make a film; what is known of it."""
    before = admin.get("last-recording")["last-recording"]
    record(admin, viewer)
    assert admin.ask({"record": False}) == {"record": False, "info": ["record"]}
    last = admin.until(lambda news: news.get("last-recording", before) != before)
    (film,) = [row for row in films(server) if row["id"] == last["last-recording"]]
    return film


def films(server: GuestServer) -> list[dict[str, Any]]:
    """The catalogue."""
    rows: list[dict[str, Any]] = server.get("/api/recordings", server.token)["recordings"]
    return rows


def fetchable(server: GuestServer, number: str) -> dict[str, Any]:
    """A film, once it can be fetched."""
    deadline = time.monotonic() + LIMIT
    while True:
        (film,) = [row for row in films(server) if row["id"] == number]
        if film["available"]:
            return film
        assert time.monotonic() < deadline, (film["state"], film["reason"])
        time.sleep(0.5)


def shows_the_camera(server: GuestServer, film: dict[str, Any], folder: Path) -> None:
    """It can be decoded whole, outside, and each of its pictures is that of the camera."""
    path = folder / "film.mp4"
    path.write_bytes(server.fetch(film["url"]))
    count = 0
    with av.open(str(path)) as file:
        for frame in file.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            assert picture.shape == (240, 320, 3)
            for row in (0, 1):
                for column in (0, 1):
                    part = picture[row * 120 + 20 :, column * 160 + 20 :][:80, :120]
                    seen = part.mean(axis=(0, 1))
                    wanted = np.array(COLOURS[row][column])
                    assert abs(seen - wanted).max() < 60, (count, row, column, seen)
            count += 1
    assert count >= 5, count
