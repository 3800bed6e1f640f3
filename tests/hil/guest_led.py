"""
Inside the machine: the ``led`` driver and a USB light of the kernel's ``hid_led``.

``python -m tests.hil.guest_led PROGRAM``: the program plays the light (``/dev/uhid``), prints what
reaches it and is unplugged by SIGTERM. Needs ``modprobe -a uhid hid_led hid_generic``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rotoclear.drivers.led import LedLights
from rotoclear.interfaces import DeviceGone
from tests.drivers.contexts import Played


def until(what: str, there: Callable[[], bool]) -> None:
    """Wait for it, 20 seconds at most."""
    end = time.monotonic() + 20
    while not there():
        assert time.monotonic() < end, f"{what}: not within 20 s"
        time.sleep(0.05)


def plug(program: str, output: str) -> subprocess.Popen[bytes]:
    with open(output, "wb") as file:
        return subprocess.Popen([sys.executable, program], stdout=file)


def main(program: str) -> None:
    output = "/run/light.log"
    driver = LedLights()
    Played(driver, {"head-1": ("luxafor*:*:led0",), "brightness": 50})
    assert driver.find() == []

    light = plug(program, output)
    until("the light", lambda: driver.find() == ["head-1"])
    # Its three colours come one after another.
    until("all colours", lambda: len(driver._leds.of(("luxafor*:*:led0",))) == 3)
    lamp = driver.open("head-1")
    assert lamp.describe().head == 1
    lamp.probe()
    before = Path(output).read_text().count("OUTPUT")
    lamp.switch(True)
    # The kernel sends it a moment after the write.
    until("what it was told", lambda: Path(output).read_text().count("OUTPUT") >= before + 3)
    assert [led.number("brightness") for led in lamp._leds] == [128] * 3
    assert "80" in Path(output).read_text(), Path(output).read_text()
    lamp.switch(False)
    assert [led.number("brightness") for led in lamp._leds] == [0] * 3

    light.terminate()
    light.wait()
    until("that it is gone", lambda: driver.find() == [])
    for call in (lamp.probe, lambda: lamp.switch(True)):
        try:
            call()
        except DeviceGone:
            continue
        raise AssertionError("it should be gone")
    lamp.close()

    light = plug(program, output)
    until("the light again", lambda: driver.find() == ["head-1"])
    light.terminate()
    light.wait()
    print("fine")


if __name__ == "__main__":
    main(*sys.argv[1:])
