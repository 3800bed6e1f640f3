"""The client's methods as Deferreds, and one key of it, with its types."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from twisted.internet.defer import Deferred

from rotoclear.client.catalogue import Entry, Kind, Page
from rotoclear.client.client import Common, Known
from rotoclear.client.core import ConnectionState
from rotoclear.client.credentials import Password
from rotoclear.client.download import Progress
from rotoclear.client.live import Frame
from rotoclear.client.watching import Change
from rotoclear.client.wire import Login
from rotoclear.state.keys import KEYS, KeyTable
from rotoclear.values import Value

R = TypeVar("R", bound=Value)
"""What is read."""

W = TypeVar("W", bound=Value)
"""What may be set."""

_TABLE = KeyTable(KEYS)


class Handles(Known):
    """The client, as Deferreds."""

    _common: Common

    def connect(self) -> Deferred[None]:
        """As :meth:`rotoclear.client.asyncio.Client.connect`."""
        return Deferred.fromCoroutine(self._common.connect())

    def start(self) -> None:
        """As :meth:`rotoclear.client.asyncio.Client.start`."""
        self._common.start()

    def until_ready(self) -> Deferred[None]:
        """As :meth:`rotoclear.client.asyncio.Client.until_ready`."""
        return Deferred.fromCoroutine(self._common.until_ready())

    def close(self) -> Deferred[None]:
        """As :meth:`rotoclear.client.asyncio.Client.close`."""
        return Deferred.fromCoroutine(self._common.close())

    def states(self) -> AsyncGenerator[ConnectionState, None]:
        """As :meth:`rotoclear.client.asyncio.Client.states`; for ``async for``."""
        return self._common.states()

    def login(self, username: str, password: Password) -> Deferred[Login]:
        """As :meth:`rotoclear.client.asyncio.Client.login`."""
        return Deferred.fromCoroutine(self._common.login(username, password))

    def login_token(self, token: str) -> Deferred[Login]:
        """As :meth:`rotoclear.client.asyncio.Client.login_token`."""
        return Deferred.fromCoroutine(self._common.login_token(token))

    def logout(self) -> Deferred[None]:
        """As :meth:`rotoclear.client.asyncio.Client.logout`."""
        return Deferred.fromCoroutine(self._common.logout())

    def change_password(self, old: str, new: str) -> Deferred[None]:
        """As :meth:`rotoclear.client.asyncio.Client.change_password`."""
        return Deferred.fromCoroutine(self._common.change_password(old, new))

    def get(self, key: str) -> Deferred[Value]:
        """As :meth:`rotoclear.client.asyncio.Client.get`."""
        return Deferred.fromCoroutine(self._common.get(key))

    def get_all(self, *keys: str) -> Deferred[dict[str, Value]]:
        """As :meth:`rotoclear.client.asyncio.Client.get_all`."""
        return Deferred.fromCoroutine(self._common.get_all(*keys))

    def set(self, key: str, value: Value) -> Deferred[Value]:
        """As :meth:`rotoclear.client.asyncio.Client.set`."""
        return Deferred.fromCoroutine(self._common.set(key, value))

    def set_all(self, values: Mapping[str, Value]) -> Deferred[dict[str, Value]]:
        """As :meth:`rotoclear.client.asyncio.Client.set_all`."""
        return Deferred.fromCoroutine(self._common.set_all(values))

    def watch(self, *keys: str, initial: bool = True) -> AsyncGenerator[Change, None]:
        """As :meth:`rotoclear.client.asyncio.Client.watch`; for ``async for``."""
        return self._common.watch(*keys, initial=initial)

    def live(self) -> AsyncGenerator[Frame, None]:
        """As :meth:`rotoclear.client.asyncio.Client.live`; for ``async for``."""
        return self._common.live()

    def snapshot(self, *, camera: int | None = None, quality: int | None = None) -> Deferred[bytes]:
        """As :meth:`rotoclear.client.asyncio.Client.snapshot`."""
        return Deferred.fromCoroutine(self._common.snapshot(camera=camera, quality=quality))

    def page(self, kind: Kind, *, limit: int = 50, before: str = "") -> Deferred[Page]:
        """As :meth:`rotoclear.client.asyncio.Client.page`."""
        return Deferred.fromCoroutine(self._common.page(kind, limit=limit, before=before))

    def recordings(self) -> AsyncGenerator[Entry, None]:
        """As :meth:`rotoclear.client.asyncio.Client.recordings`; for ``async for``."""
        return self._common.recordings()

    def snapshots(self) -> AsyncGenerator[Entry, None]:
        """As :meth:`rotoclear.client.asyncio.Client.snapshots`; for ``async for``."""
        return self._common.snapshots()

    def entry(self, kind: Kind, id: str) -> Deferred[Entry]:  # noqa: A002 - its name everywhere
        """As :meth:`rotoclear.client.asyncio.Client.entry`."""
        return Deferred.fromCoroutine(self._common.entry(kind, id))

    def download(
        self,
        entry: Entry,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Deferred[Path]:
        """As :meth:`rotoclear.client.asyncio.Client.download`."""
        return Deferred.fromCoroutine(
            self._common.download(entry, path, overwrite=overwrite, progress=progress)
        )

    def delete(self, entry: Entry) -> Deferred[None]:
        """As :meth:`rotoclear.client.asyncio.Client.delete`."""
        return Deferred.fromCoroutine(self._common.delete(entry))

    def request(self, method: str, path: str, body: object = None) -> Deferred[Any]:
        """As :meth:`rotoclear.client.asyncio.Client.request`."""
        return Deferred.fromCoroutine(self._common.request(method, path, body))

    def status(self) -> Deferred[dict[str, Any]]:
        """As :meth:`rotoclear.client.asyncio.Client.status`."""
        return Deferred.fromCoroutine(self._common.status())

    def health(self) -> Deferred[dict[str, Any]]:
        """As :meth:`rotoclear.client.asyncio.Client.health`."""
        return Deferred.fromCoroutine(self._common.health())

    def keys(self) -> Deferred[dict[str, Any]]:
        """As :meth:`rotoclear.client.asyncio.Client.keys`."""
        return Deferred.fromCoroutine(self._common.keys())


class ReadOnlyKey(Generic[R]):
    """
    A key that is only read.

    :ivar name: as it stands on the wire.
    """

    def __init__(self, client: Handles, name: str) -> None:
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

    def get(self) -> Deferred[R]:
        """Ask the server."""
        return cast("Deferred[R]", self._client.get(self.name))

    async def watch(self, *, initial: bool = True) -> AsyncGenerator[R, None]:
        """The value as it is, and then each new one, until the client is closed."""
        async with aclosing(self._client.watch(self.name, initial=initial)) as changes:
            async for change in changes:
                yield cast(R, change.value)


class Key(ReadOnlyKey[R], Generic[R, W]):
    """A key that may be set, too."""

    def set(self, value: W) -> Deferred[R]:
        """Change it; fires with what it is when the hardware has taken it."""
        return cast("Deferred[R]", self._client.set(self.name, value))
