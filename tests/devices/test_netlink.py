"""What is known of the kernel's devices, by the real libudev and events of a played daemon."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.devices.isolation import Run, isolated
from tests.harness import Script
from tests.harness.server import ROOT

BUFFER = 16 * 1024 * 1024

SMALL = 4096
"""Bytes: room for a handful of events."""

NULL = "/sys/devices/virtual/mem/null"


@contextmanager
def following(run: Run, *subsystems: str, buffer: int = BUFFER) -> Iterator[Script]:
    command = [sys.executable, "-m", "tests.devices.plugged", str(buffer), *subsystems]
    with Script(isolated(run.folder, command, network=True), cwd=ROOT) as script:
        yield script
        script.finish()


def event(action: str, name: str, **properties: str) -> list[Any]:
    return [action, f"/devices/acme/leds/{name}", "leds", properties]


def knows(script: Script, *names: str, looks: int = 0) -> Any:
    """What it says when it knows exactly these."""
    wanted = {name if name.startswith("/") else f"/sys/devices/acme/leds/{name}" for name in names}
    return script.until(
        lambda line: "present" in line and set(line["present"]) == wanted and line["looks"] >= looks
    )


def vitals(script: Script) -> Any:
    script.send({"vitals": True})
    return script.until(lambda line: "longest" in line)


def test_devices_come_change_and_go(tmp_path: Path) -> None:
    with following(Run(tmp_path / "run"), "leds") as script:
        assert knows(script)["reason"] == ""
        script.send({"events": [event("add", "red", ID_SERIAL="7", DEVNAME="/dev/red")]})
        red = knows(script, "red")["present"]["/sys/devices/acme/leds/red"]
        assert (red["ID_SERIAL"], red["DEVNAME"], red["SUBSYSTEM"]) == ("7", "/dev/red", "leds")
        assert not {"ACTION", "SEQNUM"} & red.keys()
        script.send({"events": [event("change", "red", ID_SERIAL="8")]})
        knows(script, "red")
        move = event("move", "blue", DEVPATH_OLD="/devices/acme/leds/red")
        script.send({"events": [move]})
        knows(script, "blue")
        script.send({"events": [event("remove", "blue")]})
        knows(script)


def test_what_nobody_watches_does_not_wake_us(tmp_path: Path) -> None:
    with following(Run(tmp_path / "run"), "leds") as script:
        knows(script)
        others = [["add", f"/devices/net{number}", "net", {}] for number in range(100)]
        script.send({"events": [*others, event("add", "red")]})
        assert len(knows(script, "red")["present"]) == 1


def test_what_is_there_is_told_once_the_daemon_has_dealt_with_it(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.deal_with("c1:3", ID_ACME="yes")
    with following(run, "mem") as script:
        assert knows(script, NULL)["present"][NULL]["ID_ACME"] == "yes"
        full = "/devices/virtual/mem/full"
        properties = {"DEVNAME": "/dev/full", "MAJOR": "1", "MINOR": "7"}
        script.send({"events": [["add", full, "mem", properties]]})
        knows(script, NULL, f"/sys{full}")


def test_a_thousand_events_in_a_burst(tmp_path: Path) -> None:
    burst = [
        event(action, f"led{number}", ID_MODEL="Acme " * 10, ID_PATH="pci-0000:00:14.0-usb-0:2")
        for number in range(500)
        for action in ("add", "remove")
    ]
    with following(Run(tmp_path / "run"), "leds") as script:
        knows(script)
        vitals(script)
        begin = time.monotonic()
        script.send({"events": [*burst, event("add", "last")]})
        seconds = knows(script, "last")["at"] - begin
        told = vitals(script)
        print(f"1,000 events: {seconds:.3f} s, reactor busy for {told['longest'] * 1000:.1f} ms")
        assert told["looks"] == 1


def test_events_that_are_lost_are_made_up_for(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.deal_with("c1:3")
    flood = [["remove", f"/devices/mem{number}", "mem", {"X": "x" * 500}] for number in range(2000)]
    with following(run, "mem", buffer=SMALL) as script:
        knows(script, NULL)
        run.deal_with("c1:5")
        zero = "/sys/devices/virtual/mem/zero"
        # Its event is lost among those about devices that there are not.
        lost = ["add", "/devices/virtual/mem/zero", "mem", {"MAJOR": "1", "MINOR": "5"}]
        script.send({"at-once": [*flood[:1000], lost, *flood[1000:]]})
        knows(script, NULL, zero, looks=2)
        descriptors = vitals(script)["descriptors"]
        for number in range(5):
            (run.deal_with if number % 2 else run.forget)("c1:5")
            script.send({"at-once": flood})
            knows(script, *[NULL, zero][: 1 + number % 2])
        told = vitals(script)
        assert told["descriptors"] == descriptors
        assert told["reason"] == ""


def test_a_daemon_that_comes_later(tmp_path: Path) -> None:
    run = Run(tmp_path / "run", daemon=False)
    with following(run, "mem") as script:
        cold = script.until(lambda line: "present" in line)
        assert NULL in cold["present"]
        assert cold["reason"] == "No udev daemon runs"
        run.deal_with("c1:3", ID_ACME="yes")
        run.control.touch()
        assert knows(script, NULL)["reason"] == ""
        script.send({"events": [["remove", "/devices/virtual/mem/null", "mem", {}]]})
        knows(script)
