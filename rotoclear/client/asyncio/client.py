"""The face that programs of asyncio see."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rotoclear.client.asyncio.face import AsyncioFace
from rotoclear.client.asyncio.keys import Keys
from rotoclear.client.client import make_options, resolve
from rotoclear.client.credentials import Credentials, Password
from rotoclear.client.tls import TLS


class Client(Keys):
    """
    A connection to a rotoclear server that stays.

    ::

        async with Client("wss://camera.example.com", username="anna", password="...") as client:
            await client.set("brightness", 75)
            async for change in client.watch("brightness", "record"):
                print(change.key, change.value)

    :param url: ``wss://``, ``https://``, ``ws://`` or ``http://`` and the host; ``wss://``
        if there is none.
    :param username: with a password.
    :param password: kept in memory until :meth:`close`, for the day on which the token
        has expired. A callable is asked each time instead, and what it returns is not kept.
    :param token: instead, or to be tried before the password.
    :param keep_password: ``False``: forget it when it has been taken once.
    :param tls: what the certificate must be, see :class:`~rotoclear.client.TLS`.
    :param timeout: seconds that a request may take, waiting for a connection included;
        ``None``: any time.
    :param throttle: seconds between two updates of one key; of the values that come
        meanwhile only the newest is sent.
    :param queue: requests that may wait for a connection.
    :param reconnect: connect again when the connection is lost.
    :raises ValueError: one of these makes no sense.
    """

    def __init__(
        self,
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
        super().__init__(
            AsyncioFace(where, trust, options.patience),
            where,
            Credentials(username, password, token, keep=options.keep_password),
            options,
        )

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
