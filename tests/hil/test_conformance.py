"""``python -m rotoclear.testing``, as a vendor would run it, on the built-in drivers."""

from __future__ import annotations

import shlex
import sys

from tests.harness.server import ROOT
from tests.hil.machine import Machine
from tests.hil.plugged import Gadget
from tests.hil.times import timed

KIT = (
    f"cd /run; PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)}"
    " -m rotoclear.testing --rounds 3 --seconds 1 rotoclear.plugins.rotoclear_"
)
"""Three rounds in search of leaks: one takes seconds here."""

LIMIT = 240.0
"""Seconds that one driver's checks may take."""


def test_usb_camera(machine: Machine) -> None:
    with Gadget(machine, "usb_camera", "HIL-1"):
        check(machine, "v4l2:v4l2")


def test_usb_light(machine: Machine) -> None:
    with Gadget(machine, "uhid_light"):
        check(machine, "led:led_lights --option 'head-1=luxafor*:led0'")


def test_gpio_lamp(machine: Machine, gpio: str) -> None:
    check(machine, f"gpio:gpio_lights --option head-1={gpio}")


def test_folder(machine: Machine) -> None:
    machine.run("mkdir -p /run/recordings")
    check(machine, "directory:folder_storage --option folder=/run/recordings")


def check(machine: Machine, what: str) -> None:
    """All that can be checked there is good."""
    with timed(f"conformance kit: {what.split(':')[0]}"):
        machine.run(KIT + what, limit=LIMIT)
