"""The kit that vendors check their drivers with, on the built-in ones and the kernel's devices."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.harness.server import ROOT
from tests.hil.machine import Machine
from tests.hil.plugged import Disk, Gadget
from tests.hil.times import timed

KIT: Final = (
    f"cd /run; PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)}"
    " -m tests.hil.guest_kit"
)

LIMIT: Final = 240.0
"""Seconds that all of it may take."""


@pytest.mark.usefixtures("gpio")
def test_built_in_drivers_are_good(machine: Machine, tmp_path: Path) -> None:
    """There are two processors: the others are checked beside the camera."""
    others = f"({KIT} others; echo $? >/share/kit-ended) >/share/kit-others 2>&1 &"
    stick = Disk.formatted(machine, tmp_path / "stick.img", "HILKIT")
    stick.plug()
    machine.wait("[ -b /dev/disk/by-label/HILKIT ]")
    with Gadget(machine, "usb_camera", "HIL-1") as camera, Gadget(machine, "uhid_light"):
        machine.run(others)
        with timed("conformance kit: v4l2 with the USB camera"):
            report = machine.run(f"{KIT} camera {camera.pid}", limit=LIMIT)
        print(report)
        machine.wait("[ -s /share/kit-ended ]", limit=LIMIT)
        said = (machine.share / "kit-others").read_text()
        assert (machine.share / "kit-ended").read_text() == "0\n", said
    machine.run("umount /media/kit")
    stick.pull()
