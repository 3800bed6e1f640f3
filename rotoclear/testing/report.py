"""What came of the checks, for people and for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import Distribution, distributions, packages_distributions
from importlib.metadata import distribution as distribution_named
from typing import Any, Final, Literal

from attrs import define, field

from rotoclear import __version__

Outcome = Literal["pass", "fail", "not exercised"]

_MARKS: Final[dict[Outcome, str]] = {
    "pass": "pass",
    "fail": "FAIL",
    "not exercised": "----",
}


@define
class Check:
    """
    One of them.

    :ivar name: of the test's method.
    :ivar what: a line for people.
    :ivar outcome: what came of it.
    :ivar message: what the driver did wrong, or ``""``.
    :ivar not_exercised: what of it could not be tried, and why.
    """

    name: str
    what: str
    outcome: Outcome = "pass"
    message: str = ""
    not_exercised: list[str] = field(factory=list)


@define
class Report:
    """
    All of them.

    :ivar target: what was checked: ``"MODULE:ATTRIBUTE"``.
    :ivar driver: its name, kind, distribution and version, as far as known.
    :ivar options: those that it was given.
    :ivar devices: the descriptions of those that were found, by identity.
    :ivar checks: in the order in which they were made.
    :ivar figures: measured values, by identity and name.
    """

    target: str = ""
    driver: dict[str, str] = field(factory=dict)
    options: dict[str, Any] = field(factory=dict)
    devices: dict[str, Any] = field(factory=dict)
    checks: list[Check] = field(factory=list)
    figures: dict[str, dict[str, Any]] = field(factory=dict)

    @property
    def passed(self) -> bool:
        """Nothing failed, and something was tried."""
        outcomes = [check.outcome for check in self.checks]
        return "fail" not in outcomes and "pass" in outcomes

    def figure(self, identity: str, name: str, value: object) -> None:
        """Note a measured value; what was measured last counts."""
        self.figures.setdefault(identity, {})[name] = value

    def machine(self) -> dict[str, str]:
        """Where it was made."""
        return {
            "rotoclear": __version__,
            "python": platform.python_version(),
            "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        }

    def verdict(self) -> str:
        """In one line."""
        count = dict.fromkeys(_MARKS, 0)
        for check in self.checks:
            count[check.outcome] += 1
        parts = [f"{number} {outcome}" for outcome, number in count.items() if number]
        return f"{'PASSED' if self.passed else 'FAILED'}: {', '.join(parts) or 'nothing was tried'}"

    def as_json(self) -> str:
        """For programs."""
        content = {
            "target": self.target,
            "driver": self.driver,
            "machine": self.machine(),
            "options": self.options,
            "devices": self.devices,
            "checks": [
                {
                    "name": check.name,
                    "what": check.what,
                    "outcome": check.outcome,
                    "message": check.message,
                    "not-exercised": check.not_exercised,
                }
                for check in self.checks
            ],
            "figures": self.figures,
            "passed": self.passed,
        }
        return json.dumps(content, indent=2, default=str) + "\n"

    def as_text(self) -> str:
        """For people."""
        lines = ["Report on a rotoclear driver", "============================", ""]
        lines += _table({"target": self.target, **self.driver, **self.machine()})
        if self.options:
            lines += ["", "Options", ""]
            lines += _table(self.options)
        for identity, description in self.devices.items():
            lines += ["", f"Device {identity}", ""]
            lines += _table({name: _shown(value) for name, value in description.items()})
        lines += ["", "Checks", ""]
        for check in self.checks:
            lines.append(f"  {_MARKS[check.outcome]}  {check.what}")
            if check.message:
                lines += [f"        {line}" for line in check.message.splitlines()]
            lines += [f"        not exercised: {why}" for why in check.not_exercised]
        for identity, figures in self.figures.items():
            lines += ["", f"Figures of {identity}", ""]
            lines += _table(figures)
        return "\n".join([*lines, "", self.verdict(), ""])


def _shown(value: object) -> object:
    """A field of a description, for people."""
    if isinstance(value, dict):
        rates = ", ".join(map(str, value["rates"]))
        return f"{value['width']}x{value['height']} at {rates}"
    if isinstance(value, list | tuple):
        separator = "; " if value and isinstance(value[0], dict) else ", "
        return separator.join(str(_shown(item)) for item in value)
    return value


def _table(content: Mapping[str, object]) -> list[str]:
    width = max((len(name) for name in content), default=0)
    return [f"  {name.ljust(width)}  {value}".rstrip() for name, value in content.items()]


@lru_cache
def distribution_of(module: str) -> dict[str, str]:
    """
    The distribution that a driver's class came with, and its version.

    :param module: of the class.
    """
    # The folder rotoclear/plugins is of many: the file decides.
    path = f"{module.replace('.', '/')}.py"
    for distribution in distributions():
        if any(str(file) == path for file in distribution.files or ()):
            return _named(distribution)
    for name in packages_distributions().get(module.partition(".")[0], []):
        return _named(distribution_named(name))
    return {}


def _named(distribution: Distribution) -> dict[str, str]:
    return {"distribution": distribution.metadata["Name"], "version": distribution.version}
