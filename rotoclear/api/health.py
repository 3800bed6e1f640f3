"""Since when each part is as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from attrs import define
from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

PERIOD: Final = 1.0
"""Seconds between two looks: so exact are the moments."""

_NO_FAULT: Final = ("starting", "idle")
"""States that are not ``ok`` and yet nothing to warn of."""

Parts = dict[str, dict[str, object]]


@define
class _Known:
    state: object
    since: float


class HealthWatch(Service):
    """
    Looks at all parts, whether somebody asks or not, and tells the log of what changes.

    :param reactor: its clock is monotonic: how long something lasts is counted by it.
    :param look: each part's state, as :class:`~rotoclear.api.context.ApiContext` has it.
    :param wall_clock: seconds since 1970; for showing only.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        look: Callable[[], Mapping[str, Mapping[str, object]]],
        wall_clock: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._look = look
        self._wall_clock = wall_clock
        self._known: dict[str, _Known] = {}
        self._loop = LoopingCall(self._tick)
        self._loop.clock = reactor

    def startService(self) -> None:
        """Look from now on."""
        super().startService()  # type: ignore[no-untyped-call]
        self._loop.start(PERIOD)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop.running:
            self._loop.stop()

    def _tick(self) -> None:
        try:
            self.parts()
        except Exception:  # noqa: BLE001 - the next look may succeed
            self._log.failure("the health cannot be looked at")

    def parts(self) -> Parts:
        """Each part's state now, with ``since``: when it came to that (ISO 8601, UTC)."""
        now, wall = self._reactor.seconds(), self._wall_clock()
        parts: Parts = {}
        for name, part in self._look().items():
            known = self._known.get(name)
            if known is None or known.state != part["state"]:
                self._tell(name, part, known)
                known = self._known[name] = _Known(part["state"], now)
            # By the clock as it is now: it may have been set since.
            moment = datetime.fromtimestamp(wall - (now - known.since), UTC)
            parts[name] = {**part, "since": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
        for name in self._known.keys() - parts.keys():
            del self._known[name]
        return parts

    def _tell(self, name: str, part: Mapping[str, object], known: _Known | None) -> None:
        state, reason = part["state"], part.get("reason", "")
        if state == "ok":
            if known is not None:
                self._log.info("health: {part} is ok again", part=name, state=state)
            return
        text = "health: {part} is {state}: {reason}" if reason else "health: {part} is {state}"
        tell = self._log.info if state in _NO_FAULT else self._log.warn
        tell(text, part=name, state=state, reason=reason)
