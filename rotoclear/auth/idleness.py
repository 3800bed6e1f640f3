"""
Ends tokens that nobody uses, and keeps the idle time of the others on the disk.

What the disk knows is at most a thirtieth of the idle limit old: so much
could a ``kill -9`` prolong a token. One that is used again after it had been
idle for longer than that is written within a second.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from rotoclear.auth import records
from rotoclear.auth.audit import Audit
from rotoclear.auth.sessions import Sessions
from rotoclear.state.database import Database

SOON: Final = 1.0
"""Seconds after which an urgent one is written."""
LONGEST: Final = 3600.0
"""Seconds after which it looks again at the latest."""


class Idleness:
    """Looks after the idle times of the sessions, from :meth:`start` to :meth:`stop`."""

    _log = Logger()

    def __init__(
        self, reactor: IReactorTime, database: Database, sessions: Sessions, audit: Audit
    ) -> None:
        self._reactor = reactor
        self._database = database
        self._sessions = sessions
        self._audit = audit
        self._period = min(LONGEST, sessions.stale)
        self._call: IDelayedCall | None = None
        self._urgent = False
        self._ended: list[bytes] = []

    def start(self) -> None:
        """Begin."""
        self._sessions.on_stale = self._soon
        self._call = self._reactor.callLater(self._period, self._turn)

    def stop(self) -> Deferred[None]:
        """Write everything a last time, and end."""
        self._sessions.on_stale = lambda: None
        if self._call is not None:
            self._call.cancel()
            self._call = None
        return Deferred.fromCoroutine(self._save())

    def _soon(self) -> None:
        if self._call is not None and not self._urgent:
            self._urgent = True
            if self._call.getTime() > self._reactor.seconds() + SOON:
                self._call.reset(SOON)

    def _turn(self) -> None:
        self._urgent = False
        self._call = self._reactor.callLater(self._period, self._turn)
        Deferred.fromCoroutine(self._save())

    async def _save(self) -> None:
        expired = self._sessions.expired()
        for session in expired:
            self._audit.expired(session.username)
        self._ended += self._sessions.end(*expired)
        idle = self._sessions.unsaved()
        try:
            if self._ended:
                ended = tuple(self._ended)
                await self._database.run(lambda db: records.delete_tokens(db, ended))
                del self._ended[: len(ended)]
            if idle:
                await self._database.run(lambda db: records.save_idle(db, idle))
                self._sessions.saved(idle)
        except Exception:  # noqa: BLE001 - whatever it is, the next turn tries again
            self._log.failure("the idle times of tokens could not be written; trying again later")
