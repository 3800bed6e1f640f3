"""The queue in front of the threads that check passwords."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.argon import Verdict
from rotoclear.auth.errors import Busy
from rotoclear.auth.passwords import PasswordHasher

from .house import CheapArgon, Reactor, Workers


class QueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.argon = CheapArgon()
        self.workers = Workers()
        self.workers.held = True
        self.hasher = PasswordHasher(Reactor(), self.argon, self.workers, waiting=4)
        self.encoded = self.argon.hash("correct horse")

    def ask(self, lane: str = "here", password: str = "wrong") -> Deferred[Verdict]:
        return self.hasher.verify(self.encoded, password, lane)

    def test_the_result_comes_back(self) -> None:
        right, wrong = self.ask(password="correct horse"), self.ask()
        self.assertNoResult(right)
        self.workers.work(2)
        self.assertTrue(self.successResultOf(right).right)
        self.assertFalse(self.successResultOf(wrong).right)

    def test_hashes_too(self) -> None:
        hashed = self.hasher.hash("battery staple", "here")
        self.workers.work()
        encoded = self.successResultOf(hashed)
        self.assertTrue(self.argon.verify(encoded, "battery staple").right)

    def test_two_at_a_time(self) -> None:
        for _ in range(4):
            self.ask()
        self.assertEqual(len(self.workers.waiting), 2)
        self.workers.work()
        self.assertEqual(len(self.workers.waiting), 2)

    def test_what_waits_is_bounded(self) -> None:
        asked = [self.ask() for _ in range(6)]
        self.failureResultOf(self.ask(), Busy)
        self.workers.work(6)
        for result in asked:
            self.successResultOf(result)
        self.assertEqual(len(self.argon.verified), 6)

    def test_there_is_room_again_afterwards(self) -> None:
        for _ in range(6):
            self.ask()
        self.workers.work()
        self.assertNoResult(self.ask())

    def test_addresses_take_turns(self) -> None:
        flood = [self.ask("flood") for _ in range(5)]
        mine = self.ask("mine")
        self.workers.work(2)  # they had begun
        self.workers.work(2)
        self.successResultOf(mine)
        self.assertEqual(sum(result.called for result in flood), 3)

    def test_one_that_floods_gives_way_to_others(self) -> None:
        flood = [self.ask("flood") for _ in range(6)]
        mine, other = self.ask("mine"), self.ask("other")
        self.failureResultOf(flood[5], Busy)
        self.failureResultOf(flood[4], Busy)
        self.workers.work(6)
        self.successResultOf(mine)
        self.successResultOf(other)
        for result in flood[:4]:
            self.successResultOf(result)

    def test_equals_do_not_push_each_other_out(self) -> None:
        self.ask("a"), self.ask("b")
        waiting = [self.ask(lane) for lane in "abcd"]
        self.failureResultOf(self.ask("e"), Busy)
        for result in waiting:
            self.assertNoResult(result)

    def test_nobody_waits_for_what_was_cancelled(self) -> None:
        begun = [self.ask(), self.ask()]
        dropped = [self.ask() for _ in range(4)]
        for result in (*begun, *dropped):
            result.cancel()
            self.failureResultOf(result, CancelledError)
        kept = self.ask()
        self.workers.work(3)
        self.successResultOf(kept)
        self.assertEqual(len(self.argon.verified), 3)

    def test_an_error_in_the_thread_is_the_askers(self) -> None:
        self.argon.verify = lambda *_: 1 // 0  # type: ignore[method-assign]
        asked = self.ask()
        self.workers.work()
        self.failureResultOf(asked, ZeroDivisionError)
        after = self.hasher.hash("battery staple", "here")
        self.workers.work()
        self.successResultOf(after)

    def test_close(self) -> None:
        begun, _, waiting = self.ask(), self.ask(), self.ask()
        self.hasher.close()
        self.failureResultOf(waiting, Busy)
        self.failureResultOf(self.ask(), Busy)
        self.workers.work(2)
        self.successResultOf(begun)
        self.assertTrue(self.workers.stopped)


class InboxReactor:
    """Takes calls from threads; the test makes them."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[tuple[Callable[..., Any], tuple[Any, ...]]] = queue.Queue()

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None:
        self.inbox.put((function, args))

    def turn(self) -> None:
        function, args = self.inbox.get(timeout=60)
        function(*args)


class ThreadTests(SynchronousTestCase):
    """With the threads that a server has."""

    def test_elsewhere_at_low_priority(self) -> None:
        seen: list[tuple[int, int]] = []

        class Spy(CheapArgon):
            def hash(self, password: str) -> str:
                number = threading.get_native_id()
                seen.append((number, os.getpriority(os.PRIO_PROCESS, number)))
                return super().hash(password)

        reactor = InboxReactor()
        hasher = PasswordHasher(reactor, Spy())
        self.addCleanup(hasher.close)
        result = hasher.hash("correct horse", "here")
        self.assertNoResult(result)
        reactor.turn()
        self.assertTrue(self.successResultOf(result).startswith("$argon2id$"))
        ((number, priority),) = seen
        self.assertNotEqual(number, threading.get_native_id())
        mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        self.assertGreater(priority, min(mine, 18))
