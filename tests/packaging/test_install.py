"""
``twistd rotoclear`` is found however the package was installed.

Each test has a virtual environment of its own, with Twisted itself in it (its
``plugins`` folder is where ours goes) and the other dependencies from where
these tests run. Building takes setuptools from the package index, as pip does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from rotoclear import __version__

CHECKOUT = Path(__file__).parent.parent.parent
SOURCES = ("LICENSE", "MANIFEST.in", "README.rst", "pyproject.toml", "setup.cfg")
FOLDERS = ("etc", "rotoclear", "twisted")
PLUGIN = "twisted/plugins/rotoclear_service.py"
LINE = "rotoclear            The control server"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the sources: building leaves things behind."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (CHECKOUT / name).exists():
            shutil.copy(CHECKOUT / name, copy)
    ignored = shutil.ignore_patterns("__pycache__", "dropin.cache")
    for name in FOLDERS:
        shutil.copytree(CHECKOUT / name, copy / name, ignore=ignored)
    if not (copy / "README.rst").exists():
        (copy / "README.rst").write_text("rotoclear\n")
    return copy


class Environment:
    """A virtual environment with Twisted in it."""

    def __init__(self, folder):
        venv.create(folder, with_pip=False, symlinks=True)
        self.python = folder / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = folder / "lib" / version / "site-packages"
        twisted = distribution("Twisted")
        for top in {file.parts[0] for file in twisted.files if file.parts[0] != ".."}:
            shutil.copytree(
                twisted.locate_file(top),
                self.packages / top,
                ignore=shutil.ignore_patterns("__pycache__", "test", "dropin.cache"),
            )
        paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (self.packages / "zz_others.pth").write_text("\n".join(sorted(paths)))

    def pip(self, *arguments):
        command = [sys.executable, "-m", "pip", "--python", self.python, *arguments]
        self._run(command, cwd=self.packages)

    def twistd(self, *arguments, cwd, path=""):
        """What twistd prints; it knows only what is installed, and ``path``."""
        code = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"
        # -P: as for the twistd script, the working directory is not on sys.path.
        command = [self.python, "-P", "-c", code, *arguments]
        return self._run(command, cwd=cwd, PYTHONPATH=path)

    def files(self):
        """All files but those that Python and Twisted keep for their own speed."""
        return {
            file.relative_to(self.packages)
            for file in self.packages.rglob("*")
            if file.is_file() and file.suffix != ".pyc" and file.name != "dropin.cache"
        }

    def _run(self, command, cwd, **environ):
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


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path / "venv")


def assert_works(environment, elsewhere, **options):
    """The plugin is found, and its module with all it needs is imported."""
    assert LINE in environment.twistd("--help", cwd=elsewhere, **options)
    said = environment.twistd("rotoclear", "--version", cwd=elsewhere, **options)
    assert said == f"rotoclear {__version__}\n"
    # Twisted's own plugins are still there.
    assert "\n    web " in environment.twistd("--help", cwd=elsewhere, **options)


def test_wheel(environment, checkout, tmp_path):
    """Installed, used, and gone without a trace."""
    environment.pip("wheel", "--quiet", "--no-deps", f"--wheel-dir={tmp_path}", checkout)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.startswith("twisted")] == [PLUGIN]
    tops = {name.split("/")[0] for name in names}
    assert tops == {"rotoclear", "twisted", f"rotoclear-{__version__}.dist-info"}
    for name in shipped(checkout):
        assert name in names
    before = environment.files()
    environment.pip("install", "--quiet", "--no-deps", wheel)
    assert (environment.packages / PLUGIN).exists()
    assert_works(environment, tmp_path)
    environment.pip("uninstall", "--quiet", "--yes", "rotoclear")
    assert environment.files() == before
    assert not list(environment.packages.rglob("*rotoclear*"))
    assert "rotoclear" not in environment.twistd("--help", cwd=tmp_path)


def test_read_only(environment, checkout, tmp_path):
    """The installation cannot be written: it starts, and complains about nothing."""
    environment.pip("install", "--quiet", "--no-deps", checkout)
    plugins = environment.packages / "twisted" / "plugins"
    for prepare in (lambda: None, lambda: leave_an_old_cache(environment, plugins)):
        prepare()
        plugins.chmod(0o555)
        assert_starts_without_complaint(environment, tmp_path)
        plugins.chmod(0o755)


def leave_an_old_cache(environment, plugins):
    """One that Twisted would like to replace."""
    environment.twistd("--help", cwd=plugins)
    os.utime(plugins / "dropin.cache", (0, 0))


def assert_starts_without_complaint(environment, folder):
    """Also as root, to whom only this leaves no more rights on files than its owner's."""
    code = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"
    data = folder / "data"
    server = subprocess.Popen(
        [
            *(["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []),
            *[environment.python, "-P", "-c", code, "-n", "--pidfile=", "rotoclear"],
            *[f"--data-dir={data}", f"--listen=unix:{folder}/http"],
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    try:
        for line in server.stdout:
            said.append(line)
            if "is ready after" in line:
                break
    finally:
        server.terminate()
        said += server.communicate(timeout=20)[0]
    text = "".join(said)
    assert server.returncode in (0, -signal.SIGTERM), text  # newer ones end by the signal
    assert "is ready after" in text
    assert "twistd" in text  # the log's beginning is there
    for word in ("plugin cache", "dropin", "Unable", "Traceback"):
        assert word not in text, text


def shipped(checkout):
    """All of the package: modules, and what lies between them."""
    for file in (checkout / "rotoclear").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(checkout).as_posix()


def test_editable(environment, checkout, tmp_path):
    """Twisted looks for plugins along sys.path: an import hook would hide ours."""
    before = environment.files()
    environment.pip("install", "--quiet", "--no-deps", "--editable", checkout)
    assert not (environment.packages / PLUGIN).exists()
    assert_works(environment, tmp_path)
    environment.pip("uninstall", "--quiet", "--yes", "rotoclear")
    assert environment.files() == before
    assert "rotoclear" not in environment.twistd("--help", cwd=tmp_path)


def test_checkout(environment, checkout):
    """From the checkout, nothing installed: ``PYTHONPATH=. twistd rotoclear``."""
    assert_works(environment, checkout, path=".")


def test_broken_package(environment, checkout, tmp_path):
    """twistd's other plugins do not suffer from ours: nothing is imported before it is asked."""
    broken = tmp_path / "broken"
    shutil.copytree(checkout / "twisted", broken / "twisted")
    (broken / "rotoclear").mkdir()
    (broken / "rotoclear" / "__init__.py").write_text("raise RuntimeError('broken')")
    assert LINE in environment.twistd("--help", cwd=broken, path=".")
    environment.twistd("web", "--help", cwd=broken, path=".")


def test_source_distribution(checkout, tmp_path):
    """It holds what a wheel is built from."""
    copy = tmp_path / "copy"
    shutil.copytree(checkout, copy)
    code = "from setuptools.build_meta import build_sdist; print(build_sdist('.'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=True
    )
    archive = copy / done.stdout.split()[-1]
    with tarfile.open(archive) as sdist:
        sdist.extractall(tmp_path)  # noqa: S202 - it is our own
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    for name in (*SOURCES, PLUGIN, "etc/rotoclear.toml", *shipped(checkout)):
        assert (unpacked / name).exists(), name
    assert not list(unpacked.rglob("__pycache__"))
