"""``/api/users``."""

from __future__ import annotations

from rotoclear.auth.errors import (
    Busy,
    InvalidName,
    InvalidPassword,
    InvalidRole,
    LastAdministrator,
    NoSuchUser,
    UserExists,
)
from tests.api.site import SiteTestCase

NEW = {"name": "anna", "role": "viewer", "password": "a password"}


class Users(SiteTestCase):
    """What an administrator does with them."""

    def setUp(self) -> None:
        super().setUp()
        self.admin = self.client("administrator")

    def test_list_by_name(self):
        self.assertEqual(
            self.admin.get("/api/users").json,
            {
                "users": [
                    {"name": "administrator", "role": "administrator"},
                    {"name": "viewer", "role": "viewer"},
                ]
            },
        )

    def test_add(self):
        response = self.admin.post("/api/users", {**NEW, "name": "anna löw"})
        self.assertEqual(
            (response.status, response.json), (201, {"name": "anna löw", "role": "viewer"})
        )
        self.assertEqual(response.headers["location"], "/api/users/anna%20l%C3%B6w")
        self.assertEqual(
            self.accounts.calls[-1],
            ("add_user", "anna löw", "viewer", "a password", "administrator", "192.0.2.1"),
        )

    def test_add_refused(self):
        for error, status, name in (
            (InvalidName("no name"), 400, "Invalid value"),
            (InvalidRole("no role"), 400, "Invalid value"),
            (InvalidPassword("too short"), 400, "Invalid value"),
            (UserExists("taken"), 409, "Conflict"),
            (Busy(), 503, "Busy"),
        ):
            self.accounts.answers["add_user"] = error
            self.assert_error(self.admin.post("/api/users", NEW), status, name, str(error))

    def test_change_the_role(self):
        response = self.admin.request("PATCH", "/api/users/viewer", {"role": "operator"})
        self.assertEqual((response.status, response.json["name"]), (200, "viewer"))
        self.assertEqual(
            self.accounts.calls[-1],
            ("set_role", "viewer", "operator", "administrator", "192.0.2.1"),
        )

    def test_change_the_password(self):
        self.admin.request("PATCH", "/api/users/viewer", {"password": "another one"})
        self.assertEqual(
            self.accounts.calls[-1],
            ("change_password", "viewer", None, "another one", "administrator", "192.0.2.1"),
        )

    def test_weak_password_leaves_the_role(self):
        response = self.admin.request(
            "PATCH", "/api/users/viewer", {"role": "operator", "password": "x"}
        )
        self.assert_error(response, 400, "Invalid value")
        self.assertEqual([call[0] for call in self.accounts.calls], ["resume"])

    def test_change_nothing(self):
        for body in ({}, {"role": None}, {"name": "other"}):
            response = self.admin.request("PATCH", "/api/users/viewer", body)
            self.assert_error(response, 400, "Invalid message")

    def test_change_refused(self):
        for error, status, name in (
            (NoSuchUser("nobody"), 404, "Not found"),
            (LastAdministrator("the last one"), 409, "Conflict"),
            (InvalidRole("no role"), 400, "Invalid value"),
        ):
            self.accounts.answers["set_role"] = error
            response = self.admin.request("PATCH", "/api/users/viewer", {"role": "x"})
            self.assert_error(response, status, name, str(error))

    def test_remove(self):
        response = self.admin.request("DELETE", "/api/users/anna%20l%C3%B6w")
        self.assertEqual((response.status, response.body), (204, b""))
        self.assertEqual(
            self.accounts.calls[-1], ("remove_user", "anna löw", "administrator", "192.0.2.1")
        )

    def test_names_have_one_form(self):
        self.admin.request("DELETE", "/api/users/lo%CC%88w")
        self.assertEqual(self.accounts.calls[-1][1], "löw")

    def test_remove_refused(self):
        for error, status, name in (
            (NoSuchUser("nobody"), 404, "Not found"),
            (LastAdministrator("the last one"), 409, "Conflict"),
        ):
            self.accounts.answers["remove_user"] = error
            response = self.admin.request("DELETE", "/api/users/viewer")
            self.assert_error(response, status, name, str(error))
