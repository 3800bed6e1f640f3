"""What is plugged into the machine, and pulled."""

from __future__ import annotations

import itertools
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from tests.harness.server import ROOT
from tests.hil.machine import Machine, MachineFailed

LIMIT: Final = 60.0
"""Seconds that a gadget's word may take."""

VIVID: Final = "/sys/bus/platform/drivers/vivid"


FAULT: Final = """
import fcntl, struct, time
with open("{node}", "rb", buffering=0) as node:
    while True:
        fcntl.ioctl(node, 0xC008561C, struct.pack("II", {control}, 1))  # VIDIOC_S_CTRL
        print(flush=True)
        time.sleep(0.02)
"""
"""Presses a button of vivid's again and again."""


class Gadget:
    """
    A gadget that one of the modules here is, inside; a context manager that pulls it.

    :ivar pid: of its process.

    :param module: :mod:`tests.hil.usb_camera`, say, by the last part of its name.
    """

    _names = itertools.count(1)

    def __init__(self, machine: Machine, module: str, *arguments: str) -> None:
        self._machine = machine
        self._module = module
        self._arguments = arguments
        self._log = machine.share / f"{module}-{next(self._names)}.log"
        self.pid = ""

    def __enter__(self) -> Self:
        self._log.write_text("")
        arguments = shlex.join([sys.executable, "-m", f"tests.hil.{self._module}"])
        self.pid = self._machine.run(
            f"export PYTHONPATH={shlex.quote(str(ROOT))};"
            f"{arguments} {shlex.join(self._arguments)} >>/share/{self._log.name} 2>&1 & echo $!"
        )
        self.until(lambda lines: bool({"attached", "plugged"} & set(lines)))
        return self

    def __exit__(self, *_: object) -> None:
        if self._machine.running:
            self._machine.run(f"kill {self.pid}")

    def pull(self) -> None:
        """Pull it, whatever it is doing; only of a gadget that can be plugged in again."""
        self._machine.run(f"kill -USR1 {self.pid}")

    def plug(self) -> None:
        """Plug it in again."""
        self._log.write_text("")
        self._machine.run(f"kill -USR2 {self.pid}")

    def said(self) -> list[str]:
        """What it has said since it was plugged in."""
        return self._log.read_text().splitlines()

    def until(self, fits: Callable[[list[str]], bool]) -> list[str]:
        """
        What it has said, once that fits.

        :raises MachineFailed: it does not.
        """
        deadline = time.monotonic() + LIMIT
        while not fits(said := self.said()):
            if time.monotonic() > deadline:
                raise MachineFailed(f"the {self._module} has only said {said[-50:]}")
            time.sleep(0.05)
        return said


class Vivid:
    """
    Cameras of the kernel's test driver, which come and go together; unplugged at first.

    :param count: how many.
    """

    def __init__(self, machine: Machine, count: int) -> None:
        self._machine = machine
        # One input each, a webcam's: each is looked at when they are opened, which takes long here.
        options = {"node_types": "0x1", "num_inputs": "1", "input_types": "0"}
        words = [f"{name}={','.join([value] * count)}" for name, value in options.items()]
        machine.run(f"modprobe vivid n_devs={count} {' '.join(words)}")
        self.pull()

    def plug(self) -> None:
        """Plug them in; return when the kernel has them."""
        self._machine.run(f"echo vivid.0 >{VIVID}/bind")

    def pull(self) -> None:
        """Pull them."""
        self._machine.run(f"echo vivid.0 >{VIVID}/unbind")

    def nodes(self) -> list[str]:
        """Their nodes in ``/dev``."""
        names = self._machine.run(f"ls {VIVID}/vivid.0/video4linux")
        return [f"/dev/{name}" for name in names.split()]

    @contextmanager
    def disconnected(self, number: int) -> Iterator[None]:
        """
        One, counted from 0, answers ``ENODEV``, and its node stays.

        It would be itself again as soon as the last who has it open closes it.
        """
        node = self.nodes()[number]
        pid = self._machine.run(f"sleep 600 <{node} >/dev/null 2>&1 & echo $!")
        self._machine.run(f"v4l2-ctl -d {node} -c disconnect=1")
        try:
            yield
        finally:
            if self._machine.running:
                self._machine.run(f"kill {pid}")

    @contextmanager
    def never_starts(self, number: int) -> Iterator[None]:
        """One refuses to stream: the fault is good for one time, so make it again and again."""
        node = self.nodes()[number]
        listed = self._machine.run(f"v4l2-ctl -d {node} -l | grep inject_vidioc_streamon_error")
        fault = FAULT.format(node=node, control=listed.split()[1])
        pid = self._machine.run(
            f"{sys.executable} -ISc {shlex.quote(fault)} >/share/faulty 2>&1 & echo $!"
        )
        self._machine.wait("[ -s /share/faulty ]")
        try:
            yield
        finally:
            if self._machine.running:
                self._machine.run(f"kill {pid}")


class Disk:
    """
    A USB disk of QEMU's.

    :param image: the file that is its content.
    """

    _names = itertools.count(1)

    def __init__(self, machine: Machine, image: str, serial: str) -> None:
        self._machine = machine
        self._name = f"disk{next(self._names)}"
        self._serial = serial
        file = {"driver": "file", "filename": image}
        machine.qmp("blockdev-add", **{"driver": "raw", "node-name": self._name, "file": file})

    @classmethod
    def formatted(cls, machine: Machine, image: Path, label: str, *, megabytes: int = 64) -> Self:
        """An empty one with FAT; its serial number is the image's name."""
        subprocess.run(["truncate", "-s", f"{megabytes}M", image], check=True)
        subprocess.run(["/sbin/mkfs.vfat", "-n", label, image], check=True, capture_output=True)
        return cls(machine, str(image), image.name)

    def plug(self) -> None:
        """Plug it in; the kernel will see."""
        self._machine.qmp(
            "device_add",
            driver="usb-storage",
            id=self._name,
            bus="usb.0",
            drive=self._name,
            serial=self._serial,
            removable=True,
        )

    def pull(self) -> None:
        """Pull it, whatever is being written."""
        self._machine.qmp("device_del", id=self._name)
