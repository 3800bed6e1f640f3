"""
Who is logged in: one session for each token that is still good.

Idle time counts by the monotonic clock and only while the server runs. What a
token had on its account when the server stopped is where it goes on, so
neither a restart nor a jump of the wall clock ends or prolongs one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.auth.records import StoredToken
from rotoclear.state.permissions import NOTHING, ROLES, Permissions

MOST: Final = 32
"""Tokens that one user may have."""
_REMEMBERED_ADDRESSES: Final = 16


class Session:
    """
    Somebody who is logged in. Made by :class:`Sessions` only.

    :ivar username: who.
    :ivar role: as what, now.
    :ivar created: when the token was made: seconds since 1970, by the wall clock.
    :ivar address: where the token was last used from, ``""`` before that.
    """

    _log = Logger()

    def __init__(self, sessions: Sessions, token: StoredToken, role: str) -> None:
        self.username = token.user
        self.role = role
        self.created = token.created
        self.address = ""
        self._digest = token.digest
        self._sessions = sessions
        self._saved_idle = token.idle
        self._idle_then = token.idle
        self._then = sessions.seconds()
        self._ended = False
        self._attached: list[Callable[[], None]] = []
        self._addresses: set[str] = set()
        self._at_end: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<Session of {self.username!r}{' (ended)' if self.ended else ''}>"

    @property
    def ended(self) -> bool:
        """It is over, and does not come back."""
        return self._ended or self.idle >= self._sessions.idle_limit

    @property
    def permissions(self) -> Permissions:
        """What its holder may do at this moment."""
        return NOTHING if self.ended else ROLES.get(self.role, NOTHING)

    @property
    def idle(self) -> float:
        """Seconds for which nobody has used it; 0 as long as something is attached."""
        if self._attached:
            return 0.0
        return self._idle_then + self._sessions.seconds() - self._then

    @property
    def expires(self) -> str:
        """When it ends if it is not used any more: ISO 8601, UTC, in whole seconds."""
        remaining = max(0.0, self._sessions.idle_limit - self.idle)
        moment = datetime.fromtimestamp(self._sessions.wall_clock() + remaining, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def attach(self, on_change: Callable[[], None]) -> None:
        """
        A connection uses it, which keeps it alive. Does nothing when it has ended.

        :param on_change: called at once, whenever the permissions may have
            changed: another role, or the end.
        """
        if not self.ended:
            self.touch()
            self._attached.append(on_change)

    def detach(self, on_change: Callable[[], None]) -> None:
        """That connection uses it no longer: idle time begins when none does."""
        if on_change in self._attached:
            self.touch()
            self._attached.remove(on_change)

    def on_end(self, callback: Callable[[], None]) -> None:
        """Have something called when it ends, without keeping it alive."""
        self._at_end.append(callback)

    def touch(self) -> None:
        """It is being used. Does nothing when it has ended."""
        if self.ended:
            return
        self._idle_then = 0.0
        self._then = self._sessions.seconds()
        if self._saved_idle > self._sessions.stale:
            self._sessions.on_stale()

    def seen_from(self, address: str) -> bool:
        """It is used from there. Return whether that is new."""
        self.address = address
        if address in self._addresses:
            return False
        if len(self._addresses) >= _REMEMBERED_ADDRESSES:
            self._addresses.clear()
        self._addresses.add(address)
        return True

    def _finish(self) -> None:
        self._ended = True
        self._notify(self._at_end)
        self._notify(self._attached)
        self._attached.clear()
        self._at_end.clear()

    def _notify(self, callbacks: list[Callable[[], None]]) -> None:
        for callback in tuple(callbacks):
            try:
                callback()
            except Exception:  # noqa: BLE001 - one connection's fault is not the others'
                self._log.failure("a connection took the change of its rights badly")


class Sessions:
    """
    All of them, by the digest of their token.

    :ivar idle_limit: seconds after which one that is not used expires.
    :ivar wall_clock: seconds since 1970; for showing only.
    :ivar stale: when the idle time on the disk is greater than that though the
        token is in use, it must be written soon; otherwise it may wait.
    :ivar on_stale: called then.
    """

    def __init__(
        self, reactor: IReactorTime, wall_clock: Callable[[], float], idle_limit: float
    ) -> None:
        self.seconds = reactor.seconds
        self.wall_clock = wall_clock
        self.idle_limit = idle_limit
        self.stale = idle_limit / 30
        self.on_stale: Callable[[], None] = lambda: None
        self._sessions: dict[bytes, Session] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, token: StoredToken, role: str) -> Session:
        """There is a new token, or a stored one again."""
        session = self._sessions[token.digest] = Session(self, token, role)
        return session

    def find(self, digest: bytes) -> Session | None:
        """The session of a token, unless it has ended."""
        session = self._sessions.get(digest)
        return None if session is None or session.ended else session

    def of(self, username: str) -> list[Session]:
        """All of one user."""
        return [session for session in self if session.username == username]

    def change_role(self, username: str, role: str) -> None:
        """A user has another role: everybody attached is told."""
        sessions = self.of(username)
        for session in sessions:
            session.role = role
        for session in sessions:
            session._notify(session._attached)

    def end(self, *sessions: Session) -> list[bytes]:
        """End some: all are over before anybody is told. Return their digests."""
        for session in sessions:
            session._ended = True
            self._sessions.pop(session._digest, None)
        for session in sessions:
            session._finish()
        return [session._digest for session in sessions]

    def surplus(self, newest: Session) -> list[Session]:
        """
        Which have to give way to a new one: the idlest of its user.

        Those that something is attached to come last, in the order in which
        they were attached.
        """
        others = [session for session in self.of(newest.username) if session is not newest]
        others.sort(key=lambda session: (bool(session._attached), -session.idle, session._then))
        return others[: max(0, len(others) + 1 - MOST)]

    def expired(self) -> list[Session]:
        """Those that nobody has used for too long, and that have not been ended yet."""
        return [session for session in self if session.ended]

    def unsaved(self) -> dict[bytes, float]:
        """The idle times that are not on the disk as they are, in seconds by digest."""
        return {
            session._digest: session.idle
            for session in self
            if abs(session.idle - session._saved_idle) >= 1 and not session.ended
        }

    def saved(self, idle: dict[bytes, float]) -> None:
        """These are on the disk now."""
        for digest, seconds in idle.items():
            if digest in self._sessions:
                self._sessions[digest]._saved_idle = seconds
