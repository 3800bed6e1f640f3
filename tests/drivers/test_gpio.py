"""Lamps at GPIO lines, on a played libgpiod; tests/hil/guest_gpio.py has the kernel's."""

from __future__ import annotations

import errno

import msgspec
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.devices.describe import description
from rotoclear.devices.kinds import kind_of
from rotoclear.drivers.gpio import GpioLights
from rotoclear.interfaces import (
    DeviceFailure,
    DeviceGone,
    DriverUnusable,
    ILight,
    ILightDriver,
    Setting,
    UdevDevice,
)
from rotoclear.plugins import rotoclear_gpio
from tests.drivers import played_gpiod
from tests.drivers.contexts import Played
from tests.drivers.played_gpiod import PlayedChip, PlayedLine, chips


class GpioCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(chips.clear)
        self.chip = chips["/dev/gpiochip0"] = PlayedChip(
            "gpiochip0", "INT34C5:00", [PlayedLine(), PlayedLine("lamp"), PlayedLine("PA:3")]
        )
        self.other = chips["/dev/gpiochip1"] = PlayedChip(
            "gpiochip1", "rig", [PlayedLine("fan"), PlayedLine("fan")]
        )

    def started(self, **options: Setting) -> GpioLights:
        driver = GpioLights(played_gpiod.__name__)
        self.played = Played(driver, options)
        self.played.devices = [
            # The shadow of a chip in the old interface; it cannot be opened.
            UdevDevice(path="/sys/devices/x/gpio/gpiochip512", subsystem="gpio"),
            *(
                UdevDevice(path=f"/sys/devices/x/{chip.name}", subsystem="gpio", node=node)
                for node, chip in chips.items()
            ),
        ]
        return driver


class Starting(GpioCase):
    def test_it_is_a_driver_of_lamps(self) -> None:
        verifyObject(ILightDriver, rotoclear_gpio.gpio_lights)
        self.assertEqual(kind_of(rotoclear_gpio.gpio_lights), "light")

    def test_the_real_library_will_do(self) -> None:
        driver = GpioLights()
        Played(driver, {"head-1": "lamp"})
        self.assertEqual(driver.find(), [])

    def test_a_missing_library_is_told_with_what_helps(self) -> None:
        for wrong in ("gpiod_that_is_not_there", "json"):
            with self.assertRaisesRegex(DriverUnusable, r"pip install 'rotoclear\[gpio\]'"):
                Played(GpioLights(wrong))

    def test_a_configuration_that_names_no_line_is_said_once(self) -> None:
        driver = self.started()
        self.assertEqual([driver.find(), driver.find()], [[], []])
        self.assertEqual(len(self.played.said), 1)
        self.assertIn("[drivers.gpio]", self.played.said[0])


class Finding(GpioCase):
    def test_a_line_is_found_by_each_of_its_names(self) -> None:
        for text in (
            "gpiochip0:1",
            "gpiochip0:lamp",
            "INT34C5:00:1",
            "INT34C5:00:lamp",
            "lamp",
            "PA:3",
            "INT34C5:00:2",
        ):
            self.assertEqual(self.started(head_2=text).find(), ["head-2"], text)

    def test_a_line_that_is_not_there_is_not_found(self) -> None:
        for text in ("gpiochip0:3", "gpiochip0:other", "rig:lamp", "2", "other", "gpiochip2:0"):
            self.assertEqual(self.started(head_2=text).find(), [], text)

    def test_a_name_that_two_chips_have_is_none(self) -> None:
        self.other.lines[0].name = "lamp"
        driver = self.started(head_1="lamp", head_2="rig:lamp")
        self.assertEqual([driver.find(), driver.find()], [["head-2"], ["head-2"]])
        (said,) = self.played.said
        self.assertIn("more than one line lamp (/dev/gpiochip0, /dev/gpiochip1)", said)

    def test_a_chip_that_comes_and_goes_takes_its_lamp_along(self) -> None:
        driver = self.started(head_1="rig:0", head_2="lamp")
        self.chip.plugged = False
        self.assertEqual(driver.find(), ["head-1"])
        with self.assertRaises(DeviceGone):
            driver.open("head-2")
        self.chip.plugged = True
        self.assertEqual(driver.find(), ["head-1", "head-2"])

    def test_a_missing_permission_is_said_once_with_what_helps(self) -> None:
        self.chip.error = errno.EACCES
        driver = self.started(head_1="lamp")
        self.assertEqual([driver.find(), driver.find()], [[], []])
        (said,) = self.played.said
        self.assertRegex(said, "/dev/gpiochip0: Permission denied.*group")


class Switching(GpioCase):
    def test_it_describes_itself_well(self) -> None:
        lamp = self.started(head_2="rig:0").open("head-2")
        verifyObject(ILight, lamp)
        described = lamp.describe()
        raw = msgspec.to_builtins(described)
        self.assertEqual(description("light", "head-2", raw), described)
        self.assertEqual((described.head, described.name), (2, "GPIO line rig:0"))

    def test_the_line_follows(self) -> None:
        line = self.chip.lines[1]
        lamp = self.started(head_1="lamp").open("head-1")
        lamp.switch(True)
        lamp.probe()
        lamp.switch(False)
        self.assertEqual(line.history, [False, True, False])
        self.assertEqual(line.settings.drive, "push-pull")

    def test_a_line_that_is_active_low_follows(self) -> None:
        line = self.chip.lines[1]
        lamp = self.started(head_1="lamp", active_low=True, open_drain=True).open("head-1")
        lamp.switch(True)
        lamp.switch(False)
        self.assertEqual(line.history, [False, False, True])
        self.assertEqual(line.settings.drive, "open-drain")

    def test_opening_keeps_the_level(self) -> None:
        line = self.chip.lines[1]
        for active_low in (False, True):
            for high in (False, True):
                line.high = high
                line.history.clear()
                lamp = self.started(head_1="lamp", active_low=active_low).open("head-1")
                self.assertEqual(line.history, [high])
                lamp.close()

    def test_a_line_in_use_is_refused_with_its_user(self) -> None:
        self.chip.lines[1].consumer = "wiper"
        driver = self.started(head_1="lamp")
        with self.assertRaisesRegex(DeviceFailure, "lamp is in use by wiper"):
            driver.open("head-1")
        self.chip.lines[1].consumer = ""
        driver.open("head-1")
        with self.assertRaisesRegex(DeviceFailure, "lamp is in use by rotoclear"):
            driver.open("head-1")

    def test_closing_lets_go_of_the_line(self) -> None:
        driver = self.started(head_1="lamp")
        driver.open("head-1").close()
        self.assertEqual(self.chip.lines[1].consumer, "")

    def test_what_fails_while_opening_lets_go_of_the_line(self) -> None:
        driver = self.started(head_1="lamp")
        self.chip.request_error = errno.EIO
        with self.assertRaisesRegex(DeviceFailure, "Input/output error"):
            driver.open("head-1")
        self.assertEqual(self.chip.lines[1].consumer, "")

    def test_a_chip_that_fails_is_told_and_one_that_was_pulled_is_gone(self) -> None:
        lamp = self.started(head_1="lamp").open("head-1")
        self.chip.error = errno.EREMOTEIO
        for call in (lamp.probe, lambda: lamp.switch(True)):
            with self.assertRaisesRegex(DeviceFailure, "Remote I/O error") as caught:
                call()
            self.assertNotIsInstance(caught.exception, DeviceGone)
        self.chip.plugged = False
        for call in (lamp.probe, lambda: lamp.switch(True)):
            with self.assertRaises(DeviceGone):
                call()
        lamp.close()
