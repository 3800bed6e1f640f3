"""The whole room, with real processes and simulated devices."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from rotoclear.config import Configuration
from rotoclear.devices import service
from rotoclear.devices.service import CACHE, Devices
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from rotoclear.state.permissions import PERMISSIONS
from rotoclear.state.queue import Outcome
from rotoclear.values import Value
from tests.devices.puppets import errors
from tests.devices.vendors import Events, Vendors


class RoomCase(TestCase):
    """A room with what a test needs of the simulator."""

    timeout = 30
    disabled: ClassVar[tuple[str, ...]] = ()
    drivers: ClassVar[dict[str, Any]] = {}
    scanned: ClassVar[bytes] = b""

    async def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.vendors = Vendors(self.folder)
        (self.folder / CACHE).write_bytes(RoomCase.scanned)
        self.prepare()
        self.model = Model(reactor, KeyTable())  # type: ignore[arg-type]
        self.news = Events()
        self.model.observe(lambda values: self.news.add(dict(values)))
        self.devices = Devices(
            reactor,
            self.model,
            Configuration(disabled_drivers=self.disabled, drivers=self.drivers),
            self.folder,
            path=self.vendors.path,
        )
        self.devices.startService()
        await self.devices.settled()
        RoomCase.scanned = (self.folder / CACHE).read_bytes()

    def prepare(self) -> None:
        """Put plugins where they are found."""

    async def tearDown(self) -> None:
        pids = [driver["pid"] for driver in self.devices.status()["drivers"]]
        await self.devices.stopService()
        for pid in filter(None, pids):
            self.assertFalse(os.path.exists(f"/proc/{pid}"))  # noqa: ASYNC240

    async def ask(self, **changes: Value) -> Outcome:
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        return await self.model.request(named, frozenset(PERMISSIONS))

    async def until(self, is_so: Callable[[], object]) -> None:
        """Return when it is so; looked at whenever the state changes."""
        while not is_so():
            await self.news.next()

    async def until_key(self, key: str, value: Value) -> None:
        await self.until(lambda: self.model[key] == value)

    def driver(self, name: str) -> dict[str, Any]:
        (driver,) = [d for d in self.devices.status()["drivers"] if d["name"] == name]
        return dict(driver)

    async def holds(self, target: str) -> Any:
        """What the simulated hardware holds."""
        shown: Any = await self.devices.simulate("show", target, {})
        return shown["holds"]

    async def back(self, target: str, device: Callable[[], Any], before: object) -> Any:
        """Return what it holds, once it is another object and has been told everything."""
        heads = Events()
        self.devices.heads.observe(heads.add)
        while device() is None or device() is before:
            await heads.next()
        return await self.applied(target, device)

    async def applied(self, target: str, device: Callable[[], Any]) -> Any:
        """Return what it holds, once it has been told everything and does nothing any more."""
        told = {"brightness", "contrast", "noise-supression", "rate"}
        while True:
            await device().call("probe")
            holds = await self.holds(target)
            if told <= holds.keys():
                await device().call("probe")
                return holds

    def head(self, number: int) -> Callable[[], Any]:
        return lambda: self.devices.heads.device(number)


class Arrivals(RoomCase):
    async def test_all_that_is_simulated_is_there_once_it_has_settled(self) -> None:
        for key in ("cam1-exists", "cam2-exists", "storage-exists"):
            self.assertIs(self.model[key], True)
        self.assertEqual(self.model["storage-name"], "Simulated stick")
        status = self.devices.status()
        self.assertEqual(
            [
                (driver["name"], driver["state"])
                for driver in status["drivers"]
                if driver["group"] != "hardware"
            ],
            [
                ("simulated-head-1", "running"),
                ("simulated-head-2", "running"),
                ("simulated-lights", "running"),
                ("simulated-storage", "running"),
            ],
        )
        self.assertEqual([head["identity"] for head in status["heads"]], ["head-1", "head-2"])
        self.assertEqual([lamp["identity"] for lamp in status["lamps"]], ["lamp-1", "lamp-2"])
        self.assertEqual([volume["records"] for volume in status["volumes"]], [True])
        health = self.devices.health()
        self.assertEqual(len(health), 4)
        self.assertEqual({part["state"] for part in health.values()}, {"ok"})

    async def test_settings_and_lamps_reach_the_hardware(self) -> None:
        outcome = await self.ask(brightness=75, cam1_light=True, resolution="1280x720", fps=60)
        self.assertEqual(outcome.refused, [])
        holds = await self.holds("1")
        self.assertEqual(holds["brightness"], 75)
        self.assertEqual((holds["width"], holds["height"], holds["rate"]), (1280, 720, 60))
        self.assertEqual(await self.holds("light1"), {"on": True})

    async def test_targets_that_there_are_not(self) -> None:
        with self.assertRaisesRegex(ValueError, "there are: 1, 2, head-1, .*light1.*storage"):
            await self.devices.simulate("unplug", "3", {})
        with self.assertRaisesRegex(ValueError, "There is no fault 'warp'"):
            await self.devices.simulate("warp", "1", {})
        with self.assertRaisesRegex(ValueError, "milliseconds"):
            await self.devices.simulate("latency", "1", {"seconds": 1})


class OneHead(RoomCase):
    disabled = ("simulated-lights", "simulated-storage")


class Plugs(OneHead):
    async def test_unplugged_and_plugged(self) -> None:
        await self.ask(brightness=75)
        before = self.devices.heads.device(1)
        await self.devices.simulate("unplug", "1", {})
        await self.until_key("cam1-exists", False)
        self.assertEqual((await self.ask(brightness=60)).refused, [])
        self.assertEqual(errors(await self.ask(main_camera=1)), {"main-camera": "Not available"})
        await self.devices.simulate("plug", "1", {})
        await self.until_key("cam1-exists", True)
        holds = await self.back("1", self.head(1), before)
        self.assertEqual(holds["brightness"], 60)

    async def test_one_that_does_not_answer_is_gone_until_it_does(self) -> None:
        await self.devices.simulate("silent", "2", {})
        await self.until_key("cam2-exists", False)
        await self.devices.simulate("clear", "2", {})
        await self.until_key("cam2-exists", True)

    async def test_one_whose_probe_hangs_is_gone_and_comes_back_in_a_new_process(self) -> None:
        before = self.driver("simulated-head-2")["pid"]
        await self.devices.simulate("silent", "2", {"hang": True})
        await self.until_key("cam2-exists", False)
        self.assertEqual((await self.ask(brightness=61)).refused, [])
        await self.until_key("cam2-exists", True)
        self.assertNotEqual(self.driver("simulated-head-2")["pid"], before)


class Faults(OneHead):
    async def test_killed_it_is_back_with_what_was_confirmed_and_was_never_gone(self) -> None:
        await self.ask(brightness=75, noise_supression=True)
        before = self.devices.heads.device(1)
        os.kill(self.driver("simulated-head-1")["pid"], signal.SIGKILL)
        holds = await self.back("1", self.head(1), before)
        self.assertEqual((holds["brightness"], holds["noise-supression"]), (75, True))
        self.assertNotIn({"cam1-exists": False}, self.news.all)
        self.assertEqual(self.driver("simulated-head-1")["restarts"], 1)

    async def test_hanging_its_own_keys_fail_others_are_answered_and_it_is_back(self) -> None:
        await self.ask(brightness=75)
        before = self.devices.heads.device(1)
        await self.devices.simulate("hang", "1", {})
        hung = self.model.request({"contrast": 60}, frozenset(PERMISSIONS))
        self.assertEqual((await self.ask(cam2_sensor=2)).refused, [])
        self.assertFalse(hung.called)
        self.assertEqual(errors(await hung), {"contrast": "Device error"})
        self.assertEqual(self.model["contrast"], 50)
        holds = await self.back("1", self.head(1), before)
        self.assertEqual((holds["brightness"], holds["contrast"]), (75, 50))

    async def test_stopped_by_a_signal_it_is_ended_and_back(self) -> None:
        await self.ask(brightness=75)
        await self.applied("1", self.head(1))
        before = self.devices.heads.device(1)
        os.kill(self.driver("simulated-head-1")["pid"], signal.SIGSTOP)
        self.assertEqual((await self.ask(cam2_sensor=2)).refused, [])
        await self.until_key("cam1-exists", False)
        await self.until_key("cam1-exists", True)
        self.assertEqual((await self.back("1", self.head(1), before))["brightness"], 75)

    async def test_spewing_it_goes_on(self) -> None:
        await self.devices.simulate("spew", "1", {})
        for value in range(20):
            outcome = await self.ask(brightness=value, cam2_sensor=1 + value % 2)
            self.assertEqual(outcome.refused, [])
        self.assertEqual((await self.holds("1"))["brightness"], 19)
        self.assertEqual(self.driver("simulated-head-1")["restarts"], 0)
        await self.devices.simulate("clear", "1", {})

    async def test_crashing_on_request(self) -> None:
        before = self.devices.heads.device(1)
        await self.devices.simulate("crash", "1", {"signal": 11})
        await self.back("1", self.head(1), before)
        self.assertEqual(self.driver("simulated-head-1")["restarts"], 1)

    async def test_refusing(self) -> None:
        await self.devices.simulate("error", "1", {"control": "brightness", "times": 1})
        outcome = await self.ask(brightness=10, contrast=10)
        self.assertEqual(errors(outcome), {"brightness": "Device error"})
        self.assertEqual(outcome.applied, {"contrast": 10})
        self.assertEqual((await self.ask(brightness=10)).refused, [])

    async def test_slow(self) -> None:
        await self.devices.simulate("latency", "1", {"milliseconds": 200})
        slow = self.model.request({"brightness": 10}, frozenset(PERMISSIONS))
        self.assertEqual((await self.ask(cam2_sensor=2)).refused, [])
        self.assertFalse(slow.called)
        self.assertEqual((await slow).refused, [])

    async def test_many_deaths(self) -> None:
        await self.ask(brightness=75)
        for number in range(5):
            before = self.devices.heads.device(1)
            os.kill(self.driver("simulated-head-1")["pid"], signal.SIGKILL)
            self.assertEqual((await self.ask(cam2_sensor=1 + number % 2)).refused, [])
            holds = await self.back("1", self.head(1), before)
            self.assertEqual(holds["brightness"], 75)


class VendorsToo(RoomCase):
    disabled = ("simulated-head-1", "simulated-lights", "simulated-storage", "no-such")
    drivers: ClassVar[dict[str, Any]] = {"acme": {"wires": 3}, "nobody": {}}

    def prepare(self) -> None:
        self.vendors.lamp(
            "acme",
            "from rotoclear.interfaces import Option\n"
            "class Wired(Driver):\n"
            "    options = (\n"
            "        Option(name='wires', default=1, doc='How many.'),\n"
            "        Option(name='ends', default=('a', 'b'), doc='Which.'),\n"
            "    )\n"
            "    def start(self, context):\n"
            "        if context.options != {'wires': 3, 'ends': ('a', 'b')}:\n"
            "            raise DeviceFailure(repr(context.options))\n"
            "driver = Wired()",
        )
        self.vendors.write("bad", "1 / 0")
        self.vendors.lamp("bolt", name="simulated-head-2")

    async def test_the_good_one_works_and_the_others_are_listed_with_their_reasons(self) -> None:
        drivers = [d for d in self.devices.status()["drivers"] if d["group"] != "hardware"]
        states = {(d["name"], d["state"], d["reason"]) for d in drivers}
        self.assertEqual(
            states,
            {
                ("simulated-head-1", "disabled", "disabled-drivers has 'simulated-head-1'"),
                ("simulated-head-2", "running", ""),
                ("simulated-lights", "disabled", "disabled-drivers has 'simulated-lights'"),
                ("simulated-storage", "disabled", "disabled-drivers has 'simulated-storage'"),
                ("acme", "running", ""),
                ("bad", "failed", "ZeroDivisionError: division by zero"),
                (
                    "simulated-head-2",
                    "refused",
                    "There is a built-in driver named simulated-head-2",
                ),
            },
        )
        (lamp,) = self.devices.status()["lamps"]
        self.assertEqual((lamp["driver"], lamp["name"]), ("acme", "Acme"))
        health = self.devices.health()
        good = {"state": "ok", "vital": False}
        self.assertEqual(health["driver-simulated-head-2"], good)
        self.assertEqual(health["driver-bad"]["state"], "failed")
        self.assertEqual(health["driver-acme"], good)
        self.assertNotIn("driver-simulated-lights", health)

    async def test_what_a_driver_says_of_itself_is_told(self) -> None:
        acme = self.driver("acme")
        self.assertEqual(acme["options"], {"wires": 3, "ends": ["a", "b"]})
        file = str(self.vendors.folder.absolute() / "acme.py")
        self.assertEqual((acme["file"], acme["distribution"]), (file, file))
        self.assertEqual((acme["matches"], acme["keys"]), ([], []))
        self.assertEqual(acme["group"], "vendors")

    async def test_names_in_the_configuration_that_nobody_has(self) -> None:
        self.assertEqual(
            self.devices.status()["warnings"],
            [
                "disabled-drivers names 'no-such', and there is no such driver",
                "[drivers.nobody] is there, and there is no such driver",
            ],
        )

    async def test_what_is_no_simulator_cannot_be_told_to_misbehave(self) -> None:
        with self.assertRaisesRegex(ValueError, "there are: 2, head-2$"):
            await self.devices.simulate("unplug", "lamp", {})


class KeysOfADriver(RoomCase):
    disabled = ("simulated",)

    def prepare(self) -> None:
        source = (
            "from rotoclear.interfaces import DriverKey, IKeys\n"
            "from rotoclear.values import Integer\n"
            "@implementer(IKeys)\n"
            "class Keyed(Driver):\n"
            "    keys = (\n"
            "        DriverKey(name='vendor-acme-speed', type=Integer(0, 9), default=2,\n"
            "                  doc='It.'),\n"
            "        DriverKey(name='vendor-acme-told', type=Integer(0, 9), default=0, doc='It.',\n"
            "                  writable=False),\n"
            "    )\n"
            "    def set_key(self, name, value):\n"
            "        if value == 9: raise DeviceFailure('Too fast')\n"
            "        self.context.publish('vendor-acme-told', value)\n"
            "driver = Keyed()"
        )
        self.vendors.lamp("acme", source)
        self.vendors.lamp("bolt", source, name="bolt")

    async def test_they_are_set_published_and_told_again(self) -> None:
        await self.until_key("vendor-acme-told", 2)
        self.assertEqual((await self.ask(vendor_acme_speed=5)).refused, [])
        await self.until_key("vendor-acme-told", 5)
        outcome = await self.ask(vendor_acme_speed=9)
        self.assertEqual(outcome.refused[0].message, "Too fast")
        self.assertEqual(self.model["vendor-acme-speed"], 5)
        self.model.commit({"vendor-acme-told": 0})
        os.kill(self.driver("acme")["pid"], signal.SIGKILL)
        await self.until_key("vendor-acme-told", 5)
        self.assertEqual(self.driver("acme")["keys"], ["vendor-acme-speed", "vendor-acme-told"])

    async def test_a_second_driver_with_the_same_keys_is_refused(self) -> None:
        bolt = self.driver("bolt")
        reason = "The key vendor-acme-speed is the driver acme's already"
        self.assertEqual((bolt["state"], bolt["reason"]), ("refused", reason))


class WrongOptions(RoomCase):
    disabled = ("simulated",)
    drivers: ClassVar[dict[str, Any]] = {"acme": {"wire": 3, "wires": "many"}}

    def prepare(self) -> None:
        self.vendors.lamp(
            "acme",
            "from rotoclear.interfaces import Option\n"
            "class Wired(Driver):\n"
            "    options = (Option(name='wires', default=1, doc='How many.', minimum=0),)\n"
            "driver = Wired()",
        )
        self.vendors.lamp("bolt", name="bolt")

    async def test_that_driver_is_refused_and_the_rest_runs(self) -> None:
        acme = self.driver("acme")
        reason = (
            "[drivers.acme] wire: there is no such option; did you mean wires?; "
            "[drivers.acme] wires: must be a whole number of at least 0, not 'many'"
        )
        self.assertEqual((acme["state"], acme["reason"], acme["pid"]), ("refused", reason, None))
        self.assertEqual(self.driver("bolt")["state"], "running")
        self.assertEqual(
            self.devices.health()["driver-acme"],
            {"state": "refused", "vital": False, "reason": reason},
        )


class Stuck(RoomCase):
    disabled = ("simulated-head-1", "simulated-head-2", "simulated-lights", "simulated-storage")

    def prepare(self) -> None:
        self.vendors.lamp("acme", "Lamp.probe = lambda self: time.sleep(600)\ndriver = Driver()")
        self.vendors.lamp(
            "bolt", "Lamp.close = lambda self: time.sleep(600)\ndriver = Driver()", name="bolt"
        )

    async def test_the_end_comes_all_the_same(self) -> None:
        self.assertEqual(len(self.devices.status()["lamps"]), 1)
        await self.devices.stopService()


class Slow(RoomCase):
    disabled = ("simulated-head-2", "simulated-lights", "simulated-storage")

    def prepare(self) -> None:
        self.patch(service, "SETTLE", 3.0)
        self.vendors.lamp(
            "acme", "Driver.start = lambda self, context: time.sleep(4)\ndriver = Driver()"
        )

    async def test_a_driver_that_is_slow_to_start_is_not_waited_for(self) -> None:
        self.assertEqual(self.driver("acme")["state"], "starting")
        self.assertEqual(self.driver("simulated-head-1")["state"], "running")


class NoPython(TestCase):
    async def test_no_process_can_be_started(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()  # noqa: ASYNC240
        good = Devices(reactor, Model(reactor, KeyTable()), Configuration(), folder)  # type: ignore[arg-type]
        good.startService()
        await good.settled()
        await good.stopService()
        model = Model(reactor, KeyTable())  # type: ignore[arg-type]
        devices = Devices(reactor, model, Configuration(), folder, "/no/such/python")
        devices.startService()
        await devices.settled()
        states = {driver["state"] for driver in devices.status()["drivers"]}
        self.assertEqual(states - {"disabled"}, {"failed"})
        await devices.stopService()
