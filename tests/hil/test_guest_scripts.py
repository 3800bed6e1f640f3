"""Drivers on the kernel's devices, without a server; and the conformance kit."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.harness.server import ROOT
from tests.hil.image import HERE
from tests.hil.machine import Machine
from tests.hil.times import timed

PYTHON = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)}"

SCRIPTS = sorted(HERE.glob("guest_*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_inside_is_good(machine: Machine, script: Path) -> None:
    with timed(script.stem):
        machine.run(f"cd /run; {PYTHON} {shlex.quote(str(script))}", limit=240)
