"""A real server, and what systemd hears of it."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotoclear.control.client import call
from tests.harness import Server

INTERVAL = 0.9
"""Seconds within which the server is to give a sign of life."""

LIMIT = 60


class Systemd:
    """Hears what a service says."""

    def __init__(self, folder: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.settimeout(LIMIT)
        self.heard: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        return {
            "NOTIFY_SOCKET": self.socket.getsockname(),
            "WATCHDOG_USEC": str(round(INTERVAL * 1e6)),
        }

    def until(self, beginning: str) -> str:
        """The next line that begins so."""
        while True:
            for line in self.socket.recv(4096).decode().split("\n"):
                self.heard.append(line)
                if line.startswith(beginning):
                    return line

    def forget(self) -> None:
        """What was said until now."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            self.socket.settimeout(LIMIT)


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    manager = Systemd(tmp_path)
    with manager.socket:
        yield manager


def test_ready_when_all_is_known(tmp_path: Path, systemd: Systemd) -> None:
    """First what it is doing, then that it is ready: with cameras, and open doors."""
    with Server(tmp_path, env=systemd.environment) as server:
        systemd.until("READY=1")
        assert [line for line in systemd.heard if not line.startswith("STATUS=")] == ["READY=1"]
        assert systemd.heard.index("STATUS=Looking for devices") < systemd.heard.index("READY=1")
        systemd.until("STATUS=Serving; cameras: 2, connections: 0, not recording")
        server.signal(signal.SIGHUP)
        systemd.until("RELOADING=1")
        systemd.until("READY=1")
        server.terminate()
        systemd.until("STOPPING=1")


def test_driver_that_hangs(tmp_path: Path, systemd: Systemd) -> None:
    """It is its own affair: signs of life go on while it hangs and is started again."""
    with Server(tmp_path, env=systemd.environment) as server, server.client() as client:
        control = server.data_dir / "control.sock"
        if not client.get("cam1-exists")["cam1-exists"]:  # a slow machine: not waited for
            client.until({"cam1-exists": True})
        hang = {"action": "silent", "target": "1", "arguments": {"hang": True}}
        call(control, "simulate", hang)
        while not _restarts(control):
            # It hangs, is killed, and started again; meanwhile there is life.
            systemd.forget()
            systemd.until("WATCHDOG=1")


def test_reactor_that_is_stuck(tmp_path: Path, systemd: Systemd) -> None:
    """There is no sign of life from it, whatever else is well; and there is one again."""
    with Server(tmp_path, env=systemd.environment) as server:
        systemd.until("WATCHDOG=1")
        server.signal(signal.SIGSTOP)
        try:
            _stopped(server.pid)
            systemd.forget()
            systemd.socket.settimeout(3 * INTERVAL)
            with pytest.raises(TimeoutError):
                systemd.until("")
        finally:
            server.signal(signal.SIGCONT)
        systemd.socket.settimeout(LIMIT)
        systemd.until("WATCHDOG=1")


def test_cannot_start(tmp_path: Path, systemd: Systemd) -> None:
    """systemctl status says why."""
    server = Server(tmp_path, env=systemd.environment, clean_log=False)
    (tmp_path / "data" / "initial-admin-password").mkdir(parents=True)
    with pytest.raises(AssertionError), server:
        pass
    assert "initial-admin-password" in systemd.until("STATUS=Cannot start: ")
    assert "READY=1" not in systemd.heard


def _restarts(control: Path) -> int:
    """How often drivers were started again."""
    devices = call(control, "status")["devices"]
    assert isinstance(devices, dict)
    return sum(driver["restarts"] for driver in devices["drivers"])


def _stopped(pid: int) -> None:
    """Wait until the process is: a signal takes its time."""
    deadline = time.monotonic() + LIMIT
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline
        time.sleep(0.01)
