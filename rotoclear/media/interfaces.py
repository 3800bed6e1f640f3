"""What the recorder and the snapshots need from the rest of the house."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Protocol

from twisted.internet.defer import Deferred
from zope.interface import Interface

from rotoclear.values import Value


class Watcher(Protocol):
    """Who is told what becomes of the engine and its recording without having been asked for."""

    def ended(self, reason: str) -> None:
        """The recording is over: the disk is full, or gone, or no picture comes."""

    def lost(self, reason: str) -> None:
        """The engine is gone, and the recording with it; what was asked of it has failed."""

    def back(self) -> None:
        """There is an engine again."""

    def late(self, paused: bool) -> None:
        """It has paused the recording, or gone on with it, when nobody waited for that any more."""


class IEngine(Interface):
    """
    Makes the pictures.

    Each method returns a Deferred that fires when it is done, and fails with
    :class:`~rotoclear.state.errors.DeviceError` or
    :class:`~rotoclear.state.errors.NotAvailable` when it could not be; then
    nothing has changed. It is cancelled after two seconds: what takes effect later
    is undone (a start), or told to the watcher and the catalogue.
    """

    def start(again: bool) -> Deferred[None]:
        """
        Begin a recording.

        :param again: it goes on with the one that was cut off when the engine was lost.
        """

    def stop() -> Deferred[None]:
        """End the recording; without one, or without its volume, there is nothing to do."""

    def pause() -> Deferred[None]:
        """Leave out what comes."""

    def resume() -> Deferred[None]:
        """Go on with the same recording."""

    def snap() -> Deferred[None]:
        """Take one picture; fires when it is stored safely."""

    def watch(watcher: Watcher) -> None:
        """Tell it what happens by itself."""


class Heads(Protocol):
    """The camera heads, as :class:`rotoclear.devices.heads.Heads`."""

    def present(self, number: int) -> bool:
        """It is there; a reset does not count as a loss."""

    def observe(self, observer: Callable[[int], None]) -> None:
        """Have it called with a head's number when that head has changed."""


class Volumes(Protocol):
    """The volumes, as :class:`rotoclear.devices.volumes.Volumes`."""

    def current(self) -> object | None:
        """The volume that records."""

    def observe(self, observer: Callable[[], None]) -> None:
        """
        Have it called when it is another one, or none.

        While a recording runs or is paused, that is only when it was lost.
        """

    def hold(self) -> None:
        """Change it from now on only if it is lost."""

    def release(self) -> None:
        """Undo one :meth:`hold`."""


class HoldsVideo(Protocol):
    """Whoever can keep size and rate still, as :class:`rotoclear.devices.video.Video`."""

    def hold(self) -> Deferred[None]:
        """Refuse changes from now on; fires when none is on its way any more."""

    def release(self) -> None:
        """Undo one :meth:`hold`."""


class Camera(Protocol):
    """A head that can be asked, as :class:`rotoclear.devices.device.Device`."""

    def call(self, method: str, *arguments: Value) -> Deferred[object]:
        """Call a method of the driver's object, or have it take one picture: ``capture``."""

    def view(self) -> Deferred[socket]:
        """Look at its pictures, until the socket is closed."""
