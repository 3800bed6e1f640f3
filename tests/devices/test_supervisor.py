"""All drivers as one source of devices."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.device import Device
from rotoclear.devices.supervisor import Supervisor
from tests.devices.stage import HEAD, LIGHTS, STORAGE, Stage


class Source(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.supervisor = Supervisor(self.stage.clock, self.stage.spawn)

    def start(self) -> None:
        for plugin in (HEAD, LIGHTS):
            self.supervisor.start(plugin, {})
            self.stage.process.started(plugin)

    def test_devices_of_all_drivers_are_announced(self) -> None:
        self.supervisor.subscribe(self.stage.arrived, self.stage.left)
        self.start()
        self.stage.processes[0].finds("a")
        self.stage.processes[1].finds("b", "c")
        self.stage.processes[1].finds("c")
        self.assertEqual(
            self.stage.events,
            [
                ("arrived", "a"),
                ("arrived", "b"),
                ("arrived", "c"),
                ("left", "b", "It is not there any more"),
            ],
        )

    def test_who_comes_later_is_told_at_once(self) -> None:
        self.start()
        self.stage.processes[1].finds("b")
        self.supervisor.subscribe(self.stage.arrived, self.stage.left)
        self.assertEqual(self.stage.events, [("arrived", "b")])

    def test_a_subscribers_mistake_is_its_own(self) -> None:
        def fail(device: Device) -> None:
            raise RuntimeError("oh")

        self.supervisor.subscribe(fail, lambda device, reason: None)
        self.supervisor.subscribe(self.stage.arrived, self.stage.left)
        self.start()
        self.stage.processes[0].finds("a")
        self.assertEqual(self.stage.events, [("arrived", "a")])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_one_drivers_death_is_its_own(self) -> None:
        self.supervisor.subscribe(self.stage.arrived, self.stage.left)
        self.start()
        self.stage.processes[0].finds("a")
        self.stage.processes[1].finds("b")
        self.stage.processes[0].dies()
        self.assertFalse(self.stage.devices["a"].alive)
        self.assertTrue(self.stage.devices["b"].alive)
        self.successResultOf(self.stage.devices["b"].call("switch", True))

    def test_a_driver_is_started_once(self) -> None:
        self.supervisor.start(STORAGE, {})
        with self.assertRaises(ValueError):
            self.supervisor.start(STORAGE, {})

    def test_it_has_settled_when_all_have(self) -> None:
        self.start()
        settled = self.supervisor.settled()
        self.stage.processes[0].finds("a")
        self.assertNoResult(settled)
        self.stage.processes[1].finds()
        self.successResultOf(settled)

    def test_giving_up_the_wait_harms_nobody(self) -> None:
        self.start()
        settled = self.supervisor.settled()
        settled.addErrback(lambda _: None)
        settled.cancel()
        self.stage.processes[0].finds("a")
        self.stage.processes[1].finds()
        self.successResultOf(self.supervisor.settled())
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_it_stops_when_all_have(self) -> None:
        self.start()
        stopped = self.supervisor.stop()
        for process in self.stage.processes:
            self.assertNoResult(stopped)
            assert process.stopped is not None
            process.stopped.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.stage.clock.getDelayedCalls(), [])
