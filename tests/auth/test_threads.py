"""The whole room once with the threads and the disk that a server has."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import gatherResults
from twisted.trial.unittest import TestCase

from rotoclear.auth.accounts import Accounts
from rotoclear.auth.errors import InvalidCredentials
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.config import Configuration
from rotoclear.state.database import FILE_NAME, Database

from .house import HERE, CheapArgon


class ThreadedTests(TestCase):
    async def open(self) -> Accounts:
        from twisted.internet import reactor

        self.database = Database.start(reactor, self.data_dir / FILE_NAME)
        configuration = Configuration()
        return await Accounts.open(
            reactor,
            self.database,
            PasswordHasher(reactor, CheapArgon()),
            self.data_dir,
            configuration.limits,
            configuration.login,
        )

    async def close(self, accounts: Accounts) -> None:
        await accounts.close()
        await self.database.close()

    async def test_a_life(self) -> None:
        self.data_dir = Path(self.mktemp())
        self.data_dir.mkdir()
        accounts = await self.open()
        first = (self.data_dir / "initial-admin-password").read_text().strip()
        logins = await gatherResults([accounts.login("admin", first, HERE) for _ in range(20)])
        await accounts.add_user("other", "viewer", "battery staple", "admin", HERE)
        await self.close(accounts)

        accounts = await self.open()
        sessions = {accounts.resume(login.token, "admin", HERE) for login in logins}
        self.assertEqual(len(sessions), 20)
        heard: list[bool] = []
        session = sessions.pop()
        session.attach(lambda: heard.append(session.ended))
        await accounts.change_password(session, first, "correct horse", "admin", HERE)
        self.assertEqual(heard, [True])
        for login in logins:
            self.assertRaises(InvalidCredentials, accounts.resume, login.token, None, HERE)
        await self.close(accounts)

        accounts = await self.open()
        await accounts.login("admin", "correct horse", HERE)
        await self.assertFailure(accounts.login("admin", first, HERE), InvalidCredentials)
        await self.close(accounts)
