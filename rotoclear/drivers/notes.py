"""Saying a thing once and not twice a second."""

from __future__ import annotations

from collections.abc import Collection
from logging import Logger


class Notes:
    """
    Warnings about things, each given when it is new. Any thread may give them.

    :param log: where they go.
    """

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._said: dict[str, str] = {}

    def warn(self, thing: str, text: str) -> None:
        """Say it of that thing, unless it was what was said of it last."""
        if self._said.get(thing) != text:
            self._said[thing] = text
            self._log.warning("%s", text)

    def fine(self, thing: str) -> None:
        """Nothing is wrong with it now: what is said next is news."""
        self._said.pop(thing, None)

    def keep(self, things: Collection[str]) -> None:
        """Forget all others: they are gone."""
        for thing in list(self._said):
            if thing not in things:
                self.fine(thing)
