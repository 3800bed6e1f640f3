"""
Backup, restore and factory reset of a running server: requests of its control socket.

The command brings the file; what has to happen between the disk, the users who are
logged in and the settings that are in force happens here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rotoclear.backup import contents
from rotoclear.backup.archive import BackupError
from rotoclear.control.request import Handler, Refused, Request
from rotoclear.state.permissions import ROLES

if TYPE_CHECKING:
    from rotoclear.auth.accounts import Accounts
    from rotoclear.state.database import Database
    from rotoclear.state.model import Model
    from rotoclear.state.store import Store

ADDRESS: Final = "the control socket"

_ALL: Final = frozenset().union(*ROLES.values())


class Backups:
    """
    The handlers.

    ============================  =======================================================
    request                       answer, besides ``ok``
    ============================  =======================================================
    ``backup``                    ``file``: in the data folder, the asker's to remove
    ``restore`` ``file``          ``users``, ``media`` (how many), ``refused``: settings
                                  that are in force from the next start only, and why
    ``factory-reset``             the same, and ``password``: the file with the new one
    ============================  =======================================================

    :param again: reads anew what other rooms have in memory of the database.
    """

    _log = Logger()

    def __init__(
        self,
        folder: Path,
        database: Database,
        store: Store,
        model: Model,
        accounts: Accounts,
        again: Callable[[], Awaitable[None]],
    ) -> None:
        self._folder = folder
        self._database = database
        self._store = store
        self._model = model
        self._accounts = accounts
        self._again = again
        self._busy = False

    def handlers(self) -> dict[str, Handler]:
        """By the names of their requests."""
        return {
            "backup": self._alone(self.backup),
            "restore": self._alone(self.restore),
            "factory-reset": self._alone(self.reset),
        }

    def _alone(self, handler: Handler) -> Handler:
        """One at a time, and its faults in words."""

        async def alone(request: Request) -> Mapping[str, object]:
            if self._busy:
                raise Refused("a backup is being made or restored already; try again")
            self._busy = True
            try:
                return await handler(request)
            except (BackupError, OSError, sqlite3.Error) as error:
                raise Refused(str(error)) from None
            finally:
                self._busy = False

        return alone

    async def backup(self, request: Request) -> Mapping[str, object]:
        """Make a copy of the database, with all that has been confirmed so far."""
        request.only()
        await self._store.flush()
        if self._store.problem:
            raise Refused(f"the settings are not on the disk: {self._store.problem}")
        name = contents.new_name()
        try:
            await self._database.outside(lambda db: contents.copy(db, self._folder / name))
        except BaseException:
            await self._removed(name)
            raise
        self._log.info("backup made for {by}", by=request.by, audit="backup")
        return {"file": name}

    async def restore(self, request: Request) -> Mapping[str, object]:
        """Take over a database that the asker has put into the data folder, and remove it."""
        (name,) = request.texts("file")
        if not contents.is_name(name):
            raise Refused("file must be the name of one that a restore has put there")
        path = self._folder / name
        try:
            self._idle()
            await self._database.outside(lambda _: contents.check(path))
            return await self._replace(path, request.by, "restored")
        finally:
            await self._removed(name)

    async def reset(self, request: Request) -> Mapping[str, object]:
        """Forget settings, users and who is which camera; keep films, pictures and their list."""
        request.only()
        self._idle()
        result = await self._replace(None, request.by, "reset")
        return {**result, "password": self._accounts.initial_password_file}

    def _idle(self) -> None:
        if self._model["record"] is not False:
            raise Refused("a recording is running: stop it first, nothing was changed")

    async def _replace(self, path: Path | None, by: str, how: str) -> Mapping[str, object]:
        await self._store.flush()  # else it would write over what comes
        restored = await self._database.run(lambda db: contents.replace(db, path))
        await self._database.outside(contents.forget)
        # From here on it is so, whatever happens: on the disk it is.
        await self._accounts.reload(how, by, ADDRESS)
        await self._again()
        refused = await self._apply(restored.settings)
        self._log.info(
            "{how} by {by}: users: {users}, films and pictures: {media}", how=how, by=by,
            users=restored.users, media=restored.media, audit=how,
        )  # fmt: skip
        return {"users": restored.users, "media": restored.media, "refused": refused}

    async def _apply(self, settings: Mapping[str, object]) -> list[dict[str, str]]:
        """Have the settings in force and everybody told; who refuses, and why."""
        keys = self._model.keys
        wanted = {name: settings.get(name, key.default) for name, key in keys.items() if key.saved}
        # Those of drivers that are not there wait for them.
        self._model.restore({name: v for name, v in settings.items() if name not in keys})
        outcome = await self._model.request(wanted, _ALL)
        return [
            {"key": refusal.key, "message": refusal.message}
            for refusal in outcome.refused
            if wanted[refusal.key] != self._model[refusal.key]
        ]

    def _removed(self, name: str) -> Deferred[None]:
        return self._database.outside(lambda _: contents.tidy(self._folder, name))
