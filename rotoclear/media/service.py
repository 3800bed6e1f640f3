"""
The engine, supervised: started, watched, fed, and started again.

It runs all the time but does nothing until somebody *needs* pictures: then the
heads that the view shows are looked at, and no others. What it is asked for is
answered in time whatever becomes of it; a process that hangs is killed, and the
next one is told the same view, sources, viewers and streams.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

from attrs import define
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.interfaces import CameraDescription
from rotoclear.media import view
from rotoclear.media.engine import wire
from rotoclear.media.films import Event
from rotoclear.media.process import Link, Spawn
from rotoclear.state.errors import DeviceError
from rotoclear.state.model import Model

START_LIMIT: Final = 30.0
"""Seconds that it has to load its libraries."""

BEAT_LIMIT: Final = 1.2
"""
Seconds within which a running one gives a sign of life; it does so four times a second.

It takes another two until a thread that is stuck shows.
"""

SUSPECT: Final = 0.6
"""
Seconds without a sign of life after which the kernel is asked whether it is stopped.

One that only gets no processor is waited for until :data:`BEAT_LIMIT`.
"""

GRACE: Final = 0.2
"""Seconds more, to see what has come while this process itself was held up."""

REQUEST_LIMIT: Final = 1.9
"""Seconds for what it is asked; a little less than the two that a client waits."""

LATE: Final = "The picture engine has not done it within 2 seconds: no picture came, or it is busy"

FIRST: Final = 0.2
"""Seconds before it is started again; doubled each time."""

MOST: Final = 10.0
"""Seconds at most before that."""

STABLE: Final = 2.0
"""Seconds after which a new one may be expected to last."""

LINGER: Final = 1.0
"""
Seconds for which a head is still looked at when nobody needs it any more.

So the next picture comes at once, and a film goes on while another head is made
the active one.
"""

RETRY: Final = 1.0
"""Seconds before a head that could not be looked at, or gave no more, is tried again."""

GONE: Final = "The picture engine stopped working and is started again"


class Camera(Protocol):
    """A head, as :class:`rotoclear.devices.device.Device`."""

    def view(self) -> Deferred[socket.socket]:
        """Look at its frames."""


class Heads(Protocol):
    """The heads, as :class:`rotoclear.devices.heads.Heads`."""

    def device(self, number: int) -> Any:
        """The camera that can be called now, or ``None``."""

    def description(self, number: int) -> CameraDescription | None:
        """What it is, or was; ``None`` before the first time."""

    def observe(self, observer: Callable[[int], None]) -> None:
        """Have it called with a head's number when its device has changed."""


class Viewer(Protocol):
    """Who wants live pictures."""

    def picture(self, jpeg: bytes, time: int) -> None:
        """Here is one, taken at so many nanoseconds of ``CLOCK_MONOTONIC``."""


class Listener(Protocol):
    """Who wants the film as it is made."""

    def access_unit(self, data: bytes, time: int, key: bool) -> None:
        """H.264 in Annex B form; a keyframe brings its parameter sets."""


@define(eq=False)
class _Request:
    done: Deferred[object]
    limit: IDelayedCall
    late: Callable[[Any], object] | None = None


@define(eq=False)
class _Source:
    """
    One head that is looked at.

    :ivar device: whose frames the engine gets, or is about to.
    :ivar look: its number for the engine; 0 when it gives no frames and waits to be tried again.
    :ivar asked: until there is a socket.
    :ivar rest: when it is let go of, or tried again.
    """

    device: Any
    look: int
    asked: Deferred[socket.socket] | None = None
    rest: IDelayedCall | None = None


class EngineService(Service):
    """
    See the module.

    :param reactor: keeps the limits.
    :param spawn: starts processes.
    :param model: says what the picture is to be.
    :param plan: how to encode a stream while nothing is recorded.
    :ivar state: ``"starting"``, ``"running"``, ``"failed"`` or ``"stopped"``.
    :ivar reason: for people, when it is not as it should be.
    :ivar restarts: how often it has been started anew.
    :ivar beat: its last sign of life.
    :ivar encoders: the H.264 encoders that it has, once it has said so.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: IReactorTime,
        spawn: Spawn,
        model: Model,
        heads: Heads,
        plan: wire.Plan,
        quality: int = 80,
    ) -> None:
        self._reactor = reactor
        self._spawn = spawn
        self._model = model
        self._heads = heads
        self._plan = plan
        self._quality = quality
        self._link: Link | None = None
        self._requests: dict[int, _Request] = {}
        # Who is told of what comes about when it is not waited for any more.
        self._belated: dict[int, Callable[[Any], object]] = {}
        self._numbers = itertools.count(1)
        self._needs: dict[tuple[object, int], int] = {}
        self._viewers: list[Viewer] = []
        self._listeners: dict[int, list[Listener]] = {}
        self._sources: dict[int, _Source] = {}
        self._view: wire.View | None = None
        self._watch: IDelayedCall | None = None
        self._suspicion: IDelayedCall | None = None
        self._again: IDelayedCall | None = None
        self._delay = FIRST
        self._ready_since = 0.0
        self._settling: list[Deferred[None]] = []
        self._events: list[Callable[[Event], None]] = []
        self._changes: list[Callable[[bool], None]] = []
        self.state: Literal["starting", "running", "failed", "stopped"] = "stopped"
        self.reason = ""
        self.restarts = 0
        self.beat: wire.Beat | None = None
        self.encoders: tuple[str, ...] = ()
        model.observe(self._news)
        heads.observe(self._head_changed)

    # -- life ------------------------------------------------------------

    def startService(self) -> None:
        """Start the process."""
        Service.startService(self)
        self._start()

    def stopService(self) -> None:
        """End the process; films that it writes are closed by their own."""
        Service.stopService(self)
        self.state = "stopped"
        if self._again is not None and self._again.active():
            self._again.cancel()
        link = self._link
        self._forget("The server is stopped")
        if link is not None:
            link.send(wire.Quit())
            link.kill("is stopped")

    def unattended(self) -> str:
        """
        Why nobody looks after the process, for people; ``""`` as long as somebody does.

        For a moment there may be nobody: while it is being killed.
        """
        timer = self._again if self._link is None else self._watch
        if self.state == "stopped" or (timer is not None and timer.active()):
            return ""
        return f"the picture engine is {self.state}, and neither watched nor to be restarted"

    @property
    def pid(self) -> int | None:
        """Of its process, while there is one."""
        return None if self._link is None else self._link.pid

    def _start(self) -> None:
        self._again = None
        self.state = "starting"
        try:
            self._link = self._spawn(self._received, self._packet, self._ended)
        except OSError as error:
            self._ended(f"cannot be started: {error.strerror or error}")
            return
        self._expect(START_LIMIT, "did not start within 30 seconds")

    def _expect(self, seconds: float, failure: str) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self._reactor.callLater(seconds, self._overdue, failure)

    def _alive(self) -> None:
        """It has just given a sign of life."""
        self._expect(BEAT_LIMIT, "hangs")
        if self._suspicion is not None:
            self._suspicion.cancel()
        self._suspicion = self._reactor.callLater(SUSPECT, self._suspect, False)

    def _suspect(self, again: bool) -> None:
        """
        It has not given any for a while.

        :param again: it was stopped a moment ago.
        """
        self._suspicion = None
        if self._link is None:
            return
        stopped = self._link.is_stopped()
        if stopped and again:
            self._link.kill("was stopped")
        else:
            self._suspicion = self._reactor.callLater(GRACE, self._suspect, stopped)

    def _overdue(self, failure: str) -> None:
        self._watch = self._reactor.callLater(GRACE, self._hangs, failure)

    def _hangs(self, failure: str) -> None:
        self._watch = None
        if self._link is not None:
            self._link.kill(failure)

    def _ended(self, reason: str) -> None:
        if self.state == "stopped":
            return
        was_running = self.state == "running"
        self.state, self.reason = "failed", f"It {reason}"
        if was_running and self._reactor.seconds() - self._ready_since >= STABLE:
            self._delay = FIRST
        self._log.error(
            "the picture engine {reason}; it is started again in {delay} s",
            reason=reason,
            delay=round(self._delay, 1),
        )
        self._link = None
        if was_running:
            # Before what was asked fails: whoever asked may want to know why.
            self._tell(self._changes, False)
        self._forget(GONE)
        self.restarts += 1
        self._again = self._reactor.callLater(self._delay, self._start)
        self._delay = min(self._delay * 2, MOST)
        self._is_settled()

    def _forget(self, reason: str) -> None:
        """What is known of one process only."""
        self._link = None
        self.beat = None
        if self._watch is not None:
            self._watch.cancel()
        self._watch = None
        if self._suspicion is not None:
            self._suspicion.cancel()
        self._suspicion = None
        self._belated.clear()
        requests, self._requests = self._requests, {}
        for request in requests.values():
            request.limit.cancel()
            request.done.errback(DeviceError(reason))
        self._view = None
        for number in tuple(self._sources):
            self._drop(number)

    # -- what it says ----------------------------------------------------

    def _received(self, message: wire.FromEngine) -> None:
        if self._link is None:
            return
        match message:
            case wire.Ready(encoders):
                self.encoders = encoders
                self._ready()
            case wire.Unseen(look):
                self._unseen(look)
            case wire.Beat():
                self.beat = message
                self._alive()
            case wire.Answer(number, result):
                self._answered(number, result)
            case wire.Refused(number, text):
                self._answered(number, DeviceError(text))
            case wire.Log(level, text):
                (self._log.warn if level >= 30 else self._log.info)("engine: {text}", text=text)
            case (
                wire.Opened()
                | wire.Progress()
                | wire.Closed()
                | wire.Torn()
                | wire.Hashed()
                | wire.Ended()
            ):
                self._tell(self._events, message)

    def _ready(self) -> None:
        self._alive()
        self.state, self.reason = "running", ""
        self._ready_since = self._reactor.seconds()
        self._show()
        if self._viewers:
            self._send(wire.Live(self._quality))
        for camera in self._listeners:
            self._send(wire.Stream(True, self._plan, camera))
        self._look()
        self._tell(self._changes, True)
        self._is_settled()

    def _is_settled(self) -> None:
        settling, self._settling = self._settling, []
        for done in settling:
            done.callback(None)

    def _answered(self, number: int, result: object) -> None:
        request = self._requests.pop(number, None)
        if request is None:
            late = self._belated.pop(number, None)
            if late is not None and not isinstance(result, Exception):
                self._tell([late], result)
            return
        request.limit.cancel()
        if isinstance(result, Exception):
            request.done.errback(result)
        else:
            request.done.callback(result)

    def _packet(self, head: wire.Head, data: bytes) -> None:
        if head.kind == wire.JPEG:
            for viewer in tuple(self._viewers):
                viewer.picture(data, head.time)
        else:
            for listener in tuple(self._listeners.get(head.camera, ())):
                listener.access_unit(data, head.time, bool(head.flags & wire.KEY))

    def _tell(self, observers: Sequence[Callable[..., object]], news: object) -> None:
        for observer in observers:
            try:
                observer(news)
            except Exception:  # noqa: BLE001 - one's mistake is not another one's loss
                self._log.failure("news of the engine were not understood")

    # -- what is asked of it ---------------------------------------------

    def ask(
        self,
        make: Callable[[int], wire.ToEngine],
        limit: float = REQUEST_LIMIT,
        late: Callable[[Any], object] | None = None,
    ) -> Deferred[Any]:
        """
        Ask for something.

        :param make: makes the message, of its number.
        :param limit: seconds for the answer.
        :param late: called with the result if it has come about after all when nobody waits
            for it any more.
        :return: its result. May be cancelled: nobody waits any more.
        :raises rotoclear.state.errors.DeviceError: through the Deferred: it was
            refused, not answered in time, or there is no engine now.
        """
        if self._link is None or self.state != "running":
            return fail(DeviceError("The picture engine is not running at the moment"))
        number = next(self._numbers)
        done: Deferred[Any] = Deferred(lambda _: self._give_up(number))
        timer = self._reactor.callLater(limit, self._late, number)
        self._requests[number] = _Request(done, timer, late)
        self._send(make(number))
        return done

    def _give_up(self, number: int) -> None:
        request = self._let_wait(number)
        if request is not None:
            request.limit.cancel()

    def _late(self, number: int) -> None:
        request = self._let_wait(number)
        if request is not None:
            request.done.errback(DeviceError(LATE))

    def _let_wait(self, number: int) -> _Request | None:
        """Nobody waits for its answer any more."""
        request = self._requests.pop(number, None)
        if request is not None and request.late is not None:
            self._belated[number] = request.late
        return request

    def _send(self, message: wire.ToEngine, frames: socket.socket | None = None) -> None:
        if self._link is not None:
            self._link.send(message, frames)

    def on_event(self, observer: Callable[[Event], None]) -> None:
        """Have it called with what becomes of films."""
        self._events.append(observer)

    def on_change(self, observer: Callable[[bool], None]) -> None:
        """Have it called with ``False`` when the engine is lost, ``True`` when one is ready."""
        self._changes.append(observer)

    # -- who needs pictures ----------------------------------------------

    def need(self, who: object, camera: int = 0) -> None:
        """
        Pictures are needed from now on, until :meth:`done` was called as often.

        :param camera: of that camera, whether the view shows it or not; 0: of the view.
        """
        self._needs[who, camera] = self._needs.get((who, camera), 0) + 1
        self._look()

    def done(self, who: object, camera: int = 0) -> None:
        """Undo one :meth:`need`."""
        left = self._needs.pop((who, camera)) - 1
        if left:
            self._needs[who, camera] = left
        self._look()

    def watch(self, viewer: Viewer) -> None:
        """Show it live pictures."""
        self._viewers.append(viewer)
        if len(self._viewers) == 1:
            self._send(wire.Live(self._quality))
        self.need(viewer)

    def unwatch(self, viewer: Viewer) -> None:
        """Show it no more."""
        self._viewers.remove(viewer)
        if not self._viewers:
            self._send(wire.Live(0))
        self.done(viewer)

    def listen(self, listener: Listener, camera: int = 0) -> None:
        """
        Give it the film as it is made; begins with a keyframe soon.

        :param camera: of that camera alone; 0: of the view.
        """
        listeners = self._listeners.setdefault(camera, [])
        listeners.append(listener)
        if len(listeners) == 1:
            self._send(wire.Stream(True, self._plan, camera))
        self._send(wire.Keyframe(camera))
        self.need(listener, camera)

    def keyframe(self, camera: int = 0) -> None:
        """Have the film's next picture be a keyframe: somebody has joined."""
        self._send(wire.Keyframe(camera))

    def unlisten(self, listener: Listener, camera: int = 0) -> None:
        """Give it no more."""
        listeners = self._listeners[camera]
        listeners.remove(listener)
        if not listeners:
            del self._listeners[camera]
            self._send(wire.Stream(False, self._plan, camera))
        self.done(listener, camera)

    # -- the view, and the heads in it -----------------------------------

    def _news(self, news: Mapping[str, object]) -> None:
        if not news.keys().isdisjoint(view.KEYS):
            self._show()
            self._look()

    def _head_changed(self, number: int) -> None:
        self._show()
        self._look()

    def _show(self) -> None:
        if self.state != "running":
            return
        descriptions = {number: self._heads.description(number) for number in view.NUMBERS}
        wanted = view.view_of(self._model, descriptions)
        if wanted != self._view:
            self._view = wanted
            self._send(wanted)

    def _wanted(self) -> set[int]:
        """The heads whose frames are needed."""
        if self.state != "running":
            return set()
        wanted = {camera for _, camera in self._needs}
        if 0 in wanted:
            wanted.add(int(self._model["main-camera"]))
            if self._model["pip-mode"] != "off":
                wanted.update(view.NUMBERS)
        return wanted - {0}

    def _look(self) -> None:
        wanted = self._wanted()
        for number in view.NUMBERS:
            device, source = self._heads.device(number), self._sources.get(number)
            if source is not None and source.device is not device:
                self._let_go(number)
                source = None
            if number not in wanted:
                if source is not None and source.rest is None:
                    source.rest = self._reactor.callLater(LINGER, self._let_go, number)
            elif source is None:
                if device is not None:
                    self._open(number, device)
            elif source.rest is not None and source.look:
                source.rest.cancel()
                source.rest = None

    def _open(self, number: int, device: Camera) -> None:
        source = self._sources[number] = _Source(device, next(self._numbers))
        source.asked = device.view()
        source.asked.addCallbacks(
            self._opened,
            self._not_opened,
            callbackArgs=(number, source),
            errbackArgs=(number, source),
        ).addErrback(lambda failure: self._log.failure("a camera cannot be looked at", failure))

    def _opened(self, connection: socket.socket, number: int, source: _Source) -> None:
        source.asked = None
        with connection:
            if self._sources.get(number) is source:
                self._send(wire.Source(number, source.look), connection)

    def _not_opened(self, failure: Failure, number: int, source: _Source) -> None:
        source.asked = None
        if self._sources.get(number) is source:
            self._log.info(
                "camera {number} cannot be looked at: {reason}",
                number=number,
                reason=failure.getErrorMessage(),
            )
            self._try_again(number, source)

    def _unseen(self, look: int) -> None:
        for number, source in self._sources.items():
            if source.look == look:
                self._try_again(number, source)

    def _try_again(self, number: int, source: _Source) -> None:
        """In a while, or as soon as there is another device for the head."""
        if source.rest is not None:
            source.rest.cancel()
        source.rest = self._reactor.callLater(RETRY, self._again_now, number)
        source.look = 0

    def _again_now(self, number: int) -> None:
        self._let_go(number)
        self._look()

    def _let_go(self, number: int) -> None:
        self._drop(number)
        self._send(wire.NoSource(number))

    def _drop(self, number: int) -> None:
        source = self._sources.pop(number)
        if source.asked is not None:
            source.asked.cancel()
        if source.rest is not None and source.rest.active():
            source.rest.cancel()

    # -- reports ---------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """What it does, ready for JSON."""
        beat = self.beat
        return {
            "state": self.state,
            "reason": self.reason,
            "restarts": self.restarts,
            "pid": self.pid,
            "rate": beat.rate if beat else 0.0,
            "frames": beat.frames if beat else 0,
            "dropped": beat.dropped if beat else 0,
            "written": beat.written if beat else 0,
            "viewers": len(self._viewers),
            "streams": sum(map(len, self._listeners.values())),
        }

    def health(self) -> dict[str, str]:
        """``{"state": "ok"}``, or what is the matter."""
        if self.state == "running":
            return {"state": "ok"}
        return {"state": self.state, "reason": self.reason or "It is being started"}

    def settled(self) -> Deferred[None]:
        """Fires when it runs, or has failed."""
        if self.state != "starting":
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._settling.append(done)
        return done
