"""One key of a client, with its types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic, TypeVar, cast

from rotoclear.client.client import Common
from rotoclear.state.keys import KEYS, KeyTable
from rotoclear.values import Value

R = TypeVar("R", bound=Value)
"""What is read."""

W = TypeVar("W", bound=Value)
"""What may be set."""

_TABLE = KeyTable(KEYS)


class Handles(Common):
    """A client with typed keys."""


class ReadOnlyKey(Generic[R]):
    """
    A key that is only read.

    :ivar name: as it stands on the wire.
    """

    def __init__(self, client: Common, name: str) -> None:
        self._client = client
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name} of {self._client!r}>"

    @property
    def doc(self) -> str:
        """A line for people."""
        return _TABLE[self.name].doc

    @property
    def value(self) -> R:
        """
        As the server told it last.

        :raises KeyError: it has not told yet, or one may not read it.
        """
        return cast(R, self._client.values[self.name])

    async def get(self) -> R:
        """Ask the server."""
        return cast(R, await self._client.get(self.name))

    async def watch(self, *, initial: bool = True) -> AsyncGenerator[R, None]:
        """The value as it is, and then each new one, until the client is closed."""
        async with aclosing(self._client.watch(self.name, initial=initial)) as changes:
            async for change in changes:
                yield cast(R, change.value)


class Key(ReadOnlyKey[R], Generic[R, W]):
    """A key that may be set, too."""

    async def set(self, value: W) -> R:
        """Change it; return what it is when the hardware has taken it."""
        return cast(R, await self._client.set(self.name, value))
