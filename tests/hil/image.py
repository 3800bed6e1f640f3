"""
What the machine boots: Debian's kernel, an initial RAM disk, modules that Debian leaves out.

Made once for each version of the kernel (half a minute, half a gigabyte) and
kept in ``$ROTOCLEAR_HIL``, else in ``rotoclear-hil`` of the XDG cache folder.
"""

from __future__ import annotations

import gzip
import lzma
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

HERE: Final = Path(__file__).resolve().parent

SOURCES: Final = (
    "drivers/gpio/gpio-sim.c",
    "drivers/gpio/gpiolib.h",
    "drivers/leds/leds.h",
    "drivers/leds/uleds.c",
    "kernel/irq/irq_sim.c",
)
"""Of the modules that Debian's kernel does not have, in its own source."""

EARLY: Final = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
"""Modules without which there is no root file system."""

HEADERS: Final = re.compile(r"linux-headers-(\d+\.\d+\.\d+-\d+-amd64)")


class ImageFailed(Exception):
    """The machine's parts cannot be made; the text says what helps."""


@frozen
class Image:
    """
    A machine's parts.

    :ivar folder: holds ``vmlinux``, ``initrd.gz``, ``lib/modules`` and ``built``,
        the modules made here.
    :ivar version: the kernel's.
    """

    folder: Path
    version: str

    @property
    def kernel(self) -> Path:
        """The kernel, not compressed: so it boots two seconds sooner."""
        return self.folder / "vmlinux"

    @property
    def initrd(self) -> Path:
        """What mounts the root file system."""
        return self.folder / "initrd.gz"

    @property
    def modules(self) -> Path:
        """``modprobe``'s folder."""
        return self.folder / "lib/modules" / self.version

    @property
    def built(self) -> Path:
        """``irq_sim.ko``, ``gpio-sim.ko`` and ``uleds.ko``, for ``insmod``."""
        return self.folder / "built"


def image() -> Image:
    """
    The parts, made if they are not there yet.

    :raises ImageFailed: they cannot be made.
    """
    if platform.machine() != "x86_64":
        raise ImageFailed("the machine is an amd64 one, and so must be what it runs on")
    version = kernel_version()
    folder = cache_folder() / version
    if not (folder / "complete").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{version}.") as work:
            made = Path(work) / "image"
            made.mkdir()
            _make(Image(made, version))
            (made / "complete").touch()
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    return Image(folder, version)


def cache_folder() -> Path:
    """Where the parts are kept."""
    if chosen := os.environ.get("ROTOCLEAR_HIL"):
        return Path(chosen).resolve()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache").resolve() / "rotoclear-hil"


def kernel_version() -> str:
    """
    The version of the newest kernel whose headers are installed.

    :raises ImageFailed: there are none.
    """
    names = [HEADERS.fullmatch(path.name) for path in Path("/usr/src").glob("linux-headers-*")]
    versions = [name[1] for name in names if name]
    if not versions:
        raise ImageFailed("there are no kernel headers in /usr/src; run scripts/hil")
    return max(versions, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])


def _make(image: Image) -> None:
    package = image.folder / "package"
    package.mkdir()
    _run("apt-get", "download", "-q", f"linux-image-{image.version}", cwd=package)
    (archive,) = package.glob("*.deb")
    _run("dpkg-deb", "-x", str(archive), str(package))
    (package / "lib").rename(image.folder / "lib")
    _run("depmod", "-b", str(image.folder), image.version)
    compressed = (package / "boot" / f"vmlinuz-{image.version}").read_bytes()
    image.kernel.write_bytes(_unpacked(compressed))
    shutil.rmtree(package)
    _make_initrd(image)
    _make_modules(image)


def _unpacked(kernel: bytes) -> bytes:
    """The kernel inside a ``vmlinuz``, which unpacks itself: an xz stream with more behind it."""
    start = kernel.find(b"\xfd7zXZ\0")
    if start < 0:
        raise ImageFailed("this kernel is not compressed with xz")
    return lzma.LZMADecompressor().decompress(kernel[start:])


def _make_initrd(image: Image) -> None:
    root = image.folder / "root"
    for name in ("bin", "modules", "proc", "sys", "dev", "lower", "layer", "new"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    shutil.copy(HERE / "initrd-init", root / "init")
    (root / "init").chmod(0o755)
    order: list[str] = []
    for module in EARLY:
        told = _run("modprobe", "-d", str(image.folder), "-S", image.version, "-D", module)
        # "insmod PATH", a line for each that it needs, in order.
        for line in told.splitlines():
            path = Path(line.split()[1])
            if line.startswith("insmod") and path.name not in order:
                shutil.copy(path, root / "modules")
                order.append(path.name)
    (root / "modules/order").write_text("\n".join(order) + "\n")
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc"],
        cwd=root,
        input=names.encode(),
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    image.initrd.write_bytes(gzip.compress(packed, 1))
    shutil.rmtree(root)


def _make_modules(image: Image) -> None:
    release = ".".join(image.version.split(".")[:2])
    source = Path(f"/usr/src/linux-source-{release}.tar.xz")
    if not source.exists():
        raise ImageFailed(f"there is no {source}; run scripts/hil")
    image.built.mkdir()
    wanted = {f"{source.name.removesuffix('.tar.xz')}/{name}" for name in SOURCES}
    with tarfile.open(source, "r|xz") as archive:
        for member in archive:
            if member.name in wanted:
                wanted.remove(member.name)
                file = archive.extractfile(member)
                assert file is not None
                (image.built / Path(member.name).name).write_bytes(file.read())
                if not wanted:
                    break
    _adapt(image.built)
    _run(
        "make",
        "-C",
        f"/usr/src/linux-headers-{image.version}",
        f"M={image.built}",
        "CC=gcc",
        "KCFLAGS=-w",
        "modules",
    )
    for path in image.built.iterdir():
        if path.suffix != ".ko":
            path.unlink()
        else:
            _run("strip", "-g", str(path))


def _adapt(folder: Path) -> None:
    """Parts of the kernel, made into modules outside of it."""
    uleds = folder / "uleds.c"
    uleds.write_text(uleds.read_text().replace('"../leds.h"', '"leds.h"'))
    irq_sim = folder / "irq_sim.c"
    # irq_to_desc() is not for modules; generic_handle_irq() does both steps.
    text = irq_sim.read_text().replace(
        "handle_simple_irq(irq_to_desc(irqnum))", "generic_handle_irq(irqnum)"
    )
    irq_sim.write_text(f'#include <linux/module.h>\n{text}\nMODULE_LICENSE("GPL");\n')
    (folder / "Makefile").write_text("obj-m := uleds.o irq_sim.o gpio-sim.o\n")


def _run(*command: str, cwd: Path | None = None) -> str:
    """Its output; its errors are told."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise ImageFailed(f"there is no {command[0]}; run scripts/hil") from None
    if done.returncode:
        raise ImageFailed(f"{_told(command)} failed; scripts/hil may help:\n{done.stderr}")
    return done.stdout


def _told(command: Sequence[str]) -> str:
    return " ".join(command[:4])
