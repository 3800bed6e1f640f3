"""
From one change to every client that may see it.

The connections are kept in groups that hold the same permissions. A change is
filtered, encoded and framed once a group, not once a client, and each
connection is handed the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from rotoclear.api.frames import text_frame
from rotoclear.api.metrics import Metrics
from rotoclear.api.strict_json import encode
from rotoclear.state.model import Model
from rotoclear.state.permissions import Permissions
from rotoclear.values import Value


class Receiver(Protocol):
    """A connection, as the fan-out sees it."""

    def broadcast(self, frame: bytes, names: Collection[str]) -> None:
        """Take a framed message that tells the values of these keys."""


class Fanout:
    """Tells every connection of every change."""

    def __init__(self, model: Model, metrics: Metrics) -> None:
        self._model = model
        self._metrics = metrics
        self._groups: dict[Permissions, dict[Receiver, None]] = {}
        model.observe(self._changed)

    def join(self, receiver: Receiver, permissions: Permissions) -> None:
        """From now on tell it what these permissions let one see."""
        self._groups.setdefault(permissions, {})[receiver] = None

    def leave(self, receiver: Receiver, permissions: Permissions) -> None:
        """Tell it nothing more. Takes the permissions it joined with."""
        group = self._groups.get(permissions, {})
        group.pop(receiver, None)
        if not group:
            self._groups.pop(permissions, None)

    def _changed(self, news: Mapping[str, Value]) -> None:
        self._metrics.changes += len(news)
        frames: dict[tuple[str, ...], bytes] = {}
        for permissions, group in list(self._groups.items()):
            readable = self._model.readable(permissions)
            visible = {name: value for name, value in news.items() if name in readable}
            if not visible:
                continue
            names = tuple(visible)
            frame = frames.get(names)
            if frame is None:
                frame = frames[names] = text_frame(encode(visible))
            self._metrics.broadcasts += len(group)
            for receiver in list(group):
                receiver.broadcast(frame, names)
        self._metrics.fanout.observe(self._model.age())
