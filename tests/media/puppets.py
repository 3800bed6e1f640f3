"""An engine, heads and volumes whose strings the test pulls."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from rotoclear.media.interfaces import IEngine, Watcher


@implementer(IEngine)
@define(eq=False)
class Engine:
    """
    Does what it is told at once, or, ``slow``, when the test answers.

    :ivar did: what it was told.
    """

    slow: bool = False
    did: list[str] = field(factory=list)
    waiting: list[Deferred[None]] = field(factory=list)
    watcher: Watcher | None = None

    def _do(self, what: str) -> Deferred[None]:
        self.did.append(what)
        if not self.slow:
            return succeed(None)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def start(self, again: bool) -> Deferred[None]:
        return self._do("start again" if again else "start")

    def stop(self) -> Deferred[None]:
        return self._do("stop")

    def pause(self) -> Deferred[None]:
        return self._do("pause")

    def resume(self) -> Deferred[None]:
        return self._do("resume")

    def snap(self) -> Deferred[None]:
        return self._do("snap")

    def watch(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def answer(self) -> None:
        self.waiting.pop(0).callback(None)

    def fail(self, error: Exception) -> None:
        self.waiting.pop(0).errback(error)


class Heads:
    def __init__(self, *there: int) -> None:
        self.there = set(there)
        self._observers: list[Callable[[int], None]] = []

    def present(self, number: int) -> bool:
        return number in self.there

    def observe(self, observer: Callable[[int], None]) -> None:
        self._observers.append(observer)

    def plug(self, number: int) -> None:
        self.there.add(number)
        self._tell(number)

    def unplug(self, number: int) -> None:
        self.there.discard(number)
        self._tell(number)

    def _tell(self, number: int) -> None:
        for observer in self._observers:
            observer(number)


class Volumes:
    def __init__(self, volume: object | None = "stick") -> None:
        self.volume = volume
        self.holds = 0
        self._observers: list[Callable[[], None]] = []

    def current(self) -> object | None:
        return self.volume

    def observe(self, observer: Callable[[], None]) -> None:
        self._observers.append(observer)

    def hold(self) -> None:
        self.holds += 1

    def release(self) -> None:
        self.holds -= 1

    def change(self, volume: object | None) -> None:
        self.volume = volume
        for observer in self._observers:
            observer()


class Video:
    """Counts who holds it; ``moving`` is a change on its way."""

    def __init__(self) -> None:
        self.holds = 0
        self.moving: Deferred[None] | None = None

    def hold(self) -> Deferred[None]:
        self.holds += 1
        return self.moving or succeed(None)

    def release(self) -> None:
        self.holds -= 1
