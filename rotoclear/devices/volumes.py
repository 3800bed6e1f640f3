"""The volumes to record on, and the ``storage-...`` keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeGuard

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.devices.device import Description, Device, DeviceSource
from rotoclear.interfaces import VolumeDescription, VolumeUsage
from rotoclear.state.errors import DeviceError
from rotoclear.state.model import Model

POLL: Final = 5.0
"""Seconds between two looks at how full the volume is."""

_MOST: Final = 2**53 - 1
"""The most bytes that ``storage-free`` can tell."""


class Volumes:
    """
    The volumes that are there; the one that came first records.

    :param reactor: times the looks at its usage.
    :param source: announces the volumes (other devices are ignored).
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, model: Model, source: DeviceSource) -> None:
        self._reactor = reactor
        self._model = model
        self._present: dict[tuple[str, str], Device] = {}
        self._observers: list[Callable[[], None]] = []
        self._current: Device | None = None
        self._next: IDelayedCall | None = None
        source.subscribe(self._arrived, self._left)

    def current(self) -> Device | None:
        """The volume that records, if there is one."""
        return self._current

    def present(self) -> list[Device]:
        """All that are there, the first arrived first."""
        return list(self._present.values())

    def observe(self, observer: Callable[[], None]) -> None:
        """Have it called whenever another volume, or none, is the current one."""
        self._observers.append(observer)

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    def _arrived(self, device: Device) -> None:
        if _is_volume(device.description):
            # One that comes back as a new object keeps its place.
            self._present[device.driver, device.identity] = device
            self._choose()

    def _left(self, device: Device, reason: str) -> None:
        if self._present.get((device.driver, device.identity)) is device:
            del self._present[device.driver, device.identity]
            self._log.info("volume {identity}: {reason}", identity=device.identity, reason=reason)
            self._choose()

    def _choose(self) -> None:
        old, self._current = self._current, next(iter(self._present.values()), None)
        new = self._current
        if new is old:
            return
        self.stop()
        if _who(new) != _who(old):
            name = new.description.name if new and _is_volume(new.description) else ""
            self._model.commit(
                {"storage-exists": new is not None, "storage-name": name, "storage-free": 0}
            )
            for observer in self._observers:
                observer()
        if new is not None and new is self._current:
            self._look(new)

    def _look(self, device: Device) -> None:
        """Ask for its usage, and again a while after the answer."""
        self._next = None
        device.call("usage").addCallbacks(
            self._usage, self._failed, callbackArgs=(device,), errbackArgs=(device,)
        ).addErrback(lambda failure: self._log.failure("usage is not understood", failure))

    def _usage(self, usage: object, device: Device) -> None:
        if device is self._current:
            self._next = self._reactor.callLater(POLL, self._look, device)
            if isinstance(usage, VolumeUsage):
                self._model.commit({"storage-free": min(max(usage.free, 0), _MOST)})

    def _failed(self, failure: Failure, device: Device) -> None:
        failure.trap(DeviceError)
        if device is self._current:
            self._next = self._reactor.callLater(POLL, self._look, device)
            self._log.warn(
                "volume {identity} does not tell its usage: {error}",
                identity=device.identity,
                error=failure.getErrorMessage(),
            )


def _who(device: Device | None) -> tuple[str, str] | None:
    return (device.driver, device.identity) if device else None


def _is_volume(description: Description) -> TypeGuard[VolumeDescription]:
    return isinstance(description, VolumeDescription)
