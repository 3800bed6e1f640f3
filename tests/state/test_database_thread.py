"""The thread that the database file has to itself."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from rotoclear.state.database import Database, connect
from tests.state.test_database import keys, put


class InThread(TestCase):
    async def test_away_from_the_reactor(self) -> None:
        """One thread, not the reactor's, in the order of the calls."""
        database = Database.start(reactor, Path(self.mktemp()))
        threads = [database.run(lambda connection: threading.get_ident()) for _ in range(3)]
        idents = {await thread for thread in threads}
        self.assertEqual(len(idents), 1)
        self.assertNotIn(threading.get_ident(), idents)
        await database.close()

    async def test_failure(self) -> None:
        """What a function raises is the caller's, and the next one works."""
        database = Database.start(reactor, Path(self.mktemp()))
        with self.assertRaises(sqlite3.OperationalError):
            await database.run(lambda connection: connection.execute("nonsense"))
        await database.run(lambda connection: put(connection, "after"))
        self.assertIn("after", await database.run(keys))
        await database.close()

    async def test_close_is_last(self) -> None:
        """What was asked before the close is on the disk."""
        path = Path(self.mktemp())
        database = Database.start(reactor, path)
        written = database.run(lambda connection: put(connection, "last"))
        await database.close()
        await written
        connection = connect(path)
        self.assertIn("last", keys(connection))
        connection.close()
