"""Taking pictures: ``snap``."""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater

from rotoclear.media.interfaces import Heads, IEngine, Volumes
from rotoclear.media.needs import Needs
from rotoclear.state.errors import NOT_AVAILABLE, Refusal
from rotoclear.state.lanes import Judgement, Lane, Values
from rotoclear.state.model import Model


class Snapshots(Lane):
    """
    Each ``true`` takes one picture, one after another.

    ``true`` is committed, and told to everybody, before the picture is taken;
    ``false`` a turn after the asker was answered, or when the next one begins; with the
    answer if it failed.

    :param reactor: marks the turns.
    """

    each_counts = True

    def __init__(
        self, reactor: IReactorTime, model: Model, heads: Heads, volumes: Volumes, engine: IEngine
    ) -> None:
        super().__init__("snap")
        self._reactor = reactor
        self._model = model
        self._needs = Needs(model, heads, volumes)
        self._engine = engine
        self._over: IDelayedCall | None = None
        model.add_lane(self)

    def judge(self, wanted: Values) -> Judgement:
        if wanted["snap"] is True and (missing := self._needs.missing()) is not None:
            return Judgement({}, [Refusal(NOT_AVAILABLE, "snap", missing)])
        return Judgement(dict(wanted))

    def apply(self, values: Values) -> Awaitable[None] | None:
        return self._take() if values["snap"] is True else None

    async def _take(self) -> None:
        if self._over is not None:
            self._over.cancel()
            self._end()
        self._model.commit({"snap": True})
        try:
            # The observers are told at the end of this turn.
            await deferLater(self._reactor, 0)
            await self._engine.snap()
        except BaseException:
            # Who is told that it failed, and asks, is not to hear that it goes on.
            self._end()
            raise
        self._over = self._reactor.callLater(0, self._end)

    def _end(self) -> None:
        self._over = None
        self._model.commit({"snap": False})
