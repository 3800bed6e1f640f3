"""What the wire needs to know of the rest of the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from rotoclear.api.metrics import Metrics
from rotoclear.config import Configuration
from rotoclear.state.model import Model

if TYPE_CHECKING:
    from rotoclear.auth.accounts import Accounts
    from rotoclear.auth.tickets import Tickets


class Connections(Protocol):
    """The open WebSocket connections."""

    @property
    def count(self) -> int:
        """How many there are."""

    def by_role(self) -> Mapping[str, int]:
        """How many there are of each role (``anonymous`` too); asked for at each scrape."""


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
    metrics: Metrics = field(factory=Metrics)
