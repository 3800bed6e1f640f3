"""All checks of one driver with what is plugged into this machine, and a report on them."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rotoclear.devices.kinds import KindError, kind_of
from rotoclear.interfaces import Setting, UdevDevice
from rotoclear.testing.camera import CameraDriverTests
from rotoclear.testing.cases import DriverTests
from rotoclear.testing.checks import way_of
from rotoclear.testing.kernel import present
from rotoclear.testing.light import LightDriverTests
from rotoclear.testing.report import Check, Report
from rotoclear.testing.settings import parsed
from rotoclear.testing.storage import StorageDriverTests

TESTS: Final[dict[str, type[DriverTests]]] = {
    "camera": CameraDriverTests,
    "light": LightDriverTests,
    "storage": StorageDriverTests,
}

ALONE: Final = 120.0
"""Seconds that a check in a process of its own may take."""


def arguments() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m rotoclear.testing",
        description="Check a driver with what is plugged into this machine, through the process "
        "that the server would start, and print a report. The exit code is 0 if all is well.",
        epilog="For whoever writes a driver: it takes minutes, sets everything there is and "
        "reads no configuration. Whether a driver works where it is installed is told by: "
        "rotoclear driver check NAME",
    )
    parser.add_argument(
        "target", metavar="MODULE:ATTRIBUTE", help="as in rotoclear.plugins.acme_lamp:acme_lamp"
    )
    parser.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="of the driver; several texts are separated by commas; may be given again",
    )
    parser.add_argument(
        "--device",
        metavar="IDENTITY",
        action="append",
        default=[],
        help="check this one only; may be given again",
    )
    parser.add_argument(
        "--unplug", metavar="COMMAND", help="takes the device $IDENTITY away (a USB hub that can)"
    )
    parser.add_argument("--plug", metavar="COMMAND", help="brings it back")
    parser.add_argument(
        "--rounds", type=int, default=20, help="of opening and closing, in search of leaks (20)"
    )
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="of pictures, to measure their rate (3)"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the report here, too")
    parser.add_argument("--only", metavar="TEST", help=argparse.SUPPRESS)
    return parser


def main(words: Sequence[str]) -> int:
    """
    Be the command.

    :return: the exit code.
    """
    parser = arguments()
    said = parser.parse_args(words)
    module, _, attribute = said.target.partition(":")
    if not module or not attribute:
        parser.error("say MODULE:ATTRIBUTE")
    if bool(said.plug) != bool(said.unplug):
        parser.error("--plug and --unplug go together")
    try:
        driver = getattr(importlib.import_module(module), attribute)
        kind = kind_of(driver)
    except KindError as error:
        return _unusable(said.target, str(error))
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        traceback.print_exc()
        return _unusable(said.target, f"{type(error).__name__}: {error}")
    try:
        options = parsed(driver, _pairs(said.option))
    except ValueError as error:
        parser.error(str(error))
    cls = _case(driver, kind, module, attribute, options, said)
    if said.only:
        _run(cls, said.only)
    else:
        _run_all(cls, list(words))
    report = cls.report
    report.target = said.target
    if said.json:
        said.json.write_text(report.as_json(), "utf-8")
    if not said.only:
        print(report.as_text())
    return 0 if report.passed else 1


def _unusable(target: str, reason: str) -> int:
    report = Report(target=target)
    report.checks.append(Check("test_load", "it can be loaded", "fail", reason))
    print(report.as_text())
    return 1


def _pairs(said: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for pair in said:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair} is no NAME=VALUE")
        pairs[name] = value
    return pairs


def _case(
    driver: Any,
    kind: str,
    module: str,
    attribute: str,
    options: dict[str, Setting],
    said: argparse.Namespace,
) -> type[Any]:
    """The class of tests that a vendor would have written."""

    def make_driver(self: DriverTests) -> Any:
        return driver

    def find_present(self: DriverTests) -> Sequence[UdevDevice]:
        return present(driver.matches)

    members: dict[str, Any] = {
        "module": module,
        "attribute": attribute,
        "options": options,
        "identities": tuple(said.device),
        "rounds": said.rounds,
        "seconds": said.seconds,
        "make_driver": make_driver,
        "present": find_present,
    }
    if said.plug:
        members |= {"plug": _hook(said.plug), "unplug": _hook(said.unplug)}
    return type(attribute, (TESTS[kind], unittest.TestCase), members)


def _hook(command: str) -> Any:
    def run(self: DriverTests, identity: str) -> None:
        # Whoever gives the command gives the shell that runs it, too.
        subprocess.run(  # noqa: S602
            command, shell=True, check=True, env={**os.environ, "IDENTITY": identity}
        )

    return run


def _run_all(cls: type[Any], words: list[str]) -> None:
    """
    Through the real process what can be; what cannot, in a process for each check.

    So a driver is never started twice in one process, and one that crashes
    harms nobody.
    """
    names = [
        name
        for parent in reversed(cls.__mro__)
        for name, member in vars(parent).items()
        if name.startswith("test_") and hasattr(member, "way")
    ]
    for name in names:
        match way_of(getattr(cls, name)):
            case "direct" if f"{name}_in_its_process" in names:
                continue
            case "direct":
                _apart(cls.report, name, words)
            case _:
                _run(cls, name)
        check = cls.report.checks[-1]
        print(f"{check.outcome:>13}  {check.what}", file=sys.stderr, flush=True)


def _run(cls: type[Any], name: str) -> None:
    """One check, here. The report has what came of it."""
    cls(name).run(unittest.TestResult())


def _apart(report: Report, name: str, words: list[str]) -> None:
    """One check, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="rotoclear-testing-") as folder:
        file = Path(folder) / "report.json"
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)  # noqa: PTH100
        command = [sys.executable, "-m", "rotoclear.testing", *words]
        try:
            done = subprocess.run(  # noqa: S603 - ourselves
                [*command, "--only", name, "--json", str(file)],
                env={**os.environ, "PYTHONPATH": path},
                stdout=subprocess.DEVNULL,
                timeout=ALONE,
                check=False,
            )
            content = json.loads(file.read_text("utf-8"))
            (told,) = content["checks"]
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            ending = str(error) if isinstance(error, subprocess.TimeoutExpired) else ""
            reason = ending or f"its process ended with exit code {done.returncode}"
            report.checks.append(Check(name, name, "fail", f"The check came to no end: {reason}"))
            return
    report.checks.append(
        Check(told["name"], told["what"], told["outcome"], told["message"], told["not-exercised"])
    )
    for identity, figures in content["figures"].items():
        for figure, value in figures.items():
            report.figure(identity, figure, value)
