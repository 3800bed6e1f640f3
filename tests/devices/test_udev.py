"""Which devices are plugged in, by a daemon that is played."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.udev import COLD, MOST, TOGETHER, TURN
from rotoclear.devices.udevlib import Event, Overflow
from rotoclear.interfaces import Match, UdevDevice
from tests.devices.kernel import Kernel, leds

LEDS = (Match(subsystem="leds"),)


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.kernel = Kernel()
        self.told: list[tuple[UdevDevice, ...]] = []

    def watch(self, matches: Sequence[Match] = LEDS) -> None:
        self.kernel.plugged.watch(matches, self.told.append)
        self.kernel.settle()

    def names(self) -> list[str]:
        """Of what was told last."""
        return [device.path.rpartition("/")[2] for device in self.told[-1]]

    def log(self) -> list[LogEvent]:
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        return events


class Telling(Case):
    def test_nothing_is_looked_at_before_someone_watches(self) -> None:
        self.kernel.settle()
        self.assertEqual(self.kernel.asked, [])

    def test_what_is_there_is_told_in_the_order_of_the_paths(self) -> None:
        for name in ("b", "c", "a"):
            self.kernel.devices[name] = leds(name)
        self.watch()
        self.assertEqual(len(self.told), 1)
        self.assertEqual(self.names(), ["a", "b", "c"])

    def test_that_there_is_nothing_is_told_too(self) -> None:
        self.watch()
        self.assertEqual(self.told, [()])

    def test_what_comes_and_goes_is_told(self) -> None:
        self.watch()
        self.kernel.plug(leds("a"))
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])
        self.kernel.unplug(leds("a"))
        self.kernel.settle()
        self.assertEqual(self.names(), [])
        self.assertEqual(len(self.told), 3)

    def test_a_burst_is_told_once(self) -> None:
        self.watch()
        devices = [leds(f"led{number:03}") for number in range(50)]
        for _ in range(10):
            self.kernel.plug(*devices)
            self.kernel.unplug(*devices)
        self.kernel.plug(devices[7])
        self.kernel.settle()
        self.assertEqual(len(self.told), 2)
        self.assertEqual(self.names(), ["led007"])

    def test_what_is_as_it_was_is_not_told(self) -> None:
        self.watch()
        self.kernel.plug(leds("a"))
        self.kernel.settle()
        self.kernel.unplug(leds("a"))
        self.kernel.plug(leds("a"))
        self.kernel.settle()
        self.assertEqual(len(self.told), 2)

    def test_a_changed_property_is_told(self) -> None:
        self.watch()
        self.kernel.plug(leds("a", ID_SERIAL="1"))
        self.kernel.settle()
        self.kernel.plug(leds("a", ID_SERIAL="2"))
        self.kernel.settle()
        self.assertEqual(self.told[-1][0].properties["ID_SERIAL"], "2")

    def test_one_that_has_moved_is_there_once(self) -> None:
        self.kernel.devices["a"] = leds("a")
        self.watch()
        self.kernel.says(Event("/sys/devices/a", leds("b")))
        self.kernel.settle()
        self.assertEqual(self.names(), ["b"])

    def test_each_is_told_of_what_is_for_it(self) -> None:
        disk = UdevDevice(path="/sys/devices/sda", subsystem="block", properties={"X": "usb"})
        self.watch()
        disks: list[tuple[UdevDevice, ...]] = []
        self.kernel.plugged.watch((Match(subsystem="block", properties={"X": "u*"}),), disks.append)
        self.kernel.settle()
        self.kernel.plug(leds("a"), disk, evolve(disk, path="/sys/devices/sdb", properties={}))
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])
        self.assertEqual(disks, [(), (disk,)])
        assert self.kernel.events is not None
        self.assertLessEqual({"leds", "block"}, set(self.kernel.events.subsystems))

    def test_who_watches_what_is_known_is_told_without_another_look(self) -> None:
        self.kernel.devices["a"] = leds("a")
        self.watch()
        self.watch()
        self.assertEqual(self.told[0], self.told[1])
        self.assertEqual(self.kernel.plugged.looks, 1)

    def test_who_watches_during_a_look_is_told_too(self) -> None:
        self.kernel.busy = True
        self.watch()
        self.kernel.devices["a"] = UdevDevice(path="/sys/devices/sda", subsystem="block")
        disks: list[tuple[UdevDevice, ...]] = []
        self.kernel.plugged.watch((Match(subsystem="block"),), disks.append)
        self.kernel.busy = False
        self.kernel.finish()
        self.kernel.settle()
        self.assertEqual([device.path for device in disks[-1]], ["/sys/devices/sda"])

    def test_not_more_than_a_driver_can_be_told(self) -> None:
        events = self.log()
        for number in range(MOST + 1):
            self.kernel.devices[str(number)] = leds(f"led{number:03}")
        self.watch()
        self.assertEqual(len(self.told[0]), MOST)
        self.assertIn("is told of 100 only", formatEvent(events[-1]))

    def test_the_mistake_of_one_is_not_anothers(self) -> None:
        def fail(devices: tuple[UdevDevice, ...]) -> None:
            raise RuntimeError("oh")

        self.kernel.plugged.watch(LEDS, fail)
        self.watch()
        self.assertEqual(self.told, [()])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class Looking(Case):
    def test_what_comes_during_a_look_comes_after_what_it_has_seen(self) -> None:
        self.kernel.devices["a"] = leds("a")
        self.kernel.busy = True
        self.watch()
        self.kernel.says(Event("/sys/devices/a", None), Event("", leds("b")))
        self.assertEqual(self.told, [])
        self.kernel.finish()
        self.kernel.settle()
        self.assertEqual(self.names(), ["b"])

    def test_so_it_is_when_it_is_looked_again(self) -> None:
        self.watch()
        self.kernel.devices["a"] = leds("a")
        self.kernel.busy = True
        self.kernel.lose()
        self.kernel.says(Event("/sys/devices/a", None), Event("", leds("b")))
        self.kernel.finish()
        self.kernel.settle()
        self.assertEqual(self.names(), ["b"])

    def test_a_loss_has_everything_looked_at_again(self) -> None:
        self.watch()
        self.kernel.devices["a"] = leds("a")
        self.kernel.lose()
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])
        self.assertEqual(self.kernel.plugged.looks, 2)

    def test_what_is_told_after_a_loss_and_was_before_it_is_not_believed(self) -> None:
        self.watch()
        self.kernel.busy = True
        # That it went again is among what was lost.
        self.kernel.lose(Event("", leds("a")))
        self.kernel.settle()
        self.kernel.finish()
        self.kernel.settle()
        self.assertEqual(self.told, [()])

    def test_many_losses_in_a_row_are_one_look(self) -> None:
        self.watch()
        self.kernel.says(*[Overflow()] * 20, Event("", leds("a")), Overflow())
        self.kernel.settle()
        self.assertEqual(self.kernel.plugged.looks, 2)

    def test_a_loss_during_a_look_is_another_look(self) -> None:
        self.watch()
        self.kernel.busy = True
        self.kernel.lose()
        self.kernel.devices["a"] = leds("a")
        self.kernel.lose()
        self.kernel.busy = False
        self.kernel.finish()
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])

    def test_a_loss_with_nothing_left_to_read_is_one_too(self) -> None:
        self.watch()
        self.kernel.devices["a"] = leds("a")
        self.kernel.reactor.reading.clear()  # as the reactor does
        self.kernel.plugged.connectionLost(Failure(OSError()))
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])
        self.kernel.plug(leds("b"))
        self.kernel.settle()
        self.assertEqual(self.names(), ["a", "b"])

    def test_a_loss_while_a_look_is_due_is_one_look_for_both(self) -> None:
        self.watch()
        gpio: list[tuple[UdevDevice, ...]] = []
        self.kernel.plugged.watch((Match(subsystem="gpio"),), gpio.append)
        self.kernel.reactor.reading.clear()  # as the reactor does
        self.kernel.plugged.connectionLost(Failure(OSError()))
        self.kernel.settle()
        self.assertEqual(gpio, [()])
        self.assertEqual(self.kernel.plugged.looks, 2)

    def test_a_loss_is_one_too_when_the_time_is_up_with_the_last_event(self) -> None:
        self.watch()
        assert self.kernel.events is not None
        self.kernel.devices["a"] = leds("a")
        self.kernel.events.cost = TURN
        # One turn for the loss, one for the event; then there is nothing more to read.
        self.kernel.lose(Event("", leds("b")))
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])
        self.assertEqual(self.kernel.plugged.looks, 2)

    def test_a_burst_leaves_the_reactor_its_time(self) -> None:
        self.watch()
        assert self.kernel.events is not None
        self.kernel.events.cost = TURN / 10
        self.kernel.events.queue += [Event("", leds(f"led{number}")) for number in range(100)]
        turns = 0
        while self.kernel.events.queue:
            before = self.kernel.reactor.seconds()
            self.kernel.read()
            self.assertLessEqual(self.kernel.reactor.seconds() - before, TURN * 1.2)
            turns += 1
        self.assertGreaterEqual(turns, 10)

    def test_a_socket_that_fails_for_good_is_replaced(self) -> None:
        self.watch()
        first = self.kernel.events
        assert first is not None
        self.kernel.says(OSError(9, "Bad file descriptor"))
        self.assertTrue(first.closed)
        self.kernel.devices["a"] = leds("a")
        self.kernel.reactor.advance(COLD)
        self.kernel.settle()
        self.assertIsNot(self.kernel.events, first)
        self.assertEqual(self.names(), ["a"])

    def test_a_look_that_fails_is_tried_again_and_holds_up_nobody(self) -> None:
        self.kernel.error = PermissionError(13, "no")
        self.watch()
        self.assertEqual(self.told, [()])
        self.assertIn("no", self.kernel.plugged.reason)
        self.assertEqual(len(self.flushLoggedErrors(PermissionError)), 1)
        assert self.kernel.events is not None
        self.assertTrue(self.kernel.events.closed)
        self.kernel.error = None
        self.kernel.devices["a"] = leds("a")
        self.kernel.reactor.advance(COLD)
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])
        self.assertEqual(self.kernel.plugged.reason, "")


class Cold(Case):
    def setUp(self) -> None:
        super().setUp()
        self.kernel.daemon = "No udev daemon runs"

    def test_without_a_daemon_sysfs_is_looked_through_again_and_again(self) -> None:
        self.watch()
        self.assertEqual(self.kernel.asked, [(("leds",), False)])
        self.assertEqual(self.told, [()])
        self.kernel.devices["a"] = leds("a")
        self.kernel.reactor.advance(COLD)
        self.kernel.settle()
        self.assertEqual(self.names(), ["a"])

    def test_properties_that_nobody_knows_are_not_asked_for(self) -> None:
        self.kernel.devices["a"] = leds("a")
        self.watch((Match(subsystem="leds", properties={"ID_VENDOR_ID": "1d6b"}),))
        self.assertEqual(self.names(), ["a"])

    def test_it_is_said_once(self) -> None:
        events = self.log()
        self.watch()
        for _ in range(5):
            self.kernel.reactor.advance(COLD)
            self.kernel.settle()
        (event,) = events
        self.assertIn("No udev daemon runs: /sys is looked through", formatEvent(event))
        self.assertEqual(self.kernel.plugged.reason, "No udev daemon runs")

    def test_a_daemon_that_comes_is_listened_to(self) -> None:
        self.kernel.devices["a"] = leds("a")
        self.watch((Match(subsystem="leds", properties={"ID_VENDOR_ID": "1d6b"}),))
        self.kernel.daemon = ""
        self.kernel.reactor.advance(COLD)
        self.kernel.settle()
        self.assertEqual(self.names(), [])
        self.assertEqual(self.kernel.plugged.reason, "")
        self.kernel.plug(leds("b", ID_VENDOR_ID="1d6b"))
        self.kernel.settle()
        self.assertEqual(self.names(), ["b"])


class Ends(Case):
    def ended(self) -> None:
        self.successResultOf(self.kernel.plugged.stop())
        self.assertEqual(self.kernel.reactor.getDelayedCalls(), [])
        self.assertEqual(self.kernel.reactor.reading, set())

    def test_nothing_is_left(self) -> None:
        self.watch()
        self.kernel.plug(leds("a"))
        self.ended()
        assert self.kernel.events is not None
        self.assertTrue(self.kernel.events.closed)
        self.assertEqual(self.told, [()])

    def test_in_every_other_state_too(self) -> None:
        self.ended()
        self.kernel = Kernel()
        self.kernel.plugged.watch(LEDS, self.told.append)
        self.ended()
        self.kernel = Kernel()
        self.kernel.daemon = "none"
        self.watch()
        self.ended()
        self.kernel = Kernel()
        self.watch()
        self.kernel.plugged.connectionLost(Failure(OSError()))
        self.ended()

    def test_also_when_all_seems_over_while_a_look_is_due(self) -> None:
        self.watch()
        self.kernel.plugged.watch((Match(subsystem="gpio"),), lambda devices: None)
        self.kernel.plugged.connectionLost(Failure(OSError()))
        self.ended()

    def test_a_look_is_waited_for_and_leaves_no_socket_open(self) -> None:
        self.kernel.busy = True
        self.watch()
        stopped = self.kernel.plugged.stop()
        self.assertNoResult(stopped)
        self.kernel.finish()
        self.successResultOf(stopped)
        self.ended()
        assert self.kernel.events is not None
        self.assertTrue(self.kernel.events.closed)

    def test_telling_is_quick(self) -> None:
        self.assertLessEqual(TOGETHER, 0.05)
