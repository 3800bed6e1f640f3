"""The kernel's devices as sysfs shows them."""

from __future__ import annotations

from pathlib import Path

from rotoclear.devices import sysfs
from rotoclear.interfaces import UdevDevice


def add(root: Path, path: str, link: str, uevent: str | None) -> None:
    device = root / path
    device.mkdir(parents=True)
    if uevent is not None:
        (device / "uevent").write_text(uevent)
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(device)


def test_devices_of_classes_and_of_buses(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    uevent = "MAJOR=81\nMINOR=0\nDEVNAME=video0\n"
    add(root, "devices/pci/video4linux/video0", "class/video4linux/video0", uevent)
    add(root, "devices/platform/gpio-sim.0", "bus/platform/devices/gpio-sim.0", "DRIVER=gpio\n")
    add(root, "devices/leds/red", "class/leds/red", "")
    assert sysfs.devices(["video4linux", "platform", "input"], str(root)) == [
        UdevDevice(
            path=f"{root}/devices/pci/video4linux/video0",
            subsystem="video4linux",
            node="/dev/video0",
            properties={"MAJOR": "81", "MINOR": "0", "DEVNAME": "/dev/video0"},
        ),
        UdevDevice(
            path=f"{root}/devices/platform/gpio-sim.0",
            subsystem="platform",
            properties={"DRIVER": "gpio"},
        ),
    ]


def test_what_is_no_device_or_has_gone_is_left_out(tmp_path: Path) -> None:
    add(tmp_path, "devices/a", "class/leds/a", None)
    (tmp_path / "class/leds/b").symlink_to(tmp_path / "devices/b")
    (tmp_path / "class/leds/c").write_text("")
    assert sysfs.devices(["leds"], str(tmp_path)) == []


def test_those_of_this_machine() -> None:
    nodes = {device.node: device for device in sysfs.devices(["mem"])}
    null = nodes["/dev/null"]
    assert (null.path, null.properties["MINOR"]) == ("/sys/devices/virtual/mem/null", "3")
