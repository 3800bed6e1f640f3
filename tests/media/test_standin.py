"""The engine that makes no pictures."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.media.interfaces import IEngine
from rotoclear.media.standin import StandIn
from rotoclear.state.errors import DeviceError
from tests.devices.puppets import Puppet, camera


class Probing(SynchronousTestCase):
    def setUp(self) -> None:
        self.camera: Puppet | None = camera()
        self.engine = StandIn(lambda: self.camera)

    def test_it_is_an_engine(self) -> None:
        verifyObject(IEngine, self.engine)

    def test_where_a_picture_is_needed_the_head_is_asked(self) -> None:
        assert self.camera is not None
        for step in (self.engine.start, self.engine.resume, self.engine.snap):
            self.camera.forget()
            self.successResultOf(step())
            self.assertEqual(self.camera.calls, [("probe",)])

    def test_a_fault_of_the_head_is_a_fault_of_the_step(self) -> None:
        assert self.camera is not None
        self.camera.faults["probe"] = "hangs"
        for step in (self.engine.start, self.engine.resume, self.engine.snap):
            self.failureResultOf(step(), DeviceError)

    def test_a_head_in_a_reset_does_not_answer(self) -> None:
        self.camera = None
        self.failureResultOf(self.engine.snap(), DeviceError)

    def test_ending_and_pausing_need_no_head(self) -> None:
        self.camera = None
        self.successResultOf(self.engine.stop())
        self.successResultOf(self.engine.pause())
