"""A real server, found by another one's browser over multicast on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from twisted.internet.task import Clock
from zeroconf import ServiceBrowser, ServiceInfo, Zeroconf

from rotoclear.config import Discovery
from rotoclear.discovery import announcer as module
from rotoclear.discovery.announcer import AVAHI, MISSING, TAKEN, Announcer
from rotoclear.discovery.records import Port, announcements
from tests.harness import Server
from tests.harness.server import ROOT
from tests.robustness.vitals import until

LOOPBACK = "127.0.0.1"


class Browser:
    """Somebody who looks for services."""

    def __init__(self, *kinds: str) -> None:
        self.zeroconf = Zeroconf(interfaces=[LOOPBACK])
        self.changed = threading.Condition()
        self.there: dict[str, ServiceInfo] = {}
        names = [f"{kind}.local." for kind in kinds]
        self._browser = ServiceBrowser(self.zeroconf, names, listener=self)

    def add_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
        info = zeroconf.get_service_info(kind, name, 10_000)
        with self.changed:
            if info is not None:
                self.there[name] = info
            self.changed.notify_all()

    update_service = add_service

    def remove_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
        with self.changed:
            self.there.pop(name, None)
            self.changed.notify_all()

    def find(self, port: int, count: int) -> dict[str, ServiceInfo]:
        """So many services at that port, by type."""

        def found() -> dict[str, ServiceInfo]:
            return {i.type: i for i in self.there.values() if i.port == port}

        with self.changed:
            assert self.changed.wait_for(lambda: len(found()) == count, 30), self.there
            return found()


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser("_rotoclear._tcp", "_http._tcp", "_https._tcp", "_rtsp._tcp")
    yield browser
    browser.zeroconf.close()


CONFIG = """
[discovery]
enabled = true
host = "rotoclear-device"
addresses = ["127.0.0.1"]
"""


def test_server(tmp_path: Path, browser: Browser) -> None:
    with Server(tmp_path, CONFIG) as server:
        found = browser.find(server.port, 2)
        api = found["_rotoclear._tcp.local."]
        assert api.server == "rotoclear-device.local."
        assert api.parsed_addresses() == [LOOPBACK]
        assert api.decoded_properties["path"] == "/api/v1"
        assert api.name.startswith("rotoclear on rotoclear-device")
        token = server.login()

        def healthy() -> bool:
            parts = server.request("GET", "/api/health", token=token).json()["parts"]
            return bool(parts["discovery"]["state"] == "ok")

        until(healthy, "all is announced")
        server.terminate()
        browser.find(server.port, 0)  # it has taken leave


class Reactor(Clock):
    """One that is never run: the announcer only uses its threads to stop."""


def announcing(
    there: list[str], *, host: str = "rotoclear-test", avahi: Path = AVAHI, **wishes: Any
) -> Announcer:
    """One on a port of loopback, with addresses that change when the list does."""
    return Announcer(
        Reactor(),
        Discovery(enabled=True, host=host, **wishes),
        [Port(4711, LOOPBACK, tls=True)],
        [],
        "1.2.3",
        look=lambda: list(there),
        avahi=avahi,
    )


def end(announcer: Announcer) -> None:
    announcer._stop.set()
    assert announcer._thread is not None
    announcer._thread.join(30)
    assert not announcer._thread.is_alive()


def test_addresses_come_and_go(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cable that is plugged in late, and pulled out."""
    monkeypatch.setattr(module, "PERIOD", 0.05)
    there: list[str] = []
    announcer = announcing(there, addresses=(LOOPBACK,))
    announcer.startService()
    try:
        until(lambda: announcer.health()["discovery"]["state"] == "idle", "it has no address")
        there.append(LOOPBACK)
        browser.find(4711, 2)
        until(lambda: announcer.health()["discovery"]["state"] == "ok", "all is announced")
        there.clear()
        browser.find(4711, 0)
    finally:
        end(announcer)


def test_avahi_has_the_name(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that answer for one name: Avahi would give it up. It comes and goes."""
    monkeypatch.setattr(module, "PERIOD", 0.05)
    monkeypatch.setattr(module, "_own_name", lambda: "rotoclear-own")
    avahi = tmp_path / "pid"
    avahi.write_text(f"{os.getpid()}\n")
    announcer = announcing([LOOPBACK], host="", avahi=avahi, addresses=(LOOPBACK,))
    announcer.startService()
    try:
        until(lambda: announcer.health()["discovery"]["state"] == "idle", "it keeps quiet")
        assert announcer.health()["discovery"]["reason"] == TAKEN
        # It has ended, and left its file.
        with subprocess.Popen(["true"]) as ended:
            pass
        avahi.write_text(f"{ended.pid}\n")
        found = browser.find(4711, 2)
        assert found["_https._tcp.local."].server == "rotoclear-own.local."
        avahi.write_text(f"{os.getpid()}\n")
        browser.find(4711, 0)
    finally:
        end(announcer)


def test_another_name_than_avahis(tmp_path: Path, browser: Browser) -> None:
    avahi = tmp_path / "pid"
    avahi.write_text(f"{os.getpid()}\n")
    announcer = announcing([LOOPBACK], avahi=avahi, addresses=(LOOPBACK,))
    announcer.startService()
    try:
        browser.find(4711, 2)
    finally:
        end(announcer)


def test_nobody_can_reach_it() -> None:
    announcer = announcing(["192.0.2.1"])
    announcer.startService()
    try:
        until(lambda: announcer.health()["discovery"]["state"] == "idle", "nothing to announce")
        assert "server.listen" in str(announcer.health()["discovery"]["reason"])
    finally:
        end(announcer)


def test_a_fault_is_told() -> None:
    """An address that this machine does not have: health says so, and it is tried again."""
    announcer = announcing(["192.0.2.1"])
    announcer._web = [Port(4711, "192.0.2.1", tls=True)]
    announcer.startService()
    try:
        until(lambda: announcer.health()["discovery"]["state"] == "failed", "it says so")
    finally:
        end(announcer)


def test_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> list[str]:
        raise ImportError

    announcer = announcing([])
    monkeypatch.setattr(announcer, "_look", missing)
    announcer.startService()
    end(announcer)
    part = announcer.health()["discovery"]
    assert part == {"state": "refused", "reason": MISSING, "vital": False}


def test_avahis_file_says_the_same() -> None:
    root = ElementTree.parse(ROOT / "etc" / "avahi" / "rotoclear.service").getroot()  # noqa: S314
    anywhere = "0.0.0.0"
    web = [Port(443, anywhere, tls=True), Port(80, anywhere, tls=False)]
    ours = announcements(web, [Port(8554, anywhere, tls=False)], [LOOPBACK], "1.2.3")
    wanted = [
        (one.type, one.port, {f"{k}={v}" for k, v in one.text.items() if k != "version"})
        for one in ours
    ]
    shown = [
        (
            service.findtext("type"),
            int(service.findtext("port") or 0),
            {record.text for record in service.findall("txt-record")},
        )
        for service in root.findall("service")
    ]
    assert shown == wanted


def test_the_page_names_all_services() -> None:
    page = (ROOT / "docs" / "discovery.rst").read_text("utf-8")
    shown = set(re.findall(r"^``(_\w+\._tcp)``", page, re.M))
    assert shown == {"_rotoclear._tcp", "_https._tcp", "_http._tcp", "_rtsp._tcp"}
