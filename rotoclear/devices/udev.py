"""
Which of the kernel's devices are plugged in.

udev's daemon tells of changes; a list is made once and whenever events were
lost. No event is read while a list is being made: they wait in the socket, and
come after it. So whatever the list had right or wrong, the last event about a
device is what counts.

After a loss, events from before it are still waiting. They are read and dropped
until none is left, and only then is a list made.

Where there is no daemon (:attr:`Plugged.reason` says why), sysfs is looked through
every :data:`COLD` seconds, and the daemon is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from attrs import define, frozen
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rotoclear.devices.matching import fits
from rotoclear.devices.udevlib import Event, Events, NoUdev, Overflow, Source, Udev
from rotoclear.interfaces import Match, UdevDevice

TURN: Final = 0.003
"""Seconds of one turn of the reactor that events may take."""

TOGETHER: Final = 0.02
"""Seconds for which changes are collected before they are told."""

COLD: Final = 2.0
"""Seconds between two looks where no udev daemon runs, or it cannot be listened to."""

MOST: Final = 100
"""Devices that one watcher is told of at most: libudev's are 8 KiB each at most."""

Changed = Callable[[tuple[UdevDevice, ...]], None]
"""Called with the devices that are there now, by path."""


class Watch(Protocol):
    """Has someone told of devices: :meth:`Plugged.watch`."""

    def __call__(self, matches: Sequence[Match], changed: Changed) -> None: ...


@define(eq=False)
class _Watcher:
    """
    Someone who wants to know.

    :ivar told: what was told last.
    """

    matches: tuple[Match, ...]
    changed: Changed
    told: tuple[UdevDevice, ...] | None = None
    complained: bool = False

    @property
    def subsystems(self) -> frozenset[str]:
        return frozenset(match.subsystem for match in self.matches)


@frozen
class _Look:
    """
    What a look has shown.

    :ivar events: newly opened, or ``None``.
    :ivar reason: why there are none.
    """

    subsystems: frozenset[str]
    events: Events | None
    reason: str
    devices: tuple[UdevDevice, ...]


@implementer(IReadDescriptor)
class Plugged:
    """
    See the module. It does nothing before someone watches.

    :param reactor: reads the events, keeps the time, lends a thread.
    :param source: where it all comes from.
    :param in_thread: for tests.
    :ivar reason: why devices are only looked for now and then, for people; else ``""``.
    :ivar looks: how often all devices were looked at.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        source: Source | None = None,
        in_thread: Callable[[Callable[[], _Look]], Deferred[_Look]] | None = None,
    ) -> None:
        self._reactor = reactor
        self._source: Source = source or Udev()
        self._in_thread = in_thread or self._to_thread
        self._watchers: list[_Watcher] = []
        self._known: frozenset[str] = frozenset()
        self._devices: dict[str, dict[str, UdevDevice]] = {}
        self._dirty: set[str] = set()
        self._events: Events | None = None
        self._lost = False
        self._looking: Deferred[None] | None = None
        self._again = False
        self._stopped = False
        self._telling: IDelayedCall | None = None
        self._timer: IDelayedCall | None = None
        self.reason = ""
        self.looks = 0

    # -- for those who want to know ----------------------------------------------

    def watch(self, matches: Sequence[Match], changed: Changed) -> None:
        """
        Tell of the devices that one of the matches is about.

        The first time when all are known, be it none; then when it has changed.
        """
        watcher = _Watcher(tuple(matches), changed)
        self._watchers.append(watcher)
        if watcher.subsystems <= self._known:
            self._tell_soon(watcher.subsystems)
        elif self._looking is not None:
            self._again = True
        elif not self._stopped:
            self._look_in(0)

    def stop(self) -> Deferred[None]:
        """Tell nobody any more. Fires when no thread is busy with it."""
        self._stopped = True
        for timer in (self._telling, self._timer):
            if timer is not None and timer.active():
                timer.cancel()
        self._close()
        return succeed(None) if self._looking is None else self._looking

    # -- looking at everything -----------------------------------------------------

    def _look_in(self, seconds: float) -> None:
        self._next_in(seconds, self._look)

    def _next_in(self, seconds: float, what: Callable[[], None]) -> None:
        """Do this next, and not what was to be done next until now."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(seconds, what)

    def _look(self) -> None:
        if self._looking is not None:
            self._again = True
            return
        self._again = False
        self.looks += 1
        subsystems = frozenset(s for watcher in self._watchers for s in watcher.subsystems)
        events = self._events
        if events is not None:
            self._reactor.removeReader(self)
            for subsystem in subsystems:
                events.add(subsystem)
        done: Deferred[None] = Deferred()
        self._looking = done
        looking = self._in_thread(lambda: self._look_at(subsystems, events is not None))
        looking.addCallbacks(self._seen, self._not_seen)
        looking.addErrback(lambda failure: self._log.failure("devices are not known", failure))
        looking.addCallback(lambda _: done.callback(None))

    def _to_thread(self, look: Callable[[], _Look]) -> Deferred[_Look]:
        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), look)

    def _look_at(self, subsystems: frozenset[str], listening: bool) -> _Look:
        """In a thread. Events are listened to before anything is looked at."""
        events, reason = None, ""
        if not listening:
            try:
                events = self._source.open(subsystems)
            except NoUdev as error:
                reason = str(error)
        try:
            devices = tuple(self._source.list(sorted(subsystems), udev=not reason))
        except BaseException:
            if events is not None:
                events.close()
            raise
        return _Look(subsystems, events, reason, devices)

    def _seen(self, look: _Look) -> None:
        self._looking = None
        if look.events is not None:
            self._events = look.events
        if self._stopped:
            self._close()
            return
        self._say(look.reason)
        self._known = look.subsystems
        self._devices = {subsystem: {} for subsystem in look.subsystems}
        for device in look.devices:
            if device.subsystem in self._devices:
                self._devices[device.subsystem][device.path] = device
        self._tell_soon(look.subsystems)
        if self._events is not None:
            self._reactor.addReader(self)
        if self._again:
            self._look_in(0)
        elif self._events is None:
            self._look_in(COLD)

    def _not_seen(self, failure: Failure) -> None:
        self._looking = None
        if self._stopped:
            self._close()
            return
        if self.reason != (reason := failure.getErrorMessage()):
            self._log.failure("the kernel's devices cannot be looked at", failure)
            self.reason = reason
        # That is all there will be to know for a while: nobody is to wait for more.
        self._known = frozenset(s for watcher in self._watchers for s in watcher.subsystems)
        self._tell_soon(self._known)
        if self._events is not None:
            self._reactor.addReader(self)
        self._look_in(COLD)

    def _say(self, reason: str) -> None:
        if reason and reason != self.reason:
            self._log.warn(
                "{reason}: /sys is looked through every {seconds} s instead, "
                "and properties that drivers ask for are not looked at",
                reason=reason,
                seconds=round(COLD),
            )
        elif self.reason and not reason:
            self._log.info("udev tells of devices now")
        self.reason = reason

    # -- events ----------------------------------------------------------------------

    def fileno(self) -> int:
        """For the reactor; so the following."""
        return -1 if self._events is None else self._events.fileno()

    def logPrefix(self) -> str:
        return "udev"

    def doRead(self) -> None:
        until = self._reactor.seconds() + TURN
        while self._events is not None:
            try:
                event = self._events.receive()
            except Overflow:
                self._lost = True
            except OSError as error:
                self._log.warn("udev is not heard any more: {error}", error=error)
                self._close()
                self._look_in(COLD)
            else:
                if event is None:
                    if self._lost:
                        self._lost = False
                        self._look()
                    return
                if not self._lost:
                    self._take(event)
            if self._reactor.seconds() >= until:
                if self._lost:
                    # That was perhaps the last: then nothing would have us read again.
                    self._next_in(0, self._resume)
                return

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor believes that all is over.

        It does when there is an error and nothing to read: not even one event
        found room.
        """
        if self._events is not None and not self._stopped:
            self._lost = True
            # A look that was due is not lost: the loss is followed by one.
            self._next_in(0, self._resume)

    def _resume(self) -> None:
        if self._events is not None and self._looking is None:
            self._reactor.addReader(self)
            self.doRead()

    def _take(self, event: Event) -> None:
        if event.gone:
            for subsystem, devices in self._devices.items():
                if devices.pop(event.gone, None) is not None:
                    self._tell_soon((subsystem,))
        device = event.device
        if device is not None and device.subsystem in self._devices:
            self._devices[device.subsystem][device.path] = device
            self._tell_soon((device.subsystem,))

    def _close(self) -> None:
        events, self._events = self._events, None
        self._lost = False
        if events is not None:
            self._reactor.removeReader(self)
            events.close()

    # -- telling ---------------------------------------------------------------------

    def _tell_soon(self, subsystems: Iterable[str]) -> None:
        self._dirty.update(subsystems)
        if self._telling is None and not self._stopped:
            self._telling = self._reactor.callLater(TOGETHER, self._tell)

    def _tell(self) -> None:
        self._telling = None
        dirty, self._dirty = self._dirty, set()
        for watcher in self._watchers:
            if dirty & watcher.subsystems and watcher.subsystems <= self._known:
                devices = self._matching(watcher)
                if devices != watcher.told:
                    watcher.told = devices
                    try:
                        watcher.changed(devices)
                    except Exception:  # noqa: BLE001 - one watcher's mistake is its own
                        self._log.failure("a change of the kernel's devices was not understood")

    def _matching(self, watcher: _Watcher) -> tuple[UdevDevice, ...]:
        known = not self.reason
        found = [
            device
            for subsystem in watcher.subsystems
            for device in self._devices.get(subsystem, {}).values()
            if fits(device, watcher.matches, properties=known)
        ]
        if len(found) > MOST and not watcher.complained:
            watcher.complained = True
            self._log.warn(
                "{number} devices of {subsystems} match: a driver is told of {most} only",
                number=len(found),
                subsystems=", ".join(sorted(watcher.subsystems)),
                most=MOST,
            )
        return tuple(sorted(found, key=lambda device: device.path)[:MOST])
