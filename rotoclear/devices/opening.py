"""
One opening of one device, from ``open`` to ``close``.

A device is asked one thing at a time. While nobody wants anything of it, it is
probed; a call waits for the probe that is on its way. Two clocks run for each
call: the asker is answered within :data:`LIMIT`, whatever happens, and a
device that works at one thing for longer than that (or :data:`OPEN_LIMIT`) is
stuck: its process ends.
"""

from __future__ import annotations

import itertools
import socket
from collections import deque
from typing import Final, Protocol, cast

from attrs import define
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.devices import describe, wire
from rotoclear.devices.device import Description, Device, Kind
from rotoclear.state.errors import DeviceError
from rotoclear.values import Value

LIMIT: Final = 1.9
"""Seconds for one call; a little less than the two that a client waits."""

OPEN_LIMIT: Final = 10.0
"""
Seconds that a device may take to be opened, which no client waits for.

Drivers must do it in two, and do; but one of many cameras that are looked at
at once, on a machine that has just been switched on, must not cost the others
that are in its process theirs.
"""

PROBE_INTERVAL: Final = 0.25
"""Seconds between two probes of an idle device."""

PROBE_LIMIT: Final = 0.4
"""
Seconds that a probe may take; then the device is gone.

With the interval and the 0.3 s for which a loss is not believed, a camera that
no longer answers is gone within a second.
"""

SILENT: Final = "It does not answer"


class Send(Protocol):
    """Sends a message to the process: see :meth:`rotoclear.devices.link.Link.send`."""

    def __call__(self, message: wire.ToHost, descriptor: int | None = None, /) -> None: ...


class Owner(Protocol):
    """Whoever has opened it: the driver."""

    @property
    def name(self) -> str:
        """The driver's name."""

    @property
    def kind(self) -> Kind:
        """The driver's kind."""

    def arrived(self, device: Device) -> None:
        """It answered a probe, for the first time or once more."""

    def left(self, device: Device, reason: str) -> None:
        """It is not there any more."""

    def refused(self, opening: Opening, reason: str) -> None:
        """It could not be opened, or has been lost: close it, perhaps try again."""

    def stuck(self, opening: Opening, what: str) -> None:
        """It works at one thing for too long: end the process."""

    def fault(self, what: str, reason: str, traceback: str) -> None:
        """The driver has a fault: tell the log."""


@define(eq=False)
class _Task:
    """
    Something that the device is to do.

    :ivar done: fires the asker's answer; ``None`` for what nobody asked for.
    :ivar limit: for the asker.
    :ivar view: of a ``view``: the end that is for the asker.
    """

    method: str
    arguments: tuple[Value, ...]
    done: Deferred[object] | None
    limit: IDelayedCall | None = None
    view: socket.socket | None = None

    def finish(self, result: object) -> None:
        """Answer the asker, unless that has been done."""
        if self.limit is not None and self.limit.active():
            self.limit.cancel()
        done, self.done = self.done, None
        view, self.view = self.view, None
        if view is not None and (done is None or result is not view):
            view.close()
        if done is None:
            return
        if isinstance(result, Exception):
            done.errback(result)
        else:
            done.callback(result)


class Opening:
    """
    See the module.

    :param clock: keeps the limits.
    :param owner: is told what becomes of it.
    :param identity: of the device.
    :param number: that it has in its process.
    :param requests: numbers for requests, shared by the whole process.
    :param send: sends a message to the process.
    :ivar device: what is there, while it is.
    :ivar finished: it has been closed.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        owner: Owner,
        identity: str,
        number: int,
        requests: itertools.count[int],
        send: Send,
    ) -> None:
        self._clock = clock
        self._owner = owner
        self.identity = identity
        self.number = number
        self._requests = requests
        self._send = send
        self._description: Description | None = None
        self.device: OpenDevice | None = None
        self._queue: deque[_Task] = deque()
        self._task: _Task | None = None
        self._request = 0
        self._begun = 0.0
        self._work: IDelayedCall | None = None
        self._probe: IDelayedCall | None = None
        self._closed = False
        self.finished = False
        self._begin(_Task("open", (), None))

    # -- calls ---------------------------------------------------------------

    def call(self, method: str, arguments: tuple[Value, ...]) -> Deferred[object]:
        """See :meth:`rotoclear.devices.device.Device.call`."""
        return self._enter(_Task(method, arguments, Deferred()))

    def view(self) -> Deferred[socket.socket]:
        """See :meth:`rotoclear.devices.device.Device.view`."""
        task = _Task("view", (), Deferred(lambda _: self._drop(task, CancelledError())))
        return cast("Deferred[socket.socket]", self._enter(task))

    def _enter(self, task: _Task) -> Deferred[object]:
        done = task.done
        assert done is not None  # noqa: S101 - for mypy
        task.limit = self._clock.callLater(LIMIT, self._late, task)
        self._queue.append(task)
        self._next()
        return done

    def _late(self, task: _Task) -> None:
        self._drop(task, DeviceError("The device did not answer within 2 seconds"))

    def _drop(self, task: _Task, error: Exception) -> None:
        """Nobody waits for it any more."""
        task.finish(error)
        if task is self._task:
            self._watch_work()
        elif task in self._queue:
            self._queue.remove(task)

    def _watch_work(self) -> None:
        """
        Nobody waits for what the device does, but it must not do it for ever.

        Until then the asker's clock is the only one, for it rings first. The
        device may have begun after it was asked: it has its full time.
        """
        if self._task is not None and self._work is None:
            limit = OPEN_LIMIT if self._task.method == "open" else LIMIT
            left = limit - (self._clock.seconds() - self._begun)
            self._work = self._clock.callLater(max(0.0, left), self._overdue)

    def _next(self) -> None:
        """Begin what is next, if the device is idle."""
        if self._task is None and not self._closed:
            if self._queue:
                self._begin(self._queue.popleft())
            elif self._probe is None:
                self._probe = self._clock.callLater(PROBE_INTERVAL, self._begin_probe)

    def _begin_probe(self) -> None:
        self._probe = None
        if self._task is None:
            self._begin(_Task("probe", (), None))

    def _begin(self, task: _Task) -> None:
        self._task = task
        self._request = request = next(self._requests)
        self._begun = self._clock.seconds()
        if task.done is None:
            self._watch_work()
        message: wire.ToHost
        theirs: socket.socket | None = None
        match task.method:
            case "open":
                message = wire.Open(request, self.number, self.identity)
            case "close":
                message = wire.Close(request, self.number)
            case "view":
                message = wire.Stream(request, self.number)
                try:
                    task.view, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                except OSError as error:
                    self._task = None
                    task.finish(DeviceError(f"Nobody else can look: {error.strerror}"))
                    self._next()
                    return
            case _:
                message = wire.Call(request, self.number, task.method, task.arguments)
        if task.method == "probe":
            self._cancel_probe()
            self._probe = self._clock.callLater(PROBE_LIMIT, self._unanswered)
        if theirs is None:
            self._send(message)
        else:
            with theirs:
                self._send(message, theirs.fileno())

    def _overdue(self) -> None:
        self._work = None
        if self._task is not None:
            method = self._task.method
            limit = round(OPEN_LIMIT if method == "open" else LIMIT)
            self._owner.stuck(
                self, f"{method}() of {self.identity} takes longer than {limit} seconds"
            )

    def _unanswered(self) -> None:
        """It may have answered while we were busy: what has come is looked at first."""
        self._probe = self._clock.callLater(0, self._silent)

    def _silent(self) -> None:
        self._probe = None
        self._gone(SILENT)

    # -- answers ---------------------------------------------------------------

    def answered(self, message: wire.Answer | wire.Refused) -> bool:
        """The process has answered something; whether it was for this device."""
        task = self._task
        if task is None or message.request != self._request:
            return False
        self._task = None
        self._cancel_work()
        if task.method == "probe":
            self._cancel_probe()
        if self._closed:
            if task.method == "close":
                self.finished = True
            else:
                self._begin(_Task("close", (), None))
            return True
        if isinstance(message, wire.Refused):
            self._refused(task, message)
        else:
            self._done(task, message.result)
        self._next()
        return True

    def _done(self, task: _Task, result: object) -> None:
        try:
            match task.method:
                case "open":
                    self._description = describe.description(
                        self._owner.kind, self.identity, result
                    )
                    self._begin_probe()
                case "probe":
                    self._sign_of_life()
                    task.finish(None)
                case "usage":
                    task.finish(describe.usage(result))
                case "capture":
                    task.finish(describe.capture(result))
                case "view":
                    task.finish(task.view)
                case _:
                    task.finish(None)
        except describe.BadDescription as error:
            self._owner.fault(f"{task.method}() of {self.identity}", str(error), "")
            task.finish(DeviceError(f"The driver {self._owner.name} failed"))
            if task.method == "open":
                self._lost(f"Its description is not valid: {error}")

    def _refused(self, task: _Task, refused: wire.Refused) -> None:
        reason = refused.message or "It failed and did not say why"
        if refused.reason == "fault":
            self._owner.fault(f"{task.method}() of {self.identity}", reason, refused.traceback)
            reason = f"The driver {self._owner.name} failed"
        task.finish(DeviceError(reason))
        if task.method in ("open", "probe") or refused.reason == "gone":
            self._lost(reason)

    def _sign_of_life(self) -> None:
        if self.device is None and self._description is not None:
            self.device = OpenDevice(self, self._owner.kind, self._owner.name, self._description)
            self._owner.arrived(self.device)

    # -- the end ---------------------------------------------------------------

    def close(self, reason: str) -> None:
        """Close it, once it has done what it is at: it is not named any more."""
        self._gone(reason)
        if self._closed:
            return
        self._closed = True
        self._cancel_probe()
        if self._task is None:
            self._begin(_Task("close", (), None))

    def abandon(self, reason: str) -> OpenDevice | None:
        """Its process has ended. Returns the device that is dead with it."""
        self._closed = True
        self._cancel_probe()
        self._cancel_work()
        device, self.device = self.device, None
        self._fail_all(reason)
        return device

    def _lost(self, reason: str) -> None:
        self._gone(reason)
        self._owner.refused(self, reason)
        self.close(reason)

    def _gone(self, reason: str) -> None:
        """It is not there, for the world; the opening may find it again."""
        device, self.device = self.device, None
        self._fail_all(reason)
        self._watch_work()
        if device is not None:
            self._owner.left(device, reason)

    def _fail_all(self, reason: str) -> None:
        tasks = [*self._queue]
        self._queue.clear()
        if self._task is not None:
            tasks.insert(0, self._task)
        for task in tasks:
            task.finish(DeviceError(reason))

    def _cancel_probe(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None

    def _cancel_work(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self._work = None


class OpenDevice:
    """What the rest of the house has of it: a :class:`~rotoclear.devices.device.Device`."""

    def __init__(self, opening: Opening, kind: Kind, driver: str, description: Description) -> None:
        self._opening = opening
        self.kind: Kind = kind
        self.driver = driver
        self.identity = opening.identity
        self.description = description

    def __repr__(self) -> str:
        return f"<{self.kind} {self.identity} of {self.driver}>"

    @property
    def alive(self) -> bool:
        """It answered its last probe, and nobody has said that it is gone."""
        return self._opening.device is self

    def call(self, method: str, *arguments: Value) -> Deferred[object]:
        """See :meth:`rotoclear.devices.device.Device.call`."""
        if method not in wire.METHODS[self.kind]:
            raise ValueError(f"a {self.kind} has no {method}()")
        if not self.alive:
            return fail(DeviceError("The device is not there any more"))
        return self._opening.call(method, arguments)

    def view(self) -> Deferred[socket.socket]:
        """See :meth:`rotoclear.devices.device.Device.view`."""
        if self.kind != "camera":
            raise ValueError(f"a {self.kind} has no pictures")
        if not self.alive:
            return fail(DeviceError("The device is not there any more"))
        return self._opening.view()
