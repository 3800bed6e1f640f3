"""What is asked of the engine, and what becomes of it when that does not answer."""

from __future__ import annotations

from typing import Any

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

    def ask(self, make: Any) -> Deferred[Any]:
        self.asked.append(make(1) if callable(make) else make)
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


class EndingTests(SynchronousTestCase):
    def setUp(self) -> None:
        model = Model(Clock(), KeyTable())
        self.service = Service()
        self.engine = PixelEngine(
            self.service,  # type: ignore[arg-type]
            model,
            Heads(),
            Volumes(),
            Films(model, catalogue()),
            wire.Plan(),
        )
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
