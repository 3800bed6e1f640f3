"""Connecting, logging in and staying connected, on a network in memory."""

from __future__ import annotations

import json

import pytest

from rotoclear.client.core import ConnectionState
from rotoclear.client.credentials import Credentials
from rotoclear.client.errors import (
    Closed,
    ConnectionFailed,
    Disconnected,
    LoginRefused,
    PermissionDenied,
    QueueFull,
    SomeRefused,
    TimedOut,
    TooManyAttempts,
    UnknownKey,
)
from rotoclear.client.watching import Change
from tests.client.memory import STATE, Bench, Outcome

REFUSED = {"authenticated": False, "error": "Invalid credentials"}


def anna(**options: object) -> Credentials:
    return Credentials("anna", "secret", **options)  # type: ignore[arg-type]


# -- connecting ----------------------------------------------------------------


def test_anonymous() -> None:
    bench = Bench()
    ready = Outcome(bench.core.until_ready())
    assert isinstance(ready.error, Closed)
    bench.core.start()
    ready = Outcome(bench.core.until_ready())
    assert bench.core.state is ConnectionState.CONNECTING
    assert bench.line.welcome() is None
    assert bench.core.state is ConnectionState.READY
    assert not ready.pending
    assert ready.error is None
    assert dict(bench.core.values) == STATE


def test_login_comes_first() -> None:
    """Best practice: nothing is sent before the server has said who one is."""
    bench = Bench(anna())
    bench.core.start()
    wanted = bench.set(brightness=75)
    bench.line.link.opened()
    login = bench.line.take()
    assert {login["username"], login["password"]} == {"anna", "secret"}
    assert not bench.line.unread
    bench.line.let_in(login)
    assert bench.core.state is ConnectionState.CONNECTING
    bench.line.synchronise()
    assert bench.core.login.role == "operator"
    assert bench.line.confirm() == {"brightness": 75}
    assert wanted.value == {"brightness": 75}


def test_first_connection_fails() -> None:
    bench = Bench(anna())
    bench.core.start(fail_fast=True)
    ready = Outcome(bench.core.until_ready())
    bench.line.break_(ConnectionFailed("Nobody there"))
    assert isinstance(ready.error, ConnectionFailed)
    assert bench.core.state is ConnectionState.CLOSED
    assert not bench.clock.getDelayedCalls()
    # It may be tried again, with the same login.
    bench.core.start(fail_fast=True)
    assert bench.line.welcome() is not None


def test_server_that_does_not_answer() -> None:
    bench = Bench(anna(), connect_timeout=10.0)
    bench.core.start(fail_fast=True)
    ready = Outcome(bench.core.until_ready())
    bench.line.link.opened()
    bench.clock.advance(9.9)
    assert ready.pending
    bench.clock.advance(0.2)
    assert isinstance(ready.error, ConnectionFailed)
    assert bench.line.dropped


def test_something_else_answers() -> None:
    bench = Bench()
    bench.core.start(fail_fast=True)
    ready = Outcome(bench.core.until_ready())
    bench.line.link.opened()
    bench.line.link.received("220 mail.example.com ESMTP")
    assert isinstance(ready.error, ConnectionFailed)


# -- best practice 1: reconnection ---------------------------------------------


def test_reconnects_later_each_time() -> None:
    bench = Bench(chance=1.0)
    bench.ready()
    bench.clock.advance(60)
    for delay in (1, 2, 4, 8, 16, 30, 30):
        count = len(bench.network.lines)
        bench.line.break_()
        assert bench.core.state is ConnectionState.WAITING
        bench.clock.advance(delay - 0.01)
        assert len(bench.network.lines) == count
        bench.clock.advance(0.02)
        assert len(bench.network.lines) == count + 1
    bench.line.welcome()
    assert bench.core.failure is None


def test_a_good_connection_makes_up_for_the_past() -> None:
    bench = Bench()
    bench.ready()
    bench.line.break_()
    bench.clock.advance(1)
    bench.line.break_()
    bench.clock.advance(2)
    bench.line.welcome()
    bench.clock.advance(10)
    bench.line.break_()
    bench.clock.advance(1.01)
    assert len(bench.network.lines) == 4


def test_chance_spreads_the_crowd() -> None:
    bench = Bench(chance=0.0)
    bench.ready()
    bench.line.break_()
    bench.clock.advance(0.51)
    assert len(bench.network.lines) == 2


def test_without_reconnection_it_ends() -> None:
    bench = Bench(anna(), reconnect=False)
    bench.ready()
    wanted = bench.set(brightness=1)
    feed = bench.core.values.watch(frozenset(), initial=False)
    bench.line.break_()
    assert isinstance(wanted.error, Disconnected)
    assert isinstance(Outcome(feed.next()).error, Disconnected)
    assert bench.core.state is ConnectionState.CLOSED
    assert not bench.clock.getDelayedCalls()


def test_states_are_told() -> None:
    bench = Bench()
    feed = bench.core.states()
    bench.ready()
    bench.line.break_()
    bench.core.close()
    told = []
    while (state := Outcome(feed.next()).value) is not None:
        told.append(state.value)
    assert told == ["closed", "connecting", "ready", "waiting", "closed"]


# -- best practice 2: authentication state -------------------------------------


def test_comes_back_by_token() -> None:
    bench = Bench(anna())
    bench.ready(token="t-7")
    bench.line.break_()
    bench.clock.advance(1)
    login = bench.line.welcome()
    assert login is not None
    assert login["token"] == "t-7"
    assert "password" not in login


def test_falls_back_to_the_password() -> None:
    bench = Bench(anna())
    bench.ready(token="t-7")
    bench.line.break_()
    bench.clock.advance(1)
    bench.line.link.opened()
    bench.line.answer(bench.line.take(), REFUSED)
    login = bench.line.take()
    assert login["password"] == "secret"
    bench.line.let_in(login, "t-8")
    bench.line.synchronise()
    assert bench.core.token == "t-8"


def test_keeps_no_password_that_it_need_not() -> None:
    bench = Bench(anna(keep=False))
    bench.ready(token="t-7")
    assert "secret" not in repr(vars(bench.credentials))
    bench.line.break_()
    wanted = bench.set(brightness=1)
    feed = bench.core.values.watch(frozenset(), initial=False)
    bench.clock.advance(1)
    bench.line.link.opened()
    bench.line.answer(bench.line.take(), REFUSED)
    # Nobody goes on as somebody else than they think they are.
    assert bench.core.state is ConnectionState.CLOSED
    assert isinstance(wanted.error, LoginRefused)
    assert isinstance(Outcome(feed.next()).error, LoginRefused)
    assert isinstance(bench.get("fps").error, LoginRefused)
    assert bench.line.dropped
    assert not bench.clock.getDelayedCalls()


def test_password_is_asked_for_when_it_is_needed() -> None:
    asked = []

    def password() -> str:
        asked.append(True)
        return "secret"

    bench = Bench(Credentials("anna", password))
    bench.ready()
    assert len(asked) == 1
    bench.line.break_()
    bench.clock.advance(1)
    bench.line.welcome()
    assert len(asked) == 1


def test_password_that_cannot_be_had() -> None:
    def password() -> str:
        raise OSError("The keyring is locked")

    bench = Bench(Credentials("anna", password))
    bench.core.start(fail_fast=True)
    ready = Outcome(bench.core.until_ready())
    bench.line.link.opened()
    assert isinstance(ready.error, LoginRefused)
    assert "The keyring is locked" in str(ready.error)
    assert bench.line.dropped


def test_closed_for_good() -> None:
    """Having forgotten who one is, it does not go on as nobody."""
    bench = Bench(anna())
    bench.ready()
    bench.core.close()
    with pytest.raises(Closed, match="log in anew"):
        bench.core.start()
    again = Outcome(bench.core.log_in(anna()))
    bench.line.welcome()
    assert again.value.username == "anna"


def test_secrets_are_not_shown() -> None:
    bench = Bench(anna())
    bench.ready(token="t-7")
    shown = repr(bench.credentials) + repr(bench.core.login)
    assert "secret" not in shown
    assert "t-7" not in shown
    bench.core.close()
    assert bench.core.token is None
    assert "secret" not in repr(vars(bench.credentials))


def test_wrong_password() -> None:
    bench = Bench(anna())
    bench.core.start(fail_fast=True)
    ready = Outcome(bench.core.until_ready())
    bench.line.link.opened()
    bench.line.answer(bench.line.take(), REFUSED)
    assert isinstance(ready.error, LoginRefused)
    assert len(bench.network.lines) == 1


TOO_MANY = {
    "authenticated": False,
    "error": "Too many attempts",
    "message": "Too many failed logins; try again in 240 seconds",
    "retry-after": 240,
}


def test_too_many_attempts_are_waited_out() -> None:
    bench = Bench(anna())
    bench.ready()
    bench.line.break_()
    bench.clock.advance(1)
    bench.line.link.opened()
    bench.line.answer(bench.line.take(), TOO_MANY)
    assert isinstance(bench.core.failure, TooManyAttempts)
    bench.clock.advance(239)
    assert len(bench.network.lines) == 2
    bench.clock.advance(1.1)
    assert len(bench.network.lines) == 3


def test_too_many_attempts_at_the_first_time() -> None:
    bench = Bench(anna())
    bench.core.start(fail_fast=True)
    ready = Outcome(bench.core.until_ready())
    bench.line.link.opened()
    bench.line.answer(bench.line.take(), TOO_MANY)
    assert isinstance(ready.error, TooManyAttempts)
    assert ready.error.retry_after == 240


def test_token_revoked_with_a_password() -> None:
    bench = Bench(anna())
    line = bench.ready()
    line.tell({"authenticated": False, "permissions": ["Device_r"]})
    login = line.take()
    assert login["password"] == "secret"
    line.let_in(login, "t-2")
    line.synchronise()
    assert bench.core.state is ConnectionState.READY
    assert bench.core.token == "t-2"


def test_token_revoked_without_one() -> None:
    bench = Bench(Credentials(token="t-1"))
    line = bench.ready()
    feed = bench.core.values.watch(frozenset(), initial=False)
    line.tell({"authenticated": False, "permissions": ["Device_r"]})
    assert isinstance(Outcome(feed.next()).error, LoginRefused)
    assert bench.core.state is ConnectionState.CLOSED


def test_logging_out_oneself() -> None:
    bench = Bench(anna())
    line = bench.ready()
    assert bench.core.log_out() == "t-1"
    line.tell({"authenticated": False, "permissions": ["Device_r"]})
    line.synchronise({"brightness": 50})
    assert bench.core.login.username == ""
    assert bench.core.login.permissions == {"Device_r"}
    assert dict(bench.core.values) == {"brightness": 50}
    line.break_()
    bench.clock.advance(1)
    assert bench.line.welcome() is None


def test_another_role() -> None:
    bench = Bench(anna())
    line = bench.ready()
    line.tell({"authenticated": True, "permissions": ["Device_r"]})
    line.synchronise()
    assert bench.core.login.username == "anna"
    assert bench.core.login.permissions == {"Device_r"}


def test_login_while_connected() -> None:
    bench = Bench()
    line = bench.ready()
    refused = Outcome(bench.core.log_in(Credentials("anna", "wrong")))
    line.answer(line.take(), REFUSED)
    assert isinstance(refused.error, LoginRefused)
    assert bench.core.state is ConnectionState.READY
    accepted = Outcome(bench.core.log_in(anna()))
    line.let_in(line.take(), "t-3")
    assert accepted.value.username == "anna"
    assert "t-3" not in repr(accepted.value)
    line.synchronise()
    line.break_()
    bench.clock.advance(1)
    login = bench.line.welcome()
    assert login is not None
    assert login["token"] == "t-3"


def test_login_is_lost_with_the_connection() -> None:
    bench = Bench()
    line = bench.ready()
    trying = Outcome(bench.core.log_in(anna()))
    line.break_()
    assert isinstance(trying.error, Disconnected)


def test_username_without_anything() -> None:
    with pytest.raises(ValueError, match="takes a password or a token"):
        Credentials("anna")
    with pytest.raises(ValueError, match="takes a username"):
        Credentials(password="secret")


# -- signs of life -------------------------------------------------------------


def test_silence_is_questioned() -> None:
    bench = Bench(silence=10.0, patience=5.0)
    line = bench.ready()
    bench.clock.advance(9)
    line.tell({"brightness": 51})
    bench.clock.advance(9.9)
    assert not line.unread
    bench.clock.advance(0.2)
    line.answer(line.take(), {})
    bench.clock.advance(5)
    assert bench.core.state is ConnectionState.READY
    bench.clock.advance(5)
    assert line.take()["get"] == []
    bench.clock.advance(5.1)
    assert bench.core.state is ConnectionState.WAITING
    assert line.dropped


# -- asking --------------------------------------------------------------------


def test_query() -> None:
    bench = Bench()
    line = bench.ready()
    one, all_ = bench.get("brightness"), bench.get()
    line.answer(line.take(), {"brightness": 50})
    line.answer(line.take(), STATE)
    assert one.value == {"brightness": 50}
    assert all_.value == STATE


def test_query_that_is_refused() -> None:
    bench = Bench()
    line = bench.ready()
    unknown = bench.get("no-such-key")
    line.answer(
        line.take(), {}, {"error": "Unknown key", "key": "no-such-key", "message": "There is none"}
    )
    assert isinstance(unknown.error, UnknownKey)
    assert str(unknown.error) == "no-such-key: There is none"
    long = "x" * 100
    some = bench.get("brightness", long)
    line.answer(
        line.take(),
        {"brightness": 50},
        {"error": "Permission denied", "key": long[:64], "message": "No"},
    )
    assert isinstance(some.error, SomeRefused)
    assert some.error.values == {"brightness": 50}
    assert isinstance(some.error.errors[0], PermissionDenied)


def test_query_is_asked_again_after_a_loss() -> None:
    bench = Bench()
    line = bench.ready()
    asked = bench.get("brightness")
    line.take()
    line.break_()
    bench.clock.advance(1)
    bench.line.welcome()
    bench.line.answer(bench.line.take(), {"brightness": 9})
    assert asked.value == {"brightness": 9}


def test_queries_wait_in_bounded_number_and_time() -> None:
    bench = Bench(queue=2, timeout=5.0)
    bench.core.start()
    waiting = [bench.get("brightness") for _ in range(3)]
    assert isinstance(waiting[2].error, QueueFull)
    waiting[0].promise.cancel()
    assert bench.get("contrast").pending
    bench.clock.advance(5.1)
    assert isinstance(waiting[1].error, TimedOut)
    bench.line.welcome()
    assert not bench.line.unread


def test_answers_of_an_old_connection_are_not_heard() -> None:
    bench = Bench()
    old = bench.ready()
    old.break_()
    bench.clock.advance(1)
    bench.line.welcome()
    old.tell({"brightness": 99})
    old.break_()
    assert bench.core.values["brightness"] == 50
    assert bench.core.state is ConnectionState.READY


# -- watching ------------------------------------------------------------------


def test_watching() -> None:
    bench = Bench()
    line = bench.ready()
    feed = bench.core.values.watch(frozenset({"brightness"}), initial=True)
    assert Outcome(feed.next()).value == Change("brightness", 50, initial=True)
    waiting = Outcome(feed.next())
    line.tell({"contrast": 1})
    assert waiting.pending
    line.tell({"brightness": 51})
    assert waiting.value == Change("brightness", 51)


def test_what_was_missed_is_told() -> None:
    bench = Bench()
    line = bench.ready()
    feed = bench.core.values.watch(frozenset(), initial=False)
    line.break_()
    bench.clock.advance(1)
    bench.line.welcome(state={**STATE, "contrast": 7})
    assert Outcome(feed.next()).value == Change("contrast", 7)
    assert Outcome(feed.next()).pending


def test_true_is_not_one() -> None:
    bench = Bench()
    line = bench.ready(state={"auto-exposure": True, "brightness": 1})
    feed = bench.core.values.watch(frozenset(), initial=False)
    line.tell({"auto-exposure": True, "brightness": 1})
    waiting = Outcome(feed.next())
    assert waiting.pending
    line.tell({"brightness": True})
    assert waiting.value.value is True


def test_unread_changes_are_bounded() -> None:
    bench = Bench()
    line = bench.ready()
    feed = bench.core.values.watch(frozenset(), initial=False)
    for number in range(10_000):
        line.tell({"brightness": number % 100 + 100, "contrast": number % 100})
    told = []
    while not (waiting := Outcome(feed.next())).pending:
        told.append(waiting.value)
    assert len(told) <= 1024
    assert told[-2:] == [Change("brightness", 199), Change("contrast", 99)]


def test_confirmation_is_known_at_once() -> None:
    bench = Bench()
    line = bench.ready()
    bench.set(brightness=75)
    line.confirm()
    assert bench.core.values["brightness"] == 75


def test_an_old_confirmation_is_no_news() -> None:
    """Of a message with two keys, one may have been changed by others before it is confirmed."""
    bench = Bench()
    line = bench.ready()
    bench.set(brightness=60, contrast=70)
    asked = line.take()
    line.tell({"brightness": 60})
    line.tell({"brightness": 99})
    line.answer(asked, {"brightness": 60, "contrast": 70, "info": ["brightness", "contrast"]})
    assert bench.core.values["brightness"] == 99
    assert bench.core.values["contrast"] == 70


def test_every_message_is_json() -> None:
    bench = Bench()
    bench.ready()
    with pytest.raises(ValueError, match="JSON compliant"):
        bench.set(brightness=float("nan"))
    with pytest.raises(ValueError, match="a boolean, a number or a text"):
        bench.set(brightness=object())
    with pytest.raises(ValueError, match="nothing to set"):
        bench.core.update({})
    assert json.dumps(bench.line.unread) == "[]"


def test_closing_breaks_what_waits() -> None:
    bench = Bench(anna())
    bench.ready()
    wanted, asked = bench.set(brightness=1), bench.get("fps")
    feed = bench.core.values.watch(frozenset(), initial=False)
    reading = Outcome(feed.next())
    bench.core.close()
    assert isinstance(wanted.error, Closed)
    assert isinstance(asked.error, Closed)
    assert not reading.pending
    assert reading.value is None
    assert isinstance(bench.set(brightness=1).error, Closed)
    assert not bench.clock.getDelayedCalls()
