"""
How a simulated device can misbehave.

================  =====================================  ==========================
fault             what it does                           arguments
================  =====================================  ==========================
``latency``       calls take so much longer              ``milliseconds`` (1 to
                                                         600000)
``hang``          the next call never returns
``error``         calls fail                             ``control``: only this one
                                                         (or ``select``, ``start``,
                                                         ``switch``, ``usage``);
                                                         ``times``: so often, else
                                                         until cleared
``silent``        it is there and fails its probe        ``hang=true``: the probe
                                                         never returns instead
``crash``         the driver's process ends              ``signal`` (default 9)
``spew``          the process floods its stdout
``freeze``        pictures stop coming; all else is
                  well
``drop``          pictures are lost                      ``percent`` of them (1 to
                                                         100, default 50)
``corrupt``       pictures are cut off in the middle
================  =====================================  ==========================

``clear`` ends all of them; so does a new process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Final

from rotoclear.interfaces import DeviceFailure
from rotoclear.values import Value

FAULTS: Final[Mapping[str, Mapping[str, type]]] = {
    "latency": {"milliseconds": int},
    "hang": {},
    "error": {"control": str, "times": int},
    "silent": {"hang": bool},
    "crash": {"signal": int},
    "spew": {},
    "freeze": {},
    "drop": {"percent": int},
    "corrupt": {},
}
"""The faults and their arguments."""

_NAMES: Final = {int: "a whole number", bool: "true or false", str: "a text"}

_SOON: Final = 0.02
"""Seconds until a crash, so that whoever asked for it is answered."""


class Faults:
    """
    What is wrong with one device. Its calls come from one thread, the rest from another.

    :ivar active: the faults that were asked for, with their arguments.
    """

    def __init__(self) -> None:
        self.active: dict[str, dict[str, Value]] = {}
        self._lock = threading.Lock()
        self._cleared = threading.Event()

    def put(self, fault: str, arguments: Mapping[str, Value]) -> None:
        """
        Have one.

        :raises ValueError: there is no such fault or argument.
        """
        if fault not in FAULTS:
            raise ValueError(f"There is no fault {fault!r:.100}; there are: {', '.join(FAULTS)}")
        checked = _checked(fault, arguments)
        if fault == "crash":
            threading.Timer(_SOON, os.kill, (os.getpid(), checked.get("signal", 9))).start()
            return
        with self._lock:
            known = fault in self.active
            self.active[fault] = checked
        if fault == "spew" and not known:
            threading.Thread(target=self._spew, args=(self._cleared,), daemon=True).start()

    def clear(self) -> None:
        """End them all; calls that hang return."""
        with self._lock:
            self.active.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def meet(self, call: str) -> None:
        """
        A call comes by: suffer what there is.

        :param call: a control's name, or the method's.
        :raises DeviceFailure: it fails.
        """
        with self._lock:
            cleared = self._cleared
            latency = self.active.get("latency", {})
            hang = self.active.pop("hang", None)
            error = self._error(call)
        if latency:
            cleared.wait(int(latency["milliseconds"]) / 1000)
        if hang is not None:
            cleared.wait()
        if error:
            raise DeviceFailure(f"Simulated fault: {call} was not taken")

    def meet_probe(self) -> None:
        """
        The same for a probe.

        :raises DeviceFailure: there is no sign of life.
        """
        with self._lock:
            cleared = self._cleared
            silent = self.active.get("silent")
        if silent is None:
            return
        if silent.get("hang"):
            cleared.wait()
        raise DeviceFailure("Simulated fault: no sign of life")

    def having(self, fault: str) -> Mapping[str, Value] | None:
        """The arguments of a fault, if there is that fault."""
        with self._lock:
            return self.active.get(fault)

    def _error(self, call: str) -> bool:
        error = self.active.get("error")
        if error is None or error.get("control", call) != call:
            return False
        if "times" in error:
            times = int(error["times"]) - 1
            if times > 0:
                self.active["error"] = {**error, "times": times}
            else:
                del self.active["error"]
        return True

    @staticmethod
    def _spew(cleared: threading.Event) -> None:
        line = "simulated noise " * 60 + "\n"
        while not cleared.is_set():
            sys.stdout.write(line)


def _checked(fault: str, arguments: Mapping[str, Value]) -> dict[str, Value]:
    allowed = FAULTS[fault]
    for name, value in arguments.items():
        if name not in allowed:
            there_are = ", ".join(allowed) or "none"
            raise ValueError(
                f"{fault} has no argument {name!r:.100}; its arguments are: {there_are}"
            )
        wanted = allowed[name]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise ValueError(f"{fault}: {name} must be {_NAMES[wanted]}")
    if fault == "latency" and not 1 <= int(arguments.get("milliseconds", 0)) <= 600_000:
        raise ValueError("latency needs milliseconds=N, from 1 to 600000")
    if fault == "error" and int(arguments.get("times", 1)) < 1:
        raise ValueError("error: times must be at least 1")
    if fault == "drop" and not 1 <= int(arguments.get("percent", 50)) <= 100:
        raise ValueError("drop: percent must be from 1 to 100")
    if fault == "crash" and arguments.get("signal", 9) not in list(signal.Signals):
        raise ValueError("crash: there is no such signal")
    return dict(arguments)
