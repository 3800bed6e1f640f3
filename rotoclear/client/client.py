"""What both faces have in common: the client's methods, as coroutines of no loop in particular."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from rotoclear.client import address
from rotoclear.client.backoff import Backoff
from rotoclear.client.catalogue import Entry, Kind, Page, file_path, list_path, page_of
from rotoclear.client.core import ConnectionState, Core, Options
from rotoclear.client.credentials import Credentials, Password
from rotoclear.client.download import Download, Loop, Progress
from rotoclear.client.errors import ClientError, Closed, ConnectionFailed, NotFound
from rotoclear.client.http import Http, Requests, read
from rotoclear.client.live import Frame, Live
from rotoclear.client.port import Port
from rotoclear.client.promise import Promise
from rotoclear.client.tls import TLS
from rotoclear.client.watching import Change
from rotoclear.client.wire import Login
from rotoclear.values import Value

T = TypeVar("T")

log = logging.getLogger("rotoclear.client")

_random = random.random


class Face(Port, Requests, Loop, Protocol):
    """One of the two loops, and its network."""

    def wait(self, promise: Promise[T]) -> Awaitable[T]:
        """What its coroutines wait for; to give up cancels the promise."""

    async def close(self) -> None:
        """End what is still open."""


class Known:
    """What a client knows without asking."""

    _core: Core

    @property
    def connection(self) -> ConnectionState:
        """How it stands with the connection."""
        return self._core.state

    @property
    def failure(self) -> ClientError | None:
        """Why there is no connection; ``None`` while there is, or nobody wanted one."""
        return self._core.failure

    @property
    def values(self) -> Mapping[str, Value]:
        """
        Every key that one may read, as the server told it last; kept up to date.

        Empty before the first connection. While there is none, what was so before.
        """
        return MappingProxyType(self._core.values)

    @property
    def username(self) -> str:
        """Who one is, ``""`` if nobody has logged in."""
        return self._core.login.username

    @property
    def role(self) -> str:
        """``"administrator"``, ``"operator"``, ``"viewer"`` or ``"anonymous"``."""
        return self._core.login.role

    @property
    def permissions(self) -> frozenset[str]:
        """What one may do, after a login: names such as ``"Device_rw"``."""
        return self._core.login.permissions

    @property
    def token(self) -> str | None:
        """What one can log in with, next time. Keep it secret."""
        return self._core.token

    @property
    def expires(self) -> str:
        """When that ends if nobody uses it, ISO 8601."""
        return self._core.login.expires


class Common(Known):
    """
    A client.

    :param face: the loop and the network.
    :param options: see :class:`~rotoclear.client.core.Options`.
    """

    def __init__(
        self,
        face: Face,
        where: address.Address,
        credentials: Credentials,
        options: Options,
    ) -> None:
        self._face = face
        if not (where.secure or where.local or credentials.anonymous):
            log.warning("%s is not encrypted: others can read what one logs in with", where)
        self._where = where
        self._options = options
        self._core = Core(face, credentials, options, _random)
        self._http = Http(face, lambda: self._core.token)
        self._lives: set[Live] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._where}, {self.connection.value}>"

    # -- connecting ------------------------------------------------------

    async def connect(self) -> None:
        """
        Connect and log in.

        :raises ConnectionFailed: nobody answers there, or no rotoclear server.
        :raises CertificateRefused: the certificate is not to be trusted.
        :raises LoginRefused: the server does not know the token, or the name and the password.
        """
        self._core.start(fail_fast=True)
        await self._face.wait(self._core.until_ready())

    def start(self) -> None:
        """
        Connect in the background, and try until it works.

        What is asked for meanwhile waits. Only a refused login ends it.
        """
        self._core.start()

    async def until_ready(self) -> None:
        """
        Wait for the connection.

        :raises ClientError: there will be none.
        """
        await self._face.wait(self._core.until_ready())

    async def close(self) -> None:
        """Disconnect, and forget the token and the password. What still waits raises ``Closed``."""
        self._core.close()
        for live in list(self._lives):
            live.end(Closed("The client was closed"))
        await self._face.close()

    async def states(self) -> AsyncGenerator[ConnectionState, None]:
        """How it stands with the connection, and then each change, until it is closed."""
        feed = self._core.states()
        try:
            while (state := await self._face.wait(feed.next())) is not None:
                yield state
        finally:
            self._core.forget_states(feed)

    async def login(self, username: str, password: Password) -> Login:
        """
        Log in; if it is refused, stay who one was.

        :raises LoginRefused: the name or the password is wrong.
        """
        credentials = Credentials(username, password, keep=self._options.keep_password)
        return await self._face.wait(self._core.log_in(credentials))

    async def login_token(self, token: str) -> Login:
        """
        Log in with a token; if it is refused, stay who one was.

        :raises LoginRefused: it is not good, or not any more.
        """
        return await self._face.wait(self._core.log_in(Credentials(token=token)))

    async def logout(self) -> None:
        """
        End the token, and go on as nobody.

        All connections that were logged in with it lose their rights.
        """
        token = self._core.log_out()
        if token is not None:
            await Http(self._face, lambda: token).json("POST", "/api/logout")

    async def change_password(self, old: str, new: str) -> None:
        """
        Change one's own password. All tokens of the user end: log in anew.

        :raises PermissionDenied: the old one is wrong.
        """
        await self._http.json("POST", "/api/password", {"old": old, "new": new})

    # -- state -----------------------------------------------------------

    async def get(self, key: str) -> Value:
        """
        Ask for a value.

        :raises UnknownKey: there is no such key.
        :raises PermissionDenied: one may not read it.
        """
        values = await self._face.wait(self._core.query((key,)))
        return values[key]

    async def get_all(self, *keys: str) -> dict[str, Value]:
        """
        Ask for several values, or for all that one may read.

        :raises SomeRefused: some of the keys are not known, or may not be read.
        """
        return await self._face.wait(self._core.query(keys or None))

    async def set(self, key: str, value: Value) -> Value:
        """
        Change a value; return what it is when the hardware has taken it.

        :raises Refused: the server did not do it; the type tells why.
        """
        values = await self._face.wait(self._core.update({key: value}))
        return values[key]

    async def set_all(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """
        Change several values with one message.

        :raises SomeRefused: some were refused; the others were set.
        :raises Refused: the only one was refused.
        """
        return await self._face.wait(self._core.update(values))

    async def watch(self, *keys: str, initial: bool = True) -> AsyncGenerator[Change, None]:
        """
        The values as they are, and then each change, until the client is closed.

        A change that was missed while there was no connection comes when it is back.

        :param keys: none of them: all that one may read.
        :param initial: begin with the values as they are.
        :raises Refused: a key is not known, or may not be read.
        :raises ClientError: the connection has ended for good.
        """
        await self.until_ready()
        unknown = [key for key in keys if key not in self._core.values]
        if unknown:
            await self.get_all(*unknown)
        feed = self._core.values.watch(frozenset(keys), initial=initial)
        try:
            while (change := await self._face.wait(feed.next())) is not None:
                yield change
        finally:
            self._core.values.unwatch(feed)

    # -- pictures and films ----------------------------------------------

    async def live(self) -> AsyncGenerator[Frame, None]:
        """
        The live picture, the newest each time: who is slow misses some.

        :raises PermissionDenied: it takes ``Media_r``.
        :raises ClientError: the first connection could not be made, or the client was closed.
        """
        await self.until_ready()
        live = Live(self._face, lambda: self._core.token, self._options, _random)
        self._lives.add(live)
        try:
            while True:
                yield await self._face.wait(live.next())
        finally:
            self._lives.discard(live)
            live.end(Closed("Nobody looks any more"))

    async def snapshot(self, *, camera: int | None = None, quality: int | None = None) -> bytes:
        """
        The picture of this moment, as JPEG. Nothing is stored: that is what ``snap`` is for.

        :param camera: 1 or 2, alone and in its own size; else what is in view.
        :param quality: 1 to 100, else what ``jpeg-quality`` says.
        :raises NotAvailable: the camera is not plugged in.
        """
        asked = {"camera": camera, "quality": quality}
        query = "&".join(f"{name}={value:d}" for name, value in asked.items() if value is not None)
        return await read(await self._http.open("GET", f"/api/snapshot{query and '?'}{query}"))

    async def page(self, kind: Kind, *, limit: int = 50, before: str = "") -> Page:
        """
        A part of the list of what is stored, the newest first.

        :param kind: ``"recordings"`` or ``"snapshots"``.
        :param limit: entries, 1 to 500.
        :param before: the id behind which to go on.
        """
        answer = await self._http.json("GET", list_path(kind, limit, before))
        try:
            return page_of(kind, answer)
        except ValueError as error:
            raise ConnectionFailed(str(error)) from None

    async def recordings(self) -> AsyncGenerator[Entry, None]:
        """All recordings, the newest first."""
        async for entry in self._all("recordings"):
            yield entry

    async def snapshots(self) -> AsyncGenerator[Entry, None]:
        """All snapshots, the newest first."""
        async for entry in self._all("snapshots"):
            yield entry

    async def _all(self, kind: Kind) -> AsyncGenerator[Entry, None]:
        before: str | None = ""
        while before is not None:
            page = await self.page(kind, before=before)
            for entry in page.entries:
                yield entry
            before = page.next

    async def entry(self, kind: Kind, id: str) -> Entry:  # noqa: A002 - its name everywhere
        """
        What the list says of one, such as of the one that ``last-recording`` names.

        :raises NotFound: there is none.
        """
        file_path(kind, id)
        async for entry in self._all(kind):
            if entry.id == id:
                return entry
        raise NotFound("Not found", message=f"There is no {id} among the {kind}")

    async def download(
        self,
        entry: Entry,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Path:
        """
        Fetch a film or a picture, going on where an earlier attempt has ended.

        :param path: the file, or a folder to put it in.
        :param overwrite: replace what is there.
        :param progress: called now and then.
        :return: the file.
        :raises FileExistsError: there is something already.
        :raises NotAvailable: it is being recorded, or its volume is not there.
        :raises ClientError: the connection was lost and does not come back.
        """
        target = Path(path)
        if await self._face.in_thread(target.is_dir):
            target /= entry.name
        return await Download(
            self._face,
            self._http,
            entry,
            target,
            overwrite=overwrite,
            progress=progress,
            retry=self._options.reconnect,
            backoff=Backoff(_random),
        ).run()

    async def delete(self, entry: Entry) -> None:
        """
        Remove a film or a picture from the server.

        :raises NotAvailable: it is being recorded, or its volume is not there.
        """
        await self._http.json("DELETE", entry.path)

    # -- anything else ---------------------------------------------------

    async def request(self, method: str, path: str, body: object = None) -> Any:
        """
        Any request of the HTTP API; return what its answer holds, decoded.

        :param path: from ``/`` on.
        :param body: sent as JSON, unless ``None``.
        :raises Refused: the server did not do it.
        """
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
            raise ValueError(f"{path!r} must begin with / and be percent-encoded")
        return await self._http.json(method, path, body)

    async def status(self) -> dict[str, Any]:
        """Name, version, cameras; more with ``System_r``."""
        answer: dict[str, Any] = await self.request("GET", "/api/status")
        return answer

    async def health(self) -> dict[str, Any]:
        """How the server's parts are."""
        reply = await self._http.open("GET", "/api/health", good=frozenset({200, 503}))
        answer: dict[str, Any] = json.loads(await read(reply))
        return answer

    async def keys(self) -> dict[str, Any]:
        """What there is to read and set, and which values can be had right now."""
        answer: dict[str, Any] = await self.request("GET", "/api/keys")
        return answer


def resolve(url: str, tls: TLS | None) -> tuple[address.Address, TLS]:
    """
    Where the server is, and what its certificate must be.

    :raises ValueError: it is no address, or there is no certificate at that one.
    """
    where = address.parse(url)
    if tls is not None and not where.secure:
        raise ValueError(f"{where} has no certificate to be checked; write wss://")
    return where, tls or TLS()


def make_options(
    *, timeout: float | None, throttle: float, queue: int, reconnect: bool, keep_password: bool
) -> Options:
    """
    Check what was set.

    :raises ValueError: it makes no sense.
    """
    if timeout is not None and timeout <= 0:
        raise ValueError("timeout must be more than 0 seconds, or None")
    if throttle < 0:
        raise ValueError("throttle must not be negative")
    if queue < 0:
        raise ValueError("queue must not be negative")
    return Options(
        timeout=timeout,
        throttle=throttle,
        queue=queue,
        reconnect=reconnect,
        # It is of no use any more when nobody connects a second time.
        keep_password=keep_password and reconnect,
    )
