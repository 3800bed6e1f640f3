"""
Which device is number 1 and which is number 2.

**Whose number it is.** A device gets, in this order:

1. the number for which the configuration names it, by its serial number, its
   port or its identity;
2. the number that it says itself (``description.head``), and no other: it
   waits for that one;
3. the number that it had before, across restarts of the server too;
4. the number of the device that was in its port before it: the same place in
   the machine, so it replaces a broken one;
5. the lowest number that nobody has had yet;
6. the lowest number whose owner is not there: with one camera left and every
   number used once, a machine must work after a replacement in another port.

A number for which the configuration names a device is kept for that one, be
it there or not. Nobody loses a number while it is there. Who gets none waits.

**Who waits** gets what becomes free by the same rules; under the last of them
only when the owner has been away for :data:`PATIENCE` seconds. So a spare
head does not become camera 1 because that one was reset or its cable was
touched. When an owner returns and finds its number given away, it is a new
device like any other.

**At the start** all devices are kept back until it is known which there are.
Then they get their numbers in the order of these rules, and those of one rule
in the order of their ports (``1.2`` before ``1.10``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.devices.assignments import Assignments, Owner
from rotoclear.devices.device import Device, Kind
from rotoclear.interfaces import CameraDescription, LightDescription

_Order = list[tuple[int, str]]

NUMBERS: Final = (1, 2)
"""The heads of this house."""

PATIENCE: Final = 10.0
"""Seconds for which a number is kept for its owner while another one waits for it."""

D = TypeVar("D", CameraDescription, LightDescription)


@define(eq=False)
class _Slot(Generic[D]):
    """
    One number.

    :ivar device: ``None`` while there is none.
    :ivar description: the last one, kept when the device has gone.
    :ivar loss: runs while a loss is not believed yet.
    :ivar away: since when its owner is not there, by the clock; ``None`` if it
        has not been there since the start.
    """

    device: Device | None = None
    description: D | None = None
    loss: IDelayedCall | None = None
    away: float | None = None

    @property
    def taken(self) -> bool:
        return self.device is not None or self.loss is not None


@define(eq=False)
class _Waiting(Generic[D]):
    """A device without a number; ``spare``: it was there when there was none for it."""

    device: Device
    description: D
    owner: Owner
    spare: bool = False


class Slots(Generic[D]):
    """
    Gives devices of one kind their numbers; the module says which.

    :param clock: times the losses.
    :param description: the devices' description; others are ignored.
    :param hold: seconds for which a loss is kept back.
    :param changed: called with a number after its device or presence changed.
    :param assignments: remembers the owners.
    :param wanted: for each number what the configuration says: a serial number,
        a port, an identity, or ``""``.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        description: type[D],
        hold: float,
        changed: Callable[[int], None],
        assignments: Assignments,
        wanted: Sequence[str] = (),
    ) -> None:
        self._clock = clock
        self._type: type[D] = description
        self._kind: Kind = "camera" if description is CameraDescription else "light"
        self._hold = hold
        self._changed = changed
        self._assignments = assignments
        self._wanted = dict(zip(NUMBERS, wanted, strict=False))
        self._slots: dict[int, _Slot[D]] = {number: _Slot() for number in NUMBERS}
        self._waiting: list[_Waiting[D]] = []
        self._gathering = False
        self._retry: IDelayedCall | None = None

    # -- looking -----------------------------------------------------------------

    def device(self, number: int) -> Device | None:
        """The device that can be called now; ``None`` during a held loss too."""
        return self._slots[number].device

    def present(self, number: int) -> bool:
        """There is one, or its loss is still held."""
        return self._slots[number].taken

    def description(self, number: int) -> D | None:
        """What the device is, or the last one was; ``None`` before the first."""
        return self._slots[number].description

    def owner(self, number: int) -> Owner | None:
        """The device that has the number, or had it last."""
        return self._assignments.owner(self._kind, number)

    def kept_for(self, number: int) -> str:
        """What the configuration keeps the number for, while that is not there; else ``""``."""
        return "" if self.present(number) else self._wanted.get(number, "")

    def waiting(self) -> list[tuple[Device, str]]:
        """The devices without a number, and why, for people."""
        return [(waiting.device, self._why(waiting)) for waiting in self._waiting]

    # -- what happens ------------------------------------------------------------

    def gather(self) -> None:
        """From now on keep back what arrives."""
        self._gathering = True

    def number(self) -> None:
        """Give a number to what was kept back, and from now on to whatever arrives."""
        self._gathering = False
        self._serve()
        for number in NUMBERS:
            if wanted := self.kept_for(number):
                self._log.warn(
                    "{kind} {number} is kept for {wanted}, which is not there",
                    kind=self._kind,
                    number=number,
                    wanted=wanted,
                )

    def arrived(self, device: Device) -> None:
        """A device has come, or has come back as a new object."""
        description = device.description
        if not isinstance(description, self._type):
            return
        owner = Owner(device.driver, device.identity, description.serial, description.port)
        waiting = _Waiting(device, description, owner)
        for other in tuple(self._waiting):
            if owner.same(other.owner):
                self._waiting.remove(other)
                waiting.spare = other.spare
        self._waiting.append(waiting)
        if not self._gathering:
            self._serve()

    def left(self, device: Device, reason: str) -> None:
        """A device has gone. One that was replaced meanwhile goes unnoticed."""
        self._waiting = [other for other in self._waiting if other.device is not device]
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
        """Forget losses that are held, and give away nothing any more."""
        self._gathering = True
        for slot in self._slots.values():
            if slot.loss is not None:
                slot.loss.cancel()
                slot.loss = None
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _gone(self, number: int, reason: str) -> None:
        slot = self._slots[number]
        slot.loss, slot.away = None, self._clock.seconds()
        self._log.info(
            "{kind} {number} is gone: {reason}", kind=self._kind, number=number, reason=reason
        )
        self._changed(number)
        if not self._gathering:
            self._serve()

    # -- the rules ---------------------------------------------------------------

    def _serve(self) -> None:
        """Give those who wait what there is for them."""
        for waiting in sorted(self._waiting, key=self._precedence):
            if waiting not in self._waiting:
                continue  # whoever was told of another one's number has ended this
            number = self._number(waiting)
            if number is not None:
                self._waiting.remove(waiting)
                self._seat(number, waiting)
            elif not waiting.spare:
                waiting.spare = True
                self._log.warn(
                    "{driver} {identity} is not used: {why}",
                    driver=waiting.owner.driver,
                    identity=waiting.owner.identity,
                    why=self._why(waiting),
                )
        self._serve_again()

    def _serve_again(self) -> None:
        """Look again when the next owner has been away for long enough."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        now = self._clock.seconds()
        delays = [
            delay
            for slot in self._slots.values()
            if slot.away is not None and (delay := slot.away + PATIENCE - now) > 0
        ]
        if self._waiting and delays:
            self._retry = self._clock.callLater(min(delays), self._patience_is_over)

    def _patience_is_over(self) -> None:
        self._retry = None
        self._serve()

    def _seat(self, number: int, waiting: _Waiting[D]) -> None:
        slot = self._slots[number]
        if slot.loss is not None:
            slot.loss.cancel()
        slot.device, slot.description = waiting.device, waiting.description
        slot.loss = slot.away = None
        before = self.owner(number)
        if not waiting.owner.same(before):
            self._log.info(
                "{kind} {number} is {driver} {identity} from now on",
                kind=self._kind,
                number=number,
                driver=waiting.owner.driver,
                identity=waiting.owner.identity,
            )
        self._assignments.assign(self._kind, number, waiting.owner)
        self._changed(number)

    def _named(self, number: int, owner: Owner) -> bool:
        """The configuration means this device."""
        wanted = self._wanted.get(number)
        return bool(wanted) and wanted in (owner.serial, owner.port, owner.identity)

    def _reserved(self, number: int, owner: Owner) -> bool:
        """The configuration means another device."""
        return bool(self._wanted.get(number)) and not self._named(number, owner)

    def _number(self, waiting: _Waiting[D]) -> int | None:
        owner, head = waiting.owner, waiting.description.head
        for number, slot in self._slots.items():
            if slot.device is not None and owner.same(self.owner(number)):
                return number  # it is back as a new object
        # Whoever knows its place need not wait out another one's loss.
        idle = [number for number, slot in self._slots.items() if slot.device is None]
        for number in idle:
            if self._named(number, owner):
                return number
        idle = [number for number in idle if not self._reserved(number, owner)]
        if head is not None and not self._reserved(head, owner):
            return head if head in idle else None
        for number in idle:
            if owner.same(self.owner(number)):
                return number
        for number in idle:
            before = self.owner(number)
            if before is not None and owner.port and owner.port == before.port:
                return number
        free = [number for number in idle if not self._slots[number].taken]
        fresh = [number for number in free if self.owner(number) is None]
        choice = fresh or [n for n in free if not waiting.spare or self._is_long_gone(n)]
        return choice[0] if choice else None

    def _is_long_gone(self, number: int) -> bool:
        away = self._slots[number].away
        return away is None or self._clock.seconds() - away >= PATIENCE

    def _precedence(self, waiting: _Waiting[D]) -> tuple[tuple[bool, ...], _Order, str, _Order]:
        """Whose turn it is first: by the rules, then by port."""
        owner = waiting.owner
        owners = [before for number in NUMBERS if (before := self.owner(number)) is not None]
        had = any(owner.same(before) for before in owners)
        replaces = bool(owner.port) and any(owner.port == before.port for before in owners)
        named = any(self._named(number, owner) for number in NUMBERS)
        knows = waiting.description.head is not None
        return (
            (not named, not knows, not had, not replaces, not owner.port),
            natural(owner.port),
            owner.driver,
            natural(owner.identity),
        )

    def _why(self, waiting: _Waiting[D]) -> str:
        """Why it has no number, for people."""
        if self._gathering:
            return "the other drivers are still being waited for"
        parts = []
        for number, slot in self._slots.items():
            owner = self.owner(number)
            name = f"{owner.driver} {owner.identity}" if owner is not None else "nobody"
            if self._reserved(number, waiting.owner):
                name = f"{self._wanted[number]}, as the configuration says"
                parts.append(f"{number} is kept for {name}")
            elif slot.taken:
                parts.append(f"{number} is {name}")
            else:
                parts.append(f"{number} is kept for {name}")
        return ", ".join(parts)


def natural(text: str) -> _Order:
    """A key that sorts ``1.2`` before ``1.10``."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part)
        for part in re.split(r"([0-9]+)", text)
        if part
    ]
