"""Logging in, and the users."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rotoclear.auth.accounts import Login
from rotoclear.auth.errors import (
    Busy,
    InvalidCredentials,
    InvalidName,
    InvalidPassword,
    InvalidRole,
    LastAdministrator,
    NoSuchUser,
    TooManyAttempts,
    UserExists,
)
from rotoclear.auth.sessions import MOST
from rotoclear.state.permissions import NOTHING, ROLES

from .house import HERE, PASSWORD, THERE, CheapArgon, HouseTestCase, Rules

NEW = "battery staple"


class LoginTests(HouseTestCase):
    def attempt(
        self, name: str = "operator", password: str = "a wrong one", address: str = HERE
    ) -> Deferred[Login]:
        return self.accounts.login(name, password, address)

    def test_login(self) -> None:
        for role in ("administrator", "operator", "viewer"):
            session = self.login(role, THERE).session
            self.assertEqual((session.username, session.role), (role, role))
            self.assertEqual(session.permissions, ROLES[role])
            self.assertEqual(session.address, THERE)
            self.assertFalse(session.ended)

    def test_anonymous(self) -> None:
        self.assertEqual(self.accounts.anonymous, {"Device_r"})
        self.stop()
        self.start(rules=Rules(anonymous=False))
        self.assertEqual(self.accounts.anonymous, NOTHING)

    def test_wrong(self) -> None:
        self.failureResultOf(self.attempt(), InvalidCredentials)
        self.failureResultOf(self.attempt("nobody"), InvalidCredentials)
        self.assertEqual(self.stored_tokens(), [])

    def test_names_are_told_apart_by_case_but_not_by_composition(self) -> None:
        self.successResultOf(self.accounts.add_user("J\u00f6rg", "viewer", PASSWORD, "x", HERE))
        self.login("Jo\u0308rg")
        self.failureResultOf(self.attempt("j\u00f6rg", PASSWORD), InvalidCredentials)

    def test_an_unknown_user_costs_the_same(self) -> None:
        for name in ("nobody", "no\nbody", "", "x" * 65_536, "operator "):
            del self.argon.verified[:]
            self.failureResultOf(self.attempt(name, PASSWORD), InvalidCredentials)
            self.assertEqual(self.argon.verified, [None])

    def test_five_failures_and_no_more_is_heard(self) -> None:
        for _ in range(5):
            self.failureResultOf(self.attempt(), InvalidCredentials)
            self.reactor.advance(10)
        del self.argon.verified[:]
        error = self.failureResultOf(self.attempt(password=PASSWORD), TooManyAttempts).value
        self.assertEqual(error.retry_after, 250)
        self.assertEqual(self.argon.verified, [])
        self.login("operator", THERE)
        self.login("viewer", HERE)
        self.reactor.advance(250)
        self.login("operator", HERE)

    def test_users_that_do_not_exist_are_throttled_alike(self) -> None:
        for _ in range(5):
            self.failureResultOf(self.attempt("nobody"), InvalidCredentials)
        self.failureResultOf(self.attempt("nobody"), TooManyAttempts)

    def test_guesses_at_the_same_time_are_no_way_around(self) -> None:
        self.workers.held = True
        guesses = [self.attempt() for _ in range(7)]
        right = self.attempt(password=PASSWORD)
        self.workers.work(8)
        for guess in guesses[:5]:
            self.failureResultOf(guess, InvalidCredentials)
        for guess in (*guesses[5:], right):
            self.failureResultOf(guess, TooManyAttempts)
        self.assertEqual(self.stored_tokens(), [])

    def test_the_right_password_clears_the_count(self) -> None:
        for _ in range(3):
            for _ in range(4):
                self.failureResultOf(self.attempt(), InvalidCredentials)
            self.login()

    def test_the_limits_are_the_configurations(self) -> None:
        from rotoclear.config import Limits

        self.assertEqual((Limits().login_failures, Limits().login_window), (5, 300.0))
        self.stop()
        self.limits = Limits(login_failures=2, login_window=10.0)
        self.start()
        for _ in range(2):
            self.failureResultOf(self.attempt(), InvalidCredentials)
        error = self.failureResultOf(self.attempt(), TooManyAttempts).value
        self.assertEqual(error.retry_after, 10)

    def test_busy_is_no_failure_of_the_user(self) -> None:
        self.workers.held = True
        asked = [self.attempt(password=PASSWORD) for _ in range(10)]
        for _ in range(5):
            self.failureResultOf(self.attempt(), Busy)
        self.workers.work(10)
        for login in asked:
            self.successResultOf(login)
        self.workers.held = False
        self.login()

    def test_a_hash_at_yesterdays_cost_is_renewed(self) -> None:
        self.stop()
        self.argon = CheapArgon(time_cost=2)
        self.start()
        self.login()
        query = "SELECT hash FROM users WHERE name = 'operator'"
        ((encoded,),) = self.connection.execute(query)
        self.assertIn("t=2", encoded)
        self.login()
        self.assertEqual(self.argon.verified[-1], encoded)
        self.stop()
        self.start()
        self.login()

    def test_two_logins_that_renew_the_same_hash(self) -> None:
        self.stop()
        self.argon = CheapArgon(time_cost=2)
        self.start()
        self.workers.held = True
        both = [self.attempt(password=PASSWORD), self.attempt(password=PASSWORD)]
        self.workers.work(2)
        self.workers.work()  # the second has to look again
        for login in both:
            self.successResultOf(login)


class RaceTests(HouseTestCase):
    """Whoever logs in while the user is changed."""

    def setUp(self) -> None:
        super().setUp()
        self.workers.held = True
        self.login_result = self.accounts.login("operator", PASSWORD, HERE)

    def assert_no_token(self) -> None:
        while self.workers.waiting:
            self.workers.work()
        self.failureResultOf(self.login_result, InvalidCredentials)
        self.assertEqual(self.stored_tokens(), [])
        self.assertEqual(len(self.accounts._sessions), 0)

    def test_the_password_is_changed_while_the_old_one_is_checked(self) -> None:
        change = self.accounts.change_password("operator", None, NEW, "admin", HERE)
        self.workers.waiting.rotate(1)
        self.workers.work()  # the new one's hash is ready first
        self.successResultOf(change)
        self.assert_no_token()

    def test_the_password_is_changed_while_the_token_is_stored(self) -> None:
        self.disk.held = True
        change = self.accounts.change_password("operator", None, NEW, "admin", HERE)
        self.workers.waiting.rotate(1)
        self.workers.work(2)
        self.assertEqual(len(self.disk.waiting), 2)  # the change, then the token
        self.disk.held = False
        self.disk.work()
        self.disk.work()
        self.successResultOf(change)
        self.assert_no_token()

    def test_the_password_is_changed_just_after_the_token_was_stored(self) -> None:
        self.disk.held = True
        change = self.accounts.change_password("operator", None, NEW, "admin", HERE)
        self.workers.work(2)
        self.assertEqual(len(self.disk.waiting), 2)  # the token, then the change
        self.disk.held = False
        self.disk.work()
        login = self.successResultOf(self.login_result)
        self.disk.work()
        self.successResultOf(change)
        self.assertEqual(login.session.permissions, NOTHING)
        self.assertEqual(self.stored_tokens(), [])

    def test_the_password_is_changed_while_an_older_token_gives_way(self) -> None:
        self.workers.held = False
        self.workers.work()
        self.successResultOf(self.login_result)
        for _ in range(MOST - 1):
            self.login()
        self.workers.held = self.disk.held = True
        self.login_result = self.accounts.login("operator", PASSWORD, HERE)
        change = self.accounts.change_password("operator", None, NEW, "admin", HERE)
        self.workers.work(2)
        self.disk.work()  # the token is stored, the idlest has to go
        self.disk.work()  # the password is changed
        self.disk.held = False
        while self.disk.waiting:
            self.disk.work()
        self.successResultOf(change)
        self.assert_no_token()

    def test_the_user_is_removed_while_the_password_is_checked(self) -> None:
        self.successResultOf(self.accounts.remove_user("operator", "admin", HERE))
        self.assert_no_token()

    def test_the_role_is_changed_while_the_password_is_checked(self) -> None:
        self.successResultOf(self.accounts.set_role("operator", "viewer", "admin", HERE))
        self.workers.work()
        session = self.successResultOf(self.login_result).session
        self.assertEqual(session.permissions, ROLES["viewer"])


class UserTests(HouseTestCase):
    def names(self) -> list[str]:
        return [user.name for user in self.accounts.users()]

    def add(self, name: str = "new", role: str = "viewer", password: str = PASSWORD):
        return self.accounts.add_user(name, role, password, "admin", HERE)

    def test_users(self) -> None:
        self.assertEqual(
            [(user.name, user.role) for user in self.accounts.users()],
            [
                ("admin", "administrator"),
                ("administrator", "administrator"),
                ("operator", "operator"),
                ("viewer", "viewer"),
            ],
        )

    def test_add(self) -> None:
        user = self.successResultOf(self.add())
        self.assertEqual((user.name, user.role, user.created), ("new", "viewer", self.wall))
        self.login("new")
        self.kill()
        self.start()
        self.assertIn(user, self.accounts.users())
        self.login("new")

    def test_add_is_on_the_disk_before_the_answer(self) -> None:
        self.disk.held = True
        added = self.add()
        self.assertNoResult(added)
        self.assertNotIn("new", self.names())
        self.disk.work()
        self.successResultOf(added)

    def test_what_cannot_be_added(self) -> None:
        self.failureResultOf(self.add("admin"), UserExists)
        self.failureResultOf(self.add(" new"), InvalidName)
        self.failureResultOf(self.add(role="anonymous"), InvalidRole)
        self.failureResultOf(self.add(password="short"), InvalidPassword)
        self.assertEqual(len(self.names()), 4)

    def test_two_at_once_of_one_name(self) -> None:
        self.disk.held = True
        first, second = self.add(), self.add(role="operator")
        self.disk.work()
        self.disk.work()
        self.successResultOf(first)
        self.failureResultOf(second, UserExists)
        self.assertEqual(self.login_role(), "viewer")

    def login_role(self) -> str:
        self.disk.held = False
        return self.login("new").session.role

    def test_role(self) -> None:
        self.wall += 5
        self.successResultOf(self.accounts.set_role("viewer", "operator", "admin", HERE))
        for _ in range(2):
            user = next(user for user in self.accounts.users() if user.name == "viewer")
            self.assertEqual((user.role, user.changed), ("operator", self.wall))
            self.assertEqual(self.login("viewer").session.permissions, ROLES["operator"])
            self.kill()
            self.start()

    def test_remove(self) -> None:
        self.successResultOf(self.accounts.remove_user("viewer", "admin", HERE))
        for _ in range(2):
            self.assertNotIn("viewer", self.names())
            result = self.accounts.login("viewer", PASSWORD, HERE)
            self.failureResultOf(result, InvalidCredentials)
            self.kill()
            self.start()

    def test_nobody(self) -> None:
        for change in (
            self.accounts.set_role("nobody", "viewer", "admin", HERE),
            self.accounts.change_password("nobody", None, NEW, "admin", HERE),
            self.accounts.remove_user("nobody", "admin", HERE),
        ):
            error = self.failureResultOf(change, NoSuchUser).value
            self.assertIn("'nobody'", str(error))

    def test_no_such_role(self) -> None:
        self.failureResultOf(self.accounts.set_role("viewer", "root", "admin", HERE), InvalidRole)


class LastAdministratorTests(HouseTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.successResultOf(self.accounts.remove_user("administrator", "admin", HERE))

    def test_cannot_be_removed(self) -> None:
        result = self.accounts.remove_user("admin", "admin", HERE)
        error = self.failureResultOf(result, LastAdministrator).value
        self.assertIn("last administrator", str(error))
        self.assertIn("admin", [user.name for user in self.accounts.users()])

    def test_cannot_be_made_less(self) -> None:
        result = self.accounts.set_role("admin", "operator", "admin", HERE)
        self.failureResultOf(result, LastAdministrator)
        self.successResultOf(self.accounts.set_role("admin", "administrator", "admin", HERE))

    def test_can_go_when_there_is_another(self) -> None:
        self.successResultOf(self.accounts.set_role("viewer", "administrator", "admin", HERE))
        self.successResultOf(self.accounts.remove_user("admin", "viewer", HERE))
        self.failureResultOf(self.accounts.remove_user("viewer", "x", HERE), LastAdministrator)

    def test_two_that_remove_each_other_at_once(self) -> None:
        self.successResultOf(self.accounts.set_role("viewer", "administrator", "admin", HERE))
        self.disk.held = True
        first = self.accounts.remove_user("admin", "viewer", HERE)
        second = self.accounts.remove_user("viewer", "admin", HERE)
        self.disk.held = False
        self.disk.work()
        self.disk.work()
        self.successResultOf(first)
        self.failureResultOf(second, LastAdministrator)


class PasswordTests(HouseTestCase):
    def change(self, old: str | None, new: str = NEW, address: str = HERE):
        session = self.login("operator", THERE).session
        return self.accounts.change_password(session, old, new, "operator", address)

    def assert_password(self, password: str) -> None:
        self.successResultOf(self.accounts.login("operator", password, THERE))

    def test_change(self) -> None:
        self.successResultOf(self.change(PASSWORD))
        for _ in range(2):
            result = self.accounts.login("operator", PASSWORD, THERE)
            self.failureResultOf(result, InvalidCredentials)
            self.assert_password(NEW)
            self.kill()
            self.start()

    def test_only_with_the_old_one(self) -> None:
        self.failureResultOf(self.change("a wrong one"), InvalidCredentials)
        self.failureResultOf(self.change(None), InvalidCredentials)
        self.assert_password(PASSWORD)

    def test_a_refused_change_ends_no_token(self) -> None:
        login = self.login()
        self.failureResultOf(
            self.accounts.change_password(login.session, "a wrong one", NEW, "operator", HERE)
        )
        self.assertFalse(login.session.ended)

    def test_guessing_the_old_one_is_throttled(self) -> None:
        for _ in range(5):
            self.failureResultOf(self.change("a wrong one"), InvalidCredentials)
        self.failureResultOf(self.change(PASSWORD), TooManyAttempts)
        self.failureResultOf(self.accounts.login("operator", PASSWORD, HERE), TooManyAttempts)

    def test_a_name_with_the_old_one(self) -> None:
        by_name = self.accounts.change_password
        result = by_name("operator", "a wrong one", NEW, "x", HERE)
        self.failureResultOf(result, InvalidCredentials)
        self.successResultOf(by_name("operator", PASSWORD, NEW, "x", HERE))

    def test_the_new_one_must_do(self) -> None:
        self.failureResultOf(self.change(PASSWORD, "short"), InvalidPassword)

    def test_whoever_is_logged_out_meanwhile_changes_nothing(self) -> None:
        session = self.login().session
        self.workers.held = True
        change = self.accounts.change_password(session, PASSWORD, NEW, "operator", HERE)
        self.successResultOf(self.accounts.logout(session))
        self.workers.work(2)
        self.failureResultOf(change, InvalidCredentials)
        self.workers.held = False
        self.assert_password(PASSWORD)

    def test_two_changes_at_once_from_the_same_old_one(self) -> None:
        sessions = [self.login().session, self.login().session]
        self.workers.held = self.disk.held = True
        changes = [
            self.accounts.change_password(session, PASSWORD, new, "operator", HERE)
            for session, new in zip(sessions, (NEW, "another staple"), strict=True)
        ]
        self.workers.work(4)
        self.assertEqual(len(self.disk.waiting), 2)
        self.workers.held = self.disk.held = False
        self.disk.work()
        self.disk.work()
        self.successResultOf(changes[0])
        self.failureResultOf(changes[1], InvalidCredentials)
        self.assert_password(NEW)

    def test_on_the_disk_before_the_answer(self) -> None:
        session = self.login().session
        self.disk.held = True
        change = self.accounts.change_password(session, PASSWORD, NEW, "operator", HERE)
        self.assertNoResult(change)
        self.disk.held = False
        self.disk.work()
        self.successResultOf(change)

    def test_a_disk_that_fails_changes_nothing(self) -> None:
        session = self.login().session
        self.disk.broken = OSError("disk full")
        change = self.accounts.change_password(session, PASSWORD, NEW, "operator", HERE)
        self.failureResultOf(change, OSError)
        self.disk.broken = None
        self.assertFalse(session.ended)
        self.assert_password(PASSWORD)
