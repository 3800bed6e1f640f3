"""The simulated devices, as their host sees them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.devices.describe import description
from rotoclear.devices.kinds import is_driver
from rotoclear.devices.shapes import BadFrame, checked
from rotoclear.drivers import simulated
from rotoclear.drivers.simulated import (
    FEW_CONTROLS,
    FREE,
    TOTAL,
    SimulatedHead,
    SimulatedLights,
    SimulatedStorage,
)
from rotoclear.drivers.simulated_glow import Glow
from rotoclear.interfaces import (
    IMAGE_CONTROLS,
    DeviceFailure,
    DeviceGone,
    DriverContext,
    ICamera,
    ILight,
    IVolume,
)
from rotoclear.pixels.convert import to_planes
from rotoclear.pixels.marks import Mark, read
from rotoclear.plugins import rotoclear_simulated


class SimulatorCase(SynchronousTestCase):
    def context(self) -> DriverContext:
        self.changes = 0

        def changed() -> None:
            self.changes += 1

        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        return DriverContext(
            log=logging.getLogger("test"),
            options={},
            changed=changed,
            devices=tuple,
            publish=lambda name, value: None,
            data_dir=str(self.folder),
        )


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
            self.assertEqual(described.controls, IMAGE_CONTROLS if number == 1 else FEW_CONTROLS)
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


class Pictures(SimulatorCase):
    """The clock is turned by hand, and waiting turns it."""

    def setUp(self) -> None:
        self.driver = SimulatedHead(1)
        self.driver.start(self.context())
        self.camera = self.driver.open("head-1")
        self.now = 10**12
        self.patch(time, "monotonic_ns", lambda: self.now)
        self.patch(self.driver._hardware["head-1"].pulled, "wait", self.wait)

    def wait(self, seconds: float) -> None:
        self.now += max(0, round(seconds * 1e9))

    def put(self, fault: str, **arguments: Any) -> None:
        self.driver.simulate(fault, "head-1", arguments)

    def read(self) -> Any:
        return self.camera.read(0.1)

    def begin(self, *mode: int) -> None:
        self.camera.select(*(mode or (1, 640, 480, 30)))
        self.camera.start()

    def test_they_are_what_was_chosen(self) -> None:
        for mode in ((1, 640, 480, 30), (2, 3840, 2160, 15)):
            self.begin(*mode)
            frame = self.read()
            data, stride = checked(frame)
            self.assertEqual((frame.width, frame.height), mode[1:3])
            self.assertEqual((frame.format, stride), ("yuyv", 2 * frame.width))
            self.assertEqual(len(data), 2 * frame.width * frame.height)
            self.camera.stop()

    def test_a_head_that_nobody_has_told_anything_delivers(self) -> None:
        self.camera.start()
        frame = self.read()
        self.assertEqual((frame.width, frame.height), (1920, 1080))

    def test_they_come_at_their_rate(self) -> None:
        self.begin()
        frames = [self.read() for _ in range(31)]
        self.assertEqual([frame.sequence for frame in frames], list(range(31)))
        self.assertEqual(frames[30].timestamp - frames[0].timestamp, 10**9)
        self.assertEqual(self.now, frames[30].timestamp)

    def test_who_is_a_little_late_loses_none(self) -> None:
        self.begin()
        self.read()
        self.wait(0.13)
        late = [self.read() for _ in range(4)]
        self.assertEqual([frame.sequence for frame in late], [1, 2, 3, 4])
        # Each tells when it was taken, not when it was read.
        taken = [frame.timestamp - 10**12 for frame in late]
        self.assertEqual(taken, [number * 10**9 // 30 for number in (1, 2, 3, 4)])

    def test_who_is_late_gets_the_newest_ones_and_sees_what_was_lost(self) -> None:
        self.begin()
        self.read()
        self.wait(1)
        self.assertEqual([self.read().sequence for _ in range(5)], [27, 28, 29, 30, 31])

    def test_a_wait_ends(self) -> None:
        self.begin(1, 640, 480, 5)
        self.read()
        self.assertIsNone(self.read())
        self.assertEqual(self.now, 10**12 + 10**8)
        self.assertEqual(self.read().sequence, 1)

    def test_each_tells_which_it_is_and_when_it_was_taken(self) -> None:
        self.wait(1.2345)
        self.begin(2, 640, 480, 30)
        frames = [self.read() for _ in range(40)]
        for number in (0, 1, 39):
            self.assertEqual(frames[number].sequence, number)
        # The bytes are the newest one's: each is good until the next read.
        planes = to_planes(frames[39].data, "yuyv", 640, 480)
        self.assertEqual(read(planes), Mark(1, 2, 39, frames[39].timestamp // 10**6))

    def test_what_its_hardware_is_told_is_seen(self) -> None:
        self.begin()
        before = float(to_planes(self.read().data, "yuyv", 640, 480)[20:480].mean())
        self.camera.set("brightness", 75)
        after = float(to_planes(self.read().data, "yuyv", 640, 480)[20:480].mean())
        self.assertGreater(after, before + 25)

    def test_unplugged_it_is_gone(self) -> None:
        self.begin()
        self.driver.simulate("unplug", "head-1", {})
        with self.assertRaises(DeviceGone):
            self.read()
        self.camera.stop()

    def test_a_freeze(self) -> None:
        self.begin()
        self.put("freeze")
        self.assertEqual([self.read() for _ in range(3)], [None] * 3)
        self.camera.probe()
        self.driver.simulate("clear", "head-1", {})
        self.assertIsNotNone(self.read())

    def test_lost_ones_leave_gaps(self) -> None:
        self.begin()
        self.put("drop", percent=25)
        frames = [frame for frame in (self.read() for _ in range(100)) if frame]
        self.assertEqual(len(frames), 75)
        self.assertEqual(len({frame.sequence for frame in frames}), 75)
        self.assertGreaterEqual(frames[-1].sequence, 98)

    def test_one_that_is_cut_off_is_no_picture(self) -> None:
        self.begin()
        self.put("corrupt")
        with self.assertRaises(BadFrame):
            checked(self.read())

    def test_an_error_at_the_start(self) -> None:
        self.put("error", control="start", times=1)
        with self.assertRaisesRegex(DeviceFailure, "start was not taken"):
            self.begin()
        self.begin()


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

    def light(self, head: int) -> float:
        """How bright the picture of that head is."""
        heads = SimulatedHead(head)
        heads.start(self.all)
        camera = heads.open(f"head-{head}")
        camera.select(1, 640, 480, 60)
        camera.start()
        frame = camera.read(1)
        camera.stop()
        assert frame is not None
        return float(to_planes(bytes(frame.data), "yuyv", 640, 480)[20:440].mean())

    def test_a_lamp_lights_its_head_until_it_loses_its_power(self) -> None:
        self.all = self.context()
        driver = SimulatedLights()
        driver.start(self.all)
        dark = [self.light(1), self.light(2)]
        lamp = driver.open("lamp-2")
        lamp.switch(True)
        self.assertEqual(self.light(1), dark[0])
        self.assertGreater(self.light(2), dark[1] * 2)
        lamp.switch(False)
        self.assertEqual(self.light(2), dark[1])
        for lose in (
            lambda: driver.simulate("unplug", "lamp-2", {}),
            driver.stop,
            lambda: SimulatedLights().start(self.all),
        ):
            Glow(self.all.data_dir, 2).put(True)
            self.assertGreater(self.light(2), dark[1] * 2)
            lose()
            self.assertEqual(self.light(2), dark[1])

    def test_a_lamp_whose_light_cannot_be_told_stays_as_it_was(self) -> None:
        driver = SimulatedLights()
        driver.start(self.context())
        lamp = driver.open("lamp-1")
        self.folder.rmdir()
        with self.assertRaisesRegex(DeviceFailure, "simulated-lamp-1: No such file"):
            lamp.switch(True)
        shown = driver.simulate("show", "lamp-1", {})
        assert shown is not None
        self.assertEqual(shown["holds"], {})

    def test_a_head_that_nobody_looks_at_is_light(self) -> None:
        script = (
            "import sys; from rotoclear.plugins.rotoclear_simulated import simulated_head_1 as d;"
            "d.open('head-1').set('brightness', 60);"
            "print({'numpy', 'cv2', 'av'} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout, "set()\n")

    def test_a_volume(self) -> None:
        driver = SimulatedStorage()
        driver.start(self.context())
        (identity,) = driver.find()
        volume = driver.open(identity)
        verifyObject(IVolume, volume)
        described = volume.describe()
        self.assertEqual(described.path, str(self.folder / "simulated-stick"))
        self.assertTrue(Path(described.path).is_dir())
        self.assertTrue(described.removable)
        usage = volume.usage()
        self.assertEqual(usage.total, TOTAL)
        self.assertTrue(0 < usage.free <= FREE)

    def test_a_volume_has_no_more_room_than_the_disk(self) -> None:
        driver = SimulatedStorage()
        driver.start(self.context())
        volume = driver.open("stick-1")
        real = os.statvfs(self.folder)
        self.patch(os, "statvfs", lambda path: real)
        self.patch(simulated, "FREE", 1 << 60)
        self.assertEqual(volume.usage().free, real.f_bavail * real.f_frsize)

    def test_a_volume_that_cannot_be_made(self) -> None:
        driver = SimulatedStorage()
        driver.start(self.context())
        (self.folder / "simulated-stick").write_text("in the way")
        with self.assertRaisesRegex(DeviceFailure, "cannot be made"):
            driver.open("stick-1")

    def test_each_head_is_a_plugin_of_its_own(self) -> None:
        names = {driver.name for driver in vars(rotoclear_simulated).values() if is_driver(driver)}
        self.assertEqual(
            names,
            {"simulated-head-1", "simulated-head-2", "simulated-lights", "simulated-storage"},
        )
