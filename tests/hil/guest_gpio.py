"""
Inside the machine: the ``gpio`` driver and a chip of the kernel's ``gpio-sim``.

``python -m tests.hil.guest_gpio``. Needs configfs and the modules irq_sim and gpio-sim.
(Documentation/admin-guide/gpio/gpio-sim.rst.)
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from rotoclear.drivers.gpio import GpioLights
from rotoclear.interfaces import DeviceFailure, DeviceGone, UdevDevice
from tests.drivers.contexts import Played

CONFIG = Path("/sys/kernel/config/gpio-sim/rig")


def build() -> Path:
    """A chip ``rig`` of four lines: ``lamp`` is 2, and 3 belongs to ``wiper``. Its folder."""
    bank = CONFIG / "bank"
    for folder in (CONFIG, bank, bank / "line2", bank / "line3", bank / "line3/hog"):
        folder.mkdir()
    for name, text in {
        "num_lines": "4",
        "label": "rig",
        "line2/name": "lamp",
        "line3/hog/name": "wiper",
        "line3/hog/direction": "output-low",
    }.items():
        (bank / name).write_text(text)
    (CONFIG / "live").write_text("1")
    device, chip = ((CONFIG / "dev_name").read_text(), (bank / "chip_name").read_text())
    subprocess.run(["udevadm", "settle"], check=True)
    return Path("/sys/devices/platform") / device.strip() / chip.strip()


def level(chip: Path, line: int) -> str:
    return (chip / f"sim_gpio{line}/value").read_text().strip()


def main() -> None:
    chip = build()
    devices = [UdevDevice(path=str(chip), subsystem="gpio", node=f"/dev/{chip.name}")]

    driver = GpioLights()
    played = Played(driver, {"head-1": "lamp", "head-2": "rig:3"})
    assert driver.find() == []
    played.devices = devices
    assert driver.find() == ["head-1", "head-2"]

    lamp = driver.open("head-1")
    assert level(chip, 2) == "0"
    lamp.switch(True)
    lamp.probe()
    assert level(chip, 2) == "1"
    lamp.switch(False)
    assert level(chip, 2) == "0"
    lamp.close()

    try:
        driver.open("head-2")
    except DeviceFailure as failure:
        said = str(failure)
    else:
        said = "it was opened"
    assert "in use by wiper" in said, said

    # A level that is there already stays, whichever way round the lamp is wired.
    (chip / "sim_gpio0/pull").write_text("pull-up")
    for active_low in (False, True):
        other = GpioLights()
        Played(other, {"head-1": f"{chip.name}:0", "active-low": active_low}).devices = devices
        lamp = other.open("head-1")
        assert level(chip, 0) == "1", active_low
        lamp.switch(active_low)
        assert level(chip, 0) == "0", active_low
        lamp.switch(not active_low)
        assert level(chip, 0) == "1", active_low
        lamp.close()
        (chip / "sim_gpio0/pull").write_text("pull-up")

    lamp = driver.open("head-1")
    (CONFIG / "live").write_text("0")
    for call in (lamp.probe, lambda: lamp.switch(True)):
        try:
            call()
        except DeviceGone:
            continue
        raise AssertionError("it should be gone")
    assert driver.find() == []
    lamp.close()
    print("fine")


if __name__ == "__main__":
    main()
