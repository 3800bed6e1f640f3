"""The active camera, its picture size and its frame rate: keys that are judged together."""

from __future__ import annotations

from collections.abc import Awaitable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime

from rotoclear.devices.controls import Controls
from rotoclear.devices.heads import Heads, absent, silent
from rotoclear.devices.modes import (
    Modes,
    SizeForNow,
    modes_of,
    nearest_rate,
    nearest_size,
    rate_for_now,
)
from rotoclear.state.errors import INVALID_VALUE, NOT_AVAILABLE, DeviceError, Refusal
from rotoclear.state.lanes import Judgement, Lane, Values
from rotoclear.state.model import Model
from rotoclear.values import Size


class Video(Lane):
    """
    ``main-camera``, ``resolution`` and ``fps``.

    A message is judged by its result: first the camera, then the size that
    this camera has, then the rate that it can do at this size. What was not
    asked for and no longer fits falls to the nearest lower that does.

    :param reactor: marks the turns: a change has ended when it is committed.
    :param controls: takes size and rate to the head.
    """

    def __init__(
        self, reactor: IReactorTime, model: Model, heads: Heads, controls: Controls
    ) -> None:
        super().__init__("main-camera", "resolution", "fps")
        self._reactor = reactor
        self._model = model
        self._heads = heads
        self._controls = controls
        self._holds = 0
        self._changing = False
        self._until_changed: list[Deferred[None]] = []
        model.add_lane(self)
        model.observe(self._news)
        heads.observe(self._changed)
        self._fit()

    # -- for the recorder ------------------------------------------------

    def hold(self) -> Deferred[None]:
        """
        Refuse changes of size and rate from now on, until :meth:`release`.

        A recording that starts must not find them on the move.

        :return: fires when the change that is on its way, if any, has ended.
        """
        self._holds += 1
        if not self._changing:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._until_changed.append(waiter)
        return waiter

    def release(self) -> None:
        """Undo one :meth:`hold`."""
        self._holds -= 1

    def _recording(self) -> bool:
        return self._holds > 0 or self._model["record"] is not False

    # -- a lane ----------------------------------------------------------

    def judge(self, wanted: Values) -> Judgement:
        judgement = Judgement({})
        camera = self._judge_camera(wanted, judgement)
        modes = self._modes(camera)
        size = self._judge_size(wanted, judgement, camera, modes)
        self._judge_rate(wanted, judgement, modes, size)
        return judgement

    def apply(self, values: Values) -> Awaitable[None] | None:
        camera = int(values.get("main-camera", self._model["main-camera"]))
        if self._heads.device(camera) is None:
            if "main-camera" in values:
                raise DeviceError(silent(camera))
            return None
        return self._apply(camera, values)

    async def _apply(self, camera: int, values: Values) -> None:
        self._changing = True
        try:
            await self._controls.bring(camera, values, "select")
        finally:
            self._changing = False
            waiting, self._until_changed = self._until_changed, []
            for waiter in waiting:
                self._reactor.callLater(0, waiter.callback, None)

    def _judge_camera(self, wanted: Values, judgement: Judgement) -> int:
        now = int(self._model["main-camera"])
        if "main-camera" not in wanted:
            return now
        camera = int(wanted["main-camera"])
        refusal = None
        if not self._heads.present(camera):
            refusal = absent(camera)
        elif self._recording():
            modes = self._modes(camera)
            size, rate = str(self._model["resolution"]), int(self._model["fps"])
            if modes and rate not in modes.get(size, ()):
                refusal = (
                    f"A recording is running, and camera {camera} cannot do "
                    f"{size} at {rate} frames per second"
                )
        if refusal is not None:
            judgement.refused.append(Refusal(NOT_AVAILABLE, "main-camera", refusal))
            return now
        judgement.values["main-camera"] = camera
        return camera

    def _judge_size(self, wanted: Values, judgement: Judgement, camera: int, modes: Modes) -> str:
        now = str(self._model["resolution"])
        size = str(wanted.get("resolution", now))
        if "resolution" in wanted:
            if size != now and self._recording():
                judgement.refused.append(Refusal(NOT_AVAILABLE, "resolution", _RECORDING))
                size = now
            elif modes and size not in modes:
                text = f"Value must be one of {', '.join(modes)} with camera {camera}"
                judgement.refused.append(Refusal(INVALID_VALUE, "resolution", text))
                size = now
            else:
                judgement.values["resolution"] = size
        size = nearest_size(modes, size)
        if size != now:
            judgement.values["resolution"] = size
        return size

    def _judge_rate(self, wanted: Values, judgement: Judgement, modes: Modes, size: str) -> None:
        now = int(self._model["fps"])
        rate = int(wanted.get("fps", now))
        rates = modes.get(size, ())
        if "fps" in wanted:
            if rate != now and self._recording():
                judgement.refused.append(Refusal(NOT_AVAILABLE, "fps", _RECORDING))
                rate = now
            elif rates and rate not in rates:
                text = f"Value must be one of {', '.join(map(str, rates))} at {size}"
                judgement.refused.append(Refusal(INVALID_VALUE, "fps", text))
                rate = now
            else:
                judgement.values["fps"] = rate
        rate = nearest_rate(modes, size, rate)
        if rate != now:
            judgement.values["fps"] = rate

    # -- what is possible ------------------------------------------------

    def _modes(self, camera: int) -> Modes:
        """What a camera can do; nothing is known of one that was never there."""
        description = self._heads.description(camera)
        return modes_of(description.modes) if description else {}

    def _changed(self, number: int) -> None:
        if number == self._model["main-camera"]:
            self._fit()

    def _news(self, news: Values) -> None:
        if not news.keys().isdisjoint(self.keys):
            self._fit()

    def _fit(self) -> None:
        """Camera or size may be new: name what can be had, and fall to what comes nearest."""
        modes = self._modes(int(self._model["main-camera"]))
        self._model.narrow("resolution", SizeForNow(tuple(modes)) if modes else Size())
        size = nearest_size(modes, str(self._model["resolution"]))
        self._model.narrow("fps", rate_for_now(modes.get(size, ())))
        rate = nearest_rate(modes, size, int(self._model["fps"]))
        self._model.commit({"resolution": size, "fps": rate})


_RECORDING = "Not while a recording is running; stop it first"
