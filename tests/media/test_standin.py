"""The engine that makes no files."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rotoclear.media.interfaces import IEngine
from rotoclear.media.standin import StandIn
from rotoclear.state.errors import DeviceError
from tests.devices.puppets import Puppet, camera


class Taking(SynchronousTestCase):
    def setUp(self) -> None:
        self.head = camera()
        self.camera: Puppet | None = self.head
        self.engine = StandIn(lambda: self.camera)
        self.addCleanup(self.engine.stop)

    def watched(self, head: Puppet) -> bool:
        """Whether somebody holds the other end of the last view."""
        end = head.viewers[-1]
        end.setblocking(False)
        try:
            return bool(end.recv(1))
        except BlockingIOError:
            return True

    def test_it_is_an_engine(self) -> None:
        verifyObject(IEngine, self.engine)

    def test_a_snapshot_is_one_picture(self) -> None:
        self.successResultOf(self.engine.snap())
        self.assertEqual(self.head.calls, [("capture",)])

    def test_the_head_is_watched_while_a_recording_runs(self) -> None:
        for begin, end in (
            (self.engine.start, self.engine.pause),
            (self.engine.resume, self.engine.stop),
        ):
            self.head.forget()
            self.successResultOf(begin())
            self.assertEqual(self.head.calls, [("view",), ("capture",)])
            self.assertTrue(self.watched(self.head))
            self.successResultOf(end())
            self.assertFalse(self.watched(self.head))

    def test_a_fault_of_the_head_is_a_fault_of_the_step(self) -> None:
        for fault in ("capture", "view"):
            self.head.faults = {fault: "hangs"}
            for step in (self.engine.start, self.engine.resume):
                self.failureResultOf(step(), DeviceError)
                if self.head.viewers:
                    self.assertFalse(self.watched(self.head))
        self.head.faults = {"capture": "hangs"}
        self.failureResultOf(self.engine.snap(), DeviceError)

    def test_a_start_that_takes_too_long_leaves_nothing_behind(self) -> None:
        self.head.slow = True
        started = self.engine.start()
        started.addErrback(lambda _: None)
        self.head.answer()
        started.cancel()
        self.assertFalse(self.watched(self.head))

    def test_a_recording_follows_to_another_head(self) -> None:
        self.successResultOf(self.engine.start())
        self.engine.follow()
        self.assertEqual(len(self.head.viewers), 1)
        self.camera = other = camera("b")
        self.engine.follow()
        self.assertFalse(self.watched(self.head))
        self.assertTrue(self.watched(other))
        self.successResultOf(self.engine.stop())
        self.assertFalse(self.watched(other))

    def test_without_a_recording_there_is_nothing_to_follow(self) -> None:
        self.engine.follow()
        self.assertEqual(self.head.calls, [])

    def test_a_view_that_comes_too_late_is_closed(self) -> None:
        self.successResultOf(self.engine.start())
        self.camera = other = camera("b")
        other.slow = True
        self.engine.follow()
        self.successResultOf(self.engine.stop())
        other.answer()
        self.assertFalse(self.watched(other))

    def test_a_view_that_fails_is_tried_when_something_changes(self) -> None:
        self.successResultOf(self.engine.start())
        self.camera = other = camera("b")
        other.faults["view"] = "gone"
        self.engine.follow()
        other.faults.clear()
        self.engine.follow()
        self.assertTrue(self.watched(other))

    def test_a_head_in_a_reset_does_not_answer(self) -> None:
        self.camera = None
        self.failureResultOf(self.engine.snap(), DeviceError)
        self.failureResultOf(self.engine.start(), DeviceError)

    def test_ending_and_pausing_need_no_head(self) -> None:
        self.camera = None
        self.successResultOf(self.engine.stop())
        self.successResultOf(self.engine.pause())
