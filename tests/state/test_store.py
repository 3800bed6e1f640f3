"""Settings on their way to the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.state.database import Database, connect
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.store import DELAY, RETRY, Store, load, save


class StoreTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.connection = connect(Path(self.mktemp()))
        self.addCleanup(self.connection.close)
        self.transactions = 0
        self.fault: Exception | None = None
        self.start()

    def start(self) -> None:
        self.model = Model(self.clock, KeyTable())
        self.store = Store(self.clock, self.model, Database(self.connection, self.in_thread))
        self.successResultOf(Deferred.fromCoroutine(self.store.restore()))

    def in_thread(self, function: Callable[[], object]) -> Deferred[object]:
        self.transactions += 1
        if self.fault is not None:
            fault = self.fault
            return maybeDeferred(lambda: (_ for _ in ()).throw(fault))
        return maybeDeferred(function)

    def saved(self) -> dict[str, object]:
        return load(self.connection)

    def test_written(self) -> None:
        """Within a second of the change."""
        self.model.commit({"brightness": 7, "auto-exposure": "shutter", "resolution": "640x480"})
        self.clock.advance(0)
        self.clock.advance(0.99)
        self.assertEqual(
            self.saved(), {"brightness": 7, "auto-exposure": "shutter", "resolution": "640x480"}
        )

    def test_gathered(self) -> None:
        """A slider that is dragged is one transaction, not fifty."""
        self.transactions = 0
        for value in range(51, 100):
            self.model.commit({"brightness": value})
            self.clock.advance(0)
        self.clock.advance(DELAY)
        self.assertEqual((self.transactions, self.saved()), (1, {"brightness": 99}))

    def test_not_saved(self) -> None:
        """The recorder and the plugs tell the present, not the past."""
        self.transactions = 0
        self.model.commit({"record": True, "cam1-exists": True, "snap": True})
        self.clock.advance(0)
        self.clock.advance(10)
        self.assertEqual((self.transactions, self.saved()), (0, {}))

    def test_restored(self) -> None:
        save(self.connection, {"brightness": 7})
        self.start()
        self.assertEqual(self.model["brightness"], 7)

    def test_flush(self) -> None:
        """At the end nothing waits for its time."""
        self.model.commit({"gain": 1})
        self.clock.advance(0)
        self.successResultOf(self.store.flush())
        self.assertEqual(self.saved(), {"gain": 1})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_disk_full(self) -> None:
        """It says so, loses nothing, and tries again; what is newer wins."""
        self.fault = sqlite3.OperationalError("database or disk is full")
        self.model.commit({"gain": 1, "contrast": 2})
        self.clock.advance(0)
        self.clock.advance(DELAY)
        self.assertEqual(self.store.problem, "database or disk is full")
        self.fault = None
        self.model.commit({"gain": 3})
        self.clock.advance(0)
        self.clock.advance(RETRY)
        self.assertEqual(self.saved(), {"gain": 3, "contrast": 2})
        self.assertEqual(self.store.problem, "")
