"""Logging in and out, one's own password, tickets."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rotoclear.auth.errors import Busy, InvalidCredentials, InvalidPassword, TooManyAttempts
from rotoclear.state.permissions import ROLES
from tests.api.site import SiteTestCase

CREDENTIALS = {"username": "anna", "password": "a password"}


class Login(SiteTestCase):
    """``/api/login``."""

    def test_answer(self):
        response = self.client().post("/api/login", CREDENTIALS)
        self.assertEqual(
            (response.status, response.json),
            (
                200,
                {
                    "token": "n3w",
                    "expires": "2030-01-01T00:00:00Z",
                    "permissions": sorted(ROLES["operator"]),
                    "username": "anna",
                    "role": "operator",
                },
            ),
        )
        self.assertEqual(self.accounts.calls, [("login", "anna", "a password", "192.0.2.1")])

    def test_wrong(self):
        self.accounts.answers["login"] = InvalidCredentials()
        response = self.client().post("/api/login", CREDENTIALS)
        self.assert_error(response, 401, "Invalid credentials", "password is wrong")
        self.assertEqual(response.headers["www-authenticate"], "Bearer")

    def test_too_often(self):
        self.accounts.answers["login"] = TooManyAttempts(120)
        response = self.client().post("/api/login", CREDENTIALS)
        self.assert_error(response, 429, "Too many attempts", "120 s")
        self.assertEqual(response.headers["retry-after"], "120")

    def test_busy(self):
        self.accounts.answers["login"] = Busy()
        response = self.client().post("/api/login", CREDENTIALS)
        self.assert_error(response, 503, "Busy")
        self.assertGreater(int(response.headers["retry-after"]), 0)

    def test_others_are_answered_meanwhile(self):
        self.accounts.answers["login"] = Deferred()
        waiting = self.client()
        waiting.ask("POST", "/api/login", CREDENTIALS)
        self.assertEqual(waiting.responses(), [])
        self.assertEqual(self.client().get("/api/status").status, 200)


class Logout(SiteTestCase):
    """``/api/logout``."""

    def test_ends_the_token(self):
        client = self.client("viewer")
        response = client.post("/api/logout")
        self.assertEqual((response.status, response.body), (204, b""))
        self.assertEqual(client.get("/api/status").status, 401)


class Password(SiteTestCase):
    """``/api/password``."""

    def change(self, answer: object = None):
        if answer:
            self.accounts.answers["change_password"] = answer
        return self.client("viewer").post("/api/password", {"old": "a", "new": "b"})

    def test_ones_own(self):
        self.assertEqual(self.change().status, 204)
        self.assertEqual(
            self.accounts.calls[-1],
            ("change_password", "viewer", "a", "b", "viewer", "192.0.2.1"),
        )

    def test_refusals(self):
        for error, status, name in (
            (InvalidCredentials(), 403, "Invalid credentials"),
            (InvalidPassword("8 characters at least"), 400, "Invalid value"),
            (TooManyAttempts(3), 429, "Too many attempts"),
            (Busy(), 503, "Busy"),
        ):
            self.assert_error(self.change(error), status, name)

    def test_why_a_password_is_refused(self):
        response = self.change(InvalidPassword("8 characters at least"))
        self.assert_error(response, 400, "Invalid value", "8 characters")


class Tickets(SiteTestCase):
    """``/api/tickets``."""

    def test_ticket_for_a_path(self):
        response = self.client("viewer").post("/api/tickets", {"path": "/api/recordings/7"})
        self.assertEqual(
            (response.status, response.json),
            (200, {"ticket": "ticket-of-viewer-for-/api/recordings/7"}),
        )

    def test_no_path(self):
        for path in ("", "/", "/api/", "x", "/api/a?b", "/api/a#b", "/api/ä", "/api/" + "x" * 501):
            response = self.client("viewer").post("/api/tickets", {"path": path})
            self.assert_error(response, 400, "Invalid value", "/api/snapshot")
