"""The camera heads: which camera is 1, which is 2, and whether it is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.interfaces import IReactorTime

from rotoclear.devices.assignments import Assignments
from rotoclear.devices.device import Device, DeviceSource
from rotoclear.devices.slots import Slots
from rotoclear.interfaces import CameraDescription
from rotoclear.state.model import Model

RESET: Final = 0.3
"""Seconds that a camera may be away without being called gone: it resets."""


class Heads:
    """
    The heads by number, and ``camN-exists``.

    :ivar slots: gives them their numbers.

    :param reactor: times the losses.
    :param model: is told what exists.
    :param source: announces the cameras (other devices are ignored).
    :param assignments: remembers their numbers; none are known if not given.
    :param wanted: for each number a serial number, a port, an identity, or ``""``.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        model: Model,
        source: DeviceSource,
        assignments: Assignments | None = None,
        wanted: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._observers: list[Callable[[int], None]] = []
        self.slots = Slots(
            reactor, CameraDescription, RESET, self._changed, assignments or Assignments(), wanted
        )
        source.subscribe(self.slots.arrived, self.slots.left)

    def device(self, number: int) -> Device | None:
        """The camera that can be called now, if there is one."""
        return self.slots.device(number)

    def present(self, number: int) -> bool:
        """It is there, as ``camN-exists`` says: a reset does not count as a loss."""
        return self.slots.present(number)

    def description(self, number: int) -> CameraDescription | None:
        """What it is, or was when it was last there; ``None`` before the first time."""
        return self.slots.description(number)

    def observe(self, observer: Callable[[int], None]) -> None:
        """
        Have it called with a head's number whenever that head's device has changed.

        That is: it has come, is a new object (its settings may be lost), does
        not answer for the moment, or is gone.
        """
        self._observers.append(observer)

    def stop(self) -> None:
        """Leave no timer behind."""
        self.slots.stop()

    def _changed(self, number: int) -> None:
        self._model.commit({f"cam{number}-exists": self.present(number)})
        for observer in self._observers:
            observer(number)


def absent(number: int) -> str:
    """For people: that camera is not there."""
    return f"Camera {number} is not plugged in"


def silent(number: int) -> str:
    """For people: that camera is just being reset."""
    return f"Camera {number} does not answer at the moment"
