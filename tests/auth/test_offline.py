"""The users of a stopped server."""

from __future__ import annotations

import os
from unittest import mock

from rotoclear.auth.errors import (
    InvalidCredentials,
    InvalidName,
    InvalidPassword,
    InvalidRole,
    LastAdministrator,
    NoSuchUser,
    UserExists,
)
from rotoclear.auth.offline import OfflineError, OfflineUsers
from rotoclear.state.database import FILE_NAME

from .house import HERE, PASSWORD, CheapArgon, HouseTestCase, audit

NEW = "battery staple"


class OfflineTests(HouseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.token = self.login("administrator").token
        self.stop()

    def open(self) -> OfflineUsers:
        users = OfflineUsers.open(self.data_dir, CheapArgon(), lambda: self.wall)
        self.addCleanup(users.close)
        return users

    def test_the_way_back_in(self) -> None:
        """An administrator who forgot the password."""
        with self.open() as users, audit() as events:
            users.change_password("admin", NEW)
        self.assertFalse(self.password_file.exists())
        self.start()
        self.successResultOf(self.accounts.login("admin", NEW, HERE))
        (event,) = events
        self.assertEqual((event["audit"], event["user"]), ("password-changed", "admin"))
        self.assertNotIn(NEW, repr(event))

    def test_a_new_password_ends_the_users_tokens(self) -> None:
        with self.open() as users:
            users.change_password("viewer", NEW)
        self.start()
        self.assertTrue(self.password_file.exists())
        self.accounts.resume(self.token, None, HERE)
        self.stop()
        with self.open() as users:
            users.change_password("administrator", NEW)
        self.start()
        self.assertRaises(InvalidCredentials, self.accounts.resume, self.token, None, HERE)

    def test_list_add_role_remove(self) -> None:
        with self.open() as users, audit() as events:
            added = users.add_user("new", "viewer", NEW)
            self.assertEqual((added.name, added.role, added.created), ("new", "viewer", self.wall))
            users.set_role("new", "operator")
            users.remove_user("viewer")
            listed = users.users()
        self.assertEqual(
            [(user.name, user.role) for user in listed],
            [
                ("admin", "administrator"),
                ("administrator", "administrator"),
                ("new", "operator"),
                ("operator", "operator"),
            ],
        )
        self.assertEqual(
            [event["audit"] for event in events], ["user-added", "role-changed", "user-removed"]
        )
        self.start()
        self.assertEqual(self.accounts.users(), listed)
        self.successResultOf(self.accounts.login("new", NEW, HERE))

    def test_the_rules_are_the_same(self) -> None:
        with self.open() as users:
            self.assertRaises(UserExists, users.add_user, "viewer", "viewer", NEW)
            self.assertRaises(InvalidName, users.add_user, "new\n", "viewer", NEW)
            self.assertRaises(InvalidRole, users.add_user, "new", "root", NEW)
            self.assertRaises(InvalidPassword, users.add_user, "new", "viewer", "short")
            self.assertRaises(InvalidPassword, users.change_password, "viewer", "short")
            self.assertRaises(NoSuchUser, users.change_password, "nobody", NEW)
            self.assertRaises(NoSuchUser, users.set_role, "nobody", "viewer")
            self.assertRaises(NoSuchUser, users.remove_user, "nobody")
            users.remove_user("administrator")
            self.assertRaises(LastAdministrator, users.remove_user, "admin")
            self.assertRaises(LastAdministrator, users.set_role, "admin", "viewer")

    def test_before_the_first_start(self) -> None:
        for file in self.data_dir.iterdir():
            file.unlink()
        with self.open() as users:
            self.assertEqual(users.users(), [])
            self.assertRaises(LastAdministrator, users.add_user, "boss", "viewer", NEW)
            users.add_user("boss", "administrator", NEW)
        self.start()
        self.assertEqual([user.name for user in self.accounts.users()], ["boss"])
        self.assertFalse(self.password_file.exists())

    def test_the_server_may_have_been_killed(self) -> None:
        self.start()
        self.successResultOf(self.accounts.add_user("late", "viewer", PASSWORD, "x", HERE))
        self.kill()
        with self.open() as users:
            self.assertIn("late", [user.name for user in users.users()])

    def test_only_the_folders_owner(self) -> None:
        with mock.patch("os.geteuid", return_value=os.geteuid() + 12345):
            error = self.assertRaises(OfflineError, self.open)
        self.assertIn("belongs to", str(error))
        self.assertIn("sudo -u", str(error))

    def test_no_folder(self) -> None:
        error = self.assertRaises(OfflineError, OfflineUsers.open, self.data_dir / "missing")
        self.assertIn("No such file", str(error))

    def test_no_database(self) -> None:
        (self.data_dir / FILE_NAME).write_bytes(b"nonsense" * 1000)
        error = self.assertRaises(OfflineError, self.open)
        self.assertIn(FILE_NAME, str(error))
