"""What the wire needs to know of the rest of the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from rotoclear.api.http_errors import FULL, HttpError
from rotoclear.api.metrics import Metrics
from rotoclear.api.roster import Backlog, Member
from rotoclear.config import Configuration
from rotoclear.state.model import Model

if TYPE_CHECKING:
    from rotoclear.api.library import Library
    from rotoclear.api.pictures import Pictures
    from rotoclear.auth.accounts import Accounts
    from rotoclear.auth.tickets import Tickets


RETRY_WHEN_FULL: Final = 5
"""Seconds after which a client that found no place may try again."""


class Connections(Protocol):
    """The open connections: WebSockets and streams, as :class:`~rotoclear.api.roster.Roster`."""

    @property
    def count(self) -> int:
        """How many there are."""

    def by_role(self) -> Mapping[str, int]:
        """How many there are of each role (``anonymous`` too); asked for at each scrape."""

    def backlog(self) -> Backlog:
        """What waits for clients that are slow; asked for at each scrape, too."""

    def add(self, member: Member) -> None:
        """One has opened."""

    def remove(self, member: Member) -> None:
        """One has ended."""


@frozen(kw_only=True)
class ApiContext:
    """
    Everything that a resource or a connection may ask for.

    :ivar reactor: its clock; monotonic.
    :ivar started: ``reactor.seconds()`` when the server started.
    :ivar status: the state of the devices, ready for JSON: shown to those
        with ``System_r``. Under ``"drivers"`` each has ``name``, ``state``
        and ``restarts``.
    :ivar engine: the state of what makes pictures, likewise.
    :ivar health: each part's state, ready for JSON: ``{"state": "ok"}``, or
        another word with a ``reason``; ``"vital": False`` if the server can do without it.
    :ivar pictures: what the cameras show.
    :ivar library: the films and pictures that are stored.
    :ivar certificates: each certificate's file, and when it ends, in seconds since 1970.
    :ivar metrics: the counters that ``/metrics`` shows.
    """

    reactor: IReactorTime
    model: Model
    accounts: Accounts
    tickets: Tickets
    configuration: Configuration
    version: str
    started: float
    status: Callable[[], dict[str, object]]
    engine: Callable[[], dict[str, object]] = dict
    health: Callable[[], dict[str, dict[str, object]]]
    connections: Connections
    pictures: Pictures
    library: Library
    certificates: Callable[[], Mapping[str, float]] = dict
    metrics: Metrics = field(factory=Metrics)

    def check_place(self) -> None:
        """
        There must be room for another connection.

        :raises HttpError: 503, there is not.
        """
        most = self.configuration.limits.connections
        if self.connections.count >= most:
            self.metrics.connections_refused += 1
            raise HttpError(
                503,
                FULL,
                f"There are {most} connections already",
                [(b"Retry-After", b"%d" % RETRY_WHEN_FULL)],
            )
