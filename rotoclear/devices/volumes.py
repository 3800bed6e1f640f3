"""The volumes to record on, and the ``storage-...`` keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.devices.device import Device, DeviceSource
from rotoclear.interfaces import VolumeDescription, VolumeUsage
from rotoclear.state.errors import DeviceError
from rotoclear.state.lanes import Values
from rotoclear.state.model import Model

POLL: Final = 5.0
"""Seconds between two looks at how full the volume is."""

PREFERRED: Final = ("removable", "internal")
"""Which volumes record when nobody says otherwise, the best first."""

_MOST: Final = 2**53 - 1
"""The most bytes that ``storage-free`` can tell."""


class Volumes:
    """
    The volumes that are there, and which of them records.

    That is the best one by the list of what is preferred; of several that are
    equally good, the one that came first. A volume that nothing in the list
    means never records. A better one that arrives takes over, but not while a
    recording runs or is paused: then it waits for the end of that. When the
    volume that records is lost, the next one takes over at once.

    :param reactor: times the looks at its usage.
    :param source: announces the volumes (other devices are ignored).
    :param preferred: the best first: ``"removable"``, ``"internal"`` (any other),
        a driver's name, or a volume's name or identity.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        model: Model,
        source: DeviceSource,
        preferred: Sequence[str] = PREFERRED,
    ) -> None:
        self._reactor = reactor
        self._model = model
        self._preferred = tuple(preferred)
        self._present: dict[tuple[str, str], Device] = {}
        self._observers: list[Callable[[], None]] = []
        self._watchers: list[Callable[[], None]] = []
        self._current: Device | None = None
        self._holds = 0
        self._next: IDelayedCall | None = None
        source.subscribe(self._arrived, self._left)
        model.observe(self._news)

    def current(self) -> Device | None:
        """The volume that records, if there is one."""
        return self._current

    def present(self) -> list[Device]:
        """All that are there, the first arrived first."""
        return list(self._present.values())

    def rank(self, device: Device) -> int | None:
        """How good it is: 1 is the best, ``None`` never records."""
        description = device.description
        if not isinstance(description, VolumeDescription):
            return None
        means = {
            "removable" if description.removable else "internal",
            device.driver,
            description.name,
            device.identity,
        }
        for rank, entry in enumerate(self._preferred, 1):
            if entry in means:
                return rank
        return None

    def observe(self, observer: Callable[[], None]) -> None:
        """Have it called whenever another volume, or none, is the current one."""
        self._observers.append(observer)

    def watch(self, observer: Callable[[], None]) -> None:
        """Have it called whenever a volume has come or gone, whether it records or not."""
        self._watchers.append(observer)

    def hold(self) -> None:
        """Let no better volume take over from now on: a recording is about to start."""
        self._holds += 1

    def release(self) -> None:
        """Undo one :meth:`hold`."""
        self._holds -= 1
        self._choose()

    def stop(self) -> None:
        """Leave no timer behind."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    # -- which one ---------------------------------------------------------------

    def _arrived(self, device: Device) -> None:
        if not isinstance(device.description, VolumeDescription):
            return
        # One that comes back as a new object keeps its place.
        self._present[device.driver, device.identity] = device
        if self.rank(device) is None:
            self._log.info(
                "volume {identity} ({driver}) does not record: storage.preferred does not name it",
                identity=device.identity,
                driver=device.driver,
            )
        self._tell_watchers()
        self._choose()

    def _left(self, device: Device, reason: str) -> None:
        if self._present.get((device.driver, device.identity)) is device:
            del self._present[device.driver, device.identity]
            self._log.info("volume {identity}: {reason}", identity=device.identity, reason=reason)
            self._tell_watchers()
            self._choose()

    def _tell_watchers(self) -> None:
        for observer in self._watchers:
            observer()

    def _news(self, news: Values) -> None:
        if "record" in news:
            self._choose()

    def _best(self) -> Device | None:
        # Of several of one rank, min() takes the first.
        ranked = [(rank, d) for d in self.present() if (rank := self.rank(d)) is not None]
        return min(ranked, key=lambda pair: pair[0])[1] if ranked else None

    def _choose(self) -> None:
        old = self._current
        new = self._best()
        if old is not None and (self._holds or self._model["record"] is not False):
            # The same volume, perhaps as a new object; if it is lost, there is no reason to wait.
            new = self._present.get((old.driver, old.identity)) or new
        if new is not old:
            self._change(old, new)

    def _change(self, old: Device | None, new: Device | None) -> None:
        self._current = new
        self.stop()
        name = ""
        if new is not None and isinstance(new.description, VolumeDescription):
            name = new.description.name
        self._model.commit({"storage-exists": new is not None, "storage-name": name})
        if _who(new) != _who(old):
            self._model.commit({"storage-free": 0})
            self._log.info("storage is {volume} from now on", volume=name or "not there")
            for observer in self._observers:
                observer()
        if new is not None and new is self._current:
            self._look(new)

    # -- how full it is ------------------------------------------------------------

    def _look(self, device: Device) -> None:
        """Ask for its usage, and again a while after the answer."""
        self._next = None
        device.call("usage").addCallbacks(
            self._usage, self._failed, callbackArgs=(device,), errbackArgs=(device,)
        ).addErrback(lambda failure: self._log.failure("usage is not understood", failure))

    def _usage(self, usage: object, device: Device) -> None:
        if device is self._current:
            self._look_again(device)
            if isinstance(usage, VolumeUsage):
                self._model.commit({"storage-free": min(max(usage.free, 0), _MOST)})

    def _failed(self, failure: Failure, device: Device) -> None:
        failure.trap(DeviceError)
        if device is self._current:
            self._look_again(device)
            self._log.warn(
                "volume {identity} does not tell its usage: {error}",
                identity=device.identity,
                error=failure.getErrorMessage(),
            )

    def _look_again(self, device: Device) -> None:
        # It may have been left and chosen anew while it was asked: then two answers come.
        self.stop()
        self._next = self._reactor.callLater(POLL, self._look, device)


def _who(device: Device | None) -> tuple[str, str] | None:
    return (device.driver, device.identity) if device else None
