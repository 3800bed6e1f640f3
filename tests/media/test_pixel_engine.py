"""What is asked of the engine, and what becomes of it when that does not answer."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.interfaces import VolumeDescription
from rotoclear.media.engine import wire
from rotoclear.media.films import Films
from rotoclear.media.pixel_engine import PixelEngine
from rotoclear.state.errors import DeviceError
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from tests.media.stored import catalogue


class Service:
    """The engine, supervised, that fails with what the test says."""

    def __init__(self) -> None:
        self.state = "running"
        self.encoders = ("libx264",)
        self.trouble: Exception | None = None
        self.asked: list[wire.ToEngine] = []
        self.needs = 0
        self.late: Any = None

    def ask(self, make: Any, late: Any = None) -> Deferred[Any]:
        self.asked.append(make(1) if callable(make) else make)
        self.late = late
        return succeed(None) if self.trouble is None else fail(self.trouble)

    def need(self, who: object) -> None:
        self.needs += 1

    def done(self, who: object) -> None:
        self.needs -= 1

    def on_change(self, observer: object) -> None:
        pass

    def on_event(self, observer: object) -> None:
        pass


class Heads:
    def description(self, number: int) -> None:
        return None


class Volume:
    driver, identity = "dir", "one"
    description = VolumeDescription(identity="one", name="One", path="/one", removable=False)


class Volumes:
    def current(self) -> Volume:
        return Volume()


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = Model(Clock(), KeyTable())
        self.catalogue = catalogue()
        self.service = Service()
        self.engine = PixelEngine(
            self.service,  # type: ignore[arg-type]
            self.model,
            Heads(),
            Volumes(),
            Films(self.model, self.catalogue),
            wire.Plan(),
        )


class LateTests(Case):
    """What comes about when nobody waits for it any more."""

    def test_a_picture_that_a_slow_stick_has_after_all_is_listed(self) -> None:
        self.service.trouble = DeviceError("not in time")
        self.failureResultOf(self.engine.snap(), DeviceError)
        self.assertEqual(self.successResultOf(self.catalogue.count("snapshot")), 0)
        stored = wire.Stored("a.jpg", 1500.0, 640, 480, 777, "12ab")
        self.service.late(msgspec.to_builtins(stored))
        (entry,) = self.successResultOf(self.catalogue.page("snapshot", 9))
        self.assertEqual((entry.file, entry.volume, entry.camera), ("a.jpg", "dir/one", 1))
        self.assertEqual(self.model["last-snapshot"], entry.id)

    def test_one_that_cannot_be_listed_is_logged(self) -> None:
        self.service.trouble = DeviceError("not in time")
        self.failureResultOf(self.engine.snap(), DeviceError)
        self.catalogue.put = lambda entry: fail(OSError("the disk is full"))  # type: ignore[method-assign]
        self.service.late(msgspec.to_builtins(wire.Stored("a.jpg", 1500.0, 640, 480, 777, "12ab")))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_pause_and_resume(self) -> None:
        told: list[bool] = []

        class Watcher:
            def late(self, paused: bool) -> None:
                told.append(paused)

        self.engine.watch(Watcher())  # type: ignore[arg-type]
        for step in (self.engine.pause, self.engine.resume):
            self.successResultOf(step())
            self.service.late(None)
        self.assertEqual(told, [True, False])


class EndingTests(Case):
    def setUp(self) -> None:
        super().setUp()
        self.successResultOf(self.engine.start())
        self.assertEqual((self.engine.recording, self.service.needs), (True, 1))

    def test_ends(self) -> None:
        self.successResultOf(self.engine.stop())
        self.assertIsInstance(self.service.asked[-1], wire.Stop)
        self.assertEqual((self.engine.recording, self.service.needs), (False, 0))

    def test_it_does_not_answer_in_time(self) -> None:
        """It was told to end, and does so, or is ended: to say otherwise would be wrong."""
        self.service.trouble = DeviceError("No picture came within 2 seconds")
        self.successResultOf(self.engine.stop())
        self.assertEqual((self.engine.recording, self.service.needs), (False, 0))

    def test_there_is_none(self) -> None:
        self.service.state = "failed"
        self.service.trouble = DeviceError("The picture engine is not running at the moment")
        self.successResultOf(self.engine.stop())
        self.assertFalse(self.engine.recording)
