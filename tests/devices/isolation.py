"""Processes with a network and a ``/run`` of their own: where a udev daemon can be played."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


class CannotIsolate(AssertionError):
    """The tests cannot be run here; the text says what helps."""


def isolated(folder: Path, command: Sequence[str], *, network: bool = False) -> list[str]:
    """
    The command line that runs a command so that its ``/run`` is a folder of the test's.

    :param network: give it a network of its own, too: one without a udev daemon's events.
    :raises CannotIsolate: it is not allowed here.
    """
    if shutil.which("unshare") is None:
        raise CannotIsolate("There is no unshare: install util-linux")
    # Who is not root can be one in a user namespace of their own.
    prefix = ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-m", *(["-n"] if network else [])]
    mount = ["sh", "-c", 'mount --bind "$0" /run && exec "$@"', str(folder.absolute())]
    trial = subprocess.run([*prefix, *mount, "true"], capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        raise CannotIsolate(
            f"unshare: {trial.stderr.strip()}. The tests that play a udev daemon need root with "
            "CAP_SYS_ADMIN, or user namespaces; in a container: --privileged, or --cap-add "
            "SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        )
    return [*prefix, *mount, *command]


def beside(pid: int, command: Sequence[str]) -> list[str]:
    """The command line that runs a command in the network of an isolated process."""
    user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
    return ["nsenter", "-t", str(pid), *user, "-n", *command]


class Run:
    """
    A ``/run`` with what a udev daemon has there.

    :ivar control: the socket of the daemon; here a file.
    """

    def __init__(self, folder: Path, *, daemon: bool = True) -> None:
        self.folder = folder
        self.control = folder / "udev" / "control"
        self._data = folder / "udev" / "data"
        self._data.mkdir(parents=True)
        if daemon:
            self.control.touch()

    def deal_with(self, device: str, **properties: str) -> None:
        """
        The daemon knows a device.

        :param device: as it names it: ``"c1:3"``, ``"b8:0"``, ``"+leds:red"``.
        """
        lines = ["I:1000000", *(f"E:{name}={value}" for name, value in properties.items())]
        self._write(device, "\n".join(lines) + "\n")

    def forget(self, device: str) -> None:
        """The daemon does not know it any more."""
        (self._data / device).unlink(missing_ok=True)

    def _write(self, device: str, text: str) -> None:
        new = self._data / f".new-{device}"
        new.write_text(text)
        new.rename(self._data / device)
