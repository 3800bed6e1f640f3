"""
One driver: its process, started again and again, and the devices in it.

A process that ends is started anew after a while (:mod:`~.backoff`). Its
devices are then dead, but not yet gone: those that are back within
:data:`GRACE` seconds are announced as new objects of the same device.

A driver that names the devices of the kernel's that it is for has a process
only while it has something to do (:mod:`~.demand`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.devices import wire
from rotoclear.devices.backoff import Backoff
from rotoclear.devices.demand import Demand
from rotoclear.devices.describe import IDENTITY
from rotoclear.devices.device import Arrived, Device, Kind, Left
from rotoclear.devices.link import Entry, Link, Spawn
from rotoclear.devices.notes import Notes
from rotoclear.devices.opening import Opening
from rotoclear.devices.rehearsal import Rehearsals
from rotoclear.devices.retries import Retries
from rotoclear.devices.settings import Settings
from rotoclear.interfaces import UdevDevice
from rotoclear.state.errors import NotAvailable
from rotoclear.values import Value

START_LIMIT: Final = 20.0
"""Seconds that a process has to load and start its driver."""

FIND_LIMIT: Final = 2.5
"""Seconds between two signs of life: the interval, and two for the call."""

GRACE: Final = 1.0
"""Seconds for which a device may be without a process before it has left."""

SOON: Final = 0.1
"""Seconds after which a device that was lost a moment ago is tried again: it may be reset."""

RECONSIDERED: Final = 5.0
"""Seconds that must lie between two starts of a driver that has called itself unusable."""

MAX_DEVICES: Final = 32
"""The most devices that one driver may name."""


class Driver:
    """
    See the module.

    :param clock: keeps the limits.
    :param spawn: starts processes.
    :param entry: what they load.
    :param kind: of the driver.
    :param simulated: its devices can be told to misbehave.
    :param options: handed to the driver.
    :param arrived: see :data:`~rotoclear.devices.device.Arrived`.
    :param left: see :data:`~rotoclear.devices.device.Left`.
    :param needs_devices: it is only of use while :meth:`present` was told of some.
    :param data_dir: the server's data folder, for the driver.
    :param published: called when the driver says what one of its keys holds.
    :param serving: called when a new process has started: it knows nothing yet.
    :ivar restarts: how often its process has been started anew.
    :ivar state: ``"starting"``, ``"running"``, ``"failed"``, ``"stopped"``; ``"idle"``: there is
        nothing for it to do; ``"refused"``: it has called itself unusable.
    :ivar reason: for people, when it is not as it should be.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        spawn: Spawn,
        entry: Entry,
        *,
        kind: Kind,
        simulated: bool,
        options: Mapping[str, object],
        arrived: Arrived,
        left: Left,
        needs_devices: bool = False,
        data_dir: str = "",
        published: Callable[[str, object], None] = lambda name, value: None,
        serving: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = entry.driver
        self.kind: Kind = kind
        self.simulated = simulated
        self.restarts = 0
        self.state = "starting"
        self.reason = ""
        self._clock = clock
        self._spawn = spawn
        self._entry = entry
        self._options = dict(options)
        self._announce_arrived = arrived
        self._announce_left = left
        self._data_dir = data_dir
        self._published = published
        self._serving = serving
        self._demand = Demand(clock, self._wanted, self._go_idle) if needs_devices else None
        self._processes = 0
        self._retiring: Deferred[None] | None = None
        self._start_next = False
        self._reconsider_at = 0.0
        self._backoff = Backoff()
        self._retries = Retries(clock)
        self._rehearsals = Rehearsals(clock, self._send)
        self._settings = Settings(clock, self._send, self.fault, self._kill)
        self._orphans: dict[str, tuple[Device, IDelayedCall]] = {}
        self._waiting: IDelayedCall | None = None
        self._settling: list[Deferred[None]] = []
        self._settled = False
        self._notes = Notes(self.name)
        self._forget_process()

    def _forget_process(self) -> None:
        """What is known of one process only."""
        self._link: Link | None = None
        self._requests = itertools.count(1)
        self._numbers = itertools.count(1)
        self._named: tuple[str, ...] = ()
        self._openings: dict[str, Opening] = {}
        self._closing: list[Opening] = []
        self._expected: set[str] | None = None
        self._serving_since: float | None = None
        self._watch: IDelayedCall | None = None
        self._again: dict[str, IDelayedCall] = {}

    # -- for the supervisor ----------------------------------------------------

    @property
    def pid(self) -> int | None:
        """Of its process, while there is one."""
        return None if self._link is None else self._link.pid

    def devices(self) -> list[Device]:
        """Those that are there."""
        return [opening.device for opening in self._openings.values() if opening.device]

    def complaints(self) -> dict[str, str]:
        """Why devices that are named cannot be used, by identity."""
        return self._retries.reasons()

    def unattended(self) -> str:
        """
        Why nobody looks after its process, for people; ``""`` as long as somebody does.

        Whatever a driver does, there is always a limit that runs, or a time at which it
        is tried again. For a moment there may be none: while a process is being killed.
        """
        if self.state in ("idle", "refused", "stopped") or self._retiring is not None:
            return ""
        if self._link is None and self._demand is not None and not self._demand.devices:
            return ""
        timer = self._waiting if self._link is None else self._watch
        if timer is not None and timer.active():
            return ""
        return f"the driver {self.name} is {self.state}, and neither watched nor to be restarted"

    def start(self) -> None:
        """Start its process, as soon as there is something for it to do."""
        self._waiting = None
        if self._retiring is not None:
            # Two at once would be in each other's way.
            self._start_next = True
        elif self._demand is None or self._demand.devices:
            self._start()

    def _start(self) -> None:
        self.state = "starting"
        # What one process still says when there is another is not for us.
        self._processes = mine = self._processes + 1

        def received(message: wire.FromHost) -> None:
            if mine == self._processes:
                self._received(message)

        def ended(reason: str) -> None:
            if mine == self._processes:
                self._ended(reason)

        try:
            self._link = self._spawn(self._entry, received, ended)
        except OSError as error:
            self._ended(f"cannot be started: {error.strerror or error}")
            return
        self._expect(START_LIMIT, "did not start within 20 seconds")
        devices = () if self._demand is None else self._demand.devices
        self._link.send(wire.Start(self._options, self._data_dir, devices))

    def present(self, devices: tuple[UdevDevice, ...]) -> None:
        """Those of the kernel's devices that it is for, whenever they have changed."""
        if self._demand is None or self.state == "stopped":
            return
        if self._link is not None:
            self._send(wire.Present(devices))
        self._demand.present(devices)
        if not devices and self._link is None and self.state == "starting":
            self.state = "idle"
        if not devices:
            self._is_settled()

    def _wanted(self) -> None:
        """There are devices for it, and they have changed."""
        if self._link is not None or self._waiting is not None:
            return
        wait = self._reconsider_at - self._clock.seconds() if self.state == "refused" else 0
        if wait > 0:
            self._waiting = self._clock.callLater(wait, self.start)
        else:
            self.start()

    def _go_idle(self) -> None:
        """There is nothing for it to do; what changes will tell."""
        if self.state == "stopped":
            return
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self.state != "refused":
            self.state, self.reason = "idle", ""
        self._retire(f"There is nothing for the driver {self.name} to do")

    def _retire(self, reason: str) -> None:
        """It needs no process for now: let it end."""
        link = self._link
        self._processes += 1
        self._abandon(reason)
        self._settings.fail(reason)
        self._rehearsals.fail(reason)
        self._is_settled()
        if link is not None:
            self._retiring = link.stop().addCallback(self._retired)

    def _retired(self, result: None) -> None:
        self._retiring = None
        start, self._start_next = self._start_next, False
        if start and self.state != "stopped":
            self.start()

    def settled(self) -> Deferred[None]:
        """Fires when what it found first has arrived, or cannot; or when it failed."""
        if self._settled:
            return succeed(None)
        deferred: Deferred[None] = Deferred()
        self._settling.append(deferred)
        return deferred

    def stop(self) -> Deferred[None]:
        """End its process, politely if it lets us. Nothing is announced any more."""
        self.state = "stopped"
        for waiting in [self._waiting, *(timer for _, timer in self._orphans.values())]:
            if waiting is not None and waiting.active():
                waiting.cancel()
        self._waiting = None
        if self._demand is not None:
            self._demand.cancel()
        self._orphans.clear()
        self._settings.fail(f"The driver {self.name} is stopped")
        self._rehearsals.fail(f"The driver {self.name} is stopped")
        link = self._link
        self._abandon("The server is stopped")
        self._is_settled()
        if link is not None:
            return link.stop()
        stopped: Deferred[None] = Deferred()
        (self._retiring or succeed(None)).addCallback(stopped.callback)
        return stopped

    def simulate(
        self, action: str, identity: str, arguments: Mapping[str, Value]
    ) -> Deferred[object]:
        """
        Have a device misbehave.

        :raises ValueError: through the Deferred: it cannot, or did not answer.
        """
        if self._serving_since is None and self._expected is None:
            return self._rehearsals.refuse(f"The driver {self.name} is not running right now")
        return self._rehearsals.ask(next(self._requests), action, identity, arguments)

    def set_key(self, name: str, value: Value) -> Deferred[None]:
        """
        Have it set one of its keys.

        :raises NotAvailable: through the Deferred: it has no process.
        :raises DeviceError: through the Deferred: it refused, failed or did not answer.
        """
        if self.state != "running":
            return fail(NotAvailable(f"The driver {self.name} is not running ({self.state})"))
        return self._settings.ask(next(self._requests), name, value)

    # -- the process -----------------------------------------------------------

    def _send(self, message: wire.ToHost, descriptor: int | None = None) -> None:
        if self._link is not None:
            self._link.send(message, descriptor)

    def _expect(self, seconds: float, failure: str) -> None:
        """It must say something within so many seconds."""
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self._clock.callLater(seconds, self._overdue, failure)

    def _overdue(self, failure: str) -> None:
        self._watch = None
        self._kill(failure)

    def _kill(self, reason: str) -> None:
        if self._link is not None:
            self._log.debug("{driver} {reason}: it is killed", driver=self.name, reason=reason)
            self._link.kill(reason)

    def _received(self, message: wire.FromHost) -> None:
        if self._link is None:
            return
        match message:
            case wire.Started(name, kind):
                if (name, kind) != (self.name, self.kind):
                    self._kill(f"calls itself {name!r} ({kind}): restart the server")
                    return
                self._expect(FIND_LIMIT, "did not answer find() within 2 seconds")
                self.state, self.reason = "running", ""
                self._serving()
            case wire.Stopped(text, traceback, unusable):
                self.reason = text
                if unusable:
                    self._is_unusable(text)
                else:
                    self._notes.report("start()", text, traceback)
            case wire.Published(name, value):
                self._published(name, value)
            case wire.Found(identities):
                self._expect(FIND_LIMIT, "did not answer find() within 2 seconds")
                self._found(identities)
            case wire.Lost(text, traceback):
                self._expect(FIND_LIMIT, "did not answer find() within 2 seconds")
                self._find_failed(text, traceback)
            case wire.Answer() | wire.Refused():
                self._answered(message)
            case wire.Record(number, text):
                self._notes.record(number, text)

    def _is_unusable(self, reason: str) -> None:
        """It cannot work here, and says so: there is no use in trying again."""
        self._notes.complain(f"cannot be used: {reason}")
        self.state = "refused"
        self._reconsider_at = self._clock.seconds() + RECONSIDERED
        self._retire(reason)

    def _answered(self, message: wire.Answer | wire.Refused) -> None:
        for opening in self._openings.values():
            if opening.answered(message):
                return
        for opening in self._closing:
            if opening.answered(message):
                if opening.finished:
                    self._closing.remove(opening)
                return
        if not self._settings.answered(message):
            self._rehearsals.answered(message)

    def _ended(self, reason: str) -> None:
        """The process has ended; another one is started soon."""
        if self.state == "stopped":
            return
        since = self._serving_since
        served = None if since is None else self._clock.seconds() - since
        delay = self._backoff.delay(served)
        self.state = "failed"
        # What the driver itself has said is the better reason.
        self.reason = self.reason or f"It {reason}"
        self._log.warn(
            "{driver} {reason}; it is started again in {delay} s",
            driver=self.name,
            reason=reason,
            delay=round(delay, 1),
        )
        self._abandon(f"The driver {self.name} stopped working and is started again")
        self._settings.fail(f"The driver {self.name} {reason}")
        self._rehearsals.fail(f"The driver {self.name} {reason}")
        self._is_settled()
        self.restarts += 1
        self._waiting = self._clock.callLater(delay, self.start)

    def _abandon(self, reason: str) -> None:
        """Forget the process; its devices become orphans."""
        openings = [*self._openings.values(), *self._closing]
        for timer in [self._watch, *self._again.values()]:
            if timer is not None and timer.active():
                timer.cancel()
        self._forget_process()
        for opening in openings:
            device = opening.abandon(reason)
            if device is not None and self.state != "stopped":
                timer = self._clock.callLater(GRACE, self._not_back, device.identity)
                self._orphans[device.identity] = (device, timer)

    def _not_back(self, identity: str) -> None:
        device, timer = self._orphans.pop(identity)
        if timer.active():
            timer.cancel()
        self._announce_left(device, f"The driver {self.name} does not work")

    # -- what it finds -----------------------------------------------------------

    def _found(self, identities: tuple[str, ...]) -> None:
        named = tuple(dict.fromkeys(i for i in identities if IDENTITY.fullmatch(i)))[:MAX_DEVICES]
        self.state = "running"
        self.reason = ""
        if len(named) < len(identities):
            self.reason = (
                "find() named a device twice, too many, or one whose identity is not "
                "1 to 128 printable ASCII characters"
            )
            self._notes.complain(self.reason)
        else:
            self._notes.well()
        self._named = named
        for identity in [i for i in self._openings if i not in named]:
            self._close(self._openings[identity], "It is not there any more")
        for identity in [i for i in self._orphans if i not in named]:
            self._not_back(identity)
        self._retries.keep(named)
        if self._demand is not None:
            if named:
                self._demand.useful()
            elif self.kind != "storage":
                # A stick may be mounted yet, of which no event tells.
                self._demand.useless()
        for identity in named:
            self._open(identity)
        if self._expected is None:
            self._expected = set(self._openings)
            self._is_expected_no_more()

    def _find_failed(self, text: str, traceback: str) -> None:
        self.state = "failed"
        self.reason = f"find() failed: {text}"
        self._notes.complain(self.reason, traceback)
        self._is_settled()

    def _open(self, identity: str) -> None:
        if self._link is None or identity in self._openings or identity not in self._named:
            return
        # The calls to one device, through whichever opening, never overlap.
        closing = any(opening.identity == identity for opening in self._closing)
        if not closing and self._retries.may(identity):
            self._openings[identity] = Opening(
                self._clock, self, identity, next(self._numbers), self._requests, self._send
            )

    def _close(self, opening: Opening, reason: str) -> None:
        del self._openings[opening.identity]
        self._closing.append(opening)
        opening.close(reason)
        self._is_expected_no_more(opening.identity)

    def _is_expected_no_more(self, identity: str = "") -> None:
        """One that was found first has arrived or cannot; with the last it serves."""
        if self._expected is None:
            return
        self._expected.discard(identity)
        if not self._expected and self._serving_since is None:
            self._serving_since = self._clock.seconds()
            self._is_settled()

    def _is_settled(self) -> None:
        self._settled = True
        settling, self._settling = self._settling, []
        for deferred in settling:
            deferred.callback(None)

    # -- the owner of openings -----------------------------------------------------

    def arrived(self, device: Device) -> None:
        """See :class:`~rotoclear.devices.opening.Owner`; so the others."""
        self._retries.forget(device.identity)
        orphan = self._orphans.pop(device.identity, None)
        if orphan is not None:
            orphan[1].cancel()
        self._log.info("{device} has arrived", device=device)
        self._announce_arrived(device)
        self._is_expected_no_more(device.identity)

    def left(self, device: Device, reason: str) -> None:
        self._retries.lost(device.identity)
        self._log.info("{device} has left: {reason}", device=device, reason=reason)
        self._announce_left(device, reason)

    def refused(self, opening: Opening, reason: str) -> None:
        identity = opening.identity
        if self._openings.get(identity) is opening:
            del self._openings[identity]
            self._closing.append(opening)
        if self._retries.refused(identity, reason):
            self._log.warn(
                "{driver}: {identity} cannot be used: {reason}",
                driver=self.name,
                identity=identity,
                reason=reason,
            )
        if self._retries.soon(identity):
            self._again[identity] = self._clock.callLater(SOON, self._open, identity)
        self._is_expected_no_more(identity)

    def stuck(self, opening: Opening, what: str) -> None:
        if opening.device is None:
            self._retries.hung(opening.identity, f"{what} takes longer than 2 seconds")
        self._kill(f"is stuck: {what}")

    def fault(self, what: str, reason: str, traceback: str) -> None:
        self._notes.report(what, reason, traceback)
