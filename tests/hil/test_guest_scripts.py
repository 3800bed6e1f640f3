"""Drivers on the kernel's devices, without a server: their authors' scripts."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

from tests.harness.server import ROOT
from tests.hil.image import HERE
from tests.hil.machine import Machine
from tests.hil.plugged import Disk
from tests.hil.times import timed

LIMIT = 240.0
"""Seconds that a script may take."""

PYTHON = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)}"

USB_CAMERA = (sys.executable, "-m", "tests.hil.usb_camera", "HIL-9")


def test_gpio_lamp(machine: Machine) -> None:
    run(machine, "guest_gpio")


def test_usb_light(machine: Machine) -> None:
    run(machine, "guest_led", str(HERE / "uhid_light.py"))


def test_cameras(machine: Machine) -> None:
    run(machine, "guest_v4l2", *USB_CAMERA)
    machine.run("modprobe -r vivid")


def test_disks(machine: Machine, tmp_path: Path) -> None:
    """The script asks for a plug, and for a pull: two disks, one after the other."""
    command = f"cd /run; {PYTHON} -m tests.hil.guest_removable hand /share/ask"
    machine.run(f"({command}; echo $? >/share/ended) >/share/said 2>&1 &")
    ask, ended = machine.share / "ask", machine.share / "ended"
    disks = iter(
        [Disk.formatted(machine, tmp_path / name, "ROTO USB") for name in ("first", "second")]
    )
    disk = None
    deadline = time.monotonic() + LIMIT
    while not ended.exists() or not ended.read_text():
        assert time.monotonic() < deadline, (machine.share / "said").read_text()
        if ask.exists():
            wanted = ask.read_text()
            if wanted == "plug":
                disk = next(disks)
                disk.plug()
            elif disk is not None:
                disk.pull()
            ask.unlink()
        time.sleep(0.05)
    assert ended.read_text() == "0\n", (machine.share / "said").read_text()


def run(machine: Machine, name: str, *arguments: str) -> None:
    """Run a script; it ends with 0."""
    with timed(name):
        machine.run(f"cd /run; {PYTHON} -m tests.hil.{name} {shlex.join(arguments)}", limit=LIMIT)
