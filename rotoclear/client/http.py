"""Requests over HTTP, with the client's login."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol

from rotoclear.client.errors import (
    ClientError,
    ConnectionFailed,
    LoginRefused,
    PermissionDenied,
    Refused,
    TooManyAttempts,
    refusal,
)

MAX_BODY: Final = 64 * 2**20
"""Bytes of an answer that is kept in memory."""


class Reply(Protocol):
    """
    An answer, of which the body is still to come.

    :ivar headers: names in small letters.
    """

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in small letters."""

    def chunks(self) -> AsyncIterator[bytes]:
        """
        The body.

        :raises Disconnected: it broke off, or nothing came for a while.
        """

    def close(self) -> None:
        """Nothing more of it is wanted."""


class Requests(Protocol):
    """What a face can do for HTTP."""

    async def exchange(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """
        Ask, and wait for the head of the answer.

        :raises ConnectionFailed: there is no answer.
        """


class Http:
    """
    See the module.

    :param token: what to log in with, asked each time.
    """

    def __init__(self, requests: Requests, token: Callable[[], str | None]) -> None:
        self._requests = requests
        self._token = token

    async def open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        *,
        good: frozenset[int] = frozenset({200, 204}),
    ) -> Reply:
        """
        Ask; the answer is good.

        :param body: sent as JSON, unless ``None``.
        :param good: the statuses of a good answer.
        :raises ClientError: it is not.
        """
        sent = dict(headers or {})
        token = self._token()
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = json.dumps(body, allow_nan=False).encode()
            sent["Content-Type"] = "application/json"
        reply = await self._requests.exchange(method, path, sent, data)
        if reply.status not in good:
            raise problem(reply.status, reply.headers, await read(reply))
        return reply

    async def json(self, method: str, path: str, body: object = None) -> object:
        """The answer's body, decoded; ``None`` if there is none."""
        data = await read(await self.open(method, path, body=body))
        if not data:
            return None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise ConnectionFailed("What answers there is no rotoclear server") from None


async def read(reply: Reply) -> bytes:
    """The whole body, closing the reply."""
    data = bytearray()
    try:
        async for chunk in reply.chunks():
            data += chunk
            if len(data) > MAX_BODY:
                raise ConnectionFailed("The answer is too large")
    finally:
        reply.close()
    return bytes(data)


def problem(status: int, headers: Mapping[str, str], body: bytes) -> ClientError:
    """Why an answer is no good one."""
    try:
        said = json.loads(body)
        error, message = str(said["error"]), str(said.get("message") or said["error"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ConnectionFailed(f"The server answers {status}, and not as rotoclear does")
    if status == 401:
        return LoginRefused(message)
    if status == 429:
        wait = headers.get("retry-after", "")
        return TooManyAttempts(message, float(wait) if wait.isdecimal() else 1.0)
    problem = refusal(error, said.get("key"), message)
    if status == 403 and type(problem) is Refused:
        return PermissionDenied(error, problem.key, message)
    return problem
