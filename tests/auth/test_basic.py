"""Names and passwords that come with every request."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rotoclear.auth.basic import IDLE, MOST
from rotoclear.auth.errors import InvalidCredentials, TooManyAttempts
from rotoclear.auth.sessions import Session
from rotoclear.state.permissions import NOTHING, ROLES

from .house import HERE, PASSWORD, THERE, HouseTestCase, audit, lines


class BasicTests(HouseTestCase):
    def setUp(self) -> None:
        super().setUp()
        del self.argon.verified[:]

    def ask(
        self, name: str = "viewer", password: str = PASSWORD, address: str = HERE
    ) -> Deferred[Session]:
        return self.accounts.verify(name, password, address)

    def verify(self, name: str = "viewer", address: str = HERE) -> Session:
        return self.successResultOf(self.ask(name, address=address))

    def checks(self) -> int:
        """How many passwords have been checked for good, which is what costs."""
        return len(self.argon.verified)

    def test_who_it_is(self) -> None:
        session = self.verify("operator")
        self.assertEqual((session.username, session.role), ("operator", "operator"))
        self.assertEqual(session.permissions, ROLES["operator"])

    def test_no_token_is_made(self) -> None:
        self.verify()
        self.assertEqual(self.stored_tokens(), [])

    def test_right_ones_are_checked_once_while_they_are_used(self) -> None:
        first = self.verify()
        for _ in range(10):
            self.reactor.advance(IDLE - 1)
            self.assertIs(self.verify(), first)
        self.assertEqual(self.checks(), 1)
        self.reactor.advance(IDLE)
        self.assertIsNot(self.verify(), first)
        self.assertEqual(self.checks(), 2)

    def test_wrong_ones_are_checked_each_time(self) -> None:
        for _ in range(3):
            self.failureResultOf(self.ask(password="a wrong one"), InvalidCredentials)
        self.assertEqual(self.checks(), 3)

    def test_only_the_same_ones_are_remembered(self) -> None:
        self.verify()
        self.failureResultOf(self.ask("operator", PASSWORD[:-1]), InvalidCredentials)
        self.failureResultOf(self.ask("viewer", PASSWORD + " "), InvalidCredentials)
        self.verify(address=THERE)
        self.assertEqual(self.checks(), 4)

    def test_what_is_remembered_is_no_way_round_the_throttle(self) -> None:
        self.verify()
        for _ in range(5):
            self.failureResultOf(self.ask(password="a guess"), InvalidCredentials)
        self.failureResultOf(self.ask(), TooManyAttempts)
        self.failureResultOf(self.accounts.login("viewer", PASSWORD, HERE), TooManyAttempts)
        self.verify(address=THERE)
        self.reactor.advance(300)
        self.verify()

    def test_a_new_password_ends_it_at_once(self) -> None:
        session = self.verify()
        ends: list[bool] = []
        session.attach(lambda: ends.append(session.ended))
        self.successResultOf(
            self.accounts.change_password("viewer", None, "battery staple", "test", HERE)
        )
        self.assertEqual(ends, [True])
        self.assertEqual(session.permissions, NOTHING)
        self.failureResultOf(self.ask(), InvalidCredentials)

    def test_a_password_that_is_changed_while_it_is_checked(self) -> None:
        self.workers.held = True
        asked = self.ask()
        changed = self.accounts.change_password("viewer", None, "battery staple", "test", HERE)
        self.workers.waiting.rotate(1)  # the new one's hash is made first
        self.workers.work()
        self.successResultOf(changed)
        self.workers.held = False
        self.workers.work()
        self.failureResultOf(asked, InvalidCredentials)

    def test_a_removed_user(self) -> None:
        session = self.verify()
        self.successResultOf(self.accounts.remove_user("viewer", "test", HERE))
        self.assertTrue(session.ended)
        self.failureResultOf(self.ask(), InvalidCredentials)

    def test_another_role_at_once(self) -> None:
        session = self.verify()
        told: list[object] = []
        session.attach(lambda: told.append(session.permissions))
        self.successResultOf(self.accounts.set_role("viewer", "operator", "test", HERE))
        self.assertEqual(told, [ROLES["operator"]])

    def test_a_stream_keeps_it_alive(self) -> None:
        session = self.verify()
        session.attach(lambda: None)
        self.reactor.advance(10 * IDLE)
        self.assertFalse(session.ended)
        self.assertIs(self.verify(), session)

    def test_tokens_are_not_displaced(self) -> None:
        token = self.login("viewer").token
        for number in range(40):
            self.verify(address=f"192.0.2.{number}")
        self.assertTrue(self.alive(token))

    def test_not_without_bound(self) -> None:
        used = self.verify(address="used")
        used.attach(lambda: None)
        for number in range(MOST + 10):
            self.reactor.advance(0.1)
            self.verify(address=str(number))
        self.assertLessEqual(len(self.accounts._basic.sessions), MOST)
        self.assertFalse(used.ended)

    def test_two_at_once(self) -> None:
        self.workers.held = True
        both = self.ask(), self.ask()
        self.workers.work(2)
        first, second = map(self.successResultOf, both)
        self.assertIs(first, second)

    def test_the_log(self) -> None:
        with audit() as events:
            self.verify()
            self.verify()
            self.failureResultOf(self.ask(password="a guess"), InvalidCredentials)
        self.assertEqual(len(events), 2)
        self.assertIn("'viewer'", lines(events)[0])
        self.assertNotIn(PASSWORD, "".join(lines(events)))
