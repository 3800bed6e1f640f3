"""What is remembered of numbers, in memory and in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.assignments import RENEWAL, Assignments, Owner, load
from rotoclear.state.database import Database, connect

A = Owner("acme", "a", "S1", "usb-1")
B = Owner("acme", "b", "", "usb-2")


class Written(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 1e9
        self.connection = connect(Path(self.mktemp()))
        self.addCleanup(self.connection.close)
        self.slow: list[Callable[[], None]] | None = None
        self.refusal: sqlite3.Error | None = None
        self.writes = 0
        self.database = Database(self.connection, self.in_thread)
        self.numbers = self.opened()

    def in_thread(self, function: Callable[[], object]) -> Deferred[object]:
        self.writes += 1
        if self.refusal is not None:
            return fail(self.refusal)
        if self.slow is None:
            return succeed(function())
        done: Deferred[object] = Deferred()
        self.slow.append(lambda: done.callback(function()))
        return done

    def opened(self) -> Assignments:
        numbers = Assignments(lambda: self.now)
        self.successResultOf(Deferred.fromCoroutine(numbers.restore(self.database)))
        self.writes = 0
        return numbers

    def on_disk(self) -> dict[tuple[str, int], Owner]:
        return {key: place.owner for key, place in load(self.connection).items()}

    def test_it_is_known_after_a_restart(self) -> None:
        self.numbers.assign("camera", 2, A)
        self.numbers.assign("light", 2, B)
        again = self.opened()
        self.assertEqual(again.owner("camera", 2), A)
        self.assertEqual(again.owner("light", 2), B)
        self.assertIsNone(again.owner("camera", 1))

    def test_who_moves_gives_up_what_it_had(self) -> None:
        self.numbers.assign("camera", 1, A)
        self.numbers.assign("light", 1, A)
        self.numbers.assign("camera", 2, A)
        self.assertEqual(self.on_disk(), {("light", 1): A, ("camera", 2): A})

    def test_a_new_port_is_remembered(self) -> None:
        moved = Owner("acme", "a", "S1", "usb-7")
        self.numbers.assign("camera", 1, A)
        self.numbers.assign("camera", 1, moved)
        self.assertEqual(self.on_disk(), {("camera", 1): moved})

    def test_what_stays_as_it_is_is_written_once_a_day(self) -> None:
        self.numbers.assign("camera", 1, A)
        self.numbers.assign("camera", 1, A)
        self.assertEqual(self.writes, 1)
        self.now += RENEWAL
        self.numbers.assign("camera", 1, A)
        self.assertEqual(self.writes, 2)
        self.assertEqual(load(self.connection)["camera", 1].seen, self.now)

    def test_a_slow_disk_has_one_thing_to_do_at_a_time(self) -> None:
        self.slow = []
        for owner in (A, B, A, B):
            self.numbers.assign("camera", 1, owner)
        self.assertEqual(len(self.slow), 1)
        self.slow.pop()()
        self.assertEqual(len(self.slow), 1)
        self.slow.pop()()
        self.assertEqual(self.slow, [])
        self.assertEqual(self.on_disk(), {("camera", 1): B})

    def test_what_the_disk_refused_is_written_with_the_next_change(self) -> None:
        self.refusal = sqlite3.OperationalError("disk full")
        self.numbers.assign("camera", 1, A)
        self.assertEqual(self.numbers.owner("camera", 1), A)
        self.refusal = None
        self.numbers.assign("camera", 2, B)
        self.assertEqual(self.on_disk(), {("camera", 1): A, ("camera", 2): B})

    def test_or_at_the_end(self) -> None:
        self.refusal = sqlite3.OperationalError("disk full")
        self.numbers.assign("camera", 1, A)
        self.refusal = None
        self.successResultOf(self.numbers.flush())
        self.assertEqual(self.on_disk(), {("camera", 1): A})

    def test_a_database_that_cannot_be_read_is_no_reason_not_to_start(self) -> None:
        self.refusal = sqlite3.OperationalError("broken")
        numbers = self.opened()
        self.assertIsNone(numbers.owner("camera", 1))

    def test_without_a_database_it_is_remembered_all_the_same(self) -> None:
        numbers = Assignments(lambda: self.now)
        numbers.assign("camera", 1, A)
        self.successResultOf(numbers.flush())
        self.assertEqual(numbers.owner("camera", 1), A)
