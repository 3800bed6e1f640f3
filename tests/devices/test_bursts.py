"""Devices that come and go by the thousand, before a real server with a driver for them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.devices.isolation import Run, beside, isolated
from tests.devices.mocked import Testbed
from tests.devices.vendors import Vendors
from tests.harness import Client, Script, Server
from tests.harness.server import ROOT

LEDS = """
from zope.interface import implementer
from rotoclear.interfaces import (
    DriverKey, ILight, ILightDriver, LightDescription, Match,
)
from rotoclear.values import Text

@implementer(ILight)
class Led:
    def __init__(self, driver, name): self.driver, self.name = driver, name
    def describe(self): return LightDescription(identity=self.name, name=self.name)
    def probe(self): pass
    def switch(self, on): pass
    def close(self): pass

@implementer(ILightDriver)
class Leds:
    name = "acme"
    matches = (Match(subsystem="leds", properties={"ID_VENDOR": "Acm?"}),)
    options = ()
    keys = (DriverKey(
        name="vendor-acme-leds", type=Text(max_length=1000), default="", doc="Those there are.",
        writable=False, saved=False,
    ),)
    def start(self, context): self.context = context
    def stop(self): pass
    def find(self):
        names = [device.path.rpartition("/")[2] for device in self.context.devices()]
        self.context.publish("vendor-acme-leds", " ".join(names))
        return names
    def open(self, identity): return Led(self, identity)

leds = Leds()
"""

KEY = "vendor-acme-leds"

GENEROUS = 30.0
"""Seconds: this machine may be busy with other things."""


class IsolatedServer(Server):
    """
    One in a network of its own, where a daemon is played. It listens at a socket in its folder.

    :param env: is added to the environment.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.run = Run(folder / "run")
        self._path = folder / "socket"
        vendors = Vendors(folder / "vendors")
        vendors.write("acme", LEDS)
        super().__init__(
            folder,
            'enabled-drivers = ["vendors"]\n',
            listen=[f"unix:{self._path}"],
            env={**(env or {}), "PYTHONPATH": f"{ROOT}:{folder / 'vendors'}"},
        )

    def command(self) -> list[str]:
        return isolated(self.run.folder, super().command(), network=True)

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self.limit)
        connection.connect(str(self._path))
        return connection

    def _answers(self) -> bool:
        with self.connect() as probe:
            probe.sendall(b"GET /api/status HTTP/1.0\r\n\r\n")
            probe.recv(1)
        return self.running

    def client(
        self, username: str | None = "admin", password: str | None = None, **options: Any
    ) -> Client:
        return super().client(
            username, password, limit=GENEROUS, sock=self.connect(), proxy=None, **options
        )

    def driver(self) -> Any:
        """What the status says of the test's driver."""
        person = {"username": "admin", "password": self.admin_password}
        token = self._http("POST", "/api/login", json.dumps(person))["token"]
        status = self._http("GET", "/api/status", Authorization=f"Bearer {token}")
        (driver,) = [each for each in status["devices"]["drivers"] if each["name"] == "acme"]
        return driver

    def _http(self, method: str, path: str, body: str | None = None, **headers: str) -> Any:
        headers["Content-Type"] = "application/json"
        with closing(http.client.HTTPConnection("localhost")) as connection:
            connection.sock = self.connect()
            connection.request(method, path, body, headers)
            return json.loads(connection.getresponse().read())

    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def daemon(self) -> Script:
        """Sends events to it: see :mod:`tests.devices.uevents`."""
        return Script(beside(self.pid, [sys.executable, "-m", "tests.devices.uevents"]), cwd=ROOT)


def event(action: str, name: str, vendor: str = "Acme") -> list[Any]:
    return [action, f"/devices/acme/leds/{name}", "leds", {"ID_VENDOR": vendor}]


def test_a_thousand_events_end_in_the_right_state(tmp_path: Path) -> None:
    names = [f"led{number:02}" for number in range(20)]
    burst = [
        event(action, name) for _ in range(25) for action in ("add", "remove") for name in names
    ]
    with (
        IsolatedServer(tmp_path) as server,
        server.client() as client,
        server.client() as other,
        server.daemon() as daemon,
    ):
        assert client.get(KEY) == {KEY: ""}
        assert (server.driver()["state"], server.driver()["pid"]) == ("idle", None)
        begin = time.monotonic()
        daemon.send([*burst, event("add", "led05"), event("add", "led03"), event("add", "x", "X")])
        slowest = 0.0
        answers = 0
        while client.get(KEY) != {KEY: "led03 led05"}:
            asked = time.monotonic()
            other.get("brightness")
            slowest = max(slowest, time.monotonic() - asked)
            answers += 1
            assert time.monotonic() - begin < GENEROUS
        seconds = time.monotonic() - begin
        print(f"1,000 events: right after {seconds:.2f} s; {answers} answers, {slowest:.3f} s")
        assert slowest < 2
        driver = server.driver()
        assert (driver["state"], driver["restarts"]) == ("running", 0)

        descriptors = server.descriptors()
        begin = time.monotonic()
        daemon.send([*burst, event("add", "led07")])
        client.until({KEY: "led07"})
        print(f"once more, with a process: {time.monotonic() - begin:.2f} s")
        assert server.descriptors() <= descriptors
        assert server.driver()["pid"] == driver["pid"]


def test_devices_that_are_there_at_the_start_and_go(tmp_path: Path) -> None:
    with Testbed() as testbed:
        testbed.add("leds", "red", ID_VENDOR="Acme")
        testbed.add("leds", "blue", ID_VENDOR="Other")
        with IsolatedServer(tmp_path, testbed.environment) as server, server.client() as client:
            while client.get(KEY) != {KEY: "red"}:
                client.until(lambda news: KEY in news)
            assert [device["identity"] for device in server.driver()["devices"]] == ["red"]
            testbed.add("leds", "green", ID_VENDOR="Acme")
            client.until({KEY: "green red"})
            testbed.remove("red")
            testbed.remove("green")
            client.until({KEY: ""})
            assert server.driver()["state"] == "running"
