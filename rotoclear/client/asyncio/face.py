"""asyncio and aiohttp, as the client needs them."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import AbstractEventLoop, Task
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp
from yarl import URL

from rotoclear.client.address import Address
from rotoclear.client.errors import (
    CertificateRefused,
    ClientError,
    ConnectionFailed,
    Disconnected,
)
from rotoclear.client.port import Line, Link, Timer
from rotoclear.client.promise import Promise
from rotoclear.client.tls import TLS
from rotoclear.client.wire import MAX_MESSAGE

T = TypeVar("T")


class AsyncioFace:
    """
    See the module. Belongs to the loop in which it is used first.

    :param where: the server.
    :param tls: what its certificate must be.
    :param patience: seconds that a connection, or the next piece of an answer, may take.
    """

    def __init__(self, where: Address, tls: TLS, patience: float) -> None:
        self._where = where
        self._ssl = tls.context() if where.secure else True
        self._timeout = aiohttp.ClientTimeout(sock_connect=patience, sock_read=patience)
        self._session: aiohttp.ClientSession | None = None
        self._lines: set[AsyncioLine] = set()

    @property
    def _loop(self) -> AbstractEventLoop:
        return asyncio.get_running_loop()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session

    def now(self) -> float:
        """By the loop's clock."""
        return self._loop.time()

    def call_later(self, delay: float, function: Callable[[], None]) -> Timer:
        """By the loop's clock."""
        return self._loop.call_later(delay, function)

    def wait(self, promise: Promise[T]) -> Awaitable[T]:
        """A future."""
        future: asyncio.Future[T] = self._loop.create_future()

        def keep(value: T) -> None:
            if not future.done():
                future.set_result(value)

        def break_(error: Exception) -> None:
            if not future.done():
                future.set_exception(error)

        def done(future: asyncio.Future[T]) -> None:
            if future.cancelled():
                promise.cancel()

        promise.then(keep, break_)
        future.add_done_callback(done)
        return future

    def dial(self, path: str, link: Link) -> Line:
        """Begin to connect."""
        line = AsyncioLine(lambda: self._connect(path), link)
        self._lines.add(line)
        line.ended.add_done_callback(lambda _: self._lines.discard(line))
        return line

    async def _connect(self, path: str) -> aiohttp.ClientWebSocketResponse:
        url = self._where.websocket(path)
        try:
            return await self.session.ws_connect(
                url, ssl=self._ssl, max_msg_size=MAX_MESSAGE[path], autoclose=True
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failure(self._where, error) from None

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> AsyncioReply:
        """A request, and the head of the answer."""
        try:
            response = await self.session.request(
                method,
                URL(self._where.http(path), encoded=True),
                headers={"Accept-Encoding": "identity", **headers},
                data=body,
                ssl=self._ssl,
                allow_redirects=False,
                timeout=self._timeout,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failure(self._where, error) from None
        return AsyncioReply(response)

    async def sleep(self, seconds: float) -> None:
        """By the loop's clock."""
        await asyncio.sleep(seconds)

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """In a thread of asyncio's pool."""
        return asyncio.to_thread(function, *arguments)

    async def close(self) -> None:
        """End all connections."""
        lines = [line.ended for line in self._lines]
        if lines:
            await asyncio.wait(lines)
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class AsyncioReply:
    """An answer over HTTP."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers.items()}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected(f"The answer broke off: {error or type(error).__name__}") from None

    def close(self) -> None:
        """If it was not read to its end, the connection ends."""
        self._response.close()


class AsyncioLine:
    """
    One WebSocket.

    :ivar ended: done when nothing of it is left.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]], link: Link
    ) -> None:
        self._connect = connect
        self._link = link
        self._unsent: asyncio.Queue[str] = asyncio.Queue()
        self.ended: Task[None] = asyncio.create_task(self._run())

    def send(self, text: str) -> None:
        """Send a message behind those before it."""
        self._unsent.put_nowait(text)

    def drop(self) -> None:
        """End it."""
        self.ended.cancel()

    async def _run(self) -> None:
        try:
            socket = await self._connect()
        except ClientError as error:
            self._link.lost(error)
            return
        writer = asyncio.create_task(self._write(socket))
        try:
            self._link.opened()
            async for message in socket:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    self._link.received(message.data)
            self._link.lost(_why(socket))
        except Exception as error:
            # A fault of ours: whoever waits must learn that nothing will come.
            self._link.lost(Disconnected(f"The client failed: {error!r}"))
            raise
        finally:
            writer.cancel()
            # Whoever drops it does not wait for the server's good-bye.
            closing = asyncio.create_task(socket.close())
            await asyncio.wait([closing, writer], timeout=1.0)
            closing.cancel()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            text = await self._unsent.get()
            try:
                await socket.send_str(text)
            except (aiohttp.ClientError, OSError, RuntimeError):
                return  # whoever reads notices, too


def failure(where: Address, error: Exception) -> ConnectionFailed:
    """Why there is no connection."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            error = error.certificate_error
        case aiohttp.ClientConnectorError() | aiohttp.ClientConnectorSSLError():
            error = error.os_error
    match error:
        case ssl.SSLCertVerificationError():
            reason = error.verify_message if hasattr(error, "verify_message") else str(error)
            return CertificateRefused(f"The certificate of {where} is not to be trusted: {reason}")
        case ssl.SSLError():
            return ConnectionFailed(f"{where} does not speak TLS as it should: {error}")
        case aiohttp.WSServerHandshakeError():
            return ConnectionFailed(f"{where} answers {error.status} instead of a WebSocket")
        case OSError():
            return ConnectionFailed(f"{where} does not answer: {error.strerror or error}")
        case _:
            return ConnectionFailed(f"{where} does not answer: {error or type(error).__name__}")


def _why(socket: aiohttp.ClientWebSocketResponse) -> Disconnected:
    code = socket.close_code
    if code is None or code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
        return Disconnected("The connection broke")
    return Disconnected(f"The server closed the connection ({code:d})")
