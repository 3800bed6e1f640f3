"""
Heads, lamps and a volume that are not there, for work without hardware.

They behave as real ones do: they take their time if told so, refuse, hang,
come and go (:mod:`rotoclear.drivers.faults`), and what they held is lost when
they are unplugged or their process ends. ``show`` says what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zope.interface import implementer

from rotoclear.drivers.faults import FAULTS, Faults
from rotoclear.interfaces import (
    IMAGE_CONTROLS,
    CameraDescription,
    DeviceFailure,
    DeviceGone,
    DriverContext,
    DriverKey,
    Frame,
    ICamera,
    ICameraDriver,
    ILight,
    ILightDriver,
    ISimulated,
    IStorageDriver,
    IVolume,
    LightDescription,
    Match,
    Option,
    VideoMode,
    VolumeDescription,
    VolumeUsage,
)
from rotoclear.values import Value

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

TOTAL: Final = 32 * 10**9
"""Bytes of the volume."""

FREE: Final = 24 * 10**9
"""Bytes of it that are free."""

_SWITCHES: Final = ("auto-exposure", "auto-white-balance", "noise-supression")
_MODES: Final = {"auto-exposure": EXPOSURE_MODES, "auto-white-balance": WHITE_BALANCE_MODES}


class Hardware:
    """
    One simulated device, whether it is plugged in or not.

    :ivar holds: what it was told since it got its power.
    """

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.plugged = True
        self.faults = Faults()
        self.holds: dict[str, Value] = {}

    def meet(self, call: str) -> None:
        """A call reaches it."""
        self.faults.meet(call)
        self._there()

    def probe(self) -> None:
        """Ask for a sign of life."""
        self._there()
        self.faults.meet_probe()

    def _there(self) -> None:
        if not self.plugged:
            raise DeviceGone("It was unplugged")

    def show(self) -> dict[str, object]:
        """What it holds, and what is wrong with it."""
        return {
            "identity": self.identity,
            "plugged": self.plugged,
            "holds": dict(self.holds),
            "faults": {name: dict(values) for name, values in self.faults.active.items()},
            "possible": {name: sorted(arguments) for name, arguments in FAULTS.items()},
        }


class _Simulator:
    """What the drivers have in common."""

    def __init__(self, name: str, *identities: str) -> None:
        self.name = name
        self.matches: Sequence[Match] = ()
        self.options: Sequence[Option] = ()
        self.keys: Sequence[DriverKey] = ()
        self._hardware = {identity: Hardware(identity) for identity in identities}
        self._context: DriverContext | None = None

    def start(self, context: DriverContext) -> None:
        self._context = context

    def stop(self) -> None:
        for hardware in self._hardware.values():
            hardware.faults.clear()

    def find(self) -> Sequence[str]:
        return [hardware.identity for hardware in self._hardware.values() if hardware.plugged]

    def simulate(
        self, action: str, identity: str, arguments: Mapping[str, Value]
    ) -> Mapping[str, object] | None:
        if identity not in self._hardware:
            names = ", ".join(self._hardware)
            raise ValueError(f"There is no device {identity!r:.100}; there are: {names}")
        hardware = self._hardware[identity]
        if action in ("plug", "unplug", "clear", "show"):
            if arguments:
                raise ValueError(f"{action} takes no arguments")
            if action == "show":
                return hardware.show()
            if action == "clear":
                hardware.faults.clear()
            else:
                self._plug(hardware, action == "plug")
        else:
            hardware.faults.put(action, arguments)
        return None

    def _plug(self, hardware: Hardware, plugged: bool) -> None:
        if not plugged:
            hardware.holds.clear()
        hardware.plugged = plugged
        if self._context is not None:
            self._context.changed()

    def _opened(self, identity: str) -> Hardware:
        hardware = self._hardware.get(identity)
        if hardware is None or not hardware.plugged:
            raise DeviceGone("It is not plugged in")
        return hardware


class _Device:
    """What the devices have in common."""

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware

    def probe(self) -> None:
        self._hardware.probe()

    def close(self) -> None:
        pass


@implementer(ICamera)
class SimulatedCamera(_Device):
    """A head with two sensors."""

    def __init__(self, hardware: Hardware, description: CameraDescription) -> None:
        super().__init__(hardware)
        self._description = description

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
        self._hardware.meet("start")

    def read(self, timeout: float) -> Frame | None:
        raise DeviceFailure("There are no pictures yet")

    def stop(self) -> None:
        pass


def _fits(control: str, value: Value) -> bool:
    """What a control takes; see :meth:`rotoclear.interfaces.ICamera.set`."""
    if control in _SWITCHES:
        return isinstance(value, bool) or value in _MODES.get(control, ())
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100


@implementer(ICameraDriver, ISimulated)
class SimulatedHead(_Simulator):
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
            controls=IMAGE_CONTROLS,
            exposure_modes=EXPOSURE_MODES,
            white_balance_modes=WHITE_BALANCE_MODES,
            head=number,
        )

    def open(self, identity: str) -> ICamera:
        return SimulatedCamera(self._opened(identity), self._description)


@implementer(ILight)
class SimulatedLamp(_Device):
    """The lamp of a head."""

    def __init__(self, hardware: Hardware, number: int) -> None:
        super().__init__(hardware)
        self._number = number

    def describe(self) -> LightDescription:
        number = self._number
        return LightDescription(
            identity=self._hardware.identity, name=f"Simulated lamp {number}", head=number
        )

    def switch(self, on: bool) -> None:
        self._hardware.meet("switch")
        self._hardware.holds["on"] = on


@implementer(ILightDriver, ISimulated)
class SimulatedLights(_Simulator):
    """The lamps of both heads."""

    def __init__(self) -> None:
        super().__init__("simulated-lights", "lamp-1", "lamp-2")

    def open(self, identity: str) -> ILight:
        return SimulatedLamp(self._opened(identity), 1 if identity == "lamp-1" else 2)


@implementer(IVolume)
class SimulatedVolume(_Device):
    """A stick."""

    def describe(self) -> VolumeDescription:
        return VolumeDescription(
            identity=self._hardware.identity,
            name="Simulated stick",
            path="/tmp",
            removable=True,  # noqa: S108
        )

    def usage(self) -> VolumeUsage:
        self._hardware.meet("usage")
        return VolumeUsage(total=TOTAL, free=FREE)


@implementer(IStorageDriver, ISimulated)
class SimulatedStorage(_Simulator):
    """One volume."""

    def __init__(self) -> None:
        super().__init__("simulated-storage", "stick-1")

    def open(self, identity: str) -> IVolume:
        return SimulatedVolume(self._opened(identity))
