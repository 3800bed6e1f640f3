"""The face that programs of Twisted see."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from rotoclear.client.client import Common, make_options, resolve
from rotoclear.client.credentials import Credentials, Password
from rotoclear.client.tls import TLS
from rotoclear.client.twisted.face import TwistedFace
from rotoclear.client.twisted.keys import Keys


class Client(Keys):
    """
    A connection to a rotoclear server that stays.

    ::

        client = Client(reactor, "wss://camera.example.com", username="anna", password="...")
        yield client.connect()
        yield client.brightness.set(75)

    What :class:`rotoclear.client.asyncio.Client` has as coroutines, this one has as
    Deferreds. To cancel one withdraws the request.

    :param reactor: Twisted's.
    :param url: and all others: as there.
    """

    def __init__(
        self,
        reactor: Any,
        url: str,
        *,
        username: str = "",
        password: Password | None = None,
        token: str | None = None,
        keep_password: bool = True,
        tls: TLS | None = None,
        timeout: float | None = 10.0,
        throttle: float = 0.05,
        queue: int = 256,
        reconnect: bool = True,
    ) -> None:
        where, trust = resolve(url, tls)
        options = make_options(
            timeout=timeout,
            throttle=throttle,
            queue=queue,
            reconnect=reconnect,
            keep_password=keep_password,
        )
        self._common = Common(
            TwistedFace(reactor, where, trust, options.patience),
            where,
            Credentials(username, password, token, keep=options.keep_password),
            options,
        )
        self._core = self._common._core

    def __repr__(self) -> str:
        return repr(self._common)

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
