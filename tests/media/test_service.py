"""The engine, supervised: the process is played by the test, and time is the test's own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.interfaces import CameraDescription, VideoMode
from rotoclear.media.engine import wire
from rotoclear.media.service import (
    BEAT_LIMIT,
    FIRST,
    GRACE,
    LINGER,
    MOST,
    REQUEST_LIMIT,
    RETRY,
    STABLE,
    START_LIMIT,
    SUSPECT,
    EngineService,
)
from rotoclear.state.errors import DeviceError
from tests.devices.puppets import House


@define(eq=False)
class Process:
    """One process, as far as the server sees it."""

    received: Callable[[wire.FromEngine], None]
    packet: Callable[[wire.Head, bytes], None]
    ended: Callable[[str], None]
    pid: int | None = 4711
    told: list[wire.ToEngine] = field(factory=list)
    killed: str = ""
    stopped: bool = False

    def send(self, message: wire.ToEngine, frames: socket.socket | None = None) -> None:
        assert isinstance(message, wire.Source) == (frames is not None)
        self.told.append(message)

    def kill(self, reason: str) -> None:
        self.killed = reason

    def is_stopped(self) -> bool:
        return self.stopped

    def die(self) -> None:
        self.ended(self.killed or "was killed by SIGKILL")

    def beat(self, **what: Any) -> None:
        self.received(
            wire.Beat(**{"frames": 1, "dropped": 0, "rate": 30.0, "recording": "off", **what})
        )

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.told if isinstance(message, kind)]


class Device:
    """A head whose view opens when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Deferred[socket.socket]] = []

    def view(self) -> Deferred[socket.socket]:
        self.asked.append(Deferred())
        return self.asked[-1]

    def open(self) -> None:
        ours, theirs = socket.socketpair()
        theirs.close()
        self.asked[-1].callback(ours)


class Heads:
    def __init__(self) -> None:
        self.devices: dict[int, Device] = {1: Device(), 2: Device()}
        self.observers: list[Callable[[int], None]] = []

    def device(self, number: int) -> Device | None:
        return self.devices.get(number)

    def description(self, number: int) -> CameraDescription | None:
        return CameraDescription(
            identity=str(number), model="x", sensors=1, modes=(VideoMode(1920, 1080, (30,)),)
        )

    def observe(self, observer: Callable[[int], None]) -> None:
        self.observers.append(observer)

    def put(self, number: int, device: Device | None) -> None:
        if device is None:
            del self.devices[number]
        else:
            self.devices[number] = device
        for observer in self.observers:
            observer(number)


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.house, self.heads = House(), Heads()
        self.clock = self.house.clock
        self.processes: list[Process] = []
        self.fork_fails = False
        self.engine = EngineService(
            self.clock, self.spawn, self.house.model, self.heads, wire.Plan()
        )
        self.changes: list[bool] = []
        self.engine.on_change(self.changes.append)
        self.engine.startService()

    def spawn(self, *callbacks: Any) -> Process:
        if self.fork_fails:
            raise OSError(11, "Resource temporarily unavailable")
        self.processes.append(Process(*callbacks))
        return self.processes[-1]

    @property
    def process(self) -> Process:
        return self.processes[-1]

    def ready(self) -> None:
        self.process.received(wire.Ready(("libx264",)))

    def live(self, seconds: float) -> None:
        """Time goes by, and it gives its signs of life."""
        while seconds > 0:
            self.clock.advance(0.25)
            self.process.beat()
            seconds -= 0.25

    def crash(self) -> None:
        self.process.die()
        self.clock.advance(FIRST)


class Life(Case):
    def test_ready(self) -> None:
        settled: list[None] = []
        self.engine.settled().addCallback(settled.append)
        self.assertEqual((self.engine.state, settled), ("starting", []))
        self.ready()
        self.assertEqual((self.engine.state, settled), ("running", [None]))
        self.assertEqual(self.changes, [True])
        self.assertEqual(self.engine.encoders, ("libx264",))
        self.assertEqual(self.engine.health(), {"state": "ok"})

    def test_it_lives_as_long_as_it_gives_signs(self) -> None:
        self.ready()
        self.live(20)
        self.assertEqual(self.process.killed, "")
        self.assertEqual(self.engine.status()["rate"], 30.0)

    def test_one_that_hangs_is_killed_within_two_seconds(self) -> None:
        self.ready()
        self.live(2)
        self.clock.pump([0.1] * 20)
        self.assertEqual(self.process.killed, "hangs")
        self.assertLess(BEAT_LIMIT + GRACE, 2)

    def test_one_that_is_stopped_is_killed_within_a_second(self) -> None:
        self.ready()
        self.live(2)
        self.process.stopped = True
        self.clock.pump([0.1] * 9)
        self.assertEqual(self.process.killed, "was stopped")

    def test_one_that_is_let_go_on_at_once_is_not(self) -> None:
        self.ready()
        self.live(2)
        self.clock.advance(SUSPECT)
        self.process.stopped = True
        self.clock.advance(GRACE)
        self.process.stopped = False
        self.clock.advance(GRACE)
        self.process.beat()
        self.live(5)
        self.assertEqual(self.process.killed, "")

    def test_not_when_this_process_was_held_up_itself(self) -> None:
        """Its signs are here, and have only not been read."""
        self.ready()
        self.clock.advance(5)
        self.process.beat()
        self.live(5)
        self.assertEqual(self.process.killed, "")

    def test_one_that_does_not_start_is_killed(self) -> None:
        self.clock.advance(START_LIMIT)
        self.clock.advance(GRACE)
        self.assertEqual(self.process.killed, "did not start within 30 seconds")

    def test_lost(self) -> None:
        self.ready()
        self.process.die()
        self.assertEqual(self.changes, [True, False])
        self.assertEqual(self.engine.state, "failed")
        self.assertEqual(self.engine.health()["reason"], "It was killed by SIGKILL")
        self.clock.advance(FIRST)
        self.assertEqual(len(self.processes), 2)
        self.ready()
        self.assertEqual(self.changes, [True, False, True])
        self.assertEqual(self.engine.status()["restarts"], 1)

    def test_one_that_never_lasts_is_started_less_and_less_often(self) -> None:
        waited = []
        for _ in range(9):
            self.ready()
            self.process.die()
            started, before = len(self.processes), self.clock.seconds()
            while len(self.processes) == started:
                self.clock.advance(0.05)
            waited.append(self.clock.seconds() - before)
        self.assertAlmostEqual(waited[0], FIRST, 1)
        self.assertAlmostEqual(waited[1], 2 * FIRST, 1)
        self.assertAlmostEqual(waited[-1], MOST, 1)
        self.ready()
        self.live(STABLE + 1)
        self.crash()
        self.assertEqual(len(self.processes), 11, "one that has lasted is started again soon")

    def test_no_process_to_be_had(self) -> None:
        self.ready()
        self.fork_fails = True
        self.process.die()
        self.clock.advance(FIRST)
        self.assertIn("Resource temporarily unavailable", self.engine.reason)
        self.fork_fails = False
        self.clock.advance(2 * FIRST)
        self.assertEqual(len(self.processes), 2)

    def test_looked_after(self) -> None:
        """Whatever it does there is a limit, or a time at which it is started again."""
        self.assertEqual(self.engine.unattended(), "")
        self.ready()
        self.assertEqual(self.engine.unattended(), "")
        self.process.die()
        self.assertEqual(self.engine.unattended(), "")
        self.clock.advance(FIRST)
        assert self.engine._watch is not None
        self.engine._watch.cancel()
        self.assertIn("the picture engine is starting, and", self.engine.unattended())
        self.engine._watch = None
        self.engine.stopService()
        self.assertEqual(self.engine.unattended(), "")

    def test_stop(self) -> None:
        self.ready()
        asked = self.engine.ask(wire.Stop)
        self.engine.stopService()
        self.failureResultOf(asked, DeviceError)
        self.assertIsInstance(self.process.told[-1], wire.Quit)
        self.process.die()
        self.clock.advance(60)
        self.assertEqual(len(self.processes), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Asking(Case):
    def test_answered(self) -> None:
        self.ready()
        asked = self.engine.ask(wire.Pause)
        (told,) = self.process.of(wire.Pause)
        self.process.received(wire.Answer(told.request, {"file": "x"}))
        self.assertEqual(self.successResultOf(asked), {"file": "x"})

    def test_refused(self) -> None:
        self.ready()
        asked = self.engine.ask(wire.Pause)
        (told,) = self.process.of(wire.Pause)
        self.process.received(wire.Refused(told.request, "No"))
        self.assertEqual(str(self.failureResultOf(asked, DeviceError).value), "No")

    def test_not_answered_in_time(self) -> None:
        self.ready()
        asked = self.engine.ask(wire.Pause)
        self.live(REQUEST_LIMIT + 0.2)
        self.failureResultOf(asked, DeviceError)
        (told,) = self.process.of(wire.Pause)
        self.process.received(wire.Answer(told.request))  # and nobody minds

    def test_what_comes_about_too_late_is_told(self) -> None:
        self.ready()
        late: list[object] = []
        for leave in (lambda asked: self.live(REQUEST_LIMIT + 0.2), lambda asked: asked.cancel()):
            asked = self.engine.ask(wire.Pause, late=late.append)
            asked.addErrback(lambda failure: None)
            leave(asked)
            self.process.received(wire.Answer(self.process.of(wire.Pause)[-1].request, "done"))
        self.assertEqual(late, ["done", "done"])

    def test_what_is_in_time_refused_or_of_an_engine_before_is_not(self) -> None:
        self.ready()
        late: list[object] = []
        in_time = self.engine.ask(wire.Pause, late=late.append)
        self.process.received(wire.Answer(self.process.of(wire.Pause)[-1].request, "done"))
        self.assertEqual(self.successResultOf(in_time), "done")
        for answer in (wire.Refused, None):
            asked = self.engine.ask(wire.Pause, late=late.append)
            asked.addErrback(lambda failure: None)
            asked.cancel()
            if answer is not None:
                self.process.received(answer(self.process.of(wire.Pause)[-1].request, "No"))
        number = self.process.of(wire.Pause)[-1].request
        self.process.die()
        self.clock.advance(60)
        self.ready()
        self.process.received(wire.Answer(number, "done"))
        self.assertEqual(late, [])

    def test_nobody_waits_any_more(self) -> None:
        self.ready()
        asked = self.engine.ask(wire.Pause).addErrback(lambda failure: None)
        asked.cancel()
        (told,) = self.process.of(wire.Pause)
        self.process.received(wire.Answer(told.request))

    def test_there_is_none_now(self) -> None:
        self.failureResultOf(self.engine.ask(wire.Pause), DeviceError)

    def test_lost_meanwhile(self) -> None:
        """Whoever watches knows of it before the answer."""
        self.ready()
        order: list[str] = []
        self.engine.on_change(lambda running: order.append("told"))
        asked = self.engine.ask(wire.Pause).addErrback(lambda failure: order.append("failed"))
        self.process.die()
        self.assertEqual(order, ["told", "failed"])
        self.successResultOf(asked)


class Needs(Case):
    def setUp(self) -> None:
        super().setUp()
        self.ready()

    def looked_at(self) -> list[int]:
        return sorted(number for number, device in self.heads.devices.items() if device.asked)

    def change(self, **values: object) -> None:
        self.house.model.commit({key.replace("_", "-"): value for key, value in values.items()})  # type: ignore[misc]
        self.clock.advance(0)

    def test_nobody_needs_anything(self) -> None:
        self.live(5)
        self.assertEqual(self.looked_at(), [])

    def test_the_active_head(self) -> None:
        self.engine.need("me")
        self.assertEqual(self.looked_at(), [1])
        self.heads.devices[1].open()
        self.assertEqual([source.number for source in self.process.of(wire.Source)], [1])

    def test_both_with_a_picture_in_the_picture(self) -> None:
        self.change(pip_mode="top-left")
        self.engine.need("me")
        self.assertEqual(self.looked_at(), [1, 2])

    def test_a_head_that_the_view_does_not_show(self) -> None:
        self.engine.need("me", 2)
        self.assertEqual(self.looked_at(), [2])
        self.engine.done("me", 2)
        self.live(LINGER + 0.25)
        self.assertEqual(len(self.process.of(wire.NoSource)), 1)

    def test_let_go_of_after_a_while(self) -> None:
        self.engine.need("me")
        self.heads.devices[1].open()
        self.engine.done("me")
        self.assertEqual(self.process.of(wire.NoSource), [])
        self.live(LINGER + 0.25)
        self.assertEqual(self.process.of(wire.NoSource), [wire.NoSource(1)])

    def test_needed_again_meanwhile(self) -> None:
        self.engine.need("me")
        self.heads.devices[1].open()
        for _ in range(5):
            self.engine.done("me")
            self.live(LINGER / 2)
            self.engine.need("me")
        self.live(LINGER * 3)
        self.assertEqual(self.process.of(wire.NoSource), [])
        self.assertEqual(len(self.heads.devices[1].asked), 1)

    def test_another_active_head(self) -> None:
        """It is looked at before the old one is let go of."""
        self.engine.need("me")
        self.heads.devices[1].open()
        self.change(main_camera=2)
        self.heads.devices[2].open()
        kinds = [type(m) for m in self.process.told if not isinstance(m, wire.View)]
        self.assertEqual(kinds, [wire.Source, wire.Source])
        self.live(LINGER + 0.25)
        self.assertEqual(self.process.of(wire.NoSource), [wire.NoSource(1)])
        self.assertEqual(self.process.of(wire.View)[-1].main, 2)

    def test_a_head_comes_back_as_another_device(self) -> None:
        self.engine.need("me")
        self.heads.devices[1].open()
        new = Device()
        self.heads.put(1, new)
        new.open()
        self.assertEqual(len(self.process.of(wire.Source)), 2)
        self.heads.put(1, None)
        self.assertEqual(len(self.process.of(wire.NoSource)), 2)

    def test_a_head_that_cannot_be_looked_at_is_tried_again(self) -> None:
        self.engine.need("me")
        device = self.heads.devices[1]
        device.asked[-1].errback(DeviceError("busy"))
        self.live(RETRY + 0.25)
        self.assertEqual(len(device.asked), 2)
        device.open()
        self.live(RETRY * 3)
        self.assertEqual(len(device.asked), 2)

    def test_frames_that_end_by_themselves(self) -> None:
        self.engine.need("me")
        device = self.heads.devices[1]
        device.open()
        (source,) = self.process.of(wire.Source)
        self.process.received(wire.Unseen(source.look))
        self.assertEqual(len(device.asked), 1)
        self.live(RETRY + 0.25)
        self.assertEqual(len(device.asked), 2)
        self.process.received(wire.Unseen(source.look))
        self.live(RETRY + 0.25)
        self.assertEqual(len(device.asked), 2, "that was of the one before")

    def test_a_new_engine_is_told_everything(self) -> None:
        class Viewer:
            seen: list[bytes] = []

            def picture(self, jpeg: bytes, time: int) -> None:
                self.seen.append(jpeg)

        class Listener:
            heard: list[tuple[bytes, bool]] = []

            def access_unit(self, data: bytes, time: int, key: bool) -> None:
                self.heard.append((data, key))

        viewer, listener = Viewer(), Listener()
        self.engine.watch(viewer)
        self.engine.listen(listener)
        self.heads.devices[1].open()
        self.change(brightness=70)
        self.crash()
        self.ready()
        self.heads.devices[1].open()
        kinds = {type(message) for message in self.process.told}
        self.assertEqual(kinds, {wire.View, wire.Live, wire.Stream, wire.Source})
        self.assertEqual(
            [(stream.on, stream.camera) for stream in self.process.of(wire.Stream)], [(True, 0)]
        )
        self.assertEqual(self.process.of(wire.View)[0].software[1].brightness, 70)
        self.process.packet(wire.Head(wire.JPEG, 0, 0, 1, 5), b"j")
        self.process.packet(wire.Head(wire.H264, wire.KEY, 0, 1, 5), b"h")
        self.assertEqual((viewer.seen, listener.heard), ([b"j"], [(b"h", True)]))
        self.process.packet(wire.Head(wire.H264, wire.KEY, 2, 1, 5), b"of another stream")
        self.assertEqual(listener.heard, [(b"h", True)])
        self.engine.unwatch(viewer)
        self.engine.unlisten(listener)
        self.assertEqual(self.process.of(wire.Live)[-1].quality, 0)
        self.assertFalse(self.process.of(wire.Stream)[-1].on)
        self.live(LINGER + 0.25)
        self.assertEqual(self.process.of(wire.NoSource), [wire.NoSource(1)])

    def test_the_film_of_one_head(self) -> None:
        """It is looked at though the view shows another one; each stream goes to its listeners."""
        self.ready()

        class Listener:
            def __init__(self) -> None:
                self.heard: list[bytes] = []

            def access_unit(self, data: bytes, time: int, key: bool) -> None:
                self.heard.append(data)

        first, second = Listener(), Listener()
        for listener in (first, second):
            self.engine.listen(listener, 2)
        self.heads.devices[2].open()
        self.assertEqual(self.process.of(wire.Keyframe), [wire.Keyframe(2)] * 2)
        self.assertEqual([one.number for one in self.process.of(wire.Source)], [2])
        self.engine.keyframe(2)
        self.assertEqual(len(self.process.of(wire.Keyframe)), 3)
        for camera in wire.STREAMS:
            self.process.packet(wire.Head(wire.H264, 0, camera, 1, 5), b"%d" % camera)
        self.assertEqual((first.heard, second.heard), ([b"2"], [b"2"]))
        self.crash()
        self.ready()
        self.assertEqual(
            [(stream.on, stream.camera) for stream in self.process.of(wire.Stream)], [(True, 2)]
        )
        self.assertEqual(self.engine.status()["streams"], 2)
        for listener in (first, second):
            self.engine.unlisten(listener, 2)
        self.assertFalse(self.process.of(wire.Stream)[-1].on)
        self.assertEqual(self.engine.status()["streams"], 0)

    def test_a_view_is_told_once(self) -> None:
        before = len(self.process.of(wire.View))
        self.change(jpeg_quality=50)
        self.assertEqual(len(self.process.of(wire.View)), before)
        self.change(brightness=60)
        self.assertEqual(len(self.process.of(wire.View)), before + 1)
