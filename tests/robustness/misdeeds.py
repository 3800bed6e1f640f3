"""
Drivers that do what no driver should: raise, block, fork, exit, crash, talk nonsense.

A vendor's camera driver is head 1, the simulated head 2 records. A file tells
the vendor's driver what to do next; while it does that, everybody else is
served, the other camera goes on, and it is told who is to blame.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.harness import Client, Server
from tests.harness.server import ROOT
from tests.robustness.bystander import Bystander
from tests.robustness.people import add_people
from tests.robustness.vitals import until

DRIVER: Final = """
import ctypes, os, signal, sys, threading, time
from zope.interface import implementer
from rotoclear.interfaces import (
    CameraDescription, DeviceGone, Frame, ICamera, ICameraDriver, Option, VideoMode,
)

def misdeed(context):
    try:
        with open(context.options["orders"]) as file:
            return file.read()
    except FileNotFoundError:
        return ""

@implementer(ICamera)
class Camera:
    def __init__(self, context):
        self.context = context
    def describe(self):
        if misdeed(self.context) == "describe":
            return {"identity": 7, "modes": "none", "sensors": object}
        return CameraDescription(identity="bad", model="Bad", sensors=("one",), head=1,
                                 modes=(VideoMode(640, 480, (5, 30)),))
    def probe(self):
        match misdeed(self.context):
            case "describe":
                raise DeviceGone("it is opened again")
            case "block":
                time.sleep(60)
            case "block-everything":
                ctypes.PyDLL(None).sleep(60)  # with the interpreter's lock held
            case "fork":
                os.fork()  # and both go on
            case "fork-and-stay":
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
                time.sleep(60)
            case "raise":
                raise ZeroDivisionError("1 / 0")
            case "exit":
                sys.exit(3)
            case "exit-at-once":
                os._exit(3)
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
    def set(self, control, value): pass
    def select(self, sensor, width, height, rate): pass
    def start(self): self.number = 0
    def read(self, timeout):
        time.sleep(min(timeout, 1 / 30))
        self.number += 1
        return Frame(data=bytes(640 * 480 * 2), format="yuyv", width=640, height=480,
                     timestamp=time.monotonic_ns(), sequence=self.number)
    def stop(self): pass
    def close(self): pass

@implementer(ICameraDriver)
class Driver:
    name = "acme-bad"
    matches = keys = ()
    options = (Option(name="orders", default="", doc="A file that says what to do."),)
    def start(self, context): self.context = context
    def stop(self): pass
    def find(self):
        match misdeed(self.context):
            case "find":
                return 42
            case "find-raises":
                raise LookupError("nothing found")
        return ["bad"]
    def open(self, identity): return Camera(self.context)

acme_bad = Driver()
"""
"""The driver; what it is told stands in the file ``orders``."""

MISDEEDS: Final = (
    "block",
    "block-everything",
    "fork",
    "fork-and-stay",
    "exit",
    "exit-at-once",
    "crash",
    "raise",
    "find",
    "find-raises",
    "describe",
)
"""What it may be told."""

IMPORTS: Final = {
    "raises": "raise RuntimeError('no')",
    "exits": "import sys; sys.exit(3)",
    "crashes": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "blocks": "import time; time.sleep(60)",
    "forks": "import os\nif os.fork() == 0:\n    import time; time.sleep(60); os._exit(0)",
}
"""Modules that do it as soon as they are imported."""


class Vendor:
    """
    A server that finds the vendor's plugins, and nothing at head 1 but theirs.

    :param modules: plugin modules' sources by name.
    """

    def __init__(self, folder: Path, **modules: str) -> None:
        self.orders = folder / "orders"
        plugins = folder / "vendor" / "rotoclear" / "plugins"
        plugins.mkdir(parents=True)
        for name, source in modules.items():
            (plugins / f"{name}.py").write_text(source)
        path = os.pathsep.join(filter(None, [str(folder / "vendor"), *_pythonpath()]))
        self.server = Server(
            folder / "server",
            'disabled-drivers = ["simulated-head-1"]\n'
            f'[drivers.acme-bad]\norders = "{self.orders}"\n',
            env={"PYTHONPATH": path},
            clean_log=False,
        )

    def order(self, misdeed: str) -> None:
        """From now on it does this; ``""``: nothing."""
        new = self.orders.with_suffix(".new")
        new.write_text(misdeed)
        new.replace(self.orders)


def _pythonpath() -> list[str]:
    return [str(ROOT), os.environ.get("PYTHONPATH", "")]


def storm(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """Have the driver misbehave so many times, one way after another."""
    rounds = itertools.cycle(MISDEEDS)
    yield from misdeeds(folder, itertools.islice(rounds, count))
    yield from imports(folder / "imports")


def misdeeds(folder: Path, which: Iterable[str] = MISDEEDS) -> Iterator[str]:
    """
    Have the driver misbehave, one way after another.

    All the time a bystander's changes are confirmed and broadcast, the other
    camera records and takes pictures, and the misbehaving driver is named in
    the status; when it behaves again its camera is back.
    """
    vendor = Vendor(folder, acme_bad=DRIVER)
    with vendor.server as server:
        tokens = add_people(server)
        with (
            Bystander(server, tokens["administrator"]) as bystander,
            server.client("admin", max_queue=None) as client,
        ):
            until(lambda: client.get("cam1-exists")["cam1-exists"], "the vendor's camera is there")
            assert client.ask({"main-camera": 2})["info"] == ["main-camera"]
            for misdeed in which:
                answer = client.ask({"record": True})
                assert answer.get("info") == ["record"], answer
                try:
                    yield _suffer(misdeed, vendor, bystander, client, tokens["administrator"])
                except AssertionError as error:
                    raise AssertionError(f"{misdeed}: {error}") from error
                assert client.get("record") == {"record": True}, f"{misdeed}: it does not record"
                assert client.ask({"record": False})["info"] == ["record"]


def _suffer(misdeed: str, vendor: Vendor, bystander: Bystander, client: Client, token: str) -> str:
    before = _driver(vendor.server, token)
    bystander.seen()
    began = time.monotonic()
    vendor.order(misdeed)
    until(
        lambda: (
            _blamed(before, _driver(vendor.server, token))
            or (misdeed == "fork" and _has_forked(vendor.server))
        ),
        "it is told who is to blame",
    )
    blamed = time.monotonic() - began
    bystander.is_served()
    for _ in range(3):
        assert client.ask({"snap": True}) == {"snap": True, "info": ["snap"]}
    assert client.ask({"cam2-light": True})["info"] == ["cam2-light"]
    assert client.get("record", "cam2-exists") == {"record": True, "cam2-exists": True}
    bystander.is_served()
    seen = bystander.seen()
    vendor.order("")
    began = time.monotonic()
    until(
        lambda: (
            client.get("cam1-exists")["cam1-exists"]
            and _driver(vendor.server, token)["state"] == "running"
        ),
        "its camera is back",
    )
    back = time.monotonic() - began
    return f"{misdeed}: named after {blamed:.1f} s, back {back:.1f} s after it; {seen}"


def _driver(server: Server, token: str) -> dict[str, Any]:
    drivers = server.request("GET", "/api/status", token=token).json()["devices"]["drivers"]
    found: dict[str, Any] = next(driver for driver in drivers if driver["name"] == "acme-bad")
    return found


def _blamed(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """The status names it, or one of its devices, and why."""
    if any(device["state"] != "ok" and device["reason"] for device in now["devices"]):
        return True
    return bool(now["reason"]) or now["restarts"] > before["restarts"]


def _has_forked(server: Server) -> bool:
    """Nothing is wrong with the driver itself: it is the log that names it."""
    return any(
        "acme-bad" in line and "it has forked" in line for line in server.log_text().splitlines()
    )


def imports(folder: Path) -> Iterator[str]:
    """Modules that misbehave while they are imported: named, and nobody waits for them."""
    modules = {f"acme_{name}": source for name, source in IMPORTS.items()}
    vendor = Vendor(folder, **modules, acme_bad=DRIVER)
    began = time.monotonic()
    with vendor.server as server:
        ready = time.monotonic() - began
        tokens = add_people(server)
        with Bystander(server, tokens["administrator"]) as bystander:
            bystander.is_served()

            def named() -> set[str]:
                status = server.request("GET", "/api/status", token=tokens["administrator"])
                drivers = status.json()["devices"]["drivers"]
                return {
                    driver["name"]
                    for driver in drivers
                    if driver["state"] in ("failed", "refused") and driver["reason"]
                }

            # One that only forks has no driver in it, and nothing to be blamed for.
            bad = {name for name in modules if name != "acme_forks"}
            until(lambda: named() >= bad, f"they are named: {bad}")
            with server.client("admin") as client:
                until(
                    lambda: client.get("cam1-exists")["cam1-exists"],
                    "the good one among them is there",
                )
            bystander.is_served()
            yield f"ready after {ready:.1f} s; {bystander.seen()}"
