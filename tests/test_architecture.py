"""Who may import whom: ``.importlinter`` says it, and this runs it."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = ROOT / ".importlinter"

UNBOUND = {"announcing", "service", "streaming", "py.typed", "__pycache__"}
"""``service`` may import everything, and so may two others for it; the rest holds no code."""


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in a folder."""
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package, with its contracts."""
    shutil.copytree(
        ROOT / "rotoclear", tmp_path / "rotoclear", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(CONTRACTS, tmp_path)
    return tmp_path


def test_every_import_is_allowed(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("values.py", "rotoclear.interfaces"),
        ("state/keys.py", "rotoclear.auth.users"),
        ("auth/users.py", "rotoclear.api.v1"),
        ("api/v1.py", "rotoclear.service"),
        ("api/v1.py", "rotoclear.devices.heads"),
        ("devices/heads.py", "rotoclear.media.recorder"),
        ("tap.py", "rotoclear.api.site"),
    ],
)
def test_others_are_found(copy: Path, importer: str, imported: str) -> None:
    with (copy / "rotoclear" / importer).open("a") as file:
        file.write(f"\nimport {imported}\n")
    result = lint(copy)
    assert result.returncode == 1, result.stdout
    room = Path(importer).with_suffix("").as_posix().replace("/", ".")
    assert f"rotoclear.{room} -> {imported}" in result.stdout


def test_every_room_has_a_contract() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(CONTRACTS)
    bound = {
        module.removeprefix("rotoclear.")
        for section in contracts.values()
        for module in section.get("source_modules", "").split()
    }
    rooms = {
        path.stem
        for path in (ROOT / "rotoclear").iterdir()
        if path.suffix == ".py" or any(path.rglob("*.py"))
    } - {"__init__"}
    assert rooms - UNBOUND == bound
