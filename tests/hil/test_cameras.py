"""Cameras come and go, and fail, on the kernel's own drivers."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

import pytest

from tests.harness import Client
from tests.hil.guest import LIMIT, GuestServer, Viewer, ask_until, there, told
from tests.hil.plugged import Gadget, Vivid
from tests.hil.times import timed

TIMES: Final = 20

pytestmark = pytest.mark.usefixtures("both")


def test_a_setting_arrives_in_the_firmware_in_its_own_range(
    admin: Client, usb_camera: Gadget
) -> None:
    """-64 to 64 there: 75 of 100 is halfway from the neutral 0 to the end."""
    admin.ask({"brightness": 50})
    with timed("brightness: until the firmware of the USB camera has it"):
        assert admin.ask({"brightness": 75}) == {"brightness": 75, "info": ["brightness"]}
        usb_camera.until(lambda said: "brightness = 32" in said)


def test_cameras_come_and_go(
    server: GuestServer, admin: Client, observer: Client, vivid: Vivid, usb_camera: Gadget
) -> None:
    """Both at once, so often; in turn one of them while somebody looks at its pictures."""
    admin.ask({"brightness": 75})
    heads = _heads(server)
    _go(observer, vivid, usb_camera)
    _come(observer, vivid, usb_camera)
    before = _descriptors(server)
    for number in range(TIMES):
        camera = 1 + number % 2
        ask_until(admin, {"main-camera": camera}, "info")
        with Viewer(server):
            if camera == 2:
                usb_camera.until(lambda said: "picture" in said)
            else:
                _takes_pictures(server, vivid)
            _go(observer, vivid, usb_camera)
        _come(observer, vivid, usb_camera)
        usb_camera.until(lambda said: "brightness = 32" in said)
    assert _heads(server) == heads
    assert admin.get("brightness") == {"brightness": 75}
    deadline = time.monotonic() + LIMIT
    # Fewer is fine: connections of HTTP come to their end meanwhile.
    while left := _descriptors(server) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def test_a_camera_that_is_gone_without_a_word_is_noticed(
    admin: Client, observer: Client, vivid: Vivid
) -> None:
    """``ENODEV`` from now on; the node stays, and udev says nothing."""
    what = "vivid, disconnected without an event: until cam1-exists is false"
    with timed(what), vivid.disconnected(0):
        told(observer, {"cam1-exists": False})
    there(admin, {"cam1-exists": True})


@pytest.mark.parametrize("key", ["snap", "record"])
def test_a_camera_that_does_not_start_is_an_error_and_recovers(
    server: GuestServer, admin: Client, vivid: Vivid, key: str
) -> None:
    """As long as every ``VIDIOC_STREAMON`` fails; one is tried again without a word."""
    ask_until(admin, {"main-camera": 2}, "info")
    with Viewer(server) as viewer:
        viewer.sees(1)
        with vivid.never_starts(0):
            ask_until(admin, {"main-camera": 1}, "info")
            # The one before is shown until it has become clear that this one cannot be.
            viewer.stalls()
            answer = admin.ask({key: True})
            assert answer.get("error") == "Device error", answer
            assert admin.get(key) == {key: False}
        ask_until(admin, {key: True}, "info")
        assert server.driver("v4l2")["state"] == "running"
        assert admin.ask({key: False}) == {key: False, "info": [key]}


def _go(observer: Client, vivid: Vivid, usb_camera: Gadget) -> None:
    with timed("vivid and USB camera pulled: until both are told to be gone"):
        usb_camera.pull()
        vivid.pull()
        told(observer, {"cam1-exists": False, "cam2-exists": False})


def _come(observer: Client, vivid: Vivid, usb_camera: Gadget) -> None:
    with timed("vivid and USB camera plugged in: until both are told to be there"):
        usb_camera.plug()
        vivid.plug()
        told(observer, {"cam1-exists": True, "cam2-exists": True})


def _takes_pictures(server: GuestServer, vivid: Vivid) -> None:
    """The buffers of a camera that is started are in its driver's memory."""
    pid = server.driver("v4l2")["pid"]
    nodes = "\\|".join(vivid.nodes())
    server.machine.wait(f"grep -q '{nodes}' /proc/{pid}/maps")


def _heads(server: GuestServer) -> list[tuple[int, str]]:
    """The numbers of the heads, and who they are."""
    return [(head["head"], head["identity"]) for head in server.devices()["heads"]]


def _descriptors(server: GuestServer) -> Counter[str]:
    """What the server and the cameras' driver have open, and how often."""
    pid = server.driver("v4l2")["pid"]
    return Counter(
        f"{process}: {name}"
        for process, number in (("server", server.pid), ("driver", pid))
        for name in server.descriptors(number)
    )
