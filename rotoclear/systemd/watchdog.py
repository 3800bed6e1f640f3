"""
Signs of life for systemd, which restarts a server that gives none.

Only what a restart mends, and what cannot be mended from inside, may stop them:

* the reactor does not turn: then there is nobody to give one;
* it turns, and a question through a socket of its own is not answered;
* whoever looks after the processes of drivers and pictures has lost one of them:
  it is neither watched nor going to be started again.

A driver that hangs, crashes or refuses is none of those: it is killed and started
again, and a restart of everything would end a recording for the sake of a lamp. Nor is
a full disk, a broken certificate or a flood of clients, all of which outlive a
restart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

ROUNDS: Final = 3
"""Rounds of checks within the time in which one sign of life is wanted."""

Check = Callable[[], object]
"""Raises what is wrong, or returns a Deferred that fails with it."""


class Watchdog(Service):
    """
    Checks, round after round, and gives a sign of life after each that is good.

    :param clock: keeps the time.
    :param interval: seconds within which a sign is wanted; 0: none is, and nothing is
        checked.
    :param alive: gives a sign.
    :param checks: by what they are about. One that has not come to an end by the next
        round has failed, and is asked no more before it has.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        interval: float,
        alive: Callable[[], None],
        checks: Mapping[str, Check],
    ) -> None:
        self._clock = clock
        self._pause = interval / ROUNDS
        self._alive = alive
        self._checks = dict(checks)
        self._asked: dict[str, Deferred[object]] = {}
        self._next: IDelayedCall | None = None
        self._good: set[str] = set()
        self.wrong: dict[str, str] = {}

    def startService(self) -> None:
        """Begin, with a first round at once."""
        Service.startService(self)
        if self._pause > 0:
            self._round()

    def stopService(self) -> None:
        """End."""
        Service.stopService(self)
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None

    def _round(self) -> None:
        self._next = self._clock.callLater(self._pause, self._round)
        for name in self._asked:
            self._is_wrong(name, "it does not answer")
        self._good = set()
        for name in self._checks.keys() - self._asked.keys():
            self._ask(name)

    def _ask(self, name: str) -> None:
        answer = maybeDeferred(self._checks[name])
        self._asked[name] = answer
        answer.addBoth(self._answered, name)

    def _answered(self, result: object, name: str) -> None:
        self._asked.pop(name, None)
        if not self.running:
            return
        if isinstance(result, Failure):
            self._is_wrong(name, result.getErrorMessage() or repr(result.value))
            return
        if self.wrong.pop(name, None) is not None:
            self._log.info("{name} is well again", name=name)
        self._good.add(name)
        if self._good == self._checks.keys():
            self._alive()

    def _is_wrong(self, name: str, reason: str) -> None:
        if self.wrong.get(name) != reason:
            self.wrong[name] = reason
            self._log.error(
                "no sign of life for systemd, which restarts the server before long: "
                "{name}: {reason}",
                name=name,
                reason=reason,
            )
