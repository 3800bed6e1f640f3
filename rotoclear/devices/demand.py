"""Whether a driver needs a process: while one of its devices is plugged in, and is of use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rotoclear.interfaces import UdevDevice

LINGER: Final = 10.0
"""
Seconds for which a process is kept that has nothing to do.

A device that is reset is back in a moment, and should not have to wait.
"""


class Demand:
    """
    For a driver that names its devices.

    :param start: called whenever they have changed and there is one; also when
        the process is running already.
    :param stop: called when there was nothing to do for :data:`LINGER` seconds.
    :ivar devices: those that are plugged in.
    :ivar known: whether anybody has looked.
    """

    def __init__(
        self, clock: IReactorTime, start: Callable[[], None], stop: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._start = start
        self._stop = stop
        self._timer: IDelayedCall | None = None
        self.devices: tuple[UdevDevice, ...] = ()
        self.known = False

    def present(self, devices: tuple[UdevDevice, ...]) -> None:
        """These are plugged in now."""
        self.known = True
        self.devices = devices
        self.cancel()
        if devices:
            self._start()
        else:
            self.useless()

    def useful(self) -> None:
        """The driver has found something."""
        self.cancel()

    def useless(self) -> None:
        """The driver has found nothing, or there is nothing for it to look at."""
        if self._timer is None:
            self._timer = self._clock.callLater(LINGER, self._due)

    def cancel(self) -> None:
        """Leave no timer behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self._stop()
