"""Threads that do one thing after another, and are given up when they take too long."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from rotoclear.interfaces import DeviceFailure, DriverUnusable
from rotoclear.testing.bench import LIMIT, Crash, Ended, Late
from rotoclear.testing.fault import Fault


class Task:
    """
    Something that is done once: a :class:`~rotoclear.testing.bench.Pending`.

    :param what: for people: ``"set('gain', 50)"``.
    :ivar seconds: how long it took, once it is done.
    :ivar ended: when, by :func:`time.monotonic`.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.seconds = 0.0
        self.ended = 0.0
        self._done = threading.Event()
        self._result: Any = None
        self._error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def run(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Do it here and now."""
        began = time.monotonic()
        try:
            self._result = function(*arguments)
        except BaseException as error:  # noqa: BLE001 - drivers raise anything
            self._error = error
        self.ended = time.monotonic()
        self.seconds = self.ended - began
        self._done.set()

    def finish(self, result: Any = None, error: BaseException | None = None) -> None:
        """It was done elsewhere."""
        self._result, self._error = result, error
        self.ended = time.monotonic()
        self._done.set()

    def result(self, limit: float = LIMIT) -> Any:
        if not self._done.wait(limit):
            raise Late(f"{self.what} did not return within {limit:g} s")
        error = self._error
        if error is None:
            return self._result
        if isinstance(error, DeviceFailure | DriverUnusable | Crash | Late | Ended | Fault):
            raise error
        raise crash(self.what, error) from error


def crash(what: str, error: BaseException) -> Crash:
    """What a driver raised, in words."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Crash(f"{what} raised {text}", "".join(traceback.format_exception(error)))


class Worker:
    """A thread; one that hangs is left behind."""

    def __init__(self, name: str) -> None:
        self._tasks: SimpleQueue[tuple[Task, Callable[..., Any], tuple[Any, ...]] | None] = (
            SimpleQueue()
        )
        self._last: Task | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def stuck(self) -> bool:
        """It has not done what it was told, and nobody waits for it."""
        return self._last is not None and not self._last.done

    def begin(self, what: str, function: Callable[..., Any], *arguments: Any) -> Task:
        """Do it after what was begun before."""
        task = self._last = Task(what)
        self._tasks.put((task, function, arguments))
        return task

    def call(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Do it and wait for what it returns; raises as :meth:`Task.result` does."""
        return self.begin(what, function, *arguments).result()

    def end(self) -> None:
        """End when all is done; wait for that if it is."""
        self._tasks.put(None)
        if not self.stuck:
            self._thread.join(LIMIT)

    def _run(self) -> None:
        while (item := self._tasks.get()) is not None:
            task, function, arguments = item
            task.run(function, *arguments)
            del item, task, function, arguments
