"""What is checked of drivers for lamps."""

from __future__ import annotations

from typing import Any, ClassVar

from rotoclear.testing.bench import Bench, Handle
from rotoclear.testing.cases import DriverTests
from rotoclear.testing.checks import both


class LightDriverTests(DriverTests):
    """For a class of tests of yours; see :mod:`rotoclear.testing`."""

    kind: ClassVar[str] = "light"

    def once(self, handle: Handle) -> None:
        handle.call("probe")
        handle.call("switch", False)

    def calls_to_lose(self, handle: Handle) -> list[tuple[str, tuple[Any, ...]]]:
        return [("probe", ()), ("switch", (True,)), ("switch", (False,))]

    @both("a lamp is switched on and off, twice the same, too")
    def check_switch(self, bench: Bench) -> None:
        for handle in self.each(bench):
            for on in (True, True, False, False, True, False):
                self.must_take(handle, "switch", on)
                self._holds(bench, handle, on)
                handle.call("probe")
        if not bench.simulated:
            self.not_exercised("whether the lamp shines: look at it")

    def _holds(self, bench: Bench, handle: Handle, on: bool) -> None:
        """What a simulated lamp shows must be what it was told."""
        if bench.simulated:
            shown = bench.simulate("show", handle.identity) or {}
            held = shown.get("holds")
            if isinstance(held, dict) and "on" in held and held["on"] is not on:
                self.fail(f"The simulated lamp shows {held['on']!r} after switch({on})")
