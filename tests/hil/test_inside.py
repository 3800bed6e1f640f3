"""The server inside, seen from outside, before anything is plugged in."""

from __future__ import annotations

from tests.harness import Client
from tests.hil.guest import GuestServer
from tests.hil.times import timed


def test_a_change_reaches_everybody_outside(admin: Client, observer: Client) -> None:
    assert admin.ask({"jpeg-quality": 61}) == {"jpeg-quality": 61, "info": ["jpeg-quality"]}
    observer.until({"jpeg-quality": 61})
    with timed("a setting without a device: until it is confirmed"):
        admin.ask({"jpeg-quality": 62})
    observer.until({"jpeg-quality": 62})


def test_a_driver_without_a_device_has_no_process(server: GuestServer) -> None:
    driver = server.driver("v4l2")
    assert (driver["state"], driver["pid"]) == ("idle", None)
