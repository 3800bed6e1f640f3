"""
Heads, lamps and a volume that are not there, for work without hardware.

They behave as real ones do: they take their time if told so, refuse, hang,
come and go (:mod:`rotoclear.drivers.faults`), and what they held is lost when
they are unplugged or their process ends. ``show`` says what they hold.
"""

# pathlib would be one more import for each driver's process.
# ruff: noqa: PTH103, PTH118

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from zope.interface import implementer

from rotoclear.drivers.simulated_glow import Glow
from rotoclear.drivers.simulated_hardware import Hardware, SimulatedDevice, Simulator
from rotoclear.interfaces import (
    IMAGE_CONTROLS,
    CameraDescription,
    DeviceFailure,
    DriverContext,
    Frame,
    ICamera,
    ICameraDriver,
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
from rotoclear.values import Value

if TYPE_CHECKING:
    from rotoclear.drivers.simulated_view import SimulatedView

EXPOSURE_MODES: Final = ("shutter-priority", "aperture-priority")
WHITE_BALANCE_MODES: Final = ("daylight", "fluorescent", "incandescent")
SENSORS: Final = ("wide", "close-up")

RATES: Final = (5, 10, 15, 20, 25, 30, 50, 60)
MODES: Final = (
    VideoMode(640, 480, RATES),
    VideoMode(1280, 720, RATES),
    VideoMode(1920, 1080, RATES),
)
FINE: Final = VideoMode(3840, 2160, (5, 10, 15))
"""What only the first head can do."""

FEW_CONTROLS: Final = frozenset({"gain", "auto-exposure"})
"""What the second head's hardware does; the rest is the engine's."""

DEFAULT: Final = {"sensor": 1, "width": 1920, "height": 1080, "rate": 30}
"""What a head delivers before anyone has chosen."""

BUFFERS: Final = 4
"""Pictures that wait for whoever is late to read them, as in a real camera's driver."""

STICK: Final = "simulated-stick"
"""The volume's folder, in the server's data folder."""

TOTAL: Final = 32 * 10**9
"""Bytes of the volume."""

FREE: Final = 24 * 10**9
"""Bytes of it that are free, if the disk that it is made of has so many."""

LAMPS: Final = {"lamp-1": 1, "lamp-2": 2}
"""The heads that they are on."""

_SECOND: Final = 10**9

_SWITCHES: Final = ("auto-exposure", "auto-white-balance", "noise-supression")
_MODES: Final = {"auto-exposure": EXPOSURE_MODES, "auto-white-balance": WHITE_BALANCE_MODES}


@implementer(ICamera)
class SimulatedCamera(SimulatedDevice):
    """A head with two sensors."""

    def __init__(self, hardware: Hardware, description: CameraDescription, glow: Glow) -> None:
        super().__init__(hardware)
        self._description = description
        self._glow = glow
        self._view: SimulatedView | None = None
        self._rate = 0
        self._begun = 0
        self._sequence = -1

    def describe(self) -> CameraDescription:
        return self._description

    def set(self, control: str, value: Value) -> None:
        self._hardware.meet(control)
        if control not in self._description.controls or not _fits(control, value):
            raise DeviceFailure(f"{control} cannot be {value!r:.100}")
        self._hardware.holds[control] = value

    def select(self, sensor: int, width: int, height: int, rate: int) -> None:
        self._hardware.meet("select")
        if not 1 <= sensor <= len(self._description.sensors) or not any(
            (mode.width, mode.height) == (width, height) and rate in mode.rates
            for mode in self._description.modes
        ):
            raise DeviceFailure(f"Sensor {sensor} cannot do {width}x{height} at {rate}")
        self._hardware.holds |= {"sensor": sensor, "width": width, "height": height, "rate": rate}

    def start(self) -> None:
        # NumPy and OpenCV: a head that nobody looks at does without them.
        from rotoclear.drivers.simulated_view import SimulatedView

        self._hardware.meet("start")
        sensor, width, height, self._rate = (
            int(self._hardware.holds.get(name, default)) for name, default in DEFAULT.items()
        )
        head = self._description.head or 1
        self._view = SimulatedView(width, height, head, sensor, self._hardware.holds, self._glow)
        self._begun = time.monotonic_ns()
        self._sequence = -1
        self._hardware.streams = True

    def read(self, timeout: float) -> Frame | None:
        now = time.monotonic_ns()
        end = now + int(timeout * 1e9)
        # The oldest that is still in a buffer, or else the next one.
        newest = (now - self._begun) * self._rate // _SECOND
        number = max(self._sequence + 1, newest - (BUFFERS - 1))
        due = self._begun + number * _SECOND // self._rate
        faults = self._hardware.faults
        frozen = faults.having("freeze") is not None
        self._hardware.pulled.wait((end if frozen else min(due, end)) / 1e9 - now / 1e9)
        self._hardware.there()
        if frozen or due > end:
            return None
        self._sequence = number
        drop = faults.having("drop")
        if drop is not None:
            percent = int(drop.get("percent", 50))
            if number * percent // 100 != (number - 1) * percent // 100:
                return None
        return self._frame(number, due, late=newest > number)

    def _frame(self, number: int, timestamp: int, *, late: bool) -> Frame:
        view = self._view
        if view is None:
            raise DeviceFailure("It was not started")
        data = view.draw(number, timestamp, late=late)
        if self._hardware.faults.having("corrupt") is not None:
            data = data[: len(data) // 2]
        return Frame(
            data=data,
            format="yuyv",
            width=view.width,
            height=view.height,
            timestamp=timestamp,
            sequence=number,
        )

    def stop(self) -> None:
        self._hardware.streams = False
        self._view = None


def _fits(control: str, value: Value) -> bool:
    """What a control takes; see :meth:`rotoclear.interfaces.ICamera.set`."""
    if control in _SWITCHES:
        return isinstance(value, bool) or value in _MODES.get(control, ())
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100


@implementer(ICameraDriver, ISimulated)
class SimulatedHead(Simulator):
    """
    One head.

    :param number: 1 or 2; the first can do more than the second.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"simulated-head-{number}", f"head-{number}")
        self._description = CameraDescription(
            identity=f"head-{number}",
            model=f"Simulated head {number}",
            sensors=SENSORS,
            modes=(*MODES, FINE) if number == 1 else MODES,
            controls=IMAGE_CONTROLS if number == 1 else FEW_CONTROLS,
            exposure_modes=EXPOSURE_MODES,
            white_balance_modes=WHITE_BALANCE_MODES if number == 1 else (),
            head=number,
        )

    def open(self, identity: str) -> ICamera:
        glow = Glow(self.data_dir, self._description.head or 1)
        return SimulatedCamera(self._opened(identity), self._description, glow)


@implementer(ILight)
class SimulatedLamp(SimulatedDevice):
    """The lamp of a head."""

    def __init__(self, hardware: Hardware, number: int, glow: Glow) -> None:
        super().__init__(hardware)
        self._number = number
        self._glow = glow

    def describe(self) -> LightDescription:
        number = self._number
        return LightDescription(
            identity=self._hardware.identity, name=f"Simulated lamp {number}", head=number
        )

    def switch(self, on: bool) -> None:
        self._hardware.meet("switch")
        self._glow.put(on)
        self._hardware.holds["on"] = on


@implementer(ILightDriver, ISimulated)
class SimulatedLights(Simulator):
    """The lamps of both heads."""

    def __init__(self) -> None:
        super().__init__("simulated-lights", *LAMPS)

    def start(self, context: DriverContext) -> None:
        super().start(context)
        # One that has lost its power is off, even if it could not say so.
        self._darken(*LAMPS)

    def stop(self) -> None:
        super().stop()
        self._darken(*LAMPS)

    def open(self, identity: str) -> ILight:
        number = LAMPS.get(identity, 1)
        return SimulatedLamp(self._opened(identity), number, Glow(self.data_dir, number))

    def unplugged(self, identity: str) -> None:
        self._darken(identity)

    def _darken(self, *identities: str) -> None:
        for identity in identities:
            Glow(self.data_dir, LAMPS[identity]).put(False)


@implementer(IVolume)
class SimulatedVolume(SimulatedDevice):
    """A stick: a folder of the server's own disk."""

    def __init__(self, hardware: Hardware, path: str) -> None:
        super().__init__(hardware)
        self._path = path

    def describe(self) -> VolumeDescription:
        return VolumeDescription(
            identity=self._hardware.identity,
            name="Simulated stick",
            path=self._path,
            removable=True,
        )

    def usage(self) -> VolumeUsage:
        self._hardware.meet("usage")
        try:
            disk = os.statvfs(self._path)
        except OSError as error:
            raise DeviceFailure(f"{self._path}: {error.strerror}") from None
        return VolumeUsage(total=TOTAL, free=min(FREE, disk.f_bavail * disk.f_frsize))


@implementer(IStorageDriver, ISimulated)
class SimulatedStorage(Simulator):
    """One volume."""

    def __init__(self) -> None:
        super().__init__("simulated-storage", "stick-1")

    def open(self, identity: str) -> IVolume:
        hardware = self._opened(identity)
        if not self.data_dir:
            raise DeviceFailure("There is no data folder to make it in")
        path = os.path.join(self.data_dir, STICK)
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
        except OSError as error:
            raise DeviceFailure(f"{path} cannot be made: {error.strerror}") from None
        return SimulatedVolume(hardware, path)
