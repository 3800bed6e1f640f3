"""Recording: ``record`` and its steps."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.media.interfaces import Heads, HoldsVideo, IEngine, Volumes
from rotoclear.media.needs import Needs
from rotoclear.state.errors import NOT_AVAILABLE, NotAvailable, Refusal
from rotoclear.state.lanes import Judgement, Lane, Values
from rotoclear.state.model import Model
from rotoclear.state.permissions import MEDIA_RW
from rotoclear.values import Value

STOPPED: Final = False
RUNNING: Final = True
PAUSED: Final = "pause"


_OURS: Final = frozenset({MEDIA_RW})


class Recorder(Lane):
    """
    The state machine of ``record``; each step counts and waits for the one before.

    ============== =========== =========== ============
    asked for      stopped     running     paused
    ============== =========== =========== ============
    ``true``       start       confirmed   resume
    ``false``      confirmed   stop        stop
    ``pause``      refused     pause       refused
    pause_release  refused     refused     resume
    ============== =========== =========== ============

    Starting and resuming take the active camera and a volume. When the active
    camera or the volume that is being written on is lost, or the engine cannot go
    on, the recording ends by itself, paused or not, and :attr:`ending` tells why; it
    does not begin again by itself.

    When the engine itself is lost, it ends, too. But one that was running begins
    again when there is an engine again, unless someone has asked for ``false``
    meanwhile: the new film goes on with the old one.

    :param reactor: marks the turns.
    :param volumes: hold the volume still while a recording starts, and runs.
    :param video: holds size and rate still while a recording starts.
    """

    _log = Logger()
    each_counts = True

    def __init__(
        self,
        reactor: IReactorTime,
        model: Model,
        heads: Heads,
        volumes: Volumes,
        engine: IEngine,
        video: HoldsVideo,
    ) -> None:
        super().__init__("record")
        self._reactor = reactor
        self._model = model
        self._needs = Needs(model, heads, volumes)
        self._engine = engine
        self._video = video
        self._volumes = volumes
        self._losses = 0
        self._loss = ""
        self._stopping = False
        self._interrupted = False
        self.ending: str | None = None
        """Why the last recording ended by itself, for people; ``None`` if it did not."""
        model.add_lane(self)
        model.observe(self._news)
        heads.observe(lambda number: self._check())
        volumes.observe(lambda: self.ended("The volume that was written on is gone"))
        engine.watch(self)

    def judge(self, wanted: Values) -> Judgement:
        now, step = self._model["record"], wanted["record"]
        refusal = None
        state: Value = step
        if step == "pause_release":
            state = RUNNING
            if now != PAUSED:
                refusal = "There is no paused recording to go on with"
        elif step == PAUSED and now is not RUNNING:
            refusal = (
                "The recording is paused already"
                if now == PAUSED
                else "There is no running recording to pause"
            )
        if refusal is None and state is RUNNING:
            refusal = self._needs.missing()
        if refusal is not None:
            return Judgement({}, [Refusal(NOT_AVAILABLE, "record", refusal)])
        return Judgement({"record": state})

    def apply(self, values: Values) -> Awaitable[None] | None:
        now, state = self._model["record"], values["record"]
        if state is STOPPED:
            self._interrupted = False
        if state == now:
            return None
        return self._step(now, state)

    async def _step(self, now: Value, state: Value) -> None:
        if state is STOPPED:
            self._stopping = True
            try:
                await self._engine.stop()
            finally:
                self._stopping = False
            return
        losses, again = self._losses, self._interrupted
        if state == PAUSED:
            await self._engine.pause()
        elif now == PAUSED:
            await self._engine.resume()
        else:
            await self._start(again)
        if losses != self._losses:
            self._abandon()
            raise NotAvailable(self._loss)
        if now is STOPPED:
            self._interrupted = False
            if not again:
                self.ending = None

    async def _start(self, again: bool) -> None:
        held = self._video.hold()
        self._volumes.hold()
        try:
            await held
            await self._engine.start(again)
        except CancelledError:
            # It took too long, and may begin yet.
            self._abandon()
            raise
        finally:
            # Not before the start is committed.
            self._reactor.callLater(0, self._release)

    def _release(self) -> None:
        self._video.release()
        self._volumes.release()

    # -- losses ----------------------------------------------------------

    def _news(self, news: Values) -> None:
        if "main-camera" in news:
            self._check()

    def _check(self) -> None:
        missing = self._needs.missing()
        if missing is not None:
            self.ended(missing)

    def ended(self, reason: str) -> None:
        """
        What a recording needs is gone: tell so, whatever step is on its way.

        See :class:`~rotoclear.media.interfaces.Watcher`; so the next two.
        """
        if self._end(reason):
            self._abandon()

    def lost(self, reason: str) -> None:
        running = self._model["record"] is RUNNING and not self._stopping
        if self._end(reason):
            self._interrupted = running

    def late(self, paused: bool) -> None:
        state = PAUSED if paused else RUNNING
        if not self._stopping and self._model["record"] not in (STOPPED, state):
            self._log.info("the engine has come late to record={state}", state=state)
            self._model.commit({"record": state})

    def back(self) -> None:
        if self._interrupted:
            Deferred.fromCoroutine(self._go_on())

    async def _go_on(self) -> None:
        losses = self._losses
        outcome = await self._model.request({"record": True}, _OURS)
        if outcome.refused and losses == self._losses:
            # With the engine gone once more it is tried once more.
            self._interrupted = False
            (refusal,) = outcome.refused
            self.ending = refusal.message
            self._log.error("the recording does not go on: {reason}", reason=refusal.message)

    def _end(self, reason: str) -> bool:
        """It is over; ``False`` if there is none."""
        self._losses += 1
        self._loss = reason
        if self._model["record"] is STOPPED:
            return False
        self._log.error("the recording has ended: {reason}", reason=reason)
        self.ending = reason
        self._model.commit({"record": STOPPED})
        return True

    def _abandon(self) -> None:
        self._engine.stop().addErrback(
            lambda failure: self._log.failure("the engine did not stop", failure)
        )
