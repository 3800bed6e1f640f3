"""
The conformance kit on one built-in driver and what is plugged in, inside the virtual machine.

``python -m tests.hil.guest_kit camera PID`` with the process id of
:mod:`tests.hil.usb_camera`, which is unplugged and plugged in as the kit likes;
``... others`` with a :mod:`tests.hil.uhid_light`, the GPIO line ``hil-lamp`` and a USB stick
that is labelled ``HILKIT``: mounted by hand, as where there is no udisks.

All that can be checked in this process is; of what is checked through the real
host, which takes five seconds to start here, what has most to do with the kernel
(outside, the simulated devices go through all of it). As root. Prints the report.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rotoclear.drivers.gpio import GpioLights
from rotoclear.drivers.led import LedLights
from rotoclear.drivers.removable import RemovableStorage
from rotoclear.drivers.v4l2 import V4l2Cameras
from rotoclear.interfaces import UdevDevice
from rotoclear.testing import CameraDriverTests, LightDriverTests, StorageDriverTests
from rotoclear.testing.cases import DriverTests
from rotoclear.testing.checks import way_of
from rotoclear.testing.kernel import present

HOSTED = ("life", "pictures", "capture", "switch", "kill")
"""Checks that are made through the real host, too."""


class Slow(DriverTests):
    """As many rounds as there is time for, and more patience."""

    rounds = 3
    seconds = 1.0
    patience = 20.0
    away = 20.0

    def present(self) -> Sequence[UdevDevice]:
        return present(self.make_driver().matches)


class UsbCamera(Slow, CameraDriverTests, unittest.TestCase):
    module, attribute = "rotoclear.plugins.rotoclear_v4l2", "v4l2"
    gadget = 0

    def make_driver(self) -> Any:
        return V4l2Cameras()

    def unplug(self, identity: str) -> None:
        os.kill(self.gadget, signal.SIGUSR1)
        self._until(there=False)

    def plug(self, identity: str) -> None:
        os.kill(self.gadget, signal.SIGUSR2)
        self._until(there=True)

    def _until(self, *, there: bool) -> None:
        """Until the kernel has noticed, and udev has dealt with it."""
        deadline = time.monotonic() + 30
        while bool(self.present()) is not there:
            assert time.monotonic() < deadline, f"{there=}"
            time.sleep(0.05)


class UsbLight(Slow, LightDriverTests, unittest.TestCase):
    module, attribute = "rotoclear.plugins.rotoclear_led", "led_lights"
    options = {"head-1": ["luxafor*:led0"]}

    def make_driver(self) -> Any:
        return LedLights()


class GpioLamp(Slow, LightDriverTests, unittest.TestCase):
    module, attribute = "rotoclear.plugins.rotoclear_gpio", "gpio_lights"
    options = {"head-1": "hil-lamp"}

    def make_driver(self) -> Any:
        return GpioLights()


class UsbStick(Slow, StorageDriverTests, unittest.TestCase):
    module, attribute = "rotoclear.plugins.rotoclear_removable", "removable_storage"
    node = Path("/dev/disk/by-label/HILKIT")
    folder = Path("/media/kit")

    def make_driver(self) -> Any:
        return RemovableStorage()

    def unplug(self, identity: str) -> None:
        """The kernel lets go of it, as when it is pulled, with its file system mounted."""
        disk = self.node.resolve().name
        Path(f"/sys/block/{disk}/device/delete").write_text("1")
        subprocess.run(["umount", "-l", str(self.folder)], check=True)
        self._until(there=False)

    def plug(self, identity: str) -> None:
        for host in Path("/sys/class/scsi_host").glob("host*"):
            (host / "scan").write_text("- - -")
        self._until(there=True)
        self.mount()

    @classmethod
    def mount(cls) -> None:
        """As an administrator would."""
        cls.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-o", "sync", str(cls.node), str(cls.folder)], check=True)

    def _until(self, *, there: bool) -> None:
        deadline = time.monotonic() + 30
        while self.node.exists() is not there or bool(self.present()) is not there:
            assert time.monotonic() < deadline, f"{there=}"
            time.sleep(0.05)


def main(what: str, gadget: str = "0") -> int:
    UsbCamera.gadget = int(gadget)
    good = True
    if what == "others":
        UsbStick.mount()
    for case in [UsbCamera] if what == "camera" else [UsbLight, GpioLamp, UsbStick]:
        hosted = {f"test_{name}_in_its_process" for name in HOSTED}
        for name in unittest.defaultTestLoader.getTestCaseNames(case):
            if name in hosted or way_of(getattr(case, name)) != "hosted":
                began = time.monotonic()
                result = unittest.TestResult()
                case(name).run(result)
                print(f"{time.monotonic() - began:6.1f} s  {name}", flush=True)
                for _, text in result.errors + result.failures:
                    print(text, flush=True)
        print(case.report.as_text())
        good = good and case.report.passed
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
