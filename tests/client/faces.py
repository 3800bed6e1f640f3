"""
Both faces of the client, so that one test can be played on either.

A scenario is a coroutine that awaits nothing but what its face gives it. That of
asyncio is run in a thread, by ``asyncio.run``; that of Twisted on pytest-twisted's
reactor. So what blocks must go through :meth:`Face.in_thread`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

import rotoclear.client.asyncio
import rotoclear.client.twisted

T = TypeVar("T")

LIMIT = 55.0
"""Seconds that a scenario may take."""

Scenario = Callable[["Face"], Coroutine[Any, Any, None]]


class Face(Protocol):
    """
    What a scenario is handed.

    :ivar cancelled: what is raised where something was cancelled.
    """

    cancelled: type[BaseException]

    def client(self, url: str, **options: Any) -> Any:
        """A client that comes back quickly."""

    def spawn(self, work: Coroutine[Any, Any, T]) -> Any:
        """Begin something; awaitable, can be cancelled."""

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Call something that blocks."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def run(self, scenario: Scenario) -> None:
        """Play it, from pytest-twisted's reactor."""


def quick(client: Any) -> Any:
    """Chance is always on its side: half the pause is waited."""
    client._core._backoff._random = lambda: 0.0
    return client


def impatient(client: Any) -> Any:
    """Silence is questioned soon."""
    client._core._options.silence = 0.3
    client._core._options.patience = 0.5
    return client


def patient(client: Any) -> None:
    """Not any more: a slow machine may take its time."""
    client._core._options.silence = client._core._options.patience = 10.0


class AsyncioFace:
    """asyncio."""

    cancelled: type[BaseException] = asyncio.CancelledError

    def client(self, url: str, **options: Any) -> Any:
        return quick(rotoclear.client.asyncio.Client(url, **options))

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        return asyncio.ensure_future(work)

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        return asyncio.to_thread(function, *arguments)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def run(self, scenario: Scenario) -> None:
        async def limited() -> None:
            async with asyncio.timeout(LIMIT):
                await scenario(self)

        await deferToThread(asyncio.run, limited())


class TwistedFace:
    """Twisted."""

    cancelled: type[BaseException] = CancelledError

    def __init__(self) -> None:
        from twisted.internet import reactor

        self._reactor: Any = reactor

    def client(self, url: str, **options: Any) -> Any:
        return quick(rotoclear.client.twisted.Client(self._reactor, url, **options))

    def spawn(self, work: Coroutine[Any, Any, T]) -> Deferred[T]:
        return Deferred.fromCoroutine(work)

    def in_thread(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        return deferToThread(function, *arguments)

    async def sleep(self, seconds: float) -> None:
        await deferLater(self._reactor, seconds)

    async def run(self, scenario: Scenario) -> None:
        await Deferred.fromCoroutine(scenario(self)).addTimeout(LIMIT, self._reactor)


FACES: dict[str, Callable[[], Face]] = {"asyncio": AsyncioFace, "twisted": TwistedFace}
