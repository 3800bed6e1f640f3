"""A lamp that is the kernel's LEDs, and one at a GPIO line."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.harness import Client
from tests.hil.guest import LIMIT
from tests.hil.machine import Machine
from tests.hil.plugged import Gadget
from tests.hil.times import timed

pytestmark = pytest.mark.usefixtures("both")


@pytest.fixture
def usb_light(machine: Machine) -> Iterator[Gadget]:
    """A USB light, plugged in."""
    with Gadget(machine, "uhid_light", "HIL-LIGHT") as light:
        yield light


def test_a_lamp_is_switched_in_the_reports_to_a_usb_light(admin: Client, usb_light: Gadget) -> None:
    """Each colour is a report of its own; the last of them holds all three."""
    _switched(admin, "cam1-light", True)
    usb_light.until(lambda said: said[-1].startswith("OUTPUT 000101ffffff"))
    _switched(admin, "cam1-light", False)
    usb_light.until(lambda said: said[-1].startswith("OUTPUT 000101000000"))


@pytest.mark.usefixtures("gpio")
def test_a_lamp_is_switched_at_a_gpio_line(admin: Client, machine: Machine) -> None:
    level = "cat /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio3/value"
    _switched(admin, "cam2-light", True)
    assert machine.run(level) == "1"
    _switched(admin, "cam2-light", False)
    assert machine.run(level) == "0"


def _switched(admin: Client, key: str, on: bool) -> None:
    """Nobody is told when a lamp has come: ask until it is there."""
    deadline = time.monotonic() + LIMIT
    while True:
        with timed(f"{key}: until it is confirmed"):
            answer = admin.ask({key: on})
        if answer.get("error") != "Not available" or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert answer == {key: on, "info": [key]}
