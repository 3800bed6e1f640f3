"""Which change is sent when: throttled, queued, coalesced; and what its asker is told."""

from __future__ import annotations

from rotoclear.client.errors import (
    Disconnected,
    InvalidMessage,
    InvalidValue,
    NotAvailable,
    PermissionDenied,
    QueueFull,
    ServerFailed,
    SomeRefused,
    TimedOut,
)
from tests.client.memory import Bench

TOO_LARGE = {
    "error": "Invalid value",
    "key": "brightness",
    "message": "Value must be between 0 and 100",
}


# -- best practice 4: throttling -----------------------------------------------


def test_a_slider() -> None:
    """The first value goes at once, the newest when its time has come, the last in the end."""
    bench = Bench(throttle=1 / 8)
    line = bench.ready()
    outcomes = [bench.set(brightness=0)]
    assert line.confirm() == {"brightness": 0}
    sent = []
    for value in range(1, 30):
        outcomes.append(bench.set(brightness=value))
        bench.clock.advance(1 / 64)
        while line.unread:
            sent.append(line.confirm()["brightness"])
    assert sent == [8, 16, 24]
    bench.clock.advance(1 / 8)
    assert line.confirm() == {"brightness": 29}
    # Whoever asked for a value that was replaced is told what has come instead.
    told = [outcome.value["brightness"] for outcome in outcomes]
    assert told == [0, *[8] * 8, *[16] * 8, *[24] * 8, *[29] * 5]


def test_a_slow_server_is_not_flooded() -> None:
    """The newest value waits until the one before is answered."""
    bench = Bench(throttle=0.1)
    line = bench.ready()
    for value in range(100):
        bench.set(brightness=value)
        bench.clock.advance(0.1)
    assert len(line.unread) == 1
    assert line.confirm() == {"brightness": 0}
    assert line.confirm() == {"brightness": 99}
    assert not line.unread


def test_keys_do_not_wait_for_each_other() -> None:
    bench = Bench(throttle=0.1)
    line = bench.ready()
    bench.set(brightness=1)
    bench.set(contrast=1)
    assert [line.confirm(), line.confirm()] == [{"brightness": 1}, {"contrast": 1}]


def test_keys_set_together_are_sent_together() -> None:
    bench = Bench(throttle=0.1)
    line = bench.ready()
    bench.set(fps=30)
    line.confirm()
    both = bench.set(resolution="640x480", fps=60)
    assert not line.unread
    bench.clock.advance(0.1)
    assert line.confirm() == {"resolution": "640x480", "fps": 60}
    assert both.value == {"resolution": "640x480", "fps": 60}


def test_no_throttle() -> None:
    bench = Bench(throttle=0.0)
    line = bench.ready()
    for value in range(3):
        bench.set(brightness=value)
        assert line.confirm() == {"brightness": value}


def test_steps_are_all_sent_at_once() -> None:
    """Each snap is a picture; pause and resume are two things."""
    bench = Bench(throttle=0.1)
    line = bench.ready()
    outcomes = [bench.set(snap=True), bench.set(snap=True), bench.set(record="pause")]
    assert len(line.unread) == 3
    assert [line.confirm() for _ in range(3)] == [{"snap": True}] * 2 + [{"record": "pause"}]
    assert not any(outcome.pending for outcome in outcomes)


def test_a_step_takes_along_what_waits_for_its_other_keys() -> None:
    """Else the older value would arrive behind the newer one."""
    bench = Bench(throttle=0.1)
    line = bench.ready()
    bench.set(brightness=1)
    line.confirm()
    older = bench.set(brightness=2)
    bench.set(brightness=3, record=True)
    assert line.confirm() == {"brightness": 3, "record": True}
    bench.clock.advance(1)
    assert not line.unread
    assert older.value == {"brightness": 3}


# -- best practice 3: queueing -------------------------------------------------


def test_what_waits_for_a_connection_is_coalesced() -> None:
    bench = Bench()
    bench.core.start()
    outcomes = [bench.set(brightness=value) for value in range(5)]
    bench.set(contrast=9)
    line = bench.line
    line.welcome()
    assert line.confirm() == {"brightness": 4}
    assert line.confirm() == {"contrast": 9}
    assert not line.unread
    assert all(outcome.value == {"brightness": 4} for outcome in outcomes)


def test_what_waits_is_bounded() -> None:
    bench = Bench(queue=2)
    bench.core.start()
    first, second, third = bench.set(brightness=1), bench.set(contrast=1), bench.set(gain=1)
    assert isinstance(third.error, QueueFull)
    assert bench.set(contrast=2).pending
    assert first.pending
    assert second.pending


def test_no_queue() -> None:
    bench = Bench(queue=0, throttle=0.1)
    bench.core.start()
    assert isinstance(bench.set(brightness=1).error, QueueFull)
    assert isinstance(bench.get("brightness").error, QueueFull)
    line = bench.line
    line.welcome()
    bench.set(brightness=1)
    later = bench.set(brightness=2)
    assert line.confirm() == {"brightness": 1}
    bench.clock.advance(0.1)
    line.confirm()
    assert later.value == {"brightness": 2}


def test_what_waits_too_long_is_not_sent() -> None:
    bench = Bench(timeout=10.0)
    bench.ready()
    bench.line.break_()
    old = bench.set(brightness=1)
    bench.clock.advance(0.9)
    bench.set(contrast=1)
    for _ in range(4):
        bench.clock.advance(0.2)
    count = len(bench.network.lines)
    assert count == 2
    bench.clock.advance(7.9)
    bench.clock.advance(0.5)
    assert isinstance(old.error, TimedOut)
    assert "No connection within 10 s" in str(old.error)
    bench.line.welcome()
    assert bench.line.confirm() == {"contrast": 1}
    assert not bench.line.unread


def test_of_what_was_merged_only_what_is_wanted_is_sent() -> None:
    bench = Bench()
    bench.core.start()
    bench.set(brightness=1, contrast=1).promise.cancel()
    bench.set(contrast=2, gain=2)
    both = bench.set(brightness=3, gain=3)
    both.promise.cancel()
    bench.line.welcome()
    assert bench.line.confirm() == {"contrast": 2, "gain": 3}


def test_steps_never_wait() -> None:
    bench = Bench()
    bench.core.start()
    for outcome in (bench.set(snap=True), bench.set(record=True), bench.set(gain=1, snap=True)):
        assert isinstance(outcome.error, Disconnected)
    bench.line.welcome()
    assert not bench.line.unread


def test_what_was_not_answered_is_sent_again() -> None:
    bench = Bench()
    line = bench.ready()
    wanted = bench.set(brightness=1)
    step = bench.set(record=True)
    line.break_()
    assert isinstance(step.error, Disconnected)
    bench.clock.advance(1)
    bench.line.welcome()
    assert bench.line.confirm() == {"brightness": 1}
    assert not bench.line.unread
    assert wanted.value == {"brightness": 1}


def test_what_is_newer_replaces_what_was_not_answered() -> None:
    bench = Bench()
    line = bench.ready()
    old = bench.set(brightness=1)
    new = bench.set(brightness=2)
    line.break_()
    bench.clock.advance(1)
    bench.line.welcome()
    assert [message["brightness"] for message in bench.line.unread] == [2]
    bench.line.break_()
    newest = bench.set(brightness=3)
    bench.clock.advance(2)
    bench.line.welcome()
    assert bench.line.confirm() == {"brightness": 3}
    assert not bench.line.unread
    assert [o.value for o in (old, new, newest)] == [{"brightness": 3}] * 3


def test_one_who_gives_up_withdraws_it() -> None:
    bench = Bench()
    bench.core.start()
    bench.set(brightness=1).promise.cancel()
    bench.line.welcome()
    assert not bench.line.unread


def test_an_answer_that_never_comes() -> None:
    """Its asker is told so, and the next one does not wait for it."""
    bench = Bench(timeout=10.0, silence=1000.0)
    line = bench.ready()
    lost = bench.set(brightness=1)
    bench.clock.advance(9)
    later = bench.set(brightness=2)
    bench.clock.advance(1.1)
    assert isinstance(lost.error, TimedOut)
    line.take()
    assert line.confirm() == {"brightness": 2}
    assert later.value == {"brightness": 2}


# -- outcomes ------------------------------------------------------------------


def test_refused() -> None:
    bench = Bench()
    line = bench.ready()
    wanted = bench.set(brightness=150)
    line.answer(line.take(), TOO_LARGE)
    assert isinstance(wanted.error, InvalidValue)
    assert str(wanted.error) == "brightness: Value must be between 0 and 100"
    assert bench.core.values["brightness"] == 50


def test_some_refused() -> None:
    bench = Bench()
    line = bench.ready()
    wanted = bench.set(brightness=150, contrast=1, cam1_light=True)
    asked = line.take()
    line.answer(asked, {"contrast": 1, "info": ["contrast"]}, TOO_LARGE)
    assert wanted.pending
    line.answer(asked, {"error": "Not available", "key": "cam1-light", "message": "No lamp"})
    assert isinstance(wanted.error, SomeRefused)
    assert wanted.error.values == {"contrast": 1}
    assert [type(error) for error in wanted.error.errors] == [InvalidValue, NotAvailable]


def test_each_asker_is_told_of_its_own_keys() -> None:
    bench = Bench()
    bench.core.start()
    one = bench.set(brightness=150)
    two = bench.set(brightness=160, contrast=1)
    three = bench.set(contrast=2)
    line = bench.line
    line.welcome()
    line.answer(line.take(), {"contrast": 2, "info": ["contrast"]}, TOO_LARGE)
    assert isinstance(one.error, InvalidValue)
    assert isinstance(two.error, SomeRefused)
    assert three.value == {"contrast": 2}


def test_long_names_come_back_cut() -> None:
    bench = Bench()
    line = bench.ready()
    wanted = bench.set(**{"x" * 100: 1})
    line.answer(line.take(), {"error": "Permission denied", "key": "x" * 64, "message": "No"})
    assert isinstance(wanted.error, PermissionDenied)


def test_refused_as_a_whole() -> None:
    for error, kind in (("Invalid message", InvalidMessage), ("Server error", ServerFailed)):
        bench = Bench()
        line = bench.ready()
        wanted = bench.set(brightness=1, contrast=1)
        line.answer(line.take(), {"error": error, "message": "It says why"})
        assert isinstance(wanted.error, SomeRefused)
        assert {type(one) for one in wanted.error.errors} == {kind}
