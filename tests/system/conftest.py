"""One package, one that is newer, and one machine, for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.base import base
from tests.system.machine import Machine

NEWER = "99.1.0"
"""The version of the newer one."""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``old.deb`` and ``new.deb``, which has another version and schema."""
    if os.geteuid() != 0:
        pytest.fail("these tests take root: sudo scripts/system-test")
    folder = tmp_path_factory.mktemp("packages")
    package = Path(os.environ["ROTOCLEAR_DEB"]).resolve()
    # A link would lead nowhere, inside.
    shutil.copy(package, folder / "old.deb")
    _make_newer(package, folder)
    return folder


def _make_newer(package: Path, folder: Path) -> None:
    """The package that a later version would be, as far as updating is concerned."""
    inside = folder / "inside"
    subprocess.run(["dpkg-deb", "-R", package, inside], check=True)
    control = inside / "DEBIAN/control"
    lines = control.read_text().splitlines()
    lines = [f"Version: {NEWER}" if line.startswith("Version: ") else line for line in lines]
    control.write_text("\n".join(lines) + "\n")
    ours = inside / "opt/rotoclear/lib/python3.11/site-packages/rotoclear"
    # What was compiled is not held against its source.
    for name in ("__pycache__/__init__.*", "state/__pycache__/database.*"):
        for compiled in ours.glob(name):
            compiled.unlink()
    version = ours / "__init__.py"
    version.write_text(f'"""Newer."""\n\n__version__ = "{NEWER}"\n')
    database = ours / "state/database.py"
    text = database.read_text()
    added = 'MIGRATIONS = (*MIGRATIONS, "CREATE TABLE newer (x TEXT);")'
    mark = "\nREADABLE_FROM: Final"
    assert mark in text
    database.write_text(text.replace(mark, f"\n{added}\n{mark}"))
    # The configuration has changed too, as it does when a setting is added.
    toml = inside / "etc/rotoclear/rotoclear.toml"
    toml.write_text(toml.read_text() + "\n# A comment of the newer version.\n")
    subprocess.run(
        ["dpkg-deb", "-b", "-Znone", "--root-owner-group", inside, folder / "new.deb"],
        check=True,
        capture_output=True,
    )
    shutil.rmtree(inside)


@pytest.fixture(scope="session")
def machine(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Switched on, without the package."""
    made = Machine(base(), tmp_path_factory.mktemp("machine"), packages)
    try:
        made.boot()
        yield made
    finally:
        made.close()
