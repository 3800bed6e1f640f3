"""The simulated devices, as their host sees them."""

from __future__ import annotations

import logging

import msgspec
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.devices.describe import description
from rotoclear.devices.kinds import is_driver
from rotoclear.drivers.simulated import (
    FREE,
    TOTAL,
    SimulatedHead,
    SimulatedLights,
    SimulatedStorage,
)
from rotoclear.interfaces import (
    IMAGE_CONTROLS,
    DeviceFailure,
    DeviceGone,
    DriverContext,
    ICamera,
    ILight,
    IVolume,
    VolumeUsage,
)
from rotoclear.plugins import rotoclear_simulated


class SimulatorCase(SynchronousTestCase):
    def context(self) -> DriverContext:
        self.changes = 0

        def changed() -> None:
            self.changes += 1

        return DriverContext(log=logging.getLogger("test"), options={}, changed=changed)


class Heads(SimulatorCase):
    def setUp(self) -> None:
        self.driver = SimulatedHead(1)
        self.driver.start(self.context())
        self.camera = self.driver.open("head-1")

    def holds(self) -> object:
        shown = self.driver.simulate("show", "head-1", {})
        assert shown is not None
        return shown["holds"]

    def test_it_is_a_camera_with_a_valid_description(self) -> None:
        verifyObject(ICamera, self.camera)
        for number in (1, 2):
            described = SimulatedHead(number).open(f"head-{number}").describe()
            raw = msgspec.to_builtins(described)
            self.assertEqual(description("camera", f"head-{number}", raw), described)
            self.assertEqual(described.head, number)
            self.assertEqual(described.controls, IMAGE_CONTROLS)
            self.assertEqual(len(described.sensors), 2)

    def test_the_second_can_do_less(self) -> None:
        sizes = [
            {(m.width, m.height) for m in SimulatedHead(n).open(f"head-{n}").describe().modes}
            for n in (1, 2)
        ]
        self.assertEqual(sizes[0] - sizes[1], {(3840, 2160)})

    def test_what_it_is_told_it_holds(self) -> None:
        self.camera.set("brightness", 75)
        self.camera.set("auto-exposure", "shutter-priority")
        self.camera.set("noise-supression", True)
        self.camera.select(2, 1280, 720, 60)
        self.assertEqual(
            self.holds(),
            {
                "brightness": 75,
                "auto-exposure": "shutter-priority",
                "noise-supression": True,
                "sensor": 2,
                "width": 1280,
                "height": 720,
                "rate": 60,
            },
        )

    def test_what_it_cannot_do_it_refuses(self) -> None:
        for control, value in (
            ("brightness", 101),
            ("brightness", True),
            ("auto-exposure", "daylight"),
            ("noise-supression", 1),
            ("warp", 5),
        ):
            with self.assertRaises(DeviceFailure):
                self.camera.set(control, value)
        for mode in ((3, 640, 480, 30), (1, 640, 481, 30), (1, 3840, 2160, 60)):
            with self.assertRaises(DeviceFailure):
                self.camera.select(*mode)
        self.assertEqual(self.holds(), {})

    def test_unplugged_it_is_gone_and_has_forgotten_everything(self) -> None:
        self.camera.set("brightness", 75)
        self.driver.simulate("unplug", "head-1", {})
        self.assertEqual(self.driver.find(), [])
        for call in (
            self.camera.probe,
            lambda: self.camera.set("gain", 1),
            lambda: self.driver.open("head-1"),
        ):
            with self.assertRaises(DeviceGone):
                call()
        self.driver.simulate("plug", "head-1", {})
        self.assertEqual(self.driver.find(), ["head-1"])
        self.assertEqual(self.holds(), {})
        self.assertEqual(self.changes, 2)

    def test_others_identities(self) -> None:
        with self.assertRaises(DeviceGone):
            self.driver.open("head-2")
        with self.assertRaisesRegex(ValueError, "there are: head-1"):
            self.driver.simulate("unplug", "head-2", {})

    def test_actions_without_arguments_take_none(self) -> None:
        for action in ("plug", "unplug", "clear", "show"):
            with self.assertRaisesRegex(ValueError, "no arguments"):
                self.driver.simulate(action, "head-1", {"x": 1})

    def test_show_tells_the_faults_and_what_there_is(self) -> None:
        self.driver.simulate("latency", "head-1", {"milliseconds": 5})
        shown = self.driver.simulate("show", "head-1", {})
        assert shown is not None
        self.assertEqual(shown["faults"], {"latency": {"milliseconds": 5}})
        self.assertEqual(shown["plugged"], True)
        self.assertIn("error", str(shown["possible"]))
        self.driver.simulate("clear", "head-1", {})
        shown = self.driver.simulate("show", "head-1", {})
        assert shown is not None
        self.assertEqual(shown["faults"], {})


class Others(SimulatorCase):
    def test_lamps(self) -> None:
        driver = SimulatedLights()
        driver.start(self.context())
        self.assertEqual(driver.find(), ["lamp-1", "lamp-2"])
        for number, identity in enumerate(driver.find(), 1):
            lamp = driver.open(identity)
            verifyObject(ILight, lamp)
            self.assertEqual((lamp.describe().identity, lamp.describe().head), (identity, number))
            lamp.probe()
            lamp.switch(True)
            shown = driver.simulate("show", identity, {})
            assert shown is not None
            self.assertEqual(shown["holds"], {"on": True})
            lamp.close()
        driver.stop()

    def test_a_volume(self) -> None:
        driver = SimulatedStorage()
        driver.start(self.context())
        (identity,) = driver.find()
        volume = driver.open(identity)
        verifyObject(IVolume, volume)
        self.assertEqual(volume.usage(), VolumeUsage(total=TOTAL, free=FREE))
        self.assertTrue(volume.describe().removable)

    def test_each_head_is_a_plugin_of_its_own(self) -> None:
        names = {driver.name for driver in vars(rotoclear_simulated).values() if is_driver(driver)}
        self.assertEqual(
            names,
            {"simulated-head-1", "simulated-head-2", "simulated-lights", "simulated-storage"},
        )
