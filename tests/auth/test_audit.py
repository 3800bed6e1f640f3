"""What the log says, and what it never does."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.auth.audit import Audit, printable
from rotoclear.auth.errors import InvalidCredentials, TooManyAttempts, UserError
from rotoclear.auth.repeats import LISTED, WINDOW

from .house import HERE, PASSWORD, THERE, HouseTestCase, audit, lines


class PrintableTests(SynchronousTestCase):
    def test_nothing_that_could_write_lines_of_its_own(self) -> None:
        for evil in ("a\nb", "a\r\nb", "a\x1b[2Jb", "a\u2028b", "a\u202eb", "a\0b", "a\ud800b"):
            clean = printable(evil)
            self.assertTrue(clean.isprintable())
            self.assertTrue(clean.startswith("a\ufffd"))

    def test_cut(self) -> None:
        self.assertEqual(printable("x" * 128), "x" * 128)
        self.assertEqual(printable("x" * 100_000), "x" * 128 + "…")
        self.assertEqual(printable("abc", 2), "ab…")

    def test_format_fields_in_a_name_are_only_text(self) -> None:
        with audit() as events:
            Audit().login_refused("{log_source.__class__}", "{by}", "no")
        self.assertEqual(lines(events), ["login of '{log_source.__class__}' from {by} refused: no"])


class EventTests(HouseTestCase):
    """Every login, refusal and change of users is an event: who, from where, what."""

    def test_login(self) -> None:
        with audit() as events:
            self.login("operator", THERE)
        (event,) = events
        self.assertEqual(event["audit"], "login")
        self.assertEqual((event["user"], event["address"]), ("operator", THERE))

    def test_refusals(self) -> None:
        with audit() as events:
            for _ in range(5):
                result = self.accounts.login("operator", "wrong guess", THERE)
                self.failureResultOf(result, InvalidCredentials)
            result = self.accounts.login("operator", "wrong guess", THERE)
            self.failureResultOf(result, TooManyAttempts)
        self.assertEqual([event["audit"] for event in events], ["login-refused"] * 6)
        self.assertEqual({(e["user"], e["address"]) for e in events}, {("operator", THERE)})
        self.assertIn("Too many", lines(events)[-1])

    def test_busy_is_a_refusal_too(self) -> None:
        self.accounts.close()
        with audit() as events:
            self.accounts.login("operator", PASSWORD, HERE).addErrback(lambda _: None)
        self.assertEqual([event["audit"] for event in events], ["login-refused"])

    def test_a_token_is_an_event_once_for_each_address(self) -> None:
        token = self.login("operator", HERE).token
        with audit() as events:
            for address in (HERE, THERE, HERE, THERE):
                self.accounts.resume(token, None, address)
        self.assertEqual([(e["audit"], e["address"]) for e in events], [("token-login", THERE)])

    def test_a_refused_token(self) -> None:
        with audit() as events:
            self.assertRaises(InvalidCredentials, self.accounts.resume, "guess", "admin", THERE)
        (event,) = events
        self.assertEqual(
            (event["audit"], event["user"], event["address"]), ("token-refused", "admin", THERE)
        )

    def refuse_tokens(self, times: int, address: str = THERE) -> None:
        for _ in range(times):
            self.assertRaises(InvalidCredentials, self.accounts.resume, "guess", None, address)

    def test_a_flood_of_refused_tokens(self) -> None:
        """A few lines, what else happens, how many more there were: and each one is counted."""
        with audit() as events:
            self.refuse_tokens(1000)
            self.login("operator", THERE)
            self.refuse_tokens(1, HERE)
        kinds = [(event["audit"], event["address"]) for event in events]
        self.assertEqual(
            kinds,
            [("token-refused", THERE)] * LISTED + [("login", THERE), ("token-refused", HERE)],
        )
        self.assertEqual(self.accounts.audited["token-refused"], 1001)
        with audit() as events:
            self.reactor.advance(WINDOW)
        (event,) = events
        self.assertEqual(
            (event["audit"], event["user"], event["address"], event["more"]),
            ("token-refused", None, THERE, 1000 - LISTED),
        )
        self.assertEqual(
            lines(events), [f"and {1000 - LISTED} more of token-refused from {THERE} within 60 s"]
        )
        self.assertEqual(self.accounts.audited["token-refused"], 1001)

    def test_a_flood_of_throttled_logins(self) -> None:
        with audit() as events:
            for _ in range(100):
                self.failureResultOf(self.accounts.login("operator", "wrong guess", THERE))
        self.assertEqual(len(events), LISTED)
        self.assertEqual(self.accounts.audited["login-refused"], 100)

    def test_what_was_not_listed_is_told_when_the_server_ends(self) -> None:
        self.refuse_tokens(LISTED + 3)
        with audit() as events:
            self.stop()
        self.assertEqual([event["more"] for event in events], [3])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_logout_and_expiry(self) -> None:
        session = self.login("operator", THERE).session
        self.login("viewer")
        with audit() as events:
            self.successResultOf(self.accounts.logout(session))
            self.reactor.pump([60] * 31)
        self.assertEqual(
            [(e["audit"], e["user"]) for e in events],
            [("logout", "operator"), ("expired", "viewer")],
        )
        self.assertEqual(events[0]["address"], THERE)

    def test_changes_of_users(self) -> None:
        with audit() as events:
            for change in (
                self.accounts.add_user("new", "viewer", PASSWORD, "admin", HERE),
                self.accounts.set_role("new", "operator", "admin", HERE),
                self.accounts.change_password("new", None, "battery staple", "admin", HERE),
                self.accounts.remove_user("new", "admin", HERE),
            ):
                self.successResultOf(change)
        self.assertEqual(
            [event["audit"] for event in events],
            ["user-added", "role-changed", "password-changed", "user-removed"],
        )
        for event in events:
            self.assertEqual((event["user"], event["by"], event["address"]), ("new", "admin", HERE))
        self.assertEqual([event.get("role") for event in events[:2]], ["viewer", "operator"])

    def test_refused_changes_of_users(self) -> None:
        with audit() as events:
            for change in (
                self.accounts.add_user("admin", "viewer", PASSWORD, "viewer", HERE),
                self.accounts.set_role("nobody", "viewer", "viewer", HERE),
                self.accounts.change_password("admin", None, "short", "viewer", HERE),
                self.accounts.remove_user("nobody", "viewer", HERE),
            ):
                self.failureResultOf(change, UserError)
        self.assertEqual([event["audit"] for event in events], ["change-refused"] * 4)
        self.assertEqual([e["user"] for e in events], ["admin", "nobody", "admin", "nobody"])

    def test_names_and_addresses_are_made_fit_for_the_log(self) -> None:
        evil = "evil\nlogin of 'admin'" + "x" * 1000
        with audit() as events:
            self.failureResultOf(self.accounts.login(evil, PASSWORD, evil))
            self.assertRaises(InvalidCredentials, self.accounts.resume, "x", evil, evil)
            self.failureResultOf(self.accounts.set_role(evil, "viewer", evil, evil))
        self.assertEqual(len(events), 3)
        for line in lines(events):
            self.assertTrue(line.isprintable())
            self.assertLess(len(line), 600)

    def test_no_secret_in_any_event(self) -> None:
        """Neither in its text nor in its fields."""
        from twisted.logger import capturedLogs, eventAsText

        first = self.password_file.read_text().strip()
        secrets = ["Guess-1234", "New-pass-5678", PASSWORD, first]
        with capturedLogs() as events:
            login = self.login("operator")
            secrets.append(login.token)
            self.accounts.resume(login.token, "operator", THERE)
            self.assertRaises(
                InvalidCredentials, self.accounts.resume, login.token, "viewer", THERE
            )
            self.successResultOf(self.accounts.login("admin", first, HERE))
            self.failureResultOf(self.accounts.login("operator", "Guess-1234", HERE))
            self.failureResultOf(
                self.accounts.change_password(
                    login.session, "Guess-1234", "New-pass-5678", "operator", HERE
                )
            )
            self.successResultOf(
                self.accounts.change_password(
                    login.session, PASSWORD, "New-pass-5678", "operator", HERE
                )
            )
            self.successResultOf(
                self.accounts.add_user("new", "viewer", "New-pass-5678", "admin", HERE)
            )
            self.stop()
            self.start()
        self.assertGreater(len(events), 6)
        for event in events:
            text = eventAsText(event) + repr(event)
            for secret in secrets:
                self.assertNotIn(secret, text)
        self.assertNotIn(login.token, repr(login))
