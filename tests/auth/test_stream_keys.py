"""Stream keys: made, shown, proved, revoked."""

from __future__ import annotations

from functools import partial

from rotoclear.auth.errors import InvalidCredentials, NoSuchUser, TooManyAttempts
from rotoclear.auth.offline import OfflineUsers
from rotoclear.auth.sessions import Session
from rotoclear.auth.streamkeys import IDLE, UnknownAction
from rotoclear.auth.throttle import MOST
from rotoclear.state.permissions import NOTHING, ROLES

from .house import HERE, PASSWORD, THERE, CheapArgon, HouseTestCase, audit, lines


def nothing() -> None:
    """Somebody who watches and does not care."""


class StreamKeyTests(HouseTestCase):
    def act(self, action: str, name: str = "viewer") -> str:
        return self.successResultOf(self.accounts.stream_key(name, action, "test", HERE))

    def session(self, key: str, name: str = "viewer", address: str = HERE) -> Session:
        return self.accounts.verify_stream(name, lambda known: known == key, address)

    def refused(self, key: str, name: str = "viewer") -> None:
        self.assertRaises(InvalidCredentials, self.session, key, name)

    def test_made_when_it_is_first_shown(self) -> None:
        key = self.act("show")
        self.assertGreaterEqual(len(key), 32)
        self.assertEqual(self.act("show"), key)
        self.assertNotEqual(self.act("show", "operator"), key)

    def test_who_knows_it(self) -> None:
        session = self.session(self.act("show"))
        self.assertEqual((session.username, session.permissions), ("viewer", ROLES["viewer"]))
        self.refused("another")
        self.assertRaises(InvalidCredentials, self.session, self.act("show"), "operator")

    def test_without_a_key_nobody_gets_in(self) -> None:
        self.refused("")
        for name in ("viewer", "nobody"):
            self.assertFalse(self.accounts.is_stream_key(name, ""))

    def test_instead_of_a_password(self) -> None:
        key = self.act("show")
        self.assertTrue(self.accounts.is_stream_key("viewer", key))
        self.assertFalse(self.accounts.is_stream_key("viewer", key[:-1]))
        self.assertFalse(self.accounts.is_stream_key("operator", key))
        self.assertFalse(self.accounts.is_stream_key("viewer", "\ud800"))
        self.failureResultOf(self.accounts.login("viewer", key, HERE), InvalidCredentials)

    def test_another_one_ends_the_old_one_and_who_watches_with_it(self) -> None:
        for action in ("new", "revoke"):
            old = self.act("show")
            session, told = self.session(old), []
            session.attach(partial(told.append, 1))
            key = self.act(action)
            self.assertEqual((told, session.permissions), ([1], NOTHING))
            self.refused(old)
            self.assertEqual(bool(key), action == "new")
            self.assertNotEqual(self.act("show"), old)

    def test_survives_a_restart_and_a_new_password(self) -> None:
        key = self.act("show")
        session = self.session(key)
        self.successResultOf(
            self.accounts.change_password("viewer", None, "battery staple", "test", HERE)
        )
        self.assertFalse(session.ended)
        self.stop()
        self.start()
        self.session(key)

    def test_goes_with_the_user(self) -> None:
        session = self.session(self.act("show"))
        session.attach(nothing)
        self.successResultOf(self.accounts.set_role("viewer", "operator", "test", HERE))
        self.assertEqual(session.permissions, ROLES["operator"])
        self.successResultOf(self.accounts.remove_user("viewer", "test", HERE))
        self.assertTrue(session.ended)
        self.successResultOf(self.accounts.add_user("viewer", "viewer", "x" * 9, "test", HERE))
        self.assertEqual(self.connection.execute("SELECT * FROM stream_keys").fetchall(), [])

    def test_wrong_ones_are_counted(self) -> None:
        key = self.act("show")
        for _ in range(5):
            self.refused("wrong")
        self.assertRaises(TooManyAttempts, self.session, key)
        self.session(key, address=THERE)
        self.reactor.advance(self.limits.login_window)
        self.session(key)

    def wrong_password(self, times: int) -> None:
        for _ in range(times):
            self.failureResultOf(self.accounts.login("viewer", "wrong", HERE), InvalidCredentials)

    def locked(self) -> None:
        self.failureResultOf(self.accounts.login("viewer", PASSWORD, HERE), TooManyAttempts)

    def test_many_wrong_ones_do_not_unlock_a_password(self) -> None:
        """They cost no hash, and the names may be made up."""
        self.wrong_password(5)
        for number in range(MOST + 1):
            self.refused("wrong", f"user{number}")
        self.locked()

    def test_a_right_one_does_not_unlock_a_password(self) -> None:
        key = self.act("show")
        self.wrong_password(4)
        self.session(key)
        self.wrong_password(1)
        self.locked()

    def test_who_watches_stays_and_who_does_not_is_forgotten(self) -> None:
        key = self.act("show")
        session = self.session(key)
        self.assertIs(self.session(key), session)
        session.attach(nothing)
        self.reactor.advance(10 * IDLE)
        self.session(key, address=THERE)
        self.assertFalse(session.ended)
        session.detach(nothing)
        self.reactor.advance(IDLE)
        self.assertIsNot(self.session(key), session)

    def test_the_log_names_who_did_what_and_no_key(self) -> None:
        with audit() as events:
            key = self.act("show")
            self.act("show")
            self.session(key)
            self.session(key)
            self.refused("wr0ng")
            self.act("revoke")
            self.act("revoke")
            self.failureResultOf(self.accounts.stream_key("eve", "show", "test", HERE), NoSuchUser)
        told = [event["audit"] for event in events]
        self.assertEqual(
            told,
            [
                "stream-key-changed",
                "login",
                "login-refused",
                "stream-key-changed",
                "change-refused",
            ],
        )
        self.assertEqual(self.accounts.audited["stream-key-changed"], 2)
        text = repr(events) + "".join(lines(events))
        self.assertNotIn(key, text)
        self.assertNotIn("wr0ng", text)

    def test_anything_else_cannot_be_done(self) -> None:
        error = self.failureResultOf(
            self.accounts.stream_key("viewer", "eat", "test", HERE), UnknownAction
        )
        self.assertIn("show, new, revoke", str(error.value))

    def test_on_a_stopped_server(self) -> None:
        self.stop()
        with (
            audit() as events,
            OfflineUsers.open(self.data_dir, CheapArgon(), lambda: self.wall) as users,
        ):
            key = users.stream_key("viewer", "show")
            self.assertEqual(users.stream_key("viewer", "show"), key)
        self.assertEqual([event["audit"] for event in events], ["stream-key-changed"])
        self.start()
        self.session(key)
