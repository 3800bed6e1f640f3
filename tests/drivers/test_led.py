"""Lamps that are LEDs, on a played ``/sys/class/leds``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.devices.describe import description
from rotoclear.devices.kinds import kind_of
from rotoclear.drivers.led import Led, LedLights
from rotoclear.interfaces import DeviceFailure, DeviceGone, ILight, ILightDriver, Setting
from rotoclear.plugins import rotoclear_led
from tests.drivers.contexts import Played

NOBODY = 65534


class LedCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute()
        self.leds = self.root / "class/leds"
        self.leds.mkdir(parents=True)

    def plug(self, *names: str, maximum: int = 255, trigger: str = "[none] timer\n") -> None:
        for name in names:
            folder = self.leds / name
            folder.mkdir()
            (folder / "brightness").write_text("0\n")
            (folder / "max_brightness").write_text(f"{maximum}\n")
            (folder / "trigger").write_text(trigger)

    def pull(self, name: str) -> None:
        shutil.rmtree(self.leds / name)

    def brightness(self, name: str) -> int:
        return int((self.leds / name / "brightness").read_text())

    def started(self, **options: Setting) -> LedLights:
        driver = LedLights(str(self.root))
        self.played = Played(driver, options)
        return driver


class Finding(LedCase):
    def test_it_is_a_driver_of_lamps(self) -> None:
        verifyObject(ILightDriver, rotoclear_led.led_lights)
        self.assertEqual(kind_of(rotoclear_led.led_lights), "light")

    def test_a_lamp_is_there_with_its_leds(self) -> None:
        driver = self.started(head_1=("a:*",), head_2=("b",))
        self.assertEqual(driver.find(), [])
        self.plug("a:red", "a:green", "c")
        self.assertEqual(driver.find(), ["head-1"])
        self.plug("b")
        self.assertEqual(driver.find(), ["head-1", "head-2"])
        self.pull("a:red")
        self.pull("a:green")
        self.assertEqual(driver.find(), ["head-2"])

    def test_a_lamp_is_there_only_with_something_of_each_pattern(self) -> None:
        driver = self.started(head_1=("a:*", "b"))
        self.plug("a:red")
        self.assertEqual(driver.find(), [])
        self.plug("b")
        self.assertEqual(driver.find(), ["head-1"])

    def test_without_leds_in_this_kernel_there_is_no_lamp(self) -> None:
        self.leds.rmdir()
        self.assertEqual(self.started(head_1=("*",)).find(), [])

    def test_a_configuration_that_names_no_led_is_said_once(self) -> None:
        driver = self.started()
        self.plug("a")
        self.assertEqual([driver.find(), driver.find()], [[], []])
        self.assertEqual(len(self.played.said), 1)
        self.assertIn("[drivers.led]", self.played.said[0])

    def test_what_is_not_there_cannot_be_opened(self) -> None:
        driver = self.started(head_1=("a",))
        for identity in ("head-1", "head-2", "other"):
            with self.assertRaises(DeviceGone):
                driver.open(identity)


class Switching(LedCase):
    def setUp(self) -> None:
        super().setUp()
        self.plug("a:red", "a:green")
        self.driver = self.started(head_1=("a:*",))
        self.lamp = self.driver.open("head-1")

    def test_it_describes_itself_well(self) -> None:
        verifyObject(ILight, self.lamp)
        described = self.lamp.describe()
        raw = msgspec.to_builtins(described)
        self.assertEqual(description("light", "head-1", raw), described)
        self.assertEqual((described.head, described.name), (1, "a:green and 1 more LEDs"))

    def test_all_leds_follow(self) -> None:
        self.lamp.switch(True)
        self.assertEqual([self.brightness("a:red"), self.brightness("a:green")], [255, 255])
        self.lamp.probe()
        self.lamp.switch(False)
        self.assertEqual([self.brightness("a:red"), self.brightness("a:green")], [0, 0])

    def test_it_is_as_bright_as_configured_and_never_dark(self) -> None:
        self.plug("dim", maximum=3)
        for percent, bright, dim in ((50, 128, 2), (1, 3, 1), (100, 255, 3)):
            lamp = self.started(head_2=("dim", "a:red"), brightness=percent).open("head-2")
            lamp.switch(True)
            self.assertEqual([self.brightness("a:red"), self.brightness("dim")], [bright, dim])

    def test_a_trigger_is_ended(self) -> None:
        trigger = self.leds / "a:red/trigger"
        trigger.write_text("none [heartbeat] timer\n")
        self.lamp.switch(True)
        self.assertTrue(trigger.read_text().startswith("none"))
        self.assertEqual((self.leds / "a:green/trigger").read_text(), "[none] timer\n")

    def test_a_kernel_without_triggers_will_do(self) -> None:
        for name in ("a:red", "a:green"):
            (self.leds / name / "trigger").unlink()
        self.lamp.switch(True)
        self.assertEqual(self.brightness("a:red"), 255)

    def test_one_that_does_not_take_it_fails_and_the_others_are_put_back(self) -> None:
        write = Led.write

        def refuse(led: Led, attribute: str, text: str) -> None:
            if led.name == "a:red":
                raise DeviceFailure("No, thanks")
            write(led, attribute, text)

        self.patch(Led, "write", refuse)
        with self.assertRaisesRegex(DeviceFailure, "No, thanks"):
            self.lamp.switch(True)
        self.assertEqual(self.brightness("a:green"), 0)

    def test_one_that_shows_something_else_has_failed(self) -> None:
        self.patch(Led, "write", lambda *_: None)
        with self.assertRaisesRegex(DeviceFailure, "was set to 255 and shows 0"):
            self.lamp.switch(True)

    def test_closing_leaves_it_as_it_is(self) -> None:
        self.lamp.switch(True)
        self.lamp.close()
        self.driver.stop()
        self.assertEqual(self.brightness("a:red"), 255)

    def test_a_missing_permission_is_told_with_what_helps(self) -> None:
        for name in ("a:red", "a:green"):
            (self.leds / name / "brightness").chmod(0o444)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
            self.addCleanup(os.seteuid, 0)
        with self.assertRaisesRegex(DeviceFailure, "Permission denied.*udev rule"):
            self.lamp.switch(True)


class Pulled(LedCase):
    def setUp(self) -> None:
        super().setUp()
        self.plug("a:red", "a:green")
        self.lamp = self.started(head_1=("a:*",)).open("head-1")

    def test_it_is_gone(self) -> None:
        self.pull("a:red")
        for call in (self.lamp.probe, lambda: self.lamp.switch(True)):
            with self.assertRaises(DeviceGone):
                call()

    def test_put_back_at_once_it_is_another(self) -> None:
        self.leds.joinpath("a:red").rename(self.root / "keeps its inode")
        self.plug("a:red")
        with self.assertRaises(DeviceGone):
            self.lamp.probe()

    def test_more_leds_of_it_make_it_another(self) -> None:
        self.lamp.probe()
        self.plug("a:blue")
        with self.assertRaises(DeviceGone):
            self.lamp.probe()
