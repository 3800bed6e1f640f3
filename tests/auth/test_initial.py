"""The first administrator and the file with the first password."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from pathlib import Path

from twisted.logger import capturedLogs, eventAsText
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth import initial
from rotoclear.auth.accounts import Accounts
from rotoclear.auth.errors import InvalidCredentials
from rotoclear.state.database import Database, connect, transact

from .house import HERE, PASSWORD, HouseTestCase, Limits, Rules


class FirstStartTests(HouseTestCase):
    def setUp(self) -> None:
        with capturedLogs() as self.events:
            super().setUp()
        self.first = self.password_file.read_text().removesuffix("\n")

    def change(self, name: str) -> None:
        self.successResultOf(self.accounts.change_password(name, None, PASSWORD, "x", HERE))

    def test_it_is_an_administrator(self) -> None:
        session = self.successResultOf(self.accounts.login("admin", self.first, HERE)).session
        self.assertEqual((session.username, session.role), ("admin", "administrator"))

    def test_there_is_no_default_password(self) -> None:
        for guess in ("", "admin", "password", "rotoclear", initial.make_password()):
            result = self.accounts.login("admin", guess, HERE)
            self.failureResultOf(result, InvalidCredentials)

    def test_only_the_servers_user_may_read_the_file(self) -> None:
        self.assertEqual(stat.S_IMODE(self.password_file.stat().st_mode), 0o600)

    def test_the_password_alone_on_one_line(self) -> None:
        self.assertTrue(re.fullmatch(r"\S{20,}\n", self.password_file.read_text()))

    def test_the_log_names_the_file_and_never_the_password(self) -> None:
        text = "\n".join(eventAsText(event) + repr(event) for event in self.events)
        self.assertIn(str(self.password_file), text)
        self.assertNotIn(self.first, text)

    def test_the_file_stays_until_the_password_is_changed(self) -> None:
        self.successResultOf(self.accounts.login("admin", self.first, HERE))
        self.change("viewer")
        self.stop()
        self.start()
        self.assertTrue(self.password_file.exists())

    def test_the_file_goes_when_the_password_is_changed(self) -> None:
        self.change("admin")
        self.assertFalse(self.password_file.exists())

    def test_the_file_goes_when_the_user_does(self) -> None:
        self.successResultOf(self.accounts.remove_user("admin", "x", HERE))
        self.assertFalse(self.password_file.exists())

    def test_the_file_stays_until_the_disk_knows_the_new_password(self) -> None:
        self.disk.held = True
        self.accounts.change_password("admin", None, PASSWORD, "x", HERE)
        self.disk.work()
        self.assertTrue(self.password_file.exists())
        self.disk.work()
        self.assertFalse(self.password_file.exists())

    def test_the_next_start_removes_what_a_crash_has_left(self) -> None:
        self.disk.held = True
        self.accounts.change_password("admin", None, PASSWORD, "x", HERE)
        self.disk.work()
        self.kill()
        self.start()
        self.assertFalse(self.password_file.exists())

    def test_somebody_may_have_removed_the_file(self) -> None:
        self.password_file.unlink()
        self.change("admin")

    def test_a_file_that_cannot_be_removed_does_not_refuse_the_change(self) -> None:
        self.password_file.unlink()
        self.password_file.mkdir()
        self.change("admin")
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.successResultOf(self.accounts.login("admin", PASSWORD, HERE))

    def test_the_next_start_makes_no_other(self) -> None:
        self.stop()
        self.start()
        self.assertEqual(self.password_file.read_text(), self.first + "\n")
        self.assertEqual(len(self.accounts.users()), 4)

    def test_a_start_that_cannot_leave_the_password_makes_no_user(self) -> None:
        connection = connect(Path(self.mktemp()))
        self.addCleanup(connection.close)
        result = Accounts.open(
            self.reactor,
            Database(connection, self.disk),
            self.hasher,
            self.data_dir / "missing",
            Limits(),
            Rules(),
        )
        self.failureResultOf(result, OSError)
        self.assertEqual(connection.execute("SELECT * FROM users").fetchall(), [])


class CreateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.data_dir = Path(self.mktemp())
        self.data_dir.mkdir()
        self.file = self.data_dir / initial.FILE_NAME
        self.connection = connect(Path(self.mktemp()))
        self.addCleanup(self.connection.close)

    def create(self, password: str) -> None:
        transact(
            self.connection,
            lambda db: initial.create(db, self.data_dir, password, "$hash", 1.0),
        )

    def test_whatever_the_umask(self) -> None:
        for mask in (0o000, 0o777):
            before = os.umask(mask)
            try:
                self.create("xxxx-yyyy")
            finally:
                os.umask(before)
            self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
            self.connection.execute("DELETE FROM users")

    def test_a_link_is_replaced_and_never_followed(self) -> None:
        target = self.data_dir / "target"
        for link in (self.file, self.data_dir / (initial.FILE_NAME + ".new")):
            link.symlink_to(target)
        self.create("xxxx-yyyy")
        self.assertFalse(target.exists())
        self.assertFalse(self.file.is_symlink())
        self.assertEqual(os.listdir(self.data_dir), [initial.FILE_NAME])

    def test_a_crash_in_between_begins_anew(self) -> None:
        def crash(db: sqlite3.Connection) -> None:
            initial.create(db, self.data_dir, "aaaa-bbbb", "$hash", 1.0)
            raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, transact, self.connection, crash)
        self.create("xxxx-yyyy")
        self.assertEqual(self.file.read_text(), "xxxx-yyyy\n")

    def test_passwords_differ_and_can_be_typed(self) -> None:
        passwords = {initial.make_password() for _ in range(100)}
        self.assertEqual(len(passwords), 100)
        for password in passwords:
            self.assertTrue(re.fullmatch(r"([a-km-z2-9]{4}-){4}[a-km-z2-9]{4}", password))
            self.assertNotIn("0", password)
