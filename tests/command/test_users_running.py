"""``rotoclear user`` on a running server, or the parts of one that it needs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from rotoclear import __version__
from rotoclear.auth.accounts import Accounts
from rotoclear.auth.argon import Argon
from rotoclear.auth.passwords import PasswordHasher
from rotoclear.config import Configuration
from rotoclear.control.commands import handlers_for
from rotoclear.control.server import ControlServer
from rotoclear.control.wire import SOCKET_NAME
from rotoclear.paths import DataFolderLock
from rotoclear.state.database import FILE_NAME, Database
from rotoclear.state.permissions import ROLES
from tests.command.running import Result, run

PASSWORD = "correct horse battery"


class Devices:
    """The devices' side of the control socket."""

    def __init__(self) -> None:
        self.simulated: list[tuple[str, str, dict[str, object]]] = []

    async def simulate(self, action: str, target: str, arguments: dict[str, object]) -> object:
        self.simulated.append((action, target, arguments))
        if target == "3":
            raise ValueError("There is no target '3'; there are: 1, 2")
        return {"faults": ["hang", "latency"]} if action == "show" else None

    def status(self) -> dict[str, object]:
        return {
            "drivers": [{"name": "simulated-head-1", "state": "running", "restarts": 0}],
            "heads": [],
        }


class RunningTests(TestCase):
    async def setUp(self) -> None:
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        lock = DataFolderLock.take(self.folder)
        self.addCleanup(lock.release)
        database = Database.start(reactor, self.folder / FILE_NAME)
        self.addCleanup(database.close)
        configuration = Configuration()
        self.accounts = await Accounts.open(
            reactor,
            database,
            PasswordHasher(reactor, Argon(1, 64)),
            self.folder,
            configuration.limits,
            configuration.login,
        )
        self.addCleanup(self.accounts.close)
        self.devices = Devices()
        server = ControlServer(
            reactor, self.folder / SOCKET_NAME, handlers_for(self.accounts, self.devices)
        )
        server.startService()
        self.addCleanup(server.stopService)

    async def run_it(self, *words: str, stdin: str = "") -> Result:
        return await deferToThread(run, *words, "--data-dir", str(self.folder), stdin=stdin)

    async def done(self, *words: str, stdin: str = "") -> None:
        self.assertEqual(await self.run_it("user", *words, stdin=stdin), Result(0, "", ""))

    async def test_all_actions(self) -> None:
        await self.done("add", "joe", "--role", "viewer", stdin=PASSWORD)
        session = (await self.accounts.login("joe", PASSWORD, "here")).session
        self.assertEqual(session.permissions, ROLES["viewer"])
        await self.done("role", "joe", "operator")
        self.assertEqual(session.permissions, ROLES["operator"])
        await self.done("passwd", "joe", stdin="another good one")
        self.assertTrue(session.ended)
        session = (await self.accounts.login("joe", "another good one", "here")).session
        await self.done("remove", "joe")
        self.assertTrue(session.ended)
        listed = json.loads((await self.run_it("user", "list", "--json")).out)
        self.assertEqual([user["name"] for user in listed], ["admin"])

    async def test_stream_key(self) -> None:
        shown = await self.run_it("user", "stream-key", "admin")
        self.assertEqual((shown.code, shown.err), (0, ""))
        key = shown.out.strip()
        self.assertTrue(self.accounts.is_stream_key("admin", key))
        again = await self.run_it("user", "stream-key", "admin", "--new")
        self.assertNotEqual(again.out.strip(), key)
        self.assertTrue(self.accounts.is_stream_key("admin", again.out.strip()))
        await self.done("stream-key", "admin", "--revoke")
        self.assertFalse(self.accounts.is_stream_key("admin", again.out.strip()))

    async def test_way_back_in(self) -> None:
        file = self.folder / "initial-admin-password"
        self.assertTrue(file.exists())
        await self.done("passwd", "admin", stdin=PASSWORD)
        self.assertFalse(file.exists())
        await self.accounts.login("admin", PASSWORD, "here")

    async def test_refused(self) -> None:
        for words, text in (
            (("remove", "admin"), "last administrator"),
            (("role", "joe", "viewer"), "There is no user 'joe'"),
            (("add", "admin", "--role", "viewer"), "There is a user 'admin' already"),
            (("passwd", "admin"), "8"),
            (("stream-key", "joe"), "There is no user 'joe'"),
        ):
            with self.subTest(words=words):
                result = await self.run_it("user", *words, stdin="short")
                self.assertEqual((result.code, result.out), (1, ""))
                self.assertIn(text, result.err)
                self.assertEqual(result.err.count("\n"), 1)

    async def test_audit_trail(self) -> None:
        with capturedLogs() as events:
            await self.done("add", "joe", "--role", "viewer", stdin=PASSWORD)
            await self.done("passwd", "joe", stdin="another good one")
        trail = [formatEvent(event) for event in events if "audit" in event]
        self.assertEqual(len(trail), 2)
        for line in trail:
            self.assertIn(f"by 'uid {os.getuid()}' from the control socket", line)
        for secret in (PASSWORD, "another good one"):
            self.assertNotIn(secret, repr(events))

    async def test_simulate(self) -> None:
        for words in (
            ("unplug", "2"),
            ("plug", "light1"),
            ("fault", "2", "latency", "milliseconds=500", "once=true", "text=a=b"),
            ("clear", "storage"),
        ):
            self.assertEqual(await self.run_it("simulate", *words), Result(0, "", ""))
        arguments = {"milliseconds": 500, "once": True, "text": "a=b"}
        self.assertEqual(
            self.devices.simulated,
            [
                ("unplug", "2", {}),
                ("plug", "light1", {}),
                ("latency", "2", arguments),
                ("clear", "storage", {}),
            ],
        )

    async def test_simulate_shows(self) -> None:
        result = await self.run_it("simulate", "show", "1", "--json")
        self.assertEqual(json.loads(result.out), {"faults": ["hang", "latency"]})
        result = await self.run_it("simulate", "show", "1")
        self.assertEqual(result, Result(0, "faults: hang, latency\n", ""))

    async def test_simulate_refused(self) -> None:
        result = await self.run_it("simulate", "plug", "3")
        self.assertEqual(
            result, Result(1, "", "rotoclear: There is no target '3'; there are: 1, 2\n")
        )
        result = await self.run_it("simulate", "fault", "1", "hang", "often")
        self.assertEqual((result.code, self.devices.simulated[1:]), (2, []))

    async def test_status(self) -> None:
        status = json.loads((await self.run_it("status", "--json")).out)
        self.assertEqual((status["pid"], status["users"]), (os.getpid(), 1))
        self.assertEqual(status["devices"], self.devices.status())

    async def test_status_for_people(self) -> None:
        lines = (await self.run_it("status")).out.splitlines()
        self.assertEqual(lines[0], f"rotoclear {__version__}, process {os.getpid()}, 1 user")
        self.assertEqual(
            lines[1:],
            [
                "",
                "drivers:",
                "NAME              STATE    RESTARTS",
                "simulated-head-1  running  0",
                "",
                "heads: -",
            ],
        )
