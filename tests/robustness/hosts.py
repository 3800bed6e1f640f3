"""Drivers whose process is killed, hangs or spews: a fault of theirs is nobody else's."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from rotoclear.control.client import ControlError, RefusedByServer, call
from tests.harness import Client, Server
from tests.robustness.bystander import Bystander
from tests.robustness.people import add_people
from tests.robustness.vitals import Flat, until

ANSWERED: Final = 2.0
"""Seconds within which a key of a driver with a fault is answered."""

BACK: Final = 3.0
"""Seconds from the end of a fault until its devices are as they should be."""

IMAGE: Final = ("brightness", "contrast", "sharpness", "saturation", "noise-supression")

FAULTS: Final = ("kill", "freeze", "hang", "spew")
"""SIGKILL; SIGSTOP; a call that does not return; a flood on stdout."""


@frozen
class Victim:
    """
    A driver, and what is its and what is not.

    :ivar targets: its devices, by the names that ``rotoclear simulate`` knows.
    :ivar own: a key that it has to take, which is asked for while the fault lasts.
    """

    driver: str
    targets: tuple[str, ...]
    own: str


VICTIMS: Final = (
    Victim("simulated-head-1", ("1",), "brightness"),
    Victim("simulated-head-2", ("2",), "cam2-sensor"),
    Victim("simulated-lights", ("light1", "light2"), "cam1-light"),
)


@define
class Figures:
    """What was measured, in seconds, by the fault."""

    others: dict[str, list[float]] = field(factory=lambda: defaultdict(list))
    own: dict[str, list[float]] = field(factory=lambda: defaultdict(list))
    back: dict[str, list[float]] = field(factory=lambda: defaultdict(list))
    errors: int = 0

    def lines(self) -> Iterator[str]:
        """For people."""
        for fault, times in self.others.items():
            yield (
                f"{fault}, {len(self.own[fault])} times: other keys' answers within "
                f"{1000 * max(times):.0f} ms, its own within {max(self.own[fault]):.2f} s, "
                f"back after {max(self.back[fault]):.2f} s at most"
            )
        yield f"{self.errors} times Device error; all times are from the beginning of the fault"


def faults(folder: Path, count: int, seed: int = 1, *, slack: float) -> Iterator[str]:
    """
    Let drivers have so many faults, one after another.

    While one lasts, others' keys are changed and confirmed, and everything can
    be queried; its own key is answered within two seconds; it is back within
    three with what was confirmed. A bystander is served all the while.

    :param slack: seconds more than that, for a machine that is busy.
    """
    draw = random.Random(seed)
    with Server(folder) as server:
        tokens = add_people(server)
        with (
            Bystander(server, tokens["administrator"]) as bystander,
            server.client(max_queue=None) as asker,
            server.client(max_queue=None) as other,
        ):
            for client in (asker, other):
                client.ask({"token": tokens["operator"]})
            house = _House(server, bystander, asker, other, draw, slack)
            flat: Flat | None = None
            for number in range(count):
                fault = FAULTS[number % len(FAULTS)]
                victim = draw.choice(VICTIMS)
                try:
                    house.suffer(fault, victim)
                except AssertionError as error:
                    raise AssertionError(
                        f"seed {seed}, {number}: {fault} {victim}: {error}"
                    ) from error
                if number == count // 4:
                    flat = Flat(server.pid)
            yield from house.figures.lines()
            yield str(bystander.seen())
            if flat is not None:
                yield flat.check()


def _overdue(late: float) -> bool:
    """So that broadcasts do not keep us waiting for ever."""
    assert time.monotonic() < late, "it is not answered"
    return False


class _House:
    """A server, and those who use it."""

    def __init__(
        self,
        server: Server,
        bystander: Bystander,
        asker: Client,
        other: Client,
        draw: random.Random,
        slack: float,
    ) -> None:
        self._server = server
        self._bystander = bystander
        self._asker = asker
        self._other = other
        self._draw = draw
        self._slack = slack
        self.figures = Figures()

    def suffer(self, fault: str, victim: Victim) -> None:
        """One fault, from its beginning to its end."""
        self._set_something()
        held = self._held(victim).keys()
        old = self._other.get(victim.own)
        driver = self._driver(victim)
        wanted = {victim.own: self._another(victim.own)}
        began = time.monotonic()
        self._begin(fault, victim, driver)
        asked = f"asked {began}"
        self._asker.send({**wanted, "id": asked})
        slowest = self._others_are_served(victim)
        self._bystander.is_served()
        if fault in ("hang", "freeze"):
            # The fault lasts until the server ends it: it had not, when the others were served.
            assert self._driver(victim)["pid"] == driver["pid"], "the others had to wait"
        late = began + ANSWERED + self._slack
        answer = self._asker.until(lambda told: told.get("id") == asked or _overdue(late))
        took = time.monotonic() - began
        assert began + took < late, f"its own key was answered after {took:.2f} s"
        if fault in ("hang", "freeze"):
            assert answer["error"] == "Device error", answer
        if fault == "spew":
            assert answer["info"] == [victim.own], answer
            self._simulate("clear", victim.targets[0])
        ended = time.monotonic()
        assert self._other.get(victim.own) == (wanted if "info" in answer else old)
        self.figures.errors += "error" in answer
        until(
            lambda: (now := self._held_now(victim)).keys() >= held and self._agrees(now),
            f"{victim.driver} holds what was confirmed",
        )
        until(lambda: self._driver(victim)["state"] == "running", f"{victim.driver} runs")
        now = time.monotonic()
        back = now - (ended if fault == "spew" else began)
        assert now - ended < BACK + self._slack, f"it was back after {back:.2f} s"
        if fault != "spew":
            assert self._driver(victim)["restarts"] == driver["restarts"] + 1
        answer = self._asker.ask(wanted)
        assert answer.get("info") == [victim.own], answer
        self.figures.others[fault].append(slowest)
        self.figures.own[fault].append(took)
        self.figures.back[fault].append(back)

    def _begin(self, fault: str, victim: Victim, driver: Mapping[str, Any]) -> None:
        match fault:
            case "kill":
                os.kill(driver["pid"], signal.SIGKILL)
            case "freeze":
                os.kill(driver["pid"], signal.SIGSTOP)
            case _:
                self._simulate(fault, victim.targets[0])

    def _others_are_served(self, victim: Victim) -> float:
        """Change what the victim has nothing to do with, and look at everything."""
        changes: dict[str, object] = {"pip-mode": self._another("pip-mode")}
        if victim.driver != "simulated-head-1":
            changes["contrast"] = self._another("contrast")
            changes["cam1-sensor"] = self._another("cam1-sensor")
        if victim.driver != "simulated-head-2":
            changes["cam2-sensor"] = self._another("cam2-sensor")
        if victim.driver != "simulated-lights":
            changes["cam1-light"] = self._another("cam1-light")
            changes["cam2-light"] = self._another("cam2-light")
        slowest = 0.0
        for key, value in changes.items():
            began = time.monotonic()
            answer = self._other.ask({key: value})
            slowest = max(slowest, time.monotonic() - began)
            assert answer == {key: value, "info": [key]}, answer
        began = time.monotonic()
        assert len(self._other.get()) > 20
        return max(slowest, time.monotonic() - began)

    def _set_something(self) -> None:
        """So that there is something to come back with."""
        wanted = {key: self._another(key) for key in (*IMAGE, "cam1-sensor", "cam2-light")}
        answer = self._other.ask(wanted)
        assert sorted(answer["info"]) == sorted(wanted), answer

    def _another(self, key: str) -> object:
        """A value that the key has not got."""
        now = self._other.get(key)[key]
        choices: list[object] = list(range(101))
        if key in ("cam1-sensor", "cam2-sensor"):
            choices = [1, 2]
        elif key == "pip-mode":
            choices = ["off", "top-left", "side-by-side"]
        elif isinstance(now, bool):
            choices = [not now]
        return self._draw.choice([value for value in choices if value != now])

    def _held(self, victim: Victim) -> dict[str, object]:
        """What the simulated hardware holds, when that is what was confirmed."""
        until(
            lambda: bool(held := self._held_now(victim)) and self._agrees(held),
            f"{victim.driver} holds what was confirmed",
        )
        return self._held_now(victim)

    def _agrees(self, held: Mapping[str, object]) -> bool:
        """It is what the state says."""
        state = self._other.get()
        return all(
            value == state.get(name.partition(".")[2], value)
            and (not name.endswith(".sensor") or value == state[f"cam{name[0]}-sensor"])
            and (not name.endswith(".on") or value == state[f"cam{name[5]}-light"])
            for name, value in held.items()
        )

    def _held_now(self, victim: Victim) -> dict[str, object]:
        held: dict[str, object] = {}
        for target in victim.targets:
            try:
                shown = self._simulate("show", target)
            except (RefusedByServer, ControlError):
                return {}
            held |= {f"{target}.{name}": value for name, value in shown["holds"].items()}
        return held

    def _simulate(self, action: str, target: str) -> Any:
        arguments = {"action": action, "target": target, "arguments": {}}
        return self._call("simulate", arguments)["result"]

    def _driver(self, victim: Victim) -> dict[str, Any]:
        devices: Any = self._call("status", {})["devices"]
        found: dict[str, Any] = next(
            driver for driver in devices["drivers"] if driver["name"] == victim.driver
        )
        return found

    def _call(self, do: str, arguments: Mapping[str, object]) -> dict[str, object]:
        return call(self._server.data_dir / "control.sock", do, arguments)
