"""
Checking passwords without holding anybody up.

A check costs tens of milliseconds of a core, by intention. Two worker threads
of low priority do it. What waits for them is bounded, and addresses take
turns, so that one that floods makes nobody wait but itself.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads

from rotoclear.auth.argon import Argon, Verdict
from rotoclear.auth.errors import Busy

T = TypeVar("T")

WORKERS: Final = 2
"""Passwords that are checked at the same time."""
WAITING: Final = 64
"""Passwords that may wait for that."""
_NICENESS: Final = 5


def _yield_to_others() -> None:
    """Lower the calling thread's priority; on Linux a thread has one of its own."""
    thread = threading.get_native_id()
    with suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


class _Job(Generic[T]):
    """One thing to do in a worker thread."""

    def __init__(self, lane: str, work: Callable[[], T], withdraw: Callable[[_Job[T]], None]):
        self.lane = lane
        self.work = work
        self.result: Deferred[T] = Deferred(lambda _: withdraw(self))


class PasswordHasher:
    """
    The queue in front of the worker threads.

    :param argon: at which cost.
    :param executor: runs the work away from the reactor; by default threads
        of its own, started when they are first needed.
    :param waiting: how many may wait.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        argon: Argon | None = None,
        executor: Executor | None = None,
        waiting: int = WAITING,
    ) -> None:
        self._reactor = reactor
        self._argon = argon or Argon()
        self._executor = executor or ThreadPoolExecutor(
            WORKERS, "passwords", initializer=_yield_to_others
        )
        self._limit = waiting
        self._lanes: OrderedDict[str, deque[_Job[Any]]] = OrderedDict()
        self._waiting = 0
        self._running = 0
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many wait for a worker."""
        return self._waiting

    def verify(self, encoded: str | None, password: str, lane: str) -> Deferred[Verdict]:
        """
        Compare a password with a hash, as :meth:`Argon.verify`.

        :param lane: whose turn it takes: the address it came from.
        :return: fails with :exc:`Busy` when too many are waiting.
        """
        return self._enqueue(lane, lambda: self._argon.verify(encoded, password))

    def hash(self, password: str, lane: str) -> Deferred[str]:
        """Hash a password, as :meth:`Argon.hash`; else as :meth:`verify`."""
        return self._enqueue(lane, lambda: self._argon.hash(password))

    def close(self) -> None:
        """Take nothing more; what waits fails with :exc:`Busy`."""
        self._closed = True
        waiting = [job for lane in self._lanes.values() for job in lane]
        self._lanes.clear()
        self._waiting = 0
        for job in waiting:
            job.result.errback(Busy())
        self._executor.shutdown(wait=False)

    def _enqueue(self, name: str, work: Callable[[], T]) -> Deferred[T]:
        displaced = None
        if self._waiting >= self._limit:
            displaced = self._newest_of_longest(name)
        if self._closed or (self._waiting >= self._limit and displaced is None):
            return fail(Busy())
        job = _Job(name, work, self._withdraw)
        self._lanes.setdefault(name, deque()).append(job)
        self._waiting += 1
        if displaced is not None:
            self._withdraw(displaced)
        self._start()
        if displaced is not None:
            displaced.result.errback(Busy())
        return job.result

    def _newest_of_longest(self, name: str) -> _Job[Any] | None:
        """What has to give way to a job of another lane, if that has fewer."""
        longest = max(self._lanes.values(), key=len, default=deque[_Job[Any]]())
        if len(longest) <= len(self._lanes.get(name, ())) + 1:
            return None
        return longest[-1]

    def _withdraw(self, job: _Job[Any]) -> None:
        """Take a job out of the queue, if it is still there."""
        lane = self._lanes.get(job.lane)
        if lane is not None and job in lane:
            lane.remove(job)
            self._waiting -= 1
            if not lane:
                del self._lanes[job.lane]

    def _start(self) -> None:
        """Give the workers something to do: from each lane in turn."""
        while self._lanes and self._running < WORKERS:
            name, lane = self._lanes.popitem(last=False)
            job = lane.popleft()
            if lane:
                self._lanes[name] = lane
            self._waiting -= 1
            self._running += 1
            self._executor.submit(job.work).add_done_callback(partial(self._hand_over, job))

    def _hand_over(self, job: _Job[Any], done: Future[Any]) -> None:
        """In the worker thread: the result is for the reactor's."""
        self._reactor.callFromThread(self._finished, job, done)

    def _finished(self, job: _Job[T], done: Future[T]) -> None:
        self._running -= 1
        self._start()
        if job.result.called:  # cancelled meanwhile
            return
        error = done.exception()
        if error is None:
            job.result.callback(done.result())
        else:
            job.result.errback(error)
