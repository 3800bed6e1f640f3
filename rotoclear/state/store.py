"""
The saved copy of the settings.

Every change of a saved key is on the disk within a second of its
confirmation, many changes in one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from rotoclear.state.database import Database
from rotoclear.state.model import Model
from rotoclear.values import Value

DELAY: Final = 0.2
"""Seconds that changes are gathered for before they are written."""

RETRY: Final = 5.0
"""Seconds until another attempt when the disk refused."""


def load(connection: sqlite3.Connection) -> dict[str, object]:
    """All saved settings, decoded."""
    rows = connection.execute("SELECT key, value FROM settings")
    return {key: json.loads(value) for key, value in rows}


def save(connection: sqlite3.Connection, values: Mapping[str, Value]) -> None:
    """Write some settings."""
    connection.executemany(
        "INSERT INTO settings (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [(key, json.dumps(value)) for key, value in values.items()],
    )


class Store:
    """
    Writes what changes.

    :ivar problem: why settings are not being saved, for people; ``""``: they are.
    """

    _log = Logger()

    def __init__(self, reactor: IReactorTime, model: Model, database: Database) -> None:
        self._reactor = reactor
        self._model = model
        self._database = database
        self._unsaved: set[str] = set()
        self._timer: IDelayedCall | None = None
        self.problem = ""

    async def restore(self) -> None:
        """Give the model what was saved, and watch it from then on."""
        self._model.restore(await self._database.run(load))
        self._model.observe(self._changed)

    def _changed(self, news: Mapping[str, Value]) -> None:
        saved = {name for name in news if self._model.keys[name].saved}
        if saved:
            self._unsaved |= saved
            self._schedule(DELAY)

    def _schedule(self, delay: float) -> None:
        if self._timer is None:
            self._timer = self._reactor.callLater(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        self.flush()

    def flush(self) -> Deferred[None]:
        """Write what is not on the disk yet. Never fails: it is logged, and tried again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        names, self._unsaved = self._unsaved, set()
        values = {name: self._model[name] for name in names}
        return self._database.run(lambda connection: save(connection, values)).addCallbacks(
            self._saved, self._failed, errbackArgs=(names,)
        )

    def _saved(self, result: None) -> None:
        if self.problem:
            self._log.info("settings are being saved again")
        self.problem = ""

    def _failed(self, failure: Failure, names: set[str]) -> None:
        self.problem = failure.getErrorMessage()
        self._log.error("settings not saved: {problem}", problem=self.problem)
        self._unsaved |= names
        self._schedule(RETRY)
