"""What is checked of drivers for volumes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from rotoclear.devices import describe
from rotoclear.interfaces import VolumeDescription, VolumeUsage
from rotoclear.testing.bench import Bench, Handle
from rotoclear.testing.cases import DriverTests
from rotoclear.testing.checks import both
from rotoclear.testing.fault import Fault


class StorageDriverTests(DriverTests):
    """For a class of tests of yours; see :mod:`rotoclear.testing`."""

    kind: ClassVar[str] = "storage"

    def once(self, handle: Handle) -> None:
        handle.call("probe")
        handle.call("usage")

    def calls_to_lose(self, handle: Handle) -> list[tuple[str, tuple[Any, ...]]]:
        return [("probe", ()), ("usage", ())]

    @both("a volume's folder is there and can be written to")
    def check_path(self, bench: Bench) -> None:
        for handle in self.each(bench):
            description: VolumeDescription = self.described(handle, handle.raw)
            problem = _unwritable(Path(description.path))
            if problem:
                raise Fault(
                    f"{description.path} of {handle.identity} cannot be written to: {problem}.",
                    where="VolumeDescription.path",
                    asks="the folder to write in, absolute, on that volume: it exists and may be "
                    "written to",
                    mend="mount it for the server's user (uid=, umask=), make the folder in "
                    "open(), and do not name in find() what is mounted read-only",
                )

    @both("a volume tells how full it is")
    def check_usage(self, bench: Bench) -> None:
        for handle in self.each(bench):
            for _ in range(3):
                raw = self.timed(handle.identity, "usage, ms", lambda: handle.call("usage"))  # noqa: B023
                self._usage(handle, raw)

    def _usage(self, handle: Handle, raw: object) -> None:
        try:
            if isinstance(raw, VolumeUsage):
                raw = {"total": raw.total, "free": raw.free}
            usage = describe.usage(raw)
        except describe.BadDescription as error:
            raise Fault(
                f"usage() of {handle.identity} returned what cannot be: {error}.",
                where="IVolume.usage; VolumeUsage",
                asks="total and free in bytes, and 0 <= free <= total",
                mend="of os.statvfs(): total = f_blocks * f_frsize, free = f_bavail * f_frsize",
            ) from None
        type(self).report.figure(
            handle.identity, "free of total, bytes", f"{usage.free} of {usage.total}"
        )


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there, or ``""``."""
    if not folder.is_dir():
        return "there is no such folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "this user may not write there"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"rotoclear")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""
