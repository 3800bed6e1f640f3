"""What is checked of drivers for camera heads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from rotoclear.devices.ring import Picture
from rotoclear.interfaces import IMAGE_CONTROLS, CameraDescription, DeviceFailure, VideoMode
from rotoclear.testing.bench import Bench, Handle, Late, Stream
from rotoclear.testing.cases import DriverTests
from rotoclear.testing.checks import both, direct, hosted
from rotoclear.testing.direct import DirectBench, DirectHandle
from rotoclear.testing.fault import Fault
from rotoclear.testing.pictures import Album
from rotoclear.testing.samples import sampled
from rotoclear.testing.work import Worker
from rotoclear.values import Value

SLIDERS: Final = (0, 1, 49, 50, 51, 99, 100)
"""Values that a slider is set to."""

SELECTIONS: Final = 24
"""Combinations of sensor, size and rate that are chosen."""

SIZES: Final = 4
"""Sizes that are looked at."""

_AUTOMATIC: Final = ("auto-exposure", "auto-white-balance")


class CameraDriverTests(DriverTests):
    """
    For a class of tests of yours; see :mod:`rotoclear.testing`.

    :cvar seconds: that pictures are taken for, to measure the rate.
    :cvar patience: seconds in which the first picture must have come.
    """

    kind: ClassVar[str] = "camera"
    seconds: float = 1.0
    patience: float = 5.0

    def once(self, handle: Handle) -> None:
        handle.call("probe")
        select(handle, smallest(self._description(handle)))
        with self.streaming(handle) as stream:
            for _ in range(2):
                stream.next(self.patience)

    def used(self, handle: Handle) -> None:
        handle.stream().next(self.patience)

    def calls_to_lose(self, handle: Handle) -> list[tuple[str, tuple[Any, ...]]]:
        description = self._description(handle)
        mode = description.modes[0]
        calls: list[tuple[str, tuple[Any, ...]]] = [
            ("probe", ()),
            ("select", (1, mode.width, mode.height, mode.rates[0])),
        ]
        if description.controls:
            control = sorted(description.controls)[0]
            calls.append(("set", (control, values_for(description, control)[0])))
        return calls

    def _description(self, handle: Handle) -> CameraDescription:
        description: CameraDescription = self.described(handle, handle.raw)
        return description

    @contextmanager
    def streaming(self, handle: Handle) -> Iterator[Stream]:
        """A camera that takes pictures until the end of the block."""
        try:
            stream = handle.stream()
        except DeviceFailure as error:
            raise Fault(
                f"start() of {handle.identity} was refused: {error}",
                where="ICamera.start",
                asks="begin to take pictures; after stop() perhaps again",
                mend="let go of everything in stop(), so that start() finds the camera idle",
            ) from None
        try:
            yield stream
        except BaseException:
            try:
                stream.stop()
            except Exception:  # noqa: BLE001, S110 - what came first is told
                pass
            raise
        else:
            stream.stop()

    # -- settings ----------------------------------------------------------------

    @both("every control takes every value")
    def check_controls(self, bench: Bench) -> None:
        for handle in self.each(bench):
            description = self._description(handle)
            if not description.controls:
                self.not_exercised(f"{handle.identity} has no controls")
            # Automatic functions first, and off at last: what depends on them follows.
            for control in sorted(description.controls, key=_order):
                for value in values_for(description, control):
                    self.must_take(handle, "set", control, value)

    @both("a control or a mode that there is not is refused")
    def check_unknown_controls(self, bench: Bench) -> None:
        asks = "a control is one of the description's controls; DeviceFailure for what is not taken"
        for handle in self.each(bench):
            description = self._description(handle)
            self.must_refuse(handle, "set", "rotoclear-testing-no-control", 50, asks=asks)
            for control in sorted(IMAGE_CONTROLS - description.controls):
                self.must_refuse(
                    handle, "set", control, values_for(description, control)[0], asks=asks
                )
            for control in _AUTOMATIC:
                if control in description.controls:
                    self.must_refuse(
                        handle,
                        "set",
                        control,
                        "rotoclear-testing-no-mode",
                        asks="True, False or one of the mode names that the description has",
                    )
            handle.call("probe")

    @both("every sensor, size and rate can be chosen")
    def check_select(self, bench: Bench) -> None:
        for handle in self.each(bench):
            description = self._description(handle)
            every = [
                (sensor, mode.width, mode.height, rate)
                for sensor in range(1, len(description.sensors) + 1)
                for mode in description.modes
                for rate in mode.rates
            ]
            chosen = sampled(every, SELECTIONS)
            for arguments in chosen:
                self.must_take(handle, "select", *arguments)
            if len(chosen) < len(every):
                self.not_exercised(
                    f"{len(every) - len(chosen)} of {len(every)} combinations of sensor, size and "
                    "rate: evenly sampled"
                )

    @both("a sensor, size or rate that there is not is refused")
    def check_unknown_selection(self, bench: Bench) -> None:
        asks = "sensor is 1 to the number of sensors; width, height and rate one of the modes"
        for handle in self.each(bench):
            description = self._description(handle)
            mode = description.modes[0]
            size = (mode.width, mode.height)
            rate = mode.rates[0]
            beyond = len(description.sensors) + 1
            for arguments in (
                (0, *size, rate),
                (beyond, *size, rate),
                (1, 99_998, 99_998, rate),
                (1, *size, 1000 if 1000 not in mode.rates else 999),
            ):
                self.must_refuse(handle, "select", *arguments, asks=asks)
            self.once(handle)

    # -- pictures ----------------------------------------------------------------

    @both("pictures are as they were chosen, and timed and counted")
    def check_pictures(self, bench: Bench) -> None:
        for handle in self.each(bench):
            description = self._description(handle)
            sizes = sampled(description.modes, SIZES)
            for mode in sizes:
                select(handle, mode)
                album = Album(handle.identity, description, mode.width, mode.height)
                with self.streaming(handle) as stream:
                    for _ in range(4):
                        album.add(self._next(stream, handle))
            if len(sizes) < len(description.modes):
                self.not_exercised(
                    f"pictures of {len(description.modes) - len(sizes)} of "
                    f"{len(description.modes)} sizes: evenly sampled"
                )

    def _next(self, stream: Stream, handle: Handle) -> Picture:
        try:
            return stream.next(self.patience)
        except DeviceFailure as error:
            raise Fault(
                f"read() of {handle.identity} was refused: {error}",
                where="ICamera.read",
                asks="wait for the next picture",
                mend="raise DeviceFailure only if the camera takes no more pictures, and return "
                "None when there was just none in time",
            ) from None
        except Late as error:
            raise Fault(
                f"{handle.identity}: {error}.",
                where="ICamera.read",
                asks="wait for the next picture, at most as many seconds as the time-out says",
                mend="see whether start() really starts the camera, and whether read() wakes up "
                "when a picture is there; wait with select() or poll() and that time-out",
            ) from None

    @both("how fast pictures come")
    def check_rate(self, bench: Bench) -> None:
        for handle in self.each(bench):
            mode = self._description(handle).modes[0]
            select(handle, mode, mode.rates[-1])
            began = time.monotonic()
            with self.streaming(handle) as stream:
                first = last = self._next(stream, handle)
                figure = type(self).report.figure
                took = round((time.monotonic() - began) * 1000)
                figure(handle.identity, f"first picture {bench.where}, ms", took)
                count = 0
                until = time.monotonic() + self.seconds
                while time.monotonic() < until or count < 2:
                    last = self._next(stream, handle)
                    count += 1
            span = (last.timestamp - first.timestamp) / 1e9
            rate = (last.sequence - first.sequence) / span if span > 0 else 0.0
            figure(
                handle.identity,
                f"rate {bench.where}",
                f"{rate:.1f} of {mode.rates[-1]} a second, "
                f"{last.sequence - first.sequence - count} of "
                f"{last.sequence - first.sequence} pictures not received",
            )

    @both("start and stop, again and again")
    def check_start_and_stop(self, bench: Bench) -> None:
        for handle in self.each(bench):
            select(handle, smallest(self._description(handle)))
            for _ in range(5):
                with self.streaming(handle) as stream:
                    self._next(stream, handle)
                handle.call("probe")
            with self.streaming(handle):
                pass  # not one picture

    @both("settings and probes while pictures are read")
    def check_overlap(self, bench: Bench) -> None:
        for handle in self.each(bench):
            description = self._description(handle)
            select(handle, smallest(description))
            with self.streaming(handle) as stream:
                self._next(stream, handle)
                try:
                    for control in sorted(description.controls, key=_order):
                        handle.call("set", control, values_for(description, control)[0])
                        handle.call("probe")
                        stream.next(self.patience)
                    for _ in range(5):
                        handle.call("probe")
                except Late as error:
                    raise _overlapped(f"{error} while read() was under way") from None
                except DeviceFailure as error:
                    raise _overlapped(
                        f"It was refused while read() was under way: {error}"
                    ) from None
                self._next(stream, handle)

    @direct("a setting does not wait for a picture")
    def check_set_during_read(self, bench: Bench) -> None:
        assert isinstance(bench, DirectBench)  # noqa: S101 - for mypy
        for identity in self.found(bench):
            with self.opened(bench, identity) as handle, self._reading(handle) as (reader, period):
                assert isinstance(handle, DirectHandle)  # noqa: S101 - for mypy
                control, value = self._setting(handle)
                waited = 0
                for _ in range(5):
                    reader.call("read(1)", handle.device.read, 1.0)
                    reading = reader.begin("read(1)", handle.device.read, 1.0)
                    time.sleep(period / 8)
                    setting = handle.begin(control, *value)
                    try:
                        setting.result()
                        waited += reading.done
                        reading.result()
                    except Late as error:
                        raise _overlapped(f"{error} while read() was under way") from None
                if waited == 5:
                    raise _overlapped(
                        f"{control}() waited for read() each time: at {1 / period:.0f} pictures a "
                        "second it came back only when the picture was there"
                    )

    def _setting(self, handle: Handle) -> tuple[str, tuple[Value, ...]]:
        """A call that may overlap a read; one that does not take long."""
        description = self._description(handle)
        if not description.controls:
            return "probe", ()
        control = sorted(description.controls, key=_order)[-1]
        return "set", (control, values_for(description, control)[0])

    @contextmanager
    def _reading(self, handle: Handle) -> Iterator[tuple[Worker, float]]:
        """
        A camera that takes pictures as slowly as it can.

        Yields the thread to read from, and the seconds from one to the next.
        """
        mode = smallest(self._description(handle))
        select(handle, mode, mode.rates[0])
        handle.call("start")
        reader = Worker("read")
        try:
            yield reader, 1 / mode.rates[0]
        finally:
            reader.end()
            handle.call("stop")

    @direct("read keeps to its time-out")
    def check_read_timeout(self, bench: Bench) -> None:
        for identity in self.found(bench):
            with self.opened(bench, identity) as handle, self._reading(handle) as (reader, period):
                assert isinstance(handle, DirectHandle)  # noqa: S101 - for mypy
                deadline = time.monotonic() + self.patience
                while self._read(reader, handle, 1.0)[0] is None:
                    if time.monotonic() > deadline:
                        raise _forgotten(f"read(1.0) has returned None for {self.patience:g} s")
                tries = [self._read(reader, handle, 0.0) for _ in range(12)]
                longest = sorted(seconds for _, seconds in tries)[len(tries) // 2]
                empty = any(frame is None for frame, _ in tries)
                if longest > 0.25 or (not empty and longest > period / 2):
                    raise _forgotten(f"read(0) took {longest:.2f} s, each time")

    def _read(self, reader: Worker, handle: DirectHandle, timeout: float) -> tuple[object, float]:
        task = reader.begin(f"read({timeout:g})", handle.device.read, timeout)
        try:
            frame = task.result(timeout + 2)
        except Late as error:
            raise _forgotten(str(error)) from None
        return frame is not None or None, task.seconds

    @hosted("one picture is captured")
    def check_capture(self, bench: Bench) -> None:
        for handle in self.each(bench):
            mode = smallest(self._description(handle))
            select(handle, mode)
            info = self.timed(handle.identity, "capture, ms", lambda: handle.call("capture"))  # noqa: B023
            size = (info["width"], info["height"])
            if size != (mode.width, mode.height):
                raise Fault(
                    f"A captured picture of {handle.identity} is {size[0]}x{size[1]} and not "
                    f"{mode.width}x{mode.height}.",
                    where="ICamera.select",
                    asks="return when the head delivers what was chosen",
                    mend="wait until the hardware has changed its size, and drop older pictures",
                )

    @both("a camera that is unplugged while it takes pictures")
    def check_unplug_while_reading(self, bench: Bench) -> None:
        unplug, plug = self.plugs(bench)
        for identity in self.found(bench):
            handle = bench.open(identity)
            select(handle, smallest(self._description(handle)))
            stream = handle.stream()
            self._next(stream, handle)
            unplug(identity)
            try:
                self._await_end(stream, identity)
                self.gently("stop()", identity, stream.stop)
                self.gently("close()", identity, handle.close)
                self.await_found(bench, identity, there=False)
            finally:
                plug(identity)
            self.await_found(bench, identity, there=True)
            with self.opened(bench, identity) as again:
                self.once(again)

    def _await_end(self, stream: Stream, identity: str) -> None:
        deadline = time.monotonic() + self.away
        while time.monotonic() < deadline:
            try:
                stream.next(self.away)
            except DeviceFailure:
                return
            except Late:
                break
        raise Fault(
            f"read() of {identity} raised nothing within {self.away:g} s after it was unplugged.",
            where="ICamera.read",
            asks="DeviceGone if the camera is not there any more",
            mend="take POLLERR and ENODEV for what they are, and do not go on waiting",
        )


def select(handle: Handle, mode: VideoMode, rate: int | None = None) -> None:
    """Choose a size of the first sensor."""
    try:
        handle.call("select", 1, mode.width, mode.height, rate or mode.rates[-1])
    except DeviceFailure as error:
        raise Fault(
            f"select(1, {mode.width}, {mode.height}, {rate or mode.rates[-1]}) of "
            f"{handle.identity} was refused: {error}",
            where="ICamera.select",
            asks="every mode of the description can be chosen",
            mend="list only what the camera delivers; let go of its buffers in stop()",
        ) from None


def smallest(description: CameraDescription) -> VideoMode:
    """The size with the fewest pixels."""
    return min(description.modes, key=lambda mode: mode.width * mode.height)


def values_for(description: CameraDescription, control: str) -> tuple[Value, ...]:
    """What a control is set to; what is set last leaves the camera as it should be."""
    if control == "auto-exposure":
        return (True, *description.exposure_modes, False)
    if control == "auto-white-balance":
        return (True, *description.white_balance_modes, False)
    if control == "noise-supression":
        return (True, False)
    return (*SLIDERS, 50)


def _order(control: str) -> tuple[bool, str]:
    return control not in _AUTOMATIC, control


def _overlapped(did: str) -> Fault:
    return Fault(
        f"{did}.",
        where="Threads; ICamera.read",
        asks="read() has a thread of its own: set() and probe() may be called meanwhile",
        mend="hold no lock while read() waits for a picture",
    )


def _forgotten(did: str) -> Fault:
    return Fault(
        f"{did}: it does not keep to its time-out.",
        where="ICamera.read",
        asks="a time-out of 0 to 1 seconds after which it returns None",
        mend="hand the time-out on to select() or poll(), and return None when it has passed",
    )
