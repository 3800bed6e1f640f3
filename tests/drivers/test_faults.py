"""How simulated devices misbehave."""

from __future__ import annotations

import threading
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.drivers.faults import Faults
from rotoclear.interfaces import DeviceFailure

SECONDS = 10
"""For what happens at once."""


class FaultCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.faults = Faults()
        self.addCleanup(self.faults.clear)

    def refused(self, pattern: str, fault: str, **arguments: Any) -> None:
        with self.assertRaisesRegex(ValueError, pattern):
            self.faults.put(fault, arguments)
        self.assertEqual(self.faults.active, {})

    def background(self, call: Any, *arguments: str) -> threading.Thread:
        thread = threading.Thread(target=call, args=arguments, daemon=True)
        thread.start()
        return thread


class Arguments(FaultCase):
    def test_what_there_is_not(self) -> None:
        self.refused(
            "there are: latency, hang, error, silent, crash, spew, freeze, drop, corrupt", "warp"
        )
        self.refused("its arguments are: none", "hang", seconds=1)
        self.refused("its arguments are: control, times", "error", often=1)

    def test_what_does_not_fit(self) -> None:
        self.refused("milliseconds must be a whole number", "latency", milliseconds="5")
        self.refused("milliseconds must be a whole number", "latency", milliseconds=True)
        self.refused("from 1 to 600000", "latency")
        self.refused("from 1 to 600000", "latency", milliseconds=0)
        self.refused("hang must be true or false", "silent", hang=1)
        self.refused("at least 1", "error", times=0)
        self.refused("from 1 to 100", "drop", percent=0)
        self.refused("from 1 to 100", "drop", percent=101)
        self.refused("no such signal", "crash", signal=1000)


class Effects(FaultCase):
    def test_in_good_health_nothing_happens(self) -> None:
        self.faults.meet("gain")
        self.faults.meet_probe()

    def test_errors_of_all_calls(self) -> None:
        self.faults.put("error", {})
        for call in ("gain", "select"):
            with self.assertRaisesRegex(DeviceFailure, f"{call} was not taken"):
                self.faults.meet(call)
        self.faults.meet_probe()

    def test_errors_of_one_control_a_number_of_times(self) -> None:
        self.faults.put("error", {"control": "gain", "times": 2})
        self.faults.meet("contrast")
        for _ in range(2):
            with self.assertRaises(DeviceFailure):
                self.faults.meet("gain")
        self.faults.meet("gain")
        self.assertEqual(self.faults.active, {})

    def test_silence(self) -> None:
        self.faults.put("silent", {})
        with self.assertRaisesRegex(DeviceFailure, "no sign of life"):
            self.faults.meet_probe()
        self.faults.meet("gain")

    def test_a_hang_holds_one_call_until_it_is_cleared(self) -> None:
        self.faults.put("hang", {})
        hung = self.background(self.faults.meet, "gain")
        while self.faults.active:  # it has met it
            pass
        self.faults.meet("contrast")
        self.assertTrue(hung.is_alive())
        self.faults.clear()
        hung.join(SECONDS)
        self.assertFalse(hung.is_alive())

    def test_latency_ends_when_it_is_cleared(self) -> None:
        self.faults.put("latency", {"milliseconds": 600_000})
        slow = self.background(self.faults.meet, "gain")
        self.faults.clear()
        slow.join(SECONDS)
        self.assertFalse(slow.is_alive())
