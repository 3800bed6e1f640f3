"""The film pushed to another server: the process is played, and time is the test's own."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.engine import pushing
from rotoclear.media.publishing import (
    BACKLOG,
    FIRST,
    LOADING,
    MOST,
    STUCK,
    Ended,
    Publishing,
    Received,
    without_login,
)

URL = "rtsp://joe:s3cret@media.example:8554/machine?token=t0ken"


@define(eq=False)
class Process:
    received: Received
    ended: Ended
    told: list[pushing.ToPublisher] = field(factory=list)
    killed: bool = False

    def send(self, message: pushing.ToPublisher) -> None:
        self.told.append(message)

    def kill(self) -> None:
        self.killed = True

    @property
    def pictures(self) -> list[bytes]:
        return [message.data for message in self.told if isinstance(message, pushing.Packet)]


@define
class Film:
    listening: list[tuple[object, int]] = field(factory=list)
    keyframes: int = 0

    def listen(self, listener: object, camera: int) -> None:
        self.listening.append((listener, camera))

    def unlisten(self, listener: object, camera: int) -> None:
        self.listening.remove((listener, camera))

    def keyframe(self, camera: int) -> None:
        self.keyframes += 1


class PublishingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.film = Clock(), Film()
        self.processes: list[Process] = []
        self.broken: OSError | None = None
        self.publishing = Publishing(self.clock, self.film, URL, self.push)
        self.publishing.startService()
        self.time = 0

    def push(self, received: Received, ended: Ended) -> Process:
        if self.broken is not None:
            raise self.broken
        self.processes.append(Process(received, ended))
        return self.processes[-1]

    @property
    def process(self) -> Process:
        return self.processes[-1]

    def picture(self, data: bytes = b"p", key: bool = False) -> None:
        self.time += 33
        self.publishing.access_unit(data, self.time, key)

    def pushed(self, frames: int) -> None:
        self.process.received(pushing.Pushed(frames))

    def ready(self) -> None:
        self.process.received(pushing.Ready())

    def run_it(self) -> None:
        self.ready()
        self.picture(b"k", key=True)
        self.pushed(1)

    def test_from_a_keyframe_on(self) -> None:
        self.assertEqual(self.film.listening, [(self.publishing, 0)])
        self.assertEqual(self.process.told, [pushing.Begin(URL)])
        self.assertEqual(self.publishing.state, "connecting")
        self.picture(b"k", key=True)
        self.assertEqual(self.film.keyframes, 0)
        self.ready()
        self.assertEqual(self.film.keyframes, 1)
        self.picture()
        self.picture(b"k", key=True)
        self.picture()
        self.assertEqual(self.process.pictures, [b"k", b"p"])
        self.pushed(1)
        self.pushed(2)
        self.assertEqual(
            self.publishing.status(),
            {
                "state": "running",
                "reason": "",
                "url": "rtsp://media.example:8554/machine",
                "frames": 2,
                "restarts": 0,
            },
        )
        self.assertEqual(self.publishing.health(), {"state": "ok"})

    def test_again_later_and_later(self) -> None:
        delay = FIRST
        for number in range(1, 8):
            self.process.received(pushing.Failed("Connection refused"))
            self.assertTrue(self.process.killed)
            self.assertEqual(self.publishing.health()["state"], "failed")
            self.clock.advance(delay - 0.01)
            self.assertEqual(len(self.processes), number)
            self.clock.advance(0.01)
            self.assertEqual(len(self.processes), number + 1)
            delay = min(delay * 2, MOST)
        self.assertEqual(self.publishing.restarts, 7)
        self.run_it()
        self.assertEqual(self.publishing.health(), {"state": "ok"})
        self.process.received(pushing.Failed("Broken pipe"))
        self.clock.advance(FIRST)
        self.assertEqual(len(self.processes), 9)

    def test_the_process_ends(self) -> None:
        self.run_it()
        self.process.ended("was killed by SIGKILL")
        self.assertIn("was killed by SIGKILL", self.publishing.reason)
        self.clock.advance(FIRST)
        self.run_it()
        self.assertEqual((self.publishing.state, self.publishing.frames), ("running", 2))

    def test_no_process_can_be_started(self) -> None:
        self.broken = OSError(11, "Resource temporarily unavailable")
        self.process.received(pushing.Failed("Connection refused"))
        self.clock.advance(FIRST)
        self.assertIn("temporarily unavailable", self.publishing.reason)
        self.broken = None
        self.clock.advance(2 * FIRST)
        self.run_it()
        self.assertEqual(self.publishing.state, "running")

    def test_it_does_not_load(self) -> None:
        self.picture(b"k", key=True)
        self.clock.advance(LOADING)
        self.assertIn("did not start", self.publishing.reason)
        self.assertTrue(self.process.killed)

    def test_no_answer(self) -> None:
        self.ready()
        self.clock.advance(10 * STUCK)
        self.assertEqual(self.publishing.state, "connecting", "there were no pictures to take")
        self.picture(b"k", key=True)
        self.clock.advance(STUCK)
        self.assertEqual(self.publishing.reason, "it does not answer")
        self.assertTrue(self.process.killed)

    def test_it_takes_no_more(self) -> None:
        self.run_it()
        self.clock.advance(10 * STUCK)
        self.assertEqual(self.publishing.state, "running", "the camera may be unplugged")
        self.picture()
        self.picture()
        self.clock.advance(STUCK - 1)
        self.pushed(2)
        self.clock.advance(STUCK - 1)
        self.assertEqual(self.publishing.state, "running")
        self.clock.advance(1)
        self.assertEqual(self.publishing.reason, "it takes no pictures any more")

    def test_what_waits_is_bounded(self) -> None:
        self.run_it()
        big = bytes(2**20)
        for _ in range(100):
            self.picture(big)
        sent = len(self.process.pictures)
        self.assertLessEqual(sum(map(len, self.process.pictures)), BACKLOG + 2 * len(big))
        self.pushed(sent)
        self.picture()
        self.assertEqual(len(self.process.pictures), sent)
        self.picture(b"K", key=True)
        self.picture()
        self.assertEqual(self.process.pictures[sent:], [b"K", b"p"])

    def test_stopped(self) -> None:
        self.run_it()
        process = self.process
        self.publishing.stopService()
        self.assertTrue(process.killed)
        self.assertEqual(self.film.listening, [])
        self.assertEqual(self.publishing.status()["state"], "stopped")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopped_while_it_waits_to_try_again(self) -> None:
        self.process.received(pushing.Failed("Connection refused"))
        self.publishing.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_login_is_told_to_anybody(self) -> None:
        with capturedLogs() as events:
            self.process.received(pushing.Failed("Connection refused"))
            self.clock.advance(FIRST)
            self.process.received(pushing.Failed("Connection refused"))
            self.clock.advance(2 * FIRST)
            self.run_it()
        self.assertEqual(len(events), 2, "the same trouble is told once")
        text = repr(events) + repr(self.publishing.status()) + repr(self.publishing.health())
        text += "".join(map(str, map(formatEvent, events)))
        for secret in ("s3cret", "t0ken", "joe"):
            self.assertNotIn(secret, text)
        self.assertEqual(without_login("rtsp://a:b@c@[::1]/x"), "rtsp://[::1]/x")
