"""Pictures from a simulated head's real process to who looks at them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from rotoclear.devices.opening import OpenDevice
from rotoclear.devices.ring import CaptureInfo, NoPictures, Picture, Reader, ViewEnded
from rotoclear.state.errors import DeviceError
from tests.devices.test_service import RoomCase

SECONDS = 10.0
"""For what happens at once."""


class ViewCase(RoomCase):
    disabled = ("simulated-head-2", "simulated-lights", "simulated-storage")

    async def setUp(self) -> None:
        await super().setUp()
        while self.devices.heads.device(1) is None:
            await self.turn()

    def device(self) -> Any:
        device = self.devices.heads.device(1)
        assert device is not None
        return device

    async def view(self) -> Reader:
        reader = Reader(await self.device().view())
        self.addCleanup(reader.close)
        return reader

    async def next(self, reader: Reader) -> Picture:
        return await deferToThread(reader.next, SECONDS)

    async def until_pictures(self, reader: Reader) -> Picture:
        """The next one, however often there were none."""
        while True:
            try:
                return await self.next(reader)
            except NoPictures:
                pass

    async def ends(self, reader: Reader) -> None:
        """Return when the view has ended."""
        while True:
            try:
                await self.next(reader)
            except NoPictures:
                pass
            except ViewEnded:
                return

    async def streams(self, wanted: bool) -> None:
        """Return when the camera takes pictures, or does not."""
        while (await self.show())["streams"] is not wanted:
            await self.turn()

    async def show(self) -> Any:
        return await self.devices.simulate("show", "head-1", {})

    async def turn(self) -> None:
        await deferLater(reactor, 0.01)  # type: ignore[arg-type]

    async def put(self, fault: str, **arguments: Any) -> None:
        await self.devices.simulate(fault, "head-1", arguments)

    def pid(self) -> int:
        return int(self.driver("simulated-head-1")["pid"])


class Views(ViewCase):
    async def test_pictures_come_at_the_chosen_size_and_rate(self) -> None:
        await self.ask(resolution="640x480", fps=60)
        reader = await self.view()
        pictures = [await self.next(reader) for _ in range(5)]
        for picture in pictures:
            self.assertEqual((picture.width, picture.height), (640, 480))
            self.assertEqual(len(picture.data), 640 * 480 * 2)
        took = pictures[-1].timestamp - pictures[0].timestamp
        counted = pictures[-1].sequence - pictures[0].sequence
        self.assertEqual(round(took / counted / 1000), round(1e6 / 60))

    async def test_the_camera_runs_while_somebody_looks(self) -> None:
        self.assertIs((await self.show())["streams"], False)
        first, second = await self.view(), await self.view()
        await self.next(first)
        first.close()
        await self.next(second)
        await self.streams(True)
        second.close()
        begun = time.monotonic()
        await self.streams(False)
        self.assertLess(time.monotonic() - begun, 1)

    async def test_a_view_outlives_another_choice_of_size(self) -> None:
        await self.ask(resolution="640x480")
        reader = await self.view()
        await self.next(reader)
        await self.ask(resolution="1920x1080")
        while (await self.until_pictures(reader)).width != 1920:
            pass

    async def test_settings_are_taken_meanwhile(self) -> None:
        reader = await self.view()
        await self.next(reader)
        outcome = await self.ask(brightness=75)
        self.assertEqual(outcome.refused, [])
        await self.next(reader)

    async def test_one_picture_can_be_asked_for(self) -> None:
        await self.ask(resolution="640x480")
        info = await self.device().call("capture")
        self.assertIsInstance(info, CaptureInfo)
        self.assertEqual((info.width, info.height, info.length), (640, 480, 640 * 480 * 2))
        await self.streams(False)
        reader = await self.view()
        later = await self.device().call("capture")
        self.assertGreater(later.timestamp, info.timestamp)
        await self.next(reader)

    async def test_only_a_camera_has_pictures(self) -> None:
        camera = self.device()
        lamp = OpenDevice(camera._opening, "light", camera.driver, camera.description)
        with self.assertRaises(ValueError):
            lamp.view()

    async def test_nothing_is_left_behind(self) -> None:
        def left() -> tuple[int, int, int]:
            there = f"/proc/{self.pid()}"
            return (
                len(os.listdir("/proc/self/fd")),
                len(os.listdir(f"{there}/fd")),
                len(os.listdir(f"{there}/task")),
            )

        await self.ask(resolution="640x480", fps=60)
        await self.next_of_a_new_view()
        await self.streams(False)
        before = left()
        for _ in range(50):
            await self.next_of_a_new_view()
        await self.streams(False)
        await self.until_so(lambda: left() == before)

    async def next_of_a_new_view(self) -> None:
        reader = await self.view()
        await self.next(reader)
        reader.close()

    async def until_so(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not is_so():
            assert time.monotonic() < end
            await self.turn()

    async def test_who_does_not_wait_any_more_leaves_nothing_behind(self) -> None:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            view = self.device().view()
            view.addErrback(lambda _: None)
            view.cancel()
        await self.device().call("probe")
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        await self.streams(False)


class Faults(ViewCase):
    async def test_unplugged_in_the_middle(self) -> None:
        reader = await self.view()
        await self.next(reader)
        begun = time.monotonic()
        await self.put("unplug")
        await self.ends(reader)
        await self.until_key("cam1-exists", False)
        self.assertLess(time.monotonic() - begun, 2)
        await self.put("plug")
        await self.until_key("cam1-exists", True)
        while self.devices.heads.device(1) is None:
            await self.turn()
        await self.next(await self.view())

    async def test_a_process_that_is_killed(self) -> None:
        reader = await self.view()
        await self.next(reader)
        before = self.device()
        os.kill(self.pid(), signal.SIGKILL)
        await self.ends(reader)
        while self.devices.heads.device(1) in (None, before):
            await self.turn()
        await self.next(await self.view())

    async def test_a_freeze_is_no_loss(self) -> None:
        reader = await self.view()
        await self.next(reader)
        await self.put("freeze")
        with self.assertRaises(TimeoutError):
            while True:
                await deferToThread(reader.next, 0.5)
        with self.assertRaisesRegex(DeviceError, "No picture came"):
            await self.device().call("capture")
        self.assertIs(self.model["cam1-exists"], True)
        await self.put("clear")
        await self.next(reader)

    async def test_a_viewer_of_a_frozen_camera_may_leave(self) -> None:
        reader = await self.view()
        await self.next(reader)
        await self.put("freeze")
        reader.close()
        await self.streams(False)

    async def test_a_camera_that_does_not_start_is_tried_again(self) -> None:
        await self.put("error", control="start")
        reader = await self.view()
        for _ in range(2):
            with self.assertRaisesRegex(NoPictures, "start was not taken"):
                await self.next(reader)
        with self.assertRaisesRegex(DeviceError, "start was not taken"):
            await self.device().call("capture")
        late = await self.view()
        with self.assertRaisesRegex(NoPictures, "start was not taken"):
            await self.next(late)
        await self.put("clear")
        await self.until_pictures(reader)
        await self.until_pictures(late)

    async def test_nonsense_is_no_picture(self) -> None:
        reader = await self.view()
        await self.next(reader)
        await self.put("corrupt")
        with self.assertRaisesRegex(NoPictures, "The driver is at fault: a frame of"):
            while True:
                await self.next(reader)
        with self.assertRaisesRegex(DeviceError, "simulated-head-1 failed"):
            await self.device().call("capture")
        self.assertIs(self.model["cam1-exists"], True)
        await self.put("clear")
        await self.until_pictures(reader)

    async def test_lost_pictures_leave_gaps(self) -> None:
        await self.put("drop", percent=50)
        reader = await self.view()
        numbers = [(await self.next(reader)).sequence for _ in range(6)]
        self.assertGreaterEqual(numbers[-1] - numbers[0], 10)
