"""One machine with one server in it for all tests, and the times at the end."""

from __future__ import annotations

import compileall
import faulthandler
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.harness import Client
from tests.harness.server import ROOT
from tests.hil.guest import GuestServer, there
from tests.hil.image import HERE, Image, image
from tests.hil.machine import Machine
from tests.hil.plugged import Gadget, Vivid
from tests.hil.times import note, table, timed

CONFIG: Final = """
enabled-drivers = ["hardware"]

[heads]
camera-1 = "platform:vivid-000"
camera-2 = "HIL-2"

[recording]
preset = "ultrafast"
keyframe = 1.0
reserve = 20

[drivers.led]
head-1 = ["luxafor*:led0"]

[drivers.gpio]
head-2 = "hil-lamp"
"""
"""Of the server that most tests share."""


DATA: Final = "/run/disk/data"
"""Where its data is."""

MOUNT: Final = "mkdir -p /run/disk && mount -t ext4 /dev/vda /run/disk"

GPIO: Final = """
cd /sys/kernel/config/gpio-sim && mkdir -p hil/bank/line3
echo 8 >hil/bank/num_lines && echo hil-lamp >hil/bank/line3/name && echo 1 >hil/live
"""
"""Eight lines, the fourth of which has a name (the kernel's admin-guide/gpio/gpio-sim.rst)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Those first that use the machine's devices without the server, which would hold them.

    Then those that look at the server before a camera was plugged in, and the others; last what
    takes the machine's power away.
    """
    mine = [index for index, item in enumerate(items) if HERE in item.path.parents]
    ordered = sorted((items[index] for index in mine), key=_needs)
    for index, item in zip(mine, ordered, strict=True):
        items[index] = item


def _needs(item: pytest.Item) -> int:
    fixtures = item.fixturenames if isinstance(item, pytest.Function) else []
    needs = sum(name in fixtures for name in ("machine", "server", "both"))
    return needs if item.path.name != "test_power_cut.py" else 9


def pytest_runtest_setup() -> None:
    """Making the parts may take longer than other tests; all that waits here has a limit."""
    faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Of a test that fails: what the server and the kernel inside said last."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, GuestServer):
        lines = server.log().splitlines()[-80:]
        report.sections.append(("log of the server inside", "\n".join(lines)))
    machine = getattr(item, "funcargs", {}).get("machine")
    if report.failed and isinstance(machine, Machine) and machine.running:
        report.sections.append(("kernel inside", machine.try_run("dmesg | tail -40")[1]))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the times."""
    lines = table()
    if lines:
        terminalreporter.section("times inside the virtual machine")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="package")
def parts() -> Image:
    """What machines are made of."""
    with timed("make the machine's parts, or find them"):
        made = image()
    # Python in there is slow: spare it compiling.
    for folder in ("rotoclear", "twisted", "tests/harness", "tests/hil"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    return made


@pytest.fixture(scope="package")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the machine has for a disk, and another one after it: ext4."""
    disk = tmp_path_factory.mktemp("hil") / "disk.img"
    subprocess.run(["truncate", "-s", "512M", disk], check=True)
    subprocess.run(["/sbin/mkfs.ext4", "-q", disk], check=True)
    return disk


@pytest.fixture(scope="package")
def machine(parts: Image, disk: Path) -> Iterator[Machine]:
    """A machine that is up."""
    with Machine(parts, disk=disk) as machine:
        note("boot", machine.booted)
        machine.run(MOUNT)
        machine.run("modprobe -a vhci_hcd uvcvideo uhid hid_generic hid_led")
        machine.run(f"insmod {parts.built}/irq_sim.ko; insmod {parts.built}/gpio-sim.ko")
        machine.run(f"insmod {parts.built}/uleds.ko")
        yield machine


@pytest.fixture(scope="package")
def vivid(machine: Machine) -> Vivid:
    """Two cameras of the kernel's test driver, not plugged in."""
    return Vivid(machine, 2)


@pytest.fixture(scope="package")
def gpio(machine: Machine) -> str:
    """A chip of GPIO lines; the name of one of them."""
    machine.run(GPIO)
    return "hil-lamp"


@pytest.fixture(scope="package")
def usb_camera(machine: Machine) -> Iterator[Gadget]:
    """A USB camera, plugged in."""
    with Gadget(machine, "usb_camera", "HIL-2") as camera:
        yield camera


@pytest.fixture(scope="package")
def both(server: GuestServer, vivid: Vivid, usb_camera: Gadget, admin: Client) -> None:
    """Camera 1 is a vivid, camera 2 is the USB camera, and they are there."""
    vivid.plug()
    there(admin, {"cam1-exists": True, "cam2-exists": True})


@pytest.fixture(scope="package")
def server(machine: Machine, vivid: Vivid) -> Iterator[GuestServer]:
    """
    A server in it that has answered.

    The test driver was loaded before: it comes with its cameras plugged in, which are pulled
    at once.
    """
    server = GuestServer(machine, CONFIG, DATA)
    with timed("server: start until it answers"):
        server.start()
    yield server
    if machine.running:
        with timed("server: stop"):
            server.stop()
    server.check_log()


@pytest.fixture(scope="package")
def admin(server: GuestServer) -> Iterator[Client]:
    """Somebody outside who may change everything."""
    with server.client("admin") as client:
        yield client


@pytest.fixture
def observer(server: GuestServer) -> Iterator[Client]:
    """Somebody else outside: anonymous, sees what is broadcast."""
    with server.client() as client:
        yield client
