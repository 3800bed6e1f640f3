"""Whom the server lets in; the rest of the house knows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from rotoclear.state.permissions import Permissions


class Guest(Protocol):
    """Somebody who was let in, as :class:`rotoclear.auth.sessions.Session`."""

    @property
    def permissions(self) -> Permissions:
        """What this one may do at this moment."""

    def attach(self, on_change: Callable[[], None]) -> None:
        """Call this when that may have changed."""

    def detach(self, on_change: Callable[[], None]) -> None:
        """Call it no more."""


class NotLetIn(Exception):
    """
    Wrong, or not now; ``str()`` is for people.

    :ivar later: seconds after which it may be tried again, when it was not even
        looked at; 0: it is wrong.
    """

    def __init__(self, text: str, *, later: int = 0) -> None:
        super().__init__(text)
        self.later = later


class Door(Protocol):
    """Checks who somebody is."""

    def basic(self, username: str, password: str, address: str) -> Deferred[Guest]:
        """
        By a password, or a stream key in its place.

        :return: fails with :exc:`NotLetIn`.
        """

    def digest(self, username: str, proves: Callable[[str], bool], address: str) -> Guest:
        """
        By the stream key.

        :param proves: whether somebody knows this key.
        :raises NotLetIn: no.
        """
