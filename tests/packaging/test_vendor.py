"""
A vendor's distribution, installed next to the server: ``examples/acme-vendor``.

Its wheel is built and installed into a virtual environment of its own, whose
other packages are those of these tests. Building takes setuptools from the
package index, as pip does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Server

CHECKOUT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = CHECKOUT / "examples" / "acme-vendor"

CONFIG = """
enabled-drivers = ["vendors"]

[drivers.acme-camera]
address = "ADDRESS"

[drivers.acme-lamp]
address = "ADDRESS"

[drivers.acme-storage]
address = "ADDRESS"
folder = "FOLDER"
"""


def run(command: list[Any], cwd: Path, **environ: str) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        EXAMPLE, folder / "sources", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    run([*pip, f"--wheel-dir={folder}", folder / "sources"], folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the vendor's wheel in it."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    paths = {str(CHECKOUT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "zz_others.pth").write_text("\n".join(sorted(paths)))
    interpreter = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet"]
    run([*pip, "--no-deps", "--no-index", wheel], folder)
    assert (packages / "rotoclear" / "plugins" / "acme_lamp.py").exists()
    return interpreter


def test_it_adds_modules_and_no_package_of_ours(wheel: Path) -> None:
    ours = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("rotoclear")}
    assert ours == {f"rotoclear/plugins/acme_{name}.py" for name in ("camera", "lamp", "storage")}


def test_its_own_tests_pass(python: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    said = run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], tmp_path, PYTHONPATH=""
    )
    assert " passed" in said


@pytest.fixture
def machine(python: Path, tmp_path: Path) -> Iterator[str]:
    """The address of one that is simulated in a process of its own."""
    code = (
        "import threading\n"
        "from acme.machine import Machine\n"
        "print(Machine().address, flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [str(python), "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


def test_a_report_is_made(python: Path, machine: str, tmp_path: Path) -> None:
    said = run(
        [
            *(python, "-m", "rotoclear.testing", "rotoclear.plugins.acme_lamp:acme_lamp"),
            *("--option", f"address={machine}", "--rounds", "5"),
        ],
        tmp_path,
        PYTHONPATH="",
    )
    assert "distribution  acme-vendor" in said
    assert "version       1.0" in said
    assert "PASSED" in said


class VendorsServer(Server):
    """A server in the vendor's environment."""

    python: Path

    def command(self) -> list[str]:
        code = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"
        return [str(self.python), "-P", "-c", code, *super().command()[1:]]


def test_a_server_has_its_devices(python: Path, machine: str, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    config = CONFIG.replace("ADDRESS", machine).replace("FOLDER", str(folder))
    server = VendorsServer(tmp_path / "server", config=config)
    server.python = python
    with server, server.client("admin") as client:
        wanted = {
            "cam1-exists": True,
            "storage-exists": True,
            "vendor-acme-temperature": 41,
        }
        deadline = time.monotonic() + 10
        while not wanted.items() <= (state := client.get()).items():
            assert time.monotonic() < deadline, (state, server.log_text())
            time.sleep(0.05)
        assert client.ask({"vendor-acme-purge": True})["vendor-acme-purge"] is True
        assert client.ask({"cam1-light": True})["cam1-light"] is True
        assert client.ask({"brightness": 80})["brightness"] == 80
