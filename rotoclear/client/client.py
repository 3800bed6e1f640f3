"""What both faces have in common: the client's methods, as coroutines of no loop in particular."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Mapping
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from rotoclear.client import address
from rotoclear.client.core import ConnectionState, Core, Options
from rotoclear.client.credentials import Credentials, Password
from rotoclear.client.errors import ClientError
from rotoclear.client.port import Port
from rotoclear.client.promise import Promise
from rotoclear.client.watching import Change
from rotoclear.client.wire import Login
from rotoclear.values import Value

T = TypeVar("T")


class Face(Port, Protocol):
    """One of the two loops."""

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
        self, face: Face, where: address.Address, credentials: Credentials, options: Options
    ) -> None:
        self._face = face
        self._where = where
        self._options = options
        self._core = Core(face, credentials, options, random.random)

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
        await self._face.close()

    async def states(self) -> AsyncIterator[ConnectionState]:
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
        credentials = Credentials(username, password, keep=self._keep_password)
        return await self._face.wait(self._core.log_in(credentials))

    async def login_token(self, token: str) -> Login:
        """
        Log in with a token; if it is refused, stay who one was.

        :raises LoginRefused: it is not good, or not any more.
        """
        return await self._face.wait(self._core.log_in(Credentials(token=token)))

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

    async def watch(self, *keys: str, initial: bool = True) -> AsyncIterator[Change]:
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

    # -- inside ----------------------------------------------------------

    _keep_password = True


def make_options(
    *, timeout: float | None, throttle: float, queue: int, reconnect: bool, **more: Any
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
    return Options(timeout=timeout, throttle=throttle, queue=queue, reconnect=reconnect, **more)
