"""
The paragraph on tokens of the protocol's "Who may do what", sentence by sentence.

Also what connections hear when their rights change.
"""

from __future__ import annotations

import base64
import hashlib

from rotoclear.auth.accounts import Session
from rotoclear.auth.errors import InvalidCredentials
from rotoclear.auth.sessions import MOST
from rotoclear.state.permissions import NOTHING, ROLES

from .house import HERE, IDLE, PASSWORD, THERE, HouseTestCase, Rules


class Connection:
    """Notes what it held each time it was told of a change."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[frozenset[str]] = []
        session.attach(self.changed)

    def changed(self) -> None:
        self.heard.append(self.session.permissions)

    def lost(self) -> None:
        self.session.detach(self.changed)


class TokenTests(HouseTestCase):
    def test_random_at_least_128_bits(self) -> None:
        tokens = {self.login().token for _ in range(20)}
        self.assertEqual(len(tokens), 20)
        for token in tokens:
            self.assertGreaterEqual(len(base64.urlsafe_b64decode(token + "=")) * 8, 128)

    def test_stored_only_as_a_hash(self) -> None:
        token = self.login().token
        self.assertEqual(
            [row[:2] for row in self.stored_tokens()],
            [(hashlib.sha256(token.encode()).digest(), "operator")],
        )
        self.stop()
        for file in self.data_dir.iterdir():
            self.assertNotIn(token.encode(), file.read_bytes())

    def test_on_the_disk_before_the_answer(self) -> None:
        self.disk.held = True
        login = self.accounts.login("operator", PASSWORD, HERE)
        self.assertNoResult(login)
        self.disk.work()
        self.successResultOf(login)
        self.assertEqual(len(self.stored_tokens()), 1)

    def test_no_answer_if_it_could_not_be_stored(self) -> None:
        self.disk.broken = OSError("disk full")
        self.failureResultOf(self.accounts.login("operator", PASSWORD, HERE), OSError)
        self.assertEqual(len(self.accounts._sessions), 0)

    def test_live_across_reconnects(self) -> None:
        login = self.login()
        connection = Connection(login.session)
        connection.lost()
        self.assertIs(self.accounts.resume(login.token, None, THERE), login.session)

    def test_live_across_restarts(self) -> None:
        token = self.login("viewer").token
        self.stop()
        self.start()
        session = self.accounts.resume(token, "viewer", HERE)
        self.assertEqual((session.username, session.role), ("viewer", "viewer"))
        self.assertEqual(session.permissions, ROLES["viewer"])

    def test_live_across_a_kill(self) -> None:
        token = self.login().token
        self.kill()
        self.start()
        self.accounts.resume(token, None, HERE)

    def test_with_a_user_name_it_must_match(self) -> None:
        token = self.login("operator").token
        self.accounts.resume(token, "operator", HERE)
        for name in ("viewer", "", "nobody", "operator\n"):
            self.assertRaises(InvalidCredentials, self.accounts.resume, token, name, HERE)
        self.assertTrue(self.alive(token))

    def test_what_is_no_token(self) -> None:
        token = self.login().token
        for guess in ("", token[:-1], token + "x", token.swapcase(), "\ud800", "x" * 65_536):
            self.assertRaises(InvalidCredentials, self.accounts.resume, guess, None, HERE)

    def test_guesses_lock_nobody_out(self) -> None:
        token = self.login().token
        for _ in range(100):
            self.assertRaises(InvalidCredentials, self.accounts.resume, "guess", "operator", HERE)
        self.accounts.resume(token, "operator", HERE)
        self.login("operator", HERE)


class NumberTests(HouseTestCase):
    """At most 32 a user (the idlest gives way)."""

    def test_the_idlest_gives_way(self) -> None:
        logins = []
        for _ in range(MOST):
            logins.append(self.login())
            self.reactor.advance(1)
        self.accounts.resume(logins[0].token, None, HERE)
        new = self.login()
        self.assertFalse(self.alive(logins[1].token))
        for login in (logins[0], *logins[2:], new):
            self.assertTrue(self.alive(login.token))
        self.assertEqual(len(self.stored_tokens()), 32)

    def test_those_of_others_do_not_count(self) -> None:
        other = self.login("viewer")
        self.reactor.advance(1)
        for _ in range(MOST + 1):
            self.login("operator")
        self.assertTrue(self.alive(other.token))

    def test_connected_ones_come_last(self) -> None:
        first = Connection(self.login().session)
        self.reactor.advance(1)
        idle = [self.login() for _ in range(MOST - 1)]
        for _ in range(MOST - 1):
            self.login()
        self.assertFalse(any(self.alive(login.token) for login in idle))
        self.assertEqual(first.heard, [])

    def test_if_all_are_connected_the_one_that_is_it_longest(self) -> None:
        connections = []
        for _ in range(MOST):
            connections.append(Connection(self.login().session))
            self.reactor.advance(1)
        self.login()
        self.assertEqual(connections[0].heard, [NOTHING])
        self.assertEqual([c.heard for c in connections[1:]], [[]] * (MOST - 1))


class IdleTests(HouseTestCase):
    """They expire after an idle time."""

    def test_expiry(self) -> None:
        token = self.login().token
        self.reactor.advance(IDLE - 1)
        self.assertTrue(self.alive(token))
        self.reactor.advance(1)
        self.assertRaises(InvalidCredentials, self.accounts.resume, token, None, HERE)
        self.reactor.advance(60)
        self.assertEqual(self.stored_tokens(), [])

    def test_expiry_to_the_second_whenever_the_disk_is_told(self) -> None:
        session = self.login().session
        self.reactor.rightNow += IDLE  # no timer has fired yet
        self.assertTrue(session.ended)
        self.assertEqual(session.permissions, NOTHING)
        connection = Connection(session)
        session.touch()
        self.assertTrue(session.ended)
        connection.lost()
        self.assertTrue(session.ended)

    def test_use_begins_it_anew(self) -> None:
        token = self.login().token
        for _ in range(10):
            self.reactor.advance(IDLE - 1)
            self.accounts.resume(token, None, HERE)

    def test_a_connected_socket_keeps_it_alive(self) -> None:
        login = self.login()
        first, second = Connection(login.session), Connection(login.session)
        self.reactor.pump([60] * (10 * IDLE // 60))
        first.lost()
        self.reactor.pump([60] * (10 * IDLE // 60))
        self.assertEqual(login.session.permissions, ROLES["operator"])
        self.assertEqual(second.heard, [])

    def test_idle_time_begins_when_the_last_socket_is_closed(self) -> None:
        login = self.login()
        connection = Connection(login.session)
        self.reactor.advance(10 * IDLE)
        connection.lost()
        self.reactor.advance(IDLE - 1)
        self.assertTrue(self.alive(login.token))
        self.reactor.advance(1)
        self.assertFalse(self.alive(login.token))

    def test_detaching_twice_does_no_harm(self) -> None:
        login = self.login()
        first, second = Connection(login.session), Connection(login.session)
        first.lost()
        first.lost()
        self.reactor.advance(10 * IDLE)
        self.assertFalse(login.session.ended)
        second.lost()

    def test_expires_says_when(self) -> None:
        session = self.login().session
        self.assertEqual(session.expires, "2023-11-14T22:43:20Z")  # 1_700_001_800
        self.wall += 60
        self.reactor.advance(60)
        self.assertEqual(session.expires, "2023-11-14T22:43:20Z")
        session.touch()
        self.assertEqual(session.expires, "2023-11-14T22:44:20Z")

    def test_the_default_is_half_an_hour(self) -> None:
        from rotoclear.config import Login

        self.assertEqual(Login().token_idle, 30 * 60)


class RestartIdleTests(HouseTestCase):
    """Idle time counts monotonic while running; no clock that has jumped ends anything."""

    def test_it_goes_on_where_it_stopped(self) -> None:
        token = self.login().token
        self.reactor.advance(1000)
        self.stop()
        self.start()
        self.reactor.advance(799)
        self.assertTrue(self.alive(token))
        self.reactor.advance(1)
        self.assertFalse(self.alive(token))

    def test_time_off_does_not_count(self) -> None:
        token = self.login().token
        self.stop()
        self.wall += 365 * 86_400
        self.reactor.advance(10 * IDLE)
        self.start()
        self.assertTrue(self.alive(token))

    def test_many_restarts_do_not_prolong_it(self) -> None:
        token = self.login().token
        for _ in range(18):
            self.assertTrue(self.alive(token))
            self.reactor.advance(100)
            self.stop()
            self.start()
        self.assertFalse(self.alive(token))

    def test_a_monotonic_clock_that_begins_anew_does_no_harm(self) -> None:
        self.reactor.advance(1_000_000)
        token = self.login().token
        self.reactor.advance(1000)
        self.stop()
        self.reactor.rightNow = 0.0
        self.start()
        self.reactor.advance(799)
        self.assertTrue(self.alive(token))
        self.reactor.advance(1)
        self.assertFalse(self.alive(token))

    def test_jumps_of_the_wall_clock(self) -> None:
        token = self.login().token
        for jump in (50 * 365 * 86_400, -100 * 365 * 86_400):
            self.wall += jump
            self.reactor.advance(600)
            self.assertTrue(self.alive(token))
            self.stop()
            self.start()
            self.assertTrue(self.alive(token))
        self.wall = 0.0
        self.reactor.advance(600)
        self.assertFalse(self.alive(token))

    def test_a_kill_prolongs_it_by_a_thirtieth_at_most(self) -> None:
        token = self.login().token
        self.reactor.pump([1] * 1000)
        self.kill()
        self.start()
        self.reactor.advance(799)
        self.assertTrue(self.alive(token))
        self.reactor.advance(IDLE / 30)
        self.assertFalse(self.alive(token))

    def test_a_kill_soon_after_use_does_not_end_it_early(self) -> None:
        token = self.login().token
        self.reactor.pump([60] * 29)
        self.accounts.resume(token, None, HERE)
        self.reactor.advance(1)
        self.kill()
        self.start()
        self.reactor.advance(IDLE - 2)
        self.assertTrue(self.alive(token))

    def test_a_kill_while_connected(self) -> None:
        login = self.login()
        self.reactor.pump([60] * 29)
        Connection(login.session)
        self.reactor.advance(1)
        self.kill()
        self.start()
        self.reactor.advance(IDLE - 2)
        self.assertTrue(self.alive(login.token))

    def test_a_shorter_idle_time_counts_at_the_next_start(self) -> None:
        token = self.login().token
        self.reactor.advance(100)
        self.stop()
        self.start(rules=Rules(token_idle=60))
        self.assertFalse(self.alive(token))
        self.reactor.advance(60)
        self.assertEqual(self.stored_tokens(), [])

    def test_in_steady_use_the_disk_is_left_alone(self) -> None:
        login = self.login()
        Connection(login.session)
        before = self.disk.transactions
        for _ in range(1000):
            self.reactor.advance(1)
            self.accounts.resume(login.token, None, HERE)
        self.assertEqual(self.disk.transactions, before)

    def test_a_disk_that_fails_is_tried_again(self) -> None:
        login = self.login()
        self.reactor.advance(60)
        self.disk.broken = OSError("disk full")
        self.reactor.pump([60] * 30)
        self.assertTrue(self.flushLoggedErrors(OSError))
        self.assertTrue(login.session.ended)
        self.disk.broken = None
        self.reactor.advance(60)
        self.assertEqual(self.stored_tokens(), [])

    def test_nothing_is_left_running_after_the_end(self) -> None:
        self.login()
        self.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class EndTests(HouseTestCase):
    """They end at logout, password change or deletion of the user; the rights go at once."""

    def setUp(self) -> None:
        super().setUp()
        self.first = self.login("operator")
        self.second = self.login("operator")
        self.bystander = self.login("viewer")
        self.connections = [
            Connection(login.session)
            for login in (self.first, self.first, self.second, self.bystander)
        ]

    def heard(self) -> list[list[frozenset[str]]]:
        return [connection.heard for connection in self.connections]

    def assert_over(self, token: str) -> None:
        for _ in range(2):
            self.assertRaises(InvalidCredentials, self.accounts.resume, token, None, HERE)
            self.stop()
            self.start()

    def test_logout(self) -> None:
        self.successResultOf(self.accounts.logout(self.first.session))
        self.assertEqual(self.heard(), [[NOTHING], [NOTHING], [], []])
        self.accounts.resume(self.second.token, None, HERE)
        self.assert_over(self.first.token)

    def test_logout_takes_the_rights_before_the_disk_knows(self) -> None:
        self.disk.held = True
        done = self.accounts.logout(self.first.session)
        self.assertEqual(self.heard(), [[NOTHING], [NOTHING], [], []])
        self.assertNoResult(done)
        self.disk.work()
        self.successResultOf(done)

    def test_logout_twice(self) -> None:
        self.successResultOf(self.accounts.logout(self.first.session))
        self.successResultOf(self.accounts.logout(self.first.session))
        self.assertEqual(self.heard(), [[NOTHING], [NOTHING], [], []])

    def test_change_of_ones_own_password(self) -> None:
        self.successResultOf(
            self.accounts.change_password(
                self.first.session, PASSWORD, "battery staple", "operator", HERE
            )
        )
        self.assertEqual(self.heard(), [[NOTHING], [NOTHING], [NOTHING], []])
        self.assert_over(self.second.token)

    def test_change_of_the_password_by_an_administrator(self) -> None:
        self.successResultOf(
            self.accounts.change_password("operator", None, "battery staple", "admin", HERE)
        )
        self.assertEqual(self.heard(), [[NOTHING], [NOTHING], [NOTHING], []])
        self.assert_over(self.first.token)

    def test_deletion(self) -> None:
        self.successResultOf(self.accounts.remove_user("operator", "admin", HERE))
        self.assertEqual(self.heard(), [[NOTHING], [NOTHING], [NOTHING], []])
        self.assert_over(self.first.token)

    def test_a_new_user_of_the_same_name_does_not_inherit(self) -> None:
        self.successResultOf(self.accounts.remove_user("operator", "admin", HERE))
        self.successResultOf(
            self.accounts.add_user("operator", "administrator", PASSWORD, "admin", HERE)
        )
        self.assertEqual(self.first.session.permissions, NOTHING)
        self.assert_over(self.first.token)

    def test_another_role(self) -> None:
        self.successResultOf(self.accounts.set_role("operator", "viewer", "admin", HERE))
        viewer = ROLES["viewer"]
        self.assertEqual(self.heard(), [[viewer], [viewer], [viewer], []])
        self.assertEqual(self.first.session.role, "viewer")
        self.assertEqual(self.accounts.resume(self.first.token, None, HERE).permissions, viewer)

    def test_whoever_left_is_not_told(self) -> None:
        self.connections[0].lost()
        self.successResultOf(self.accounts.logout(self.first.session))
        self.assertEqual(self.heard(), [[], [NOTHING], [], []])

    def test_one_may_leave_while_it_is_told(self) -> None:
        session = self.first.session

        def leave() -> None:
            session.detach(leave)

        session.attach(leave)
        last = Connection(session)
        self.successResultOf(self.accounts.logout(session))
        self.assertEqual(last.heard, [NOTHING])

    def test_one_that_fails_does_not_keep_the_others_from_hearing(self) -> None:
        self.connections[0].changed = self.connections[0].heard.clear  # type: ignore[method-assign]
        session = self.login("operator").session
        session.attach(lambda: 1 // 0)
        last = Connection(session)
        self.successResultOf(self.accounts.logout(session))
        self.assertEqual(last.heard, [NOTHING])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_all_are_over_before_the_first_is_told(self) -> None:
        session = self.login("operator").session
        seen: list[bool] = []
        self.first.session.attach(lambda: seen.append(session.ended))
        self.successResultOf(self.accounts.remove_user("operator", "admin", HERE))
        self.assertEqual(seen, [True])
