"""
Keeps one device as the state says.

What the hardware took is remembered step by step. Whatever of it differs from
what the state asks for is applied in the background; a change asked for by
someone is applied at once and waited for. However two changes cross, and
whatever fails halfway, the device ends at what was confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.devices.device import Device
from rotoclear.state.errors import DeviceError
from rotoclear.values import Value

Values = Mapping[str, Value]
Step = tuple[str, tuple[Value, ...]]
"""A method of the device and its arguments."""
Plan = Callable[[Values], Mapping[str, Step]]
"""
The steps by name, in order, that bring the device to where it should be.

Its argument holds what is on its way into the state and goes before it.
"""

SOON: Final = 0.1
"""Seconds that a device whose picture is not the main one may be behind."""


class Settler:
    """
    One device and its settings.

    :param reactor: marks the turns: a change is committed before the
        background looks again.
    :param name: for the log.
    :param plan: what the device should be told.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, name: str, plan: Plan) -> None:
        self._reactor = reactor
        self._name = name
        self._plan = plan
        self._device: Device | None = None
        self._coming: list[Values] = []
        self._taken: dict[str, Step] = {}
        self._failed: dict[str, Step] = {}
        self._busy: Counter[str] = Counter()
        self._working = False
        self._settled: Mapping[str, Step] | None = None
        self._soon: IDelayedCall | None = None

    def connect(self, device: Device | None) -> None:
        """From now on this is the device; a new one has taken nothing yet."""
        if device is not self._device:
            self._device = device
            self.again()

    def again(self) -> None:
        """Apply everything once more."""
        self._taken.clear()
        self.retry()

    def retry(self) -> None:
        """Apply what failed in the background once more."""
        self._failed.clear()
        self._settled = None
        self.refresh()

    def refresh(self) -> None:
        """Apply what differs, in the background. A step that failed waits for :meth:`retry`."""
        if self._working or self._device is None or self._next() is None:
            return
        self._working = True
        Deferred.fromCoroutine(self._work()).addErrback(self._broken)

    def refresh_soon(self) -> None:
        """The same, but what changes again within :data:`SOON` is applied only once."""
        if self._soon is None:
            self._soon = self._reactor.callLater(SOON, self._due)

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None

    def _due(self) -> None:
        self._soon = None
        self.refresh()

    async def bring(self, values: Values, *names: str) -> None:
        """
        Take a change to the device and wait until it is there.

        Without a device there is nothing to do: it gets the values when it comes.

        :param values: what is about to be committed.
        :param names: the steps that must hold, besides those that change.
        :raises DeviceError: the device did not take a step. The background
            then takes it back to what is confirmed.
        """
        device = self._device
        if device is None:
            return
        before = self._steps()
        self._coming.append(values)
        try:
            after = self._steps()
            for name, step in after.items():
                if name in names or before.get(name) != step:
                    await self._bring(device, name)
        finally:
            self._coming = [other for other in self._coming if other is not values]
            self._reactor.callLater(0, self.refresh)

    async def _bring(self, device: Device, name: str) -> None:
        # Asked anew: another change may have come in while this one waited.
        step = self._steps().get(name)
        if step is not None and self._taken.get(name) != step:
            self._failed.pop(name, None)
            await self._take(device, name, step)

    def _steps(self) -> Mapping[str, Step]:
        coming: dict[str, Value] = {}
        for values in self._coming:
            coming.update(values)
        steps = self._plan(coming)
        # What is not asked for now may change behind our back (an automatic gain).
        for name in self._taken.keys() - steps.keys():
            del self._taken[name]
        return steps

    async def _take(self, device: Device, name: str, step: Step) -> None:
        method, arguments = step
        self._settled = None
        self._busy[name] += 1
        self._taken.pop(name, None)
        taken = False
        try:
            await device.call(method, *arguments)
            taken = True
        finally:
            self._busy[name] -= 1
            if device is self._device:
                if taken:
                    self._taken[name] = step
                else:
                    self._taken.pop(name, None)

    def _next(self) -> tuple[str, Step] | None:
        steps = self._steps()
        if steps is self._settled:
            return None
        for name, step in steps.items():
            if self._taken.get(name) != step != self._failed.get(name) and not self._busy[name]:
                return name, step
        if not any(self._busy.values()):
            self._settled = steps
        return None

    async def _work(self) -> None:
        try:
            while (device := self._device) is not None and (todo := self._next()) is not None:
                name, step = todo
                try:
                    await self._take(device, name, step)
                except DeviceError as error:
                    if device is self._device:
                        self._failed[name] = step
                    self._log.warn(
                        "{device} did not take {name}: {error}",
                        device=self._name,
                        name=name,
                        error=str(error),
                    )
        finally:
            self._working = False

    def _broken(self, failure: Failure) -> None:
        self._log.failure("{device}: settings not applied", failure, device=self._name)
