"""
What an auditor wants to read: who, from where, what. Never a secret.

Each is an event of ``twisted.logger`` in the namespace ``rotoclear.auth.audit.Audit``
with the fields ``audit`` (which kind), ``user``, ``address`` and, where
somebody else acted, ``by``. What came from outside is made printable and cut,
so that nobody can write lines of his own into the log. Nor can anybody fill it:
of refusals only the first few from one address are listed, see
:mod:`rotoclear.auth.repeats`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from rotoclear.auth.repeats import WINDOW, Repeats

LONGEST: Final = 128
"""Characters of a name or an address that go to the log."""


def printable(text: str, longest: int = LONGEST) -> str:
    """What came from outside, fit for the log: no control characters, cut."""
    cut = text[:longest]
    clean = cut if cut.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in cut)
    return clean + "…" if len(text) > longest else clean


class Audit:
    """
    Writes the events.

    :param reactor: times what is not listed; ``None``: everything is.
    :ivar counts: how many of each kind there were since the start, listed or not.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._repeats = None if reactor is None else Repeats(reactor, self._more)

    def close(self) -> None:
        """Sum up at once what was not listed: the server ends."""
        if self._repeats is not None:
            self._repeats.close()

    def _info(self, text: str, audit: str, **fields: object) -> None:
        self.counts[audit] += 1
        self._log.info(text, audit=audit, **fields)

    def _refused(self, text: str, audit: str, address: str, **fields: object) -> None:
        self.counts[audit] += 1
        address = printable(address)
        if self._repeats is None or self._repeats.listed(audit, address):
            self._log.warn(text, audit=audit, address=address, **fields)

    def _more(self, audit: str, address: str, more: int) -> None:
        self._log.warn(
            "and {more} more of {audit} from {address} within {seconds} s",
            audit=audit,
            user=None,
            address=address,
            more=more,
            seconds=int(WINDOW),
        )

    def logged_in(self, user: str, address: str) -> None:
        """A password was right; a token was given out."""
        self._info(
            "login of {user!r} from {address}",
            audit="login",
            user=printable(user),
            address=printable(address),
        )

    def login_refused(self, user: str, address: str, reason: str) -> None:
        """A login with a password was refused."""
        self._refused(
            "login of {user!r} from {address} refused: {reason}",
            audit="login-refused",
            user=printable(user),
            address=address,
            reason=reason,
        )

    def token_used(self, user: str, address: str) -> None:
        """A token is used from an address that it was not used from before."""
        self._info(
            "login of {user!r} from {address} with a token",
            audit="token-login",
            user=printable(user),
            address=printable(address),
        )

    def token_refused(self, user: str | None, address: str) -> None:
        """An unknown or ended token, or one of another user."""
        self._refused(
            "login of {user!r} from {address} with a token refused",
            audit="token-refused",
            user=None if user is None else printable(user),
            address=address,
        )

    def logged_out(self, user: str, address: str) -> None:
        """A token was ended by its holder."""
        self._info(
            "logout of {user!r} from {address}",
            audit="logout",
            user=printable(user),
            address=printable(address),
        )

    def expired(self, user: str) -> None:
        """A token was not used for too long."""
        self._info("a token of {user!r} has expired", audit="expired", user=printable(user))

    def displaced(self, user: str) -> None:
        """A token gave way to a newer one, because the user had too many."""
        self._info(
            "the idlest token of {user!r} gave way to a new one",
            audit="displaced",
            user=printable(user),
        )

    def user_added(self, user: str, role: str, by: str, address: str) -> None:
        """There is a new user."""
        self._info(
            "user {user!r} added as {role} by {by!r} from {address}",
            audit="user-added",
            user=printable(user),
            role=role,
            by=printable(by),
            address=printable(address),
        )

    def user_removed(self, user: str, by: str, address: str) -> None:
        """A user is no more."""
        self._info(
            "user {user!r} removed by {by!r} from {address}",
            audit="user-removed",
            user=printable(user),
            by=printable(by),
            address=printable(address),
        )

    def role_changed(self, user: str, role: str, by: str, address: str) -> None:
        """A user has another role."""
        self._info(
            "user {user!r} made {role} by {by!r} from {address}",
            audit="role-changed",
            user=printable(user),
            role=role,
            by=printable(by),
            address=printable(address),
        )

    def password_changed(self, user: str, by: str, address: str) -> None:
        """A user has another password."""
        self._info(
            "password of {user!r} changed by {by!r} from {address}",
            audit="password-changed",
            user=printable(user),
            by=printable(by),
            address=printable(address),
        )

    def stream_key_changed(self, user: str, by: str, address: str) -> None:
        """A user has another stream key, or none any more."""
        self._info(
            "stream key of {user!r} changed by {by!r} from {address}",
            audit="stream-key-changed",
            user=printable(user),
            by=printable(by),
            address=printable(address),
        )

    def users_replaced(self, how: str, by: str, address: str) -> None:
        """All users are others, and nobody is logged in any more."""
        self._info(
            "all users {how} by {by!r} from {address}",
            audit="users-replaced",
            how=how,
            by=printable(by),
            address=printable(address),
        )

    def change_refused(self, user: str, by: str, address: str, reason: str) -> None:
        """Something about a user was to be changed, and was not."""
        self._refused(
            "change of user {user!r} by {by!r} from {address} refused: {reason}",
            audit="change-refused",
            user=printable(user),
            by=printable(by),
            address=address,
            reason=reason,
        )
