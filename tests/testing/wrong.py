"""Good drivers, and drivers that are each wrong in one way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from attrs import evolve
from zope.interface import implementer

from rotoclear.interfaces import (
    CameraDescription,
    DeviceFailure,
    DeviceGone,
    DriverContext,
    DriverKey,
    Frame,
    ICamera,
    ICameraDriver,
    IKeys,
    ILight,
    ILightDriver,
    ISimulated,
    IStorageDriver,
    IVolume,
    LightDescription,
    VideoMode,
    VolumeDescription,
    VolumeUsage,
)
from rotoclear.values import Integer

CAMERA = CameraDescription(
    identity="one",
    model="Good camera",
    sensors=("only",),
    modes=(VideoMode(64, 48, (10, 100)), VideoMode(128, 96, (100,))),
    formats=("grey",),
    controls=frozenset({"brightness", "auto-exposure"}),
    exposure_modes=("spot",),
)


# -- good ones -----------------------------------------------------------------


class Device:
    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def there(self) -> None:
        if not self.driver.plugged:
            raise DeviceGone("It was unplugged")

    def describe(self) -> Any:
        return self.driver.description

    def probe(self) -> None:
        self.there()

    def close(self) -> None:
        pass


class Driver:
    name = "good"
    matches: Any = ()
    options: Any = ()
    keys: Any = ()
    description: Any
    Device: Any

    def __init__(self) -> None:
        self.plugged = True

    def start(self, context: DriverContext) -> None:
        self.context = context

    def stop(self) -> None:
        pass

    def find(self) -> Any:
        return [self.description.identity] if self.plugged else []

    def open(self, identity: str) -> Any:
        if identity not in self.find():
            raise DeviceGone("It is not there")
        return self.Device(self)

    def simulate(self, action: str, identity: str, arguments: Any) -> Any:
        if action == "show":
            return {"holds": {}}
        self.plugged = action == "plug"
        return None


@implementer(ICamera)
class Camera(Device):
    mode = (64, 48, 100)

    def set(self, control: str, value: Any) -> None:
        self.there()
        if control == "auto-exposure" and value not in (True, False, "spot"):
            raise DeviceFailure(f"There is no mode {value}")
        if control not in CAMERA.controls:
            raise DeviceFailure(f"There is no {control}")

    def select(self, sensor: int, width: int, height: int, rate: int) -> None:
        self.there()
        sizes = {(mode.width, mode.height): mode.rates for mode in CAMERA.modes}
        if sensor != 1 or rate not in sizes.get((width, height), ()):
            raise DeviceFailure("It cannot do that")
        self.mode = (width, height, rate)

    def start(self) -> None:
        self.there()
        self.sequence = -1
        self.due = time.monotonic()

    def read(self, timeout: float) -> Frame | None:
        self.there()
        self.due = max(self.due, time.monotonic() - 1 / self.mode[2])
        due = self.due + 1 / self.mode[2]
        wait = due - time.monotonic()
        if wait > timeout:
            time.sleep(timeout)
            return None
        time.sleep(max(0.0, wait))
        self.there()
        self.due = due
        self.sequence += 1
        return self.frame()

    def frame(self) -> Frame:
        width, height, _ = self.mode
        return Frame(
            data=bytes(width * height),
            format="grey",
            width=width,
            height=height,
            timestamp=time.monotonic_ns(),
            sequence=self.sequence,
        )

    def stop(self) -> None:
        pass


@implementer(ICameraDriver, ISimulated)
class GoodCamera(Driver):
    description = CAMERA
    Device = Camera


@implementer(ILight)
class Lamp(Device):
    def switch(self, on: bool) -> None:
        self.there()


@implementer(ILightDriver, ISimulated)
class GoodLamp(Driver):
    description: Any = LightDescription(identity="one", name="Good lamp")
    Device = Lamp


@implementer(IVolume)
class Volume(Device):
    def usage(self) -> VolumeUsage:
        self.there()
        return VolumeUsage(total=1000, free=500)


@implementer(IStorageDriver, ISimulated)
class GoodStorage(Driver):
    description = VolumeDescription(identity="one", name="Good", path="/tmp")
    Device = Volume


# -- what they say of themselves -------------------------------------------------


class Capitals(GoodLamp):
    name = "Acme Lamp"


class FindsText(GoodLamp):
    def find(self) -> Any:
        return "one"


class FindsGenerator(GoodLamp):
    def find(self) -> Any:
        return (identity for identity in ["one"])


class FindsNumbers(GoodLamp):
    def find(self) -> Any:
        return [1]


class NewIdentities(GoodLamp):
    count = 0

    def find(self) -> Any:
        self.count += 1
        return [f"lamp {self.count}"]


class NewDescriptions(GoodLamp):
    class Device(Lamp):
        count = 0

        def describe(self) -> Any:
            self.count += 1
            return evolve(self.driver.description, name=f"Lamp {self.count}")


class BadDescription(GoodCamera):
    description = evolve(CAMERA, modes=(VideoMode(63, 48, (10,)),))


class WrongDefault(GoodLamp):
    keys = (
        DriverKey(
            name="vendor-good-level",
            type=Integer(0, 10),
            default="low",
            doc="A level.",
            writable=False,
        ),
    )


class NoSetKey(GoodLamp):
    keys = (DriverKey(name="vendor-good-level", type=Integer(0, 10), default=0, doc="A level."),)


@implementer(IKeys)
class RefusesKeys(GoodLamp):
    keys = NoSetKey.keys

    def set_key(self, name: str, value: Any) -> None:
        if value == 10:
            raise DeviceFailure("That is too much")


class PublishesNonsense(GoodLamp):
    keys = (evolve(NoSetKey.keys[0], writable=False),)

    def start(self, context: DriverContext) -> None:
        context.publish("vendor-good-level", 11)


# -- what they do ------------------------------------------------------------------


class SlowFind(GoodLamp):
    def find(self) -> Any:
        time.sleep(0.6)
        return super().find()


class OpensAnything(GoodLamp):
    def open(self, identity: str) -> Any:
        return self.Device(self)


class RaisesKeyError(GoodLamp):
    def open(self, identity: str) -> Any:
        return {"one": self.Device(self)}[identity]


class Refuses(GoodCamera):
    class Device(Camera):
        def set(self, control: str, value: Any) -> None:
            super().set(control, value)
            if control == "brightness" and value == 100:
                raise DeviceFailure("Too bright")


class TakesAnything(GoodCamera):
    class Device(Camera):
        def set(self, control: str, value: Any) -> None:
            self.there()


class TakesAnyMode(GoodCamera):
    class Device(Camera):
        def set(self, control: str, value: Any) -> None:
            super().set(control, value if control == "brightness" else True)


class TakesAnySize(GoodCamera):
    class Device(Camera):
        def select(self, sensor: int, width: int, height: int, rate: int) -> None:
            self.mode = (width, height, rate)


class SlowProbe(GoodLamp):
    class Device(Lamp):
        def probe(self) -> None:
            time.sleep(1)


class SlowSet(GoodCamera):
    class Device(Camera):
        def set(self, control: str, value: Any) -> None:
            time.sleep(3)


class NeverSwitches(GoodLamp):
    class Device(Lamp):
        def switch(self, on: bool) -> None:
            threading.Event().wait()


class Exits(GoodCamera):
    class Device(Camera):
        def set(self, control: str, value: Any) -> None:
            sys.exit(1)


class EndsTheProcess(GoodLamp):
    class Device(Lamp):
        def switch(self, on: bool) -> None:
            os._exit(3)


class WritesToTheServer(GoodLamp):
    class Device(Lamp):
        def switch(self, on: bool) -> None:
            os.write(3, b"The lamp is on\n")


class LeavesAChild(GoodLamp):
    def start(self, context: DriverContext) -> None:
        subprocess.Popen(["sleep", "60"], start_new_session=True)


class StopsSlowly(GoodLamp):
    def stop(self) -> None:
        time.sleep(5)


class KeepsALock(GoodLamp):
    """Its lock file outlives it."""

    locked = False

    def start(self, context: DriverContext) -> None:
        super().start(context)
        self.lock = os.path.join(context.data_dir, "lock")

    def open(self, identity: str) -> Any:
        device = super().open(identity)
        try:
            os.close(os.open(self.lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise DeviceFailure("Somebody else has it") from None
        return device

    class Device(Lamp):
        def close(self) -> None:
            os.unlink(self.driver.lock)


# -- pictures ------------------------------------------------------------------------


class IgnoresTimeout(GoodCamera):
    class Device(Camera):
        def read(self, timeout: float) -> Frame | None:
            return super().read(10)


class NeverReturns(GoodCamera):
    class Device(Camera):
        def read(self, timeout: float) -> Frame | None:
            threading.Event().wait()
            return None


class NoPictures(GoodCamera):
    class Device(Camera):
        def read(self, timeout: float) -> Frame | None:
            time.sleep(timeout)
            return None


class ShortFrames(GoodCamera):
    class Device(Camera):
        def frame(self) -> Frame:
            frame = super().frame()
            return evolve(frame, data=frame.data[:-1])


class OldSize(GoodCamera):
    class Device(Camera):
        def frame(self) -> Frame:
            return evolve(super().frame(), width=64, height=48, data=bytes(64 * 48))


class OtherFormat(GoodCamera):
    class Device(Camera):
        def frame(self) -> Frame:
            frame = super().frame()
            return evolve(frame, format="rgb24", data=bytes(3 * len(frame.data)))


class WallClock(GoodCamera):
    class Device(Camera):
        def frame(self) -> Frame:
            return evolve(super().frame(), timestamp=time.time_ns())


class Backwards(GoodCamera):
    class Device(Camera):
        def frame(self) -> Frame:
            return evolve(super().frame(), sequence=1000 - self.sequence)


class NoFrames(GoodCamera):
    class Device(Camera):
        def frame(self) -> Any:
            return b"picture"


class LocksRead(GoodCamera):
    class Device(Camera):
        def __init__(self, driver: Any) -> None:
            super().__init__(driver)
            self.lock = threading.Lock()

        def read(self, timeout: float) -> Frame | None:
            with self.lock:
                return super().read(timeout)

        def set(self, control: str, value: Any) -> None:
            with self.lock:
                super().set(control, value)


class StartsOnce(GoodCamera):
    class Device(Camera):
        started = False

        def start(self) -> None:
            if self.started:
                raise DeviceFailure("Device or resource busy")
            self.started = True
            super().start()


# -- leaks -----------------------------------------------------------------------------


class LeaksDescriptors(GoodLamp):
    def open(self, identity: str) -> Any:
        self.kept: list[int] = [*getattr(self, "kept", []), os.open("/dev/null", os.O_RDONLY)]
        return super().open(identity)


class LeaksThreads(GoodCamera):
    class Device(Camera):
        def start(self) -> None:
            super().start()
            threading.Thread(target=threading.Event().wait, args=(20,), daemon=True).start()


class LeaksMemory(GoodCamera):
    kept: list[bytes]

    def start(self, context: DriverContext) -> None:
        self.kept = []

    class Device(Camera):
        def frame(self) -> Frame:
            self.driver.kept.append(os.urandom(1_000_000))
            return super().frame()


# -- unplugged -------------------------------------------------------------------------


class StopRaises(GoodCamera):
    class Device(Camera):
        def stop(self) -> None:
            self.there()


class CloseRaises(GoodLamp):
    class Device(Lamp):
        def close(self) -> None:
            self.there()


class StillNamed(GoodLamp):
    def find(self) -> Sequence[str]:
        return ["one"]


class GoesOn(GoodLamp):
    class Device(Lamp):
        def there(self) -> None:
            pass


class WaitsForEver(GoodCamera):
    """A camera that was unplugged gives no more pictures; nothing says that it is gone."""

    class Device(Camera):
        def read(self, timeout: float) -> Frame | None:
            try:
                return super().read(timeout)
            except DeviceGone:
                time.sleep(timeout)
                return None


class OSErrorWhenGone(GoodLamp):
    class Device(Lamp):
        def there(self) -> None:
            if not self.driver.plugged:
                raise OSError(19, "No such device")


# -- volumes ---------------------------------------------------------------------------


class MoreFreeThanThereIs(GoodStorage):
    class Device(Volume):
        def usage(self) -> VolumeUsage:
            return VolumeUsage(total=1000, free=2000)


class NoFolder(GoodStorage):
    description = VolumeDescription(identity="one", name="Bad", path="/tmp/rotoclear/there/is/none")


class ReadOnly(GoodStorage):
    description = VolumeDescription(identity="one", name="Bad", path="/proc")


good_camera = GoodCamera()
good_lamp = GoodLamp()
good_storage = GoodStorage()
exits = Exits()
ends_the_process = EndsTheProcess()
writes_to_the_server = WritesToTheServer()
leaves_a_child = LeavesAChild()
stops_slowly = StopsSlowly()
keeps_a_lock = KeepsALock()
short_frames = ShortFrames()
finds_text = FindsText()
leaks_descriptors = LeaksDescriptors()
leaks_memory = LeaksMemory()
slow_set = SlowSet()
