"""Which device is number 1 and which is number 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.devices.device import Device
from rotoclear.interfaces import CameraDescription, LightDescription

NUMBERS: Final = (1, 2)
"""The heads of this house."""

D = TypeVar("D", CameraDescription, LightDescription)


@define(eq=False)
class _Slot(Generic[D]):
    """
    One number.

    :ivar owner: driver and identity of the device that has or had it.
    :ivar device: ``None`` while there is none.
    :ivar description: the last one, kept when the device has gone.
    :ivar loss: runs while a loss is not believed yet.
    """

    owner: tuple[str, str] | None = None
    device: Device | None = None
    description: D | None = None
    loss: IDelayedCall | None = None

    @property
    def taken(self) -> bool:
        return self.device is not None or self.loss is not None


class Slots(Generic[D]):
    """
    Gives devices of one kind their numbers.

    A device that knows its number (``description.head``) gets that one. Any
    other gets the number that it had before, else the first that nobody has
    had, else the first that is free. One that finds its number taken waits
    until it is free.

    :param clock: times the losses.
    :param description: the devices' description; others are ignored.
    :param hold: seconds for which a loss is kept back.
    :param changed: called with a number after its device or presence changed.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        description: type[D],
        hold: float,
        changed: Callable[[int], None],
    ) -> None:
        self._clock = clock
        self._type: type[D] = description
        self._hold = hold
        self._changed = changed
        self._slots: dict[int, _Slot[D]] = {number: _Slot() for number in NUMBERS}
        self._waiting: list[Device] = []

    def device(self, number: int) -> Device | None:
        """The device that can be called now; ``None`` during a held loss too."""
        return self._slots[number].device

    def present(self, number: int) -> bool:
        """There is one, or its loss is still held."""
        return self._slots[number].taken

    def description(self, number: int) -> D | None:
        """What the device is, or the last one was; ``None`` before the first."""
        return self._slots[number].description

    def arrived(self, device: Device) -> None:
        """A device has come, or has come back as a new object."""
        description = device.description
        if not isinstance(description, self._type):
            return
        owner = (device.driver, device.identity)
        self._waiting = [w for w in self._waiting if (w.driver, w.identity) != owner]
        number = self._number(owner, description.head)
        if number is None:
            self._log.warn(
                "{driver} {identity} is not used: its place is taken",
                driver=device.driver,
                identity=device.identity,
            )
            self._waiting.append(device)
            return
        slot = self._slots[number]
        if slot.loss is not None:
            slot.loss.cancel()
        slot.owner, slot.device, slot.description, slot.loss = owner, device, description, None
        self._changed(number)

    def left(self, device: Device, reason: str) -> None:
        """A device has gone. One that was replaced meanwhile goes unnoticed."""
        self._waiting = [other for other in self._waiting if other is not device]
        for number, slot in self._slots.items():
            if slot.device is not device:
                continue
            slot.device = None
            if self._hold:
                slot.loss = self._clock.callLater(self._hold, self._gone, number, reason)
                self._changed(number)
            else:
                self._gone(number, reason)

    def stop(self) -> None:
        """Forget losses that are held."""
        for slot in self._slots.values():
            if slot.loss is not None:
                slot.loss.cancel()
                slot.loss = None

    def _gone(self, number: int, reason: str) -> None:
        slot = self._slots[number]
        slot.loss = None
        driver, identity = slot.owner or ("", "")
        self._log.info(
            "{driver} {identity} ({number}) is gone: {reason}",
            driver=driver,
            identity=identity,
            number=number,
            reason=reason,
        )
        self._changed(number)
        for device in tuple(self._waiting):
            self.arrived(device)

    def _number(self, owner: tuple[str, str], wanted: int | None) -> int | None:
        slots = self._slots
        for number, slot in slots.items():
            if slot.taken and slot.owner == owner and wanted in (None, number):
                return number
        if wanted is not None:
            # Whoever knows its place need not wait out another one's loss.
            return wanted if wanted in slots and slots[wanted].device is None else None
        free: list[int] = [number for number, slot in slots.items() if not slot.taken]
        had: list[int] = [number for number in free if slots[number].owner == owner]
        fresh: list[int] = [number for number in free if slots[number].owner is None]
        choice: list[int] = had or fresh or free
        return choice[0] if choice else None
