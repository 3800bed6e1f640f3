"""libudev's oddities, played."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from rotoclear.devices.udevlib import Event, Monitor, NoUdev, Overflow, Udev
from rotoclear.interfaces import UdevDevice

RED = {"ACTION": "add", "SEQNUM": "7", "DEVPATH": "/devices/red", "SUBSYSTEM": "leds"}


class Device:
    def __init__(self, properties: dict[str, str]) -> None:
        self.properties = properties


class PyudevMonitor:
    """
    :ivar said: what ``poll`` returns or raises, one after another.
    """

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.said: list[Any] = []
        self.filters: list[str] = []
        self.buffer: int | OSError = 0

    def fileno(self) -> int:
        return self.ours.fileno()

    def filter_by(self, subsystem: str) -> None:
        self.filters.append(subsystem)

    def set_receive_buffer_size(self, size: int) -> None:
        if isinstance(self.buffer, OSError):
            raise self.buffer
        self.buffer = size

    def start(self) -> None:
        pass

    def poll(self, timeout: float) -> Device | None:
        assert timeout == 0
        said = self.said.pop(0) if self.said else None
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def played() -> Iterator[PyudevMonitor]:
    played = PyudevMonitor()
    yield played
    played.ours.close()
    played.theirs.close()


@pytest.fixture
def monitor(played: PyudevMonitor) -> Iterator[Monitor]:
    monitor = Monitor(played, ["leds"], 4096)
    yield monitor
    monitor.close()


def test_an_event_comes_as_a_device(played: PyudevMonitor, monitor: Monitor) -> None:
    red = UdevDevice(
        path="/sys/devices/red",
        subsystem="leds",
        properties={"DEVPATH": "/devices/red", "SUBSYSTEM": "leds"},
    )
    played.said = [Device(dict(RED)), Device({**RED, "ACTION": "remove"})]
    assert monitor.receive() == Event("", red)
    assert monitor.receive() == Event("/sys/devices/red", None)
    assert monitor.receive() is None


def test_a_loss_however_it_is_told(played: PyudevMonitor, monitor: Monitor) -> None:
    played.said = [OSError(errno.ENOBUFS, "No buffer space available"), Device(dict(RED))]
    with pytest.raises(Overflow):
        monitor.receive()
    assert monitor.receive() is not None


def test_what_is_not_understood_is_passed_over(played: PyudevMonitor, monitor: Monitor) -> None:
    played.said = [ValueError("Invalid argument"), Device(dict(RED))]
    assert monitor.receive() is not None


def test_what_pyudev_sees_and_cannot_name_is_asked_of_the_socket(
    played: PyudevMonitor, monitor: Monitor
) -> None:
    played.said = [OSError("Error while polling fd: 3"), Device(dict(RED))]
    assert monitor.receive() is not None


def test_any_other_error_is_the_end(played: PyudevMonitor, monitor: Monitor) -> None:
    played.said = [OSError(errno.EBADF, "Bad file descriptor")]
    with pytest.raises(OSError, match="Bad file descriptor"):
        monitor.receive()


def test_each_subsystem_is_asked_for_once(played: PyudevMonitor, monitor: Monitor) -> None:
    for name in ("leds", "block", "block"):
        monitor.add(name)
    assert played.filters == ["leds", "block"]


def test_a_buffer_that_we_may_not_have_is_done_without(played: PyudevMonitor) -> None:
    played.buffer = PermissionError(errno.EPERM, "Operation not permitted")
    Monitor(played, ["leds"]).close()


def test_its_descriptor_is_closed_with_it(played: PyudevMonitor) -> None:
    before = len(os.listdir("/proc/self/fd"))
    monitor = Monitor(played, [])
    monitor.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_without_a_daemon_nobody_tells(tmp_path: Path) -> None:
    with pytest.raises(NoUdev, match="No udev daemon runs"):
        Udev(str(tmp_path / "control")).open(["leds"])


def test_without_libudev_nobody_tells_and_the_kernel_is_asked(tmp_path: Path) -> None:
    udev = Udev(str(tmp_path))
    for error in (ImportError("No library named udev"), OSError(2, "No such file")):
        broken = mock.Mock(**{"Context.side_effect": error})
        with (
            mock.patch.dict(sys.modules, {"pyudev": broken}),
            pytest.raises(NoUdev, match=r"No library named udev|No such file"),
        ):
            udev.open(["mem"])
    with mock.patch.dict(sys.modules, {"pyudev": None}), pytest.raises(NoUdev, match="libudev"):
        udev.open(["mem"])
    assert "/dev/null" in {device.node for device in udev.list(["mem"], udev=False)}
