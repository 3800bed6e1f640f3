"""A root folder with Debian in it, made once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

SUITE: Final = "bookworm"

PACKAGES: Final = (
    "systemd-sysv",
    "dbus",
    "iproute2",
    "polkitd",
    "udisks2",
    # What the package depends on; without a network it cannot be fetched later.
    "libstdc++6",
    "libudev1",
    "python3.11",
    "zlib1g",
)


class BaseFailed(Exception):
    """There is no root folder; the text says why."""


def cache_folder() -> Path:
    """Where it is kept: ``$ROTOCLEAR_SYSTEM``, else the XDG cache folder's."""
    if chosen := os.environ.get("ROTOCLEAR_SYSTEM"):
        return Path(chosen).resolve()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache").resolve() / "rotoclear-system"


def base() -> Path:
    """
    The folder; made in a minute or so if it is not there.

    :raises BaseFailed: it cannot be made.
    """
    mark = hashlib.sha256(" ".join((SUITE, *PACKAGES)).encode()).hexdigest()[:12]
    folder = cache_folder() / f"{SUITE}-{mark}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            # In a folder that others may enter: it becomes the system's root.
            Path(work).chmod(0o755)
            made = Path(work, "root")
            _make(made)
            made.rename(folder)
    return folder


def _make(folder: Path) -> None:
    print("Making a Debian system; it takes a minute or two ...", file=sys.stderr)
    done = subprocess.run(
        [
            # What it mounts goes with it, however it ends.
            *("unshare", "--mount", "--fork", "--kill-child", "mmdebstrap", "--mode=root"),
            *("--variant=minbase", "--format=directory"),
            *("--aptopt=Acquire::Check-Valid-Until false", "--aptopt=Acquire::Check-Date false"),
            *(f"--include={','.join(PACKAGES)}", SUITE, str(folder), "-"),
        ],
        input=_sources(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise BaseFailed(f"mmdebstrap failed:\n{done.stderr[-2000:]}")
    # A machine's own, made at each first start.
    (folder / "etc/machine-id").unlink(missing_ok=True)


def _sources() -> str:
    """Where this machine has Debian's packages from."""
    places = [
        Path("/etc/apt/sources.list"),
        *sorted(Path("/etc/apt/sources.list.d").glob("*.sources")),
        *sorted(Path("/etc/apt/sources.list.d").glob("*.list")),
    ]
    found = [path.read_text() for path in places if path.exists() and SUITE in path.read_text()]
    if not found:
        raise BaseFailed(f"this machine's apt knows no place for Debian's {SUITE}")
    return found[0]


if __name__ == "__main__":
    try:
        base()
    except BaseFailed as error:
        sys.exit(str(error))
