"""
The camera's settings, on their way into the hardware.

The active camera's are waited for; the other one gets them in the background.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from twisted.internet.interfaces import IReactorTime

from rotoclear.devices.device import Device
from rotoclear.devices.heads import Heads, absent, silent
from rotoclear.devices.modes import Modes, modes_of, nearest_rate, nearest_size
from rotoclear.devices.settler import Settler, Step
from rotoclear.devices.slots import NUMBERS
from rotoclear.interfaces import CameraDescription
from rotoclear.state.errors import INVALID_VALUE, NOT_AVAILABLE, DeviceError, Refusal
from rotoclear.state.lanes import Judgement, Lane, Values
from rotoclear.state.model import Model
from rotoclear.values import Integer, InvalidValue, Mode, Value, pixels

AUTOMATIC: Final = ("auto-exposure", "auto-white-balance")
"""The automatic functions, applied before what depends on them."""

SLIDERS: Final = {
    "brightness": None,
    "contrast": None,
    "sharpness": None,
    "saturation": None,
    "gain": "auto-exposure",
    "red-gain": "auto-white-balance",
    "blue-gain": "auto-white-balance",
    "noise-supression": None,
}
"""The other image settings, and the automatic function that must be off for them to count."""


class Controls:
    """
    Image, automatic and sensor settings of the heads.

    A head is told what its hardware can take (``description.controls``); the
    rest is software's, and confirmed at once. A mode that a camera does not
    offer is applied to it as plain ``True``.
    """

    def __init__(self, reactor: IReactorTime, model: Model, heads: Heads) -> None:
        self._model = model
        self._heads = heads
        self._settlers = {
            number: Settler(reactor, f"camera {number}", _Plan(model, heads, number))
            for number in NUMBERS
        }
        for key in (*AUTOMATIC, *SLIDERS):
            model.add_lane(_ImageLane(key, model, self))
        for number in NUMBERS:
            model.add_lane(_SensorLane(number, model, heads, self))
        model.observe(self._news)
        heads.observe(self._changed)
        for number in NUMBERS:
            self._changed(number)

    def device(self, number: int) -> Device | None:
        """The head that would take a change now."""
        return self._heads.device(number)

    def active(self) -> int:
        """The number of the active camera."""
        return int(self._model["main-camera"])

    async def bring(self, number: int, values: Values, *steps: str) -> None:
        """
        Take values that are about to be committed to a head; wait until it has them.

        :param steps: ``"select"`` or settings that must hold afterwards,
            besides what the values change.
        :raises DeviceError: the hardware refused or did not answer; it is then
            taken back to what is confirmed.
        """
        await self._settlers[number].bring(values, *steps)

    def stop(self) -> None:
        """Leave no timer behind."""
        for settler in self._settlers.values():
            settler.stop()

    def _changed(self, number: int) -> None:
        self._settlers[number].connect(self._heads.device(number))
        self._narrow()

    def _news(self, news: Values) -> None:
        active = self.active()
        if "main-camera" in news:
            self._settlers[active].retry()
        for number, settler in self._settlers.items():
            if number == active:
                settler.refresh()
            else:
                settler.refresh_soon()
        if not news.keys().isdisjoint(("main-camera", *AUTOMATIC, *_SENSORS)):
            self._narrow()

    def _narrow(self) -> None:
        """Say what the cameras can do; what they cannot falls to what comes nearest."""
        for number, key in enumerate(_SENSORS, 1):
            description = self._heads.description(number)
            if description is not None:
                count = len(description.sensors)
                self._model.narrow(key, Integer(1, count))
                self._model.commit({key: min(int(self._model[key]), count)})
        active = self._heads.description(self.active())
        if active is None:
            return
        for key in AUTOMATIC:
            names = _mode_names(active, key)
            self._model.narrow(key, Mode(names))
            self._model.commit({key: _known(self._model[key], names)})


_SENSORS: Final = tuple(f"cam{number}-sensor" for number in NUMBERS)
_KEYS: Final = ("resolution", "fps", *_SENSORS, *AUTOMATIC, *SLIDERS)


def _mode_names(description: CameraDescription, key: str) -> tuple[str, ...]:
    if key == "auto-exposure":
        return description.exposure_modes
    return description.white_balance_modes


def _known(value: Value, names: tuple[str, ...]) -> Value:
    """A mode that is not offered is plain automatic."""
    return True if isinstance(value, str) and value not in names else value


class _Plan:
    """What a head should be told: sensor and mode, automatic functions, the rest."""

    def __init__(self, model: Model, heads: Heads, number: int) -> None:
        self._model = model
        self._heads = heads
        self._number = number
        self._described: CameraDescription | None = None
        self._modes: Modes = {}
        self._version = -1
        self._coming: Values = {}
        self._state: dict[str, Value] = {}
        self._steps: dict[str, Step] = {}

    def __call__(self, coming: Values) -> dict[str, Step]:
        description = self._heads.description(self._number)
        if description is None:
            return {}
        # One change asks for the same several times: before, and when it is
        # coming, and when it has been committed.
        version = self._model.version
        if description is self._described and version == self._version and coming == self._coming:
            return self._steps
        self._version, self._coming = version, coming
        state = {**self._model.values_of(_KEYS), **coming}
        if description is not self._described or state != self._state:
            if description is not self._described:
                self._described, self._modes = description, modes_of(description.modes)
            self._state = state
            self._steps = self._plan(description, state)
        return self._steps

    def _plan(self, description: CameraDescription, state: Values) -> dict[str, Step]:
        modes = self._modes
        size = nearest_size(modes, str(state["resolution"]))
        rate = nearest_rate(modes, size, int(state["fps"]))
        sensor = min(int(state[f"cam{self._number}-sensor"]), len(description.sensors))
        steps: dict[str, Step] = {"select": ("select", (sensor, *pixels(size), rate))}
        for key in AUTOMATIC:
            if key in description.controls:
                known = _known(state[key], _mode_names(description, key))
                steps[key] = ("set", (key, known))
        for key, automatic in SLIDERS.items():
            if key in description.controls and (automatic is None or state[automatic] is False):
                steps[key] = ("set", (key, state[key]))
        return steps


class _ImageLane(Lane):
    """One setting of the picture; it needs no camera."""

    def __init__(self, key: str, model: Model, controls: Controls) -> None:
        super().__init__(key)
        self._model = model
        self._controls = controls

    def judge(self, wanted: Values) -> Judgement:
        # It may have waited while another camera became active.
        (key,) = self.keys
        try:
            return Judgement({key: self._model.type_of(key).parse(wanted[key])})
        except InvalidValue as error:
            return Judgement({}, [Refusal(INVALID_VALUE, key, str(error))])

    def apply(self, values: Values) -> Awaitable[None] | None:
        number = self._controls.active()
        if self._controls.device(number) is None:
            return None
        return self._controls.bring(number, values, *self.keys)


class _SensorLane(Lane):
    """``camN-sensor``: one of those that the head reports."""

    def __init__(self, number: int, model: Model, heads: Heads, controls: Controls) -> None:
        super().__init__(f"cam{number}-sensor")
        self._number = number
        self._model = model
        self._heads = heads
        self._controls = controls

    def judge(self, wanted: Values) -> Judgement:
        (key,) = self.keys
        if not self._heads.present(self._number):
            return Judgement({}, [Refusal(NOT_AVAILABLE, key, absent(self._number))])
        try:
            return Judgement({key: self._model.type_of(key).parse(wanted[key])})
        except InvalidValue as error:
            return Judgement({}, [Refusal(INVALID_VALUE, key, str(error))])

    def apply(self, values: Values) -> Awaitable[None]:
        if self._controls.device(self._number) is None:
            raise DeviceError(silent(self._number))
        return self._controls.bring(self._number, values, "select")
