"""What systemd hears."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotoclear.systemd.notify import LONGEST, Notifier


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def lines(heard: socket.socket) -> list[str]:
    return heard.recv(4096).decode().split("\n")


def test_messages(heard: socket.socket) -> None:
    notifier = Notifier(heard.getsockname())
    notifier.ready()
    assert lines(heard) == ["READY=1"]
    notifier.alive()
    assert lines(heard) == ["WATCHDOG=1"]
    notifier.stopping()
    assert lines(heard)[0] == "STOPPING=1"
    notifier.reloading()
    reloading, since = lines(heard)
    assert reloading == "RELOADING=1"
    assert since.removeprefix("MONOTONIC_USEC=").isdigit()


def test_status_is_one_line(heard: socket.socket) -> None:
    """A line of its own would be another message to systemd."""
    notifier = Notifier(heard.getsockname())
    notifier.status("Cannot start: \nREADY=1\n" + "x" * 10_000)
    (line,) = lines(heard)
    assert line.startswith("STATUS=Cannot start: READY=1 x")
    assert len(line) == len("STATUS=") + LONGEST


def test_abstract_address() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # Linux makes up a name: unix(7), autobind
        name = listening.getsockname()
        Notifier(f"@{name[1:].decode()}").ready()
        assert lines(listening) == ["READY=1"]


def test_nobody_there(tmp_path: Path) -> None:
    """It is no reason to fail, nor to wait."""
    Notifier().ready()
    Notifier(str(tmp_path / "gone")).ready()


def test_full(heard: socket.socket) -> None:
    """Nobody reads: it does not wait for that."""
    notifier = Notifier(heard.getsockname())
    for _ in range(1000):
        notifier.alive()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Notifier()),
        ({"NOTIFY_SOCKET": "/run/n"}, Notifier("/run/n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "2500000"}, Notifier("@n", 2.5)),
        (
            {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "7"},
            Notifier("/n", 1.0),
        ),
        # Somebody else is watched.
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}, Notifier("/n")),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"}, Notifier("/n")),
        ({"WATCHDOG_USEC": "1000000"}, Notifier()),
        # Not of this protocol: vsock:, say.
        ({"NOTIFY_SOCKET": "vsock:2:1234", "WATCHDOG_USEC": "1000000"}, Notifier()),
    ],
)
def test_environment(environ: dict[str, str], expected: Notifier) -> None:
    assert Notifier.from_environment(environ, 7) == expected
