"""The scan for plugins, with real children."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

import rotoclear.plugins
from rotoclear import __version__
from rotoclear.devices import scan
from rotoclear.devices.cache import FORMAT
from rotoclear.devices.plugin import Plugin
from rotoclear.devices.scan import Scan, modules
from rotoclear.interfaces import Match
from rotoclear.values import Boolean, Choice, Integer, Text
from tests.devices.vendors import LAMP, Vendors

PYTHON = sys.executable


class Search(SynchronousTestCase):
    def setUp(self) -> None:
        self.first = Vendors(Path(self.mktemp()))
        self.second = Vendors(Path(self.mktemp()))

    def test_modules_of_all_folders_but_private_ones(self) -> None:
        self.first.write("acme", "")
        self.second.write("bolt", "")
        self.second.write("_helper", "")
        (self.second.folder / "notes.txt").write_text("")
        found, hidden = modules([str(self.first.folder), str(self.second.folder)])
        names = ["rotoclear.plugins.acme", "rotoclear.plugins.bolt"]
        self.assertEqual([module.name for module in found], names)
        self.assertEqual(hidden, [])

    def test_one_that_is_hidden_by_another_is_reported(self) -> None:
        kept = self.first.write("acme", "")
        lost = self.second.write("acme", "")
        found, (hidden,) = modules([str(self.first.folder), str(self.second.folder)])
        self.assertEqual([module.file for module in found], [str(kept)])
        self.assertEqual(hidden.state, "refused")
        self.assertIn(str(lost), hidden.reason)

    def test_a_folder_that_is_a_package_of_its_own_is_not_searched(self) -> None:
        self.first.write("__init__", "")
        folders = rotoclear.plugins.folders([self.first.path[0], self.second.path[0]])
        self.assertEqual(folders, [os.path.abspath(self.second.folder)])

    def test_the_packages_path_is_what_twisted_says_it_should_be(self) -> None:
        from twisted.plugin import pluginPackagePaths

        expected = [p for p in pluginPackagePaths("rotoclear.plugins") if os.path.isdir(p)]
        self.assertEqual(rotoclear.plugins.__path__[1:], list(dict.fromkeys(expected)))


class ScanCase(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.vendors = Vendors(self.folder)
        self.cache = self.folder / "plugins.json"

    def scan(self) -> Scan:
        return Scan(reactor, self.cache, PYTHON, self.vendors.path)

    async def found(self) -> list[Plugin]:
        """The vendors' plugins."""
        scan = self.scan()
        await scan.builtin()
        return await scan.vendors()

    async def one(self) -> Plugin:
        (plugin,) = await self.found()
        return plugin


class Builtin(ScanCase):
    async def test_the_simulator(self) -> None:
        plugins = await self.scan().builtin()
        simulated = [plugin for plugin in plugins if plugin.simulated]
        self.assertEqual(
            [(plugin.name, plugin.kind, plugin.state) for plugin in simulated],
            [
                ("simulated-head-1", "camera", "loaded"),
                ("simulated-head-2", "camera", "loaded"),
                ("simulated-lights", "light", "loaded"),
                ("simulated-storage", "storage", "loaded"),
            ],
        )
        for plugin in simulated:
            self.assertEqual(plugin.group, "simulated")
            self.assertEqual(plugin.distribution, f"rotoclear {__version__}")

    async def test_hardware(self) -> None:
        plugins = [plugin for plugin in await self.scan().builtin() if not plugin.simulated]
        for plugin in plugins:
            self.assertEqual((plugin.group, plugin.state), ("hardware", "loaded"), plugin.reason)

    async def test_all_of_them_are_looked_at_by_one_child(self) -> None:
        looks = []

        class Look(scan._Look):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                looks.append(arguments)

        with mock.patch.object(scan, "_Look", Look):
            await self.scan().builtin()
        self.assertEqual(len(looks), 1)

    async def test_one_that_ends_the_child_does_not_end_the_others(self) -> None:
        own = Vendors(self.folder / "own")
        own.lamp("rotoclear_a", name="a")
        own.write("rotoclear_b", "import os; os._exit(1)")
        own.write("rotoclear_c", "1 / 0")
        own.lamp("rotoclear_d", name="d")
        self.vendors.path.insert(0, str(self.folder / "own"))
        self.patch(rotoclear.plugins, "OWN", str(own.folder.absolute()))
        plugins = await self.scan().builtin()
        self.assertEqual(
            [(plugin.name, plugin.state, plugin.reason) for plugin in plugins],
            [
                ("a", "loaded", ""),
                ("rotoclear_b", "failed", "Its process ended with exit code 1"),
                ("rotoclear_c", "failed", "ZeroDivisionError: division by zero"),
                ("d", "loaded", ""),
            ],
        )

    async def test_on_a_slow_machine_they_are_waited_for_longer_than_a_vendors(self) -> None:
        self.patch(scan, "LIMIT", 0.0)
        self.vendors.lamp("acme", name="acme")
        look = self.scan()
        self.assertEqual({plugin.state for plugin in await look.builtin()}, {"loaded"})
        (plugin,) = await look.vendors()
        self.assertEqual(plugin.state, "failed")


class Good(ScanCase):
    async def test_a_vendors_driver(self) -> None:
        file = self.vendors.lamp("acme", "print('hello')\nlamps = Driver()\nagain = lamps")
        plugin = await self.one()
        self.assertEqual(
            plugin,
            Plugin(
                name="acme",
                kind="light",
                module="rotoclear.plugins.acme",
                attribute="again",
                file=str(file),
                distribution=str(file),
            ),
        )

    async def test_the_distribution_is_named(self) -> None:
        self.vendors.lamp("acme")
        info = self.folder / "acme_drivers-3.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-drivers\nVersion: 3.2\n")
        (info / "RECORD").write_text("rotoclear/plugins/acme.py,,\n")
        self.assertEqual((await self.one()).distribution, "acme-drivers 3.2")

    async def test_a_second_look_takes_no_child(self) -> None:
        self.vendors.lamp("acme")
        first = await self.found()
        with mock.patch.object(scan, "_Look", side_effect=AssertionError):
            self.assertEqual(await self.found(), first)

    async def test_a_changed_file_is_looked_at_again(self) -> None:
        self.vendors.lamp("acme")
        await self.found()
        self.vendors.lamp("acme", name="acme-two")
        self.assertEqual((await self.one()).name, "acme-two")

    async def test_so_is_one_whose_drivers_are_written_elsewhere(self) -> None:
        elsewhere = self.folder / "acme_driver.py"
        code = LAMP.replace("{name}", "acme")
        elsewhere.write_text(code)
        self.vendors.write("acme", "from acme_driver import Driver\ndriver = Driver()\n")
        self.assertEqual((await self.one()).name, "acme")
        elsewhere.write_text(code.replace('"acme"', '"bolt-two"'))
        self.assertEqual((await self.one()).name, "bolt-two")

    async def test_what_it_says_of_itself_survives_the_child_and_the_cache(self) -> None:
        self.vendors.lamp(
            "acme",
            "from rotoclear.interfaces import *\n"
            "from rotoclear.values import *\n"
            "@implementer(IKeys)\n"
            "class Keyed(Driver):\n"
            "    matches = (Match(subsystem='tty', properties={'ID_VENDOR_ID': '1d6b'}),)\n"
            "    options = (\n"
            "        Option(name='folder', default='/dev', doc='Where.'),\n"
            "        Option(name='gain', default=1.0, doc='How.', minimum=0, maximum=2),\n"
            "        Option(name='only', default=('a',), doc='Which.', choices=('a', 'b')),\n"
            "    )\n"
            "    keys = tuple(\n"
            "        DriverKey(name=f'vendor-acme-{n}', type=t, default=d, doc='It.')\n"
            "        for n, (t, d) in enumerate([\n"
            "            (Boolean(), False), (Integer(0, 9, 'mm'), 3),\n"
            "            (Choice(('x', 'y')), 'y'), (Text(10), '')])\n"
            "    )\n"
            "    def set_key(self, name, value): pass\n"
            "driver = Keyed()",
        )
        first = await self.one()
        self.assertEqual((first.state, first.reason), ("loaded", ""))
        self.assertEqual(
            first.matches, (Match(subsystem="tty", properties={"ID_VENDOR_ID": "1d6b"}),)
        )
        self.assertEqual(
            [(option.name, option.default, option.maximum) for option in first.options],
            [("folder", "/dev", None), ("gain", 1.0, 2.0), ("only", ("a",), None)],
        )
        self.assertEqual(
            [key.type for key in first.keys],
            [Boolean(), Integer(0, 9, "mm"), Choice(("x", "y")), Text(10)],
        )
        self.assertEqual([key.default for key in first.keys], [False, 3, "y", ""])
        with mock.patch.object(scan, "_Look", side_effect=AssertionError):
            self.assertEqual(await self.one(), first)

    async def test_a_cache_of_another_format_does_not_count(self) -> None:
        self.vendors.lamp("acme")
        await self.found()
        content = self.cache.read_text()
        self.assertIn(f"format {FORMAT},", content)
        old = content.replace(f"format {FORMAT},", "format 1,").replace('"acme"', '"old"')
        self.cache.write_text(old)
        self.assertEqual((await self.one()).name, "acme")

    async def test_the_cache_is_the_owners_alone(self) -> None:
        self.vendors.lamp("acme")
        self.cache.with_name("plugins.json.new").touch(0o666)
        await self.found()
        self.assertEqual(stat.S_IMODE(self.cache.stat().st_mode), 0o600)

    async def test_a_cache_that_makes_no_sense_does_not_matter(self) -> None:
        self.vendors.lamp("acme")
        for nonsense in (b"", b"{}", b"\xff", b'{"made_by": 1}'):
            self.cache.write_bytes(nonsense)
            self.assertEqual((await self.one()).state, "loaded")

    async def test_nor_does_one_that_cannot_be_written(self) -> None:
        self.vendors.lamp("acme")
        self.cache = self.folder / "none" / "plugins.json"
        self.assertEqual((await self.one()).state, "loaded")

    async def test_nothing_is_written_into_the_package(self) -> None:
        self.vendors.lamp("acme")
        await self.found()
        for folder in (self.vendors.folder, Path(rotoclear.plugins.OWN)):
            self.assertNotIn("dropin.cache", os.listdir(folder))


class Bad(ScanCase):
    async def reason(self, source: str) -> str:
        self.vendors.write("bad", source)
        self.vendors.lamp("good")
        bad, good = await self.found()
        self.assertEqual((bad.name, bad.state), ("bad", "failed"))
        self.assertEqual(good.state, "loaded")
        return bad.reason

    async def test_it_raises(self) -> None:
        reason = await self.reason("import no_such_module")
        self.assertEqual(reason, "ModuleNotFoundError: No module named 'no_such_module'")

    async def test_it_is_no_python(self) -> None:
        self.assertIn("SyntaxError", await self.reason("def"))

    async def test_it_exits(self) -> None:
        self.assertEqual(await self.reason("import sys; sys.exit(3)"), "SystemExit: 3")

    async def test_it_exits_for_good(self) -> None:
        reason = await self.reason("import os; os._exit(3)")
        self.assertEqual(reason, "Its process ended with exit code 3")

    async def test_it_crashes(self) -> None:
        reason = await self.reason("import os; os.kill(os.getpid(), 11)")
        self.assertEqual(reason, "Its process was killed by SIGSEGV")

    async def test_it_hangs(self) -> None:
        self.patch(scan, "LIMIT", 1.0)
        reason = await self.reason("import threading; threading.Event().wait()")
        self.assertEqual(reason, "Its process took longer than 1 seconds")

    async def test_it_talks_into_our_channel(self) -> None:
        reason = await self.reason("import os; os.write(3, b'nonsense\\n')")
        self.assertIn("Its process", reason)

    async def test_it_leaves_a_child_that_holds_everything_open(self) -> None:
        self.vendors.lamp("acme", "driver = Driver()\nif os.fork() == 0: time.sleep(600)")
        self.assertEqual((await self.one()).state, "loaded")

    async def test_a_failure_is_not_remembered(self) -> None:
        self.vendors.write("bad", "import os; os.environ['NOT_YET']")
        self.assertEqual((await self.one()).state, "failed")
        with mock.patch.dict(os.environ, NOT_YET="1"):
            self.assertEqual(await self.found(), [])

    async def test_it_does_not_fit(self) -> None:
        self.vendors.lamp("acme", "Driver.find = None\ndriver = Driver()")
        plugin = await self.one()
        self.assertEqual((plugin.name, plugin.state), ("acme", "refused"))
        self.assertIn("find", plugin.reason)

    async def test_two_of_one_name(self) -> None:
        self.vendors.lamp("acme")
        self.vendors.lamp("bolt")
        plugins = await self.found()
        self.assertEqual([plugin.state for plugin in plugins], ["refused", "refused"])
        for plugin in plugins:
            self.assertIn("acme.py", plugin.reason)
            self.assertIn("bolt.py", plugin.reason)

    async def test_the_name_of_a_builtin_driver(self) -> None:
        self.vendors.lamp("acme", name="simulated-lights")
        self.assertEqual((await self.one()).state, "refused")

    async def test_no_process_can_be_started(self) -> None:
        self.vendors.lamp("acme")
        broken = Scan(reactor, self.cache, "/no/such/python", self.vendors.path)
        plugins: list[Any] = [*await broken.builtin(), *await broken.vendors()]
        self.assertEqual({plugin.state for plugin in plugins}, {"failed"})
        self.assertGreater(len(plugins), 1)

    async def test_a_scan_that_is_stopped_ends(self) -> None:
        self.vendors.write("bad", "import threading; threading.Event().wait()")
        scan = self.scan()
        await scan.builtin()
        from twisted.internet.defer import Deferred

        vendors = Deferred.fromCoroutine(scan.vendors())
        scan.stop()
        (plugin,) = await vendors
        self.assertEqual(plugin.state, "failed")
