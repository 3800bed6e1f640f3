"""A kernel with a udev daemon that are only played."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from rotoclear.devices.udev import TOGETHER, Plugged
from rotoclear.devices.udevlib import Event, NoUdev, Overflow
from rotoclear.interfaces import UdevDevice


def leds(name: str, **properties: str) -> UdevDevice:
    """A device of the subsystem ``leds``."""
    return UdevDevice(path=f"/sys/devices/{name}", subsystem="leds", properties=properties)


class PlayedReactor(Clock):
    """
    :ivar reading: those whose descriptors are looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reading: set[Any] = set()

    def addReader(self, reader: Any) -> None:
        self.reading.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.reading.discard(reader)


class PlayedEvents:
    """
    :ivar queue: what is still in the socket; an exception is raised.
    :ivar cost: seconds that it takes to receive one.
    """

    def __init__(self, clock: Clock, subsystems: Iterable[str]) -> None:
        self._clock = clock
        self.subsystems = list(subsystems)
        self.queue: list[Event | Exception] = []
        self.cost = 0.0
        self.closed = False

    def fileno(self) -> int:
        return 99

    def add(self, subsystem: str) -> None:
        self.subsystems.append(subsystem)

    def receive(self) -> Event | None:
        if self.cost:
            self._clock.advance(self.cost)
        if not self.queue:
            return None
        event = self.queue.pop(0)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        self.closed = True


class Kernel:
    """
    Plays a :class:`~rotoclear.devices.udevlib.Source`, and the thread that it is asked in.

    :ivar devices: those there are.
    :ivar dealt_with: paths of those that udev knows; ``None``: all.
    :ivar daemon: why there is no udev daemon, or ``""``.
    :ivar busy: whether looks wait for :meth:`finish`.
    :ivar error: raised by a look.
    """

    def __init__(self) -> None:
        self.reactor = PlayedReactor()
        self.devices: dict[str, UdevDevice] = {}
        self.daemon = ""
        self.busy = False
        self.error: Exception | None = None
        self.events: PlayedEvents | None = None
        self.asked: list[tuple[tuple[str, ...], bool]] = []
        self._waiting: list[tuple[Any, Deferred[Any]]] = []
        self.plugged = Plugged(self.reactor, self, self._thread)

    # -- the source ----------------------------------------------------------------

    def open(self, subsystems: Iterable[str]) -> PlayedEvents:
        if self.daemon:
            raise NoUdev(self.daemon)
        self.events = PlayedEvents(self.reactor, subsystems)
        return self.events

    def list(self, subsystems: Iterable[str], *, udev: bool) -> Iterable[UdevDevice]:
        subsystems = tuple(subsystems)
        self.asked.append((subsystems, udev))
        if self.error is not None:
            raise self.error
        return [device for device in self.devices.values() if device.subsystem in subsystems]

    def _thread(self, look: Callable[[], Any]) -> Deferred[Any]:
        """It is looked at once; what was seen is told when :meth:`finish` says so."""
        done: Deferred[Any] = Deferred()
        try:
            seen: Any = look()
        except Exception:  # noqa: BLE001
            seen = Failure()
        self._waiting.append((seen, done))
        if not self.busy:
            self.reactor.callLater(0, self.finish)
        return done

    def finish(self) -> None:
        """What was seen is told."""
        waiting, self._waiting = self._waiting, []
        for seen, done in waiting:
            done.callback(seen)

    # -- what happens ----------------------------------------------------------------

    def says(self, *events: Event | Exception) -> None:
        """The daemon says so, whether anybody reads or not."""
        assert self.events is not None
        self.events.queue.extend(events)
        self.read()

    def plug(self, *devices: UdevDevice) -> None:
        for device in devices:
            self.devices[device.path] = device
        self.says(*(Event("", device) for device in devices))

    def unplug(self, *devices: UdevDevice) -> None:
        for device in devices:
            del self.devices[device.path]
        self.says(*(Event(device.path, None) for device in devices))

    def lose(self, *events: Event) -> None:
        """Events, and then a loss of others. As with netlink, the loss is told first."""
        self.says(Overflow(), *events)

    def read(self) -> None:
        """One turn of the reactor's reading: only if there is something to read."""
        for reader in tuple(self.reactor.reading):
            if self.events is not None and self.events.queue:
                reader.doRead()

    def settle(self) -> None:
        """Everything that is under way is done and told."""
        for _ in range(5):
            self.reactor.advance(0)
            self.read()
        self.reactor.advance(TOGETHER)
