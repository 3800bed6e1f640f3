"""The lamps of the heads, and ``camN-light``."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from twisted.internet.interfaces import IReactorTime

from rotoclear.devices.assignments import Assignments
from rotoclear.devices.device import Device, DeviceSource
from rotoclear.devices.heads import Heads, absent
from rotoclear.devices.settler import Settler, Step
from rotoclear.devices.slots import NUMBERS, Slots
from rotoclear.interfaces import LightDescription
from rotoclear.state.errors import NOT_AVAILABLE, Refusal
from rotoclear.state.lanes import Judgement, Lane, Values
from rotoclear.state.model import Model


class Lamps:
    """
    Which lamp lights which head; each is as its key says while its head is there.

    :param source: announces the lamps (other devices are ignored).
    :param assignments: remembers their numbers; none are known if not given.
    :param wanted: for each number a serial number, a port, an identity, or ``""``.
    :ivar slots: gives them their numbers.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        model: Model,
        heads: Heads,
        source: DeviceSource,
        assignments: Assignments | None = None,
        wanted: Sequence[str] = (),
    ) -> None:
        self._settlers = {
            number: Settler(reactor, f"lamp {number}", _Plan(model, heads, number))
            for number in NUMBERS
        }
        self.slots = Slots(
            reactor, LightDescription, 0, self._changed, assignments or Assignments(), wanted
        )
        for number in NUMBERS:
            model.add_lane(_LightLane(number, heads, self))
        heads.observe(lambda number: self._settlers[number].again())
        source.subscribe(self.slots.arrived, self.slots.left)

    def device(self, number: int) -> Device | None:
        """The lamp of a head, if there is one."""
        return self.slots.device(number)

    def description(self, number: int) -> LightDescription | None:
        """What it is, or was when it was last there."""
        return self.slots.description(number)

    def stop(self) -> None:
        """Leave no timer behind."""
        self.slots.stop()

    async def switch(self, number: int, values: Values) -> None:
        """
        Switch it as the values say.

        :raises rotoclear.state.errors.DeviceError: it stays as it was.
        """
        await self._settlers[number].bring(values, "light")

    def _changed(self, number: int) -> None:
        self._settlers[number].connect(self.device(number))


class _Plan:
    """What a lamp should be told."""

    def __init__(self, model: Model, heads: Heads, number: int) -> None:
        self._model = model
        self._heads = heads
        self._number = number
        self._key = f"cam{number}-light"

    def __call__(self, coming: Values) -> dict[str, Step]:
        # Nobody could turn off a lamp whose head is not there: it is left alone.
        if not self._heads.present(self._number):
            return {}
        return {"light": ("switch", (coming.get(self._key, self._model[self._key]),))}


class _LightLane(Lane):
    """``camN-light``: needs the head and its lamp."""

    def __init__(self, number: int, heads: Heads, lamps: Lamps) -> None:
        super().__init__(f"cam{number}-light")
        self._number = number
        self._heads = heads
        self._lamps = lamps

    def judge(self, wanted: Values) -> Judgement:
        (key,) = self.keys
        if not self._heads.present(self._number):
            return Judgement({}, [Refusal(NOT_AVAILABLE, key, absent(self._number))])
        if self._lamps.device(self._number) is None:
            text = f"Camera {self._number} has no lamp"
            return Judgement({}, [Refusal(NOT_AVAILABLE, key, text)])
        return Judgement(dict(wanted))

    def apply(self, values: Values) -> Awaitable[None]:
        return self._lamps.switch(self._number, values)
