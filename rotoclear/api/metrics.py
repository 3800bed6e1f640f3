"""What the server counts about itself."""

from __future__ import annotations

from attrs import define, field


@define(eq=False)
class Metrics:
    """
    Plain counters, cheap to increase wherever something happens.

    They only ever grow, from 0 at start; ``/metrics`` reads them when it is
    asked.

    :ivar messages: WebSocket messages that clients have sent.
    :ivar messages_refused: errors that were answered, by the protocol's name
        of the error (``"Invalid value"``).
    :ivar broadcasts: change messages that were handed to connections: one per
        connection and message.
    :ivar coalesced: values that a slow client was spared, because a newer
        one had come.
    :ivar changes: keys that have changed.
    :ivar connections_opened: WebSocket connections that have been accepted.
    :ivar connections_refused: handshakes that were answered 503.
    :ivar connections_closed: WebSocket connections that have ended, by close code.
    :ivar requests: HTTP requests that have been answered, by method and status.
    """

    messages: int = 0
    messages_refused: dict[str, int] = field(factory=dict)
    broadcasts: int = 0
    coalesced: int = 0
    changes: int = 0
    connections_opened: int = 0
    connections_refused: int = 0
    connections_closed: dict[int, int] = field(factory=dict)
    requests: dict[tuple[str, int], int] = field(factory=dict)

    def refused(self, error: str) -> None:
        """A message, or one key of it, was answered with an error."""
        self.messages_refused[error] = self.messages_refused.get(error, 0) + 1

    def closed(self, code: int) -> None:
        """A WebSocket connection has ended."""
        self.connections_closed[code] = self.connections_closed.get(code, 0) + 1

    def answered(self, method: str, status: int) -> None:
        """An HTTP request has been answered."""
        self.requests[method, status] = self.requests.get((method, status), 0) + 1
