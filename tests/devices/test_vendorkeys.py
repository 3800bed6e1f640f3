"""Keys that drivers bring along, with a clock in hand."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.plugin import Plugin
from rotoclear.devices.vendorkeys import PACE, QUIET, DriversKeys, Taken, VendorKeys
from rotoclear.interfaces import DriverKey
from rotoclear.state.errors import DeviceError, NotAvailable
from rotoclear.state.permissions import PERMISSIONS
from rotoclear.values import Boolean, Integer, Value
from tests.devices.puppets import House, errors, message

SPEED = DriverKey(name="vendor-acme-speed", type=Integer(0, 9), default=3, doc="How fast.")
HOT = DriverKey(
    name="vendor-acme-hot",
    type=Boolean(),
    default=False,
    doc="It is.",
    permission="System",
    writable=False,
    saved=False,
)


def plugin(*keys: DriverKey, name: str = "acme") -> Plugin:
    return Plugin(name=name, kind="light", module="acme", keys=keys)


class Puppet:
    """A driver that takes what it is told, unless told otherwise."""

    def __init__(self) -> None:
        self.state = "running"
        self.told: list[tuple[str, Value]] = []
        self.answer: Any = lambda: succeed(None)

    def set_key(self, name: str, value: Value) -> Deferred[None]:
        self.told.append((name, value))
        done: Deferred[None] = self.answer()
        return done


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()
        self.model = self.house.model
        self.drivers: dict[str, Puppet] = {}
        self.all = VendorKeys(self.house.clock, self.model, self.drivers)

    def add(self, *keys: DriverKey) -> DriversKeys:
        keys_of_it = self.all.add(plugin(*keys))
        self.driver = self.drivers["acme"] = Puppet()
        return keys_of_it

    def ask(self, value: object) -> list[Any]:
        return self.house.request({"vendor-acme-speed": value})


class Adding(Case):
    def test_a_key_is_a_row_of_the_table(self) -> None:
        self.add(SPEED, HOT)
        speed, hot = self.model.keys[SPEED.name], self.model.keys[HOT.name]
        self.assertEqual(
            (speed.type, speed.default, speed.doc, speed.group, speed.saved),
            (Integer(0, 9), 3, "How fast.", "Vendor keys", True),
        )
        self.assertEqual(speed.read, {"Device_r", "Device_rw"})
        self.assertEqual(speed.write, {"Device_rw"})
        self.assertEqual((hot.read, hot.saved), ({"System_r", "System_rw"}, False))
        self.assertEqual(hot.write, frozenset())
        self.assertEqual(self.model[SPEED.name], 3)

    def test_a_key_that_another_driver_has(self) -> None:
        self.add(SPEED)
        with self.assertRaisesRegex(Taken, "vendor-acme-speed is the driver acme's already"):
            self.all.add(plugin(HOT, SPEED, name="bolt"))
        self.assertNotIn(HOT.name, self.model.keys)

    def test_what_was_saved_comes_back_and_is_told(self) -> None:
        self.model.restore({SPEED.name: 8})
        keys = self.add(SPEED)
        self.assertEqual(self.model[SPEED.name], 8)
        keys.serving()
        self.assertEqual(self.driver.told, [(SPEED.name, 8)])


class Setting(Case):
    def test_it_is_taken_to_the_driver_and_then_committed(self) -> None:
        self.add(SPEED)
        waiting: Deferred[None] = Deferred()
        self.driver.answer = lambda: waiting
        outcomes = self.ask(5)
        self.assertEqual(self.driver.told, [(SPEED.name, 5)])
        self.assertEqual((self.model[SPEED.name], outcomes), (3, []))
        waiting.callback(None)
        self.assertEqual((self.model[SPEED.name], outcomes[0].refused), (5, []))

    def test_a_driver_that_refuses(self) -> None:
        self.add(SPEED)
        self.driver.answer = lambda: fail(DeviceError("It is stuck"))
        (outcome,) = self.ask(5)
        self.assertEqual(errors(outcome), {SPEED.name: "Device error"})
        self.assertEqual(message(outcome), "It is stuck")
        self.assertEqual(self.model[SPEED.name], 3)

    def test_a_driver_that_does_not_run(self) -> None:
        self.add(SPEED)
        for state in ("idle", "starting", "failed", "stopped"):
            self.driver.state = state
            (outcome,) = self.ask(5)
            self.assertEqual(errors(outcome), {SPEED.name: "Not available"})
            self.assertEqual(message(outcome), f"The driver acme is not running ({state})")
        self.drivers.clear()
        (outcome,) = self.ask(5)
        self.assertEqual(errors(outcome), {SPEED.name: "Not available"})
        self.assertEqual(self.driver.told, [])

    def test_only_the_driver_sets_what_is_not_writable(self) -> None:
        self.add(HOT)
        (outcome,) = self.house.request({HOT.name: True})
        self.assertEqual(errors(outcome), {HOT.name: "Permission denied"})

    def test_a_new_process_is_told_what_was_confirmed(self) -> None:
        keys = self.add(SPEED, HOT)
        self.ask(5)
        self.driver.told.clear()
        keys.serving()
        self.assertEqual(self.driver.told, [(SPEED.name, 5)])

    def test_one_that_does_not_take_it_is_logged(self) -> None:
        keys = self.add(SPEED)
        for error in (DeviceError("no"), NotAvailable("gone")):
            self.driver.answer = lambda error=error: fail(error)
            keys.serving()


class Publishing(Case):
    def told(self) -> list[Value]:
        self.house.turn()
        return self.house.told(SPEED.name)

    def test_it_is_committed(self) -> None:
        keys = self.add(SPEED)
        keys.published(SPEED.name, 7)
        self.assertEqual(self.model[SPEED.name], 7)
        self.assertEqual(self.told(), [7])

    def test_it_is_canonical(self) -> None:
        keys = self.add(SPEED)
        keys.published(SPEED.name, 7.0)
        self.assertIs(type(self.model[SPEED.name]), int)

    def test_what_cannot_be_is_dropped_and_logged_now_and_then(self) -> None:
        keys = self.add(SPEED)
        logged: list[Any] = []
        self.patch(DriversKeys, "_log", Log(logged))
        for name, value in ((SPEED.name, 70), (SPEED.name, "x"), ("brightness", 1), ("id", 1)):
            keys.published(name, value)
        self.assertEqual(self.told(), [])
        self.assertEqual(self.model["brightness"], 50)
        self.assertEqual(len(logged), 1)
        self.assertIn("vendor-acme-speed cannot be '70': Value must be", logged[0]["what"])
        self.house.clock.advance(QUIET)
        keys.published("x" * 100, 1)
        self.assertEqual(len(logged), 2)
        self.assertLess(len(logged[1]["what"]), 100)

    def test_of_a_flood_the_newest_counts_at_a_bearable_pace(self) -> None:
        keys = self.add(SPEED)
        for number in range(1005):
            keys.published(SPEED.name, number % 9)
        self.assertEqual(self.told(), [0])
        self.house.clock.advance(PACE)
        self.assertEqual(self.told(), [0, 1004 % 9])
        self.house.clock.advance(PACE)
        self.assertEqual(self.told(), [0, 1004 % 9])
        keys.published(SPEED.name, 8)
        self.assertEqual(self.told()[-1], 8)

    def test_what_is_said_while_a_key_is_set_is_the_truth_in_the_end(self) -> None:
        keys = self.add(SPEED)
        waiting: Deferred[None] = Deferred()
        self.driver.answer = lambda: waiting
        outcomes = self.ask(5)
        keys.published(SPEED.name, 4)
        self.assertEqual(self.told(), [])
        waiting.callback(None)
        self.assertEqual(outcomes[0].applied, {SPEED.name: 5})
        self.assertEqual(self.told(), [4])
        self.assertEqual(self.model[SPEED.name], 4)

    def test_likewise_when_the_driver_refuses_in_the_end(self) -> None:
        keys = self.add(SPEED)
        waiting: Deferred[None] = Deferred()
        self.driver.answer = lambda: waiting
        self.ask(5)
        keys.published(SPEED.name, 4)
        waiting.errback(DeviceError("no"))
        self.assertEqual(self.told(), [4])

    def test_nothing_is_left_to_be_done_in_the_end(self) -> None:
        keys = self.add(SPEED)
        keys.published(SPEED.name, 4)
        self.house.turn()
        keys.stop()
        self.assertEqual(self.house.clock.getDelayedCalls(), [])


class Permissions(Case):
    def test_who_may(self) -> None:
        self.add(SPEED, HOT)
        everybody = self.model.readable(frozenset({"Device_r"}))
        self.assertIn(SPEED.name, everybody)
        self.assertNotIn(HOT.name, everybody)
        self.assertIn(HOT.name, self.model.readable(frozenset(PERMISSIONS)))


class Log:
    def __init__(self, logged: list[Any]) -> None:
        self._logged = logged

    def warn(self, text: str, **fields: Any) -> None:
        self._logged.append(fields)
