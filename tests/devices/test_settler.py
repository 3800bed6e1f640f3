"""However changes cross, and whatever fails: the device ends at what was confirmed."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.settler import Settler, Step, Values
from rotoclear.state.errors import DeviceError
from rotoclear.values import Value
from tests.devices.puppets import Puppet, camera


class Settling(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.confirmed: dict[str, Value] = {"x": 1, "y": 1}
        self.settler = Settler(self.clock, "device", self.plan)
        self.device = camera()
        self.device.slow = True

    def plan(self, coming: Values) -> dict[str, Step]:
        return {name: ("set", (name, coming.get(name, self.confirmed[name]))) for name in "xy"}

    def settle(self, device: Puppet) -> None:
        """Nothing is left to do, and all of it is as confirmed."""
        for _ in range(10):
            self.clock.advance(0)
            device.answer_all()
        self.assertEqual(device.holds, self.confirmed)

    def connect(self) -> None:
        self.settler.connect(self.device)
        self.settle(self.device)
        self.device.forget()

    def bring(self, **values: Value) -> Deferred[None]:
        return Deferred.fromCoroutine(self.settler.bring(values))

    def test_what_is_being_brought_is_not_sent_twice(self) -> None:
        self.connect()
        self.bring(x=2)
        self.settler.refresh()
        self.clock.advance(0)
        self.assertEqual(self.device.calls, [("set", "x", 2)])

    def test_the_background_asks_for_one_thing_at_a_time(self) -> None:
        self.settler.connect(self.device)
        self.settler.refresh()
        self.assertEqual(self.device.calls, [("set", "x", 1)])
        self.settle(self.device)

    def test_a_failed_change_is_taken_back_though_that_failed_before(self) -> None:
        self.device.faults["x"] = "no"
        self.settler.connect(self.device)
        self.device.answer_all()
        failed = self.bring(x=2)
        self.device.answer_all()
        self.failureResultOf(failed, DeviceError)
        del self.device.faults["x"]
        self.settle(self.device)

    def test_an_answer_of_the_device_before_does_not_count_for_the_new_one(self) -> None:
        self.settler.connect(self.device)
        again = camera()
        again.slow = True
        self.settler.connect(again)
        self.device.answer_all()
        self.settle(again)

    def test_a_change_that_is_given_up_after_another_was_taken_is_undone(self) -> None:
        self.settler.connect(self.device)
        given_up = self.bring(x=2)
        self.device.answer()
        self.assertEqual(self.device.holds, {"x": 1})
        given_up.addErrback(lambda failure: None)
        given_up.cancel()
        self.settle(self.device)

    def test_back_to_what_it_had_waits_for_what_is_on_its_way(self) -> None:
        self.connect()
        self.confirmed["x"] = 2
        self.settler.refresh()
        back = self.bring(x=1)
        self.assertNoResult(back)
        self.device.answer_all()
        self.successResultOf(back)
        self.assertEqual(self.device.holds["x"], 1)

    def test_without_a_device_there_is_nothing_to_wait_for(self) -> None:
        self.successResultOf(self.bring(x=2))
