"""
What is mounted where: ``/proc/self/mountinfo``.

See proc(5), and the kernel's Documentation/filesystems/proc.rst, 3.5.
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import os
import re
import select
import stat
import threading
from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen

MOUNTINFO: Final = "/proc/self/mountinfo"

_ESCAPE: Final = re.compile(rb"\\([0-7]{3})")


@frozen
class Mount:
    """
    One mount.

    :ivar number: its own, while it is there.
    :ivar device: ``"8:1"``. Some file systems (btrfs) have one of their own that no block device
        has.
    :ivar root: what of the file system it shows; ``"/"`` if all of it.
    :ivar path: where it is.
    :ivar read_only: the mount is, or its file system.
    :ivar type: of its file system.
    :ivar source: mostly the block device's node.
    """

    number: int
    device: str
    root: str
    path: str
    read_only: bool
    type: str
    source: str


def mounts(file: str = MOUNTINFO) -> list[Mount]:
    """
    All mounts, in the order in which they were made.

    :raises OSError: the file cannot be read.
    """
    with open(file, "rb") as lines:
        return [mount for line in lines if (mount := _parsed(line)) is not None]


def _parsed(line: bytes) -> Mount | None:
    fields = line.split()
    try:
        end = fields.index(b"-", 6)
        number, _, device, root, path, options = fields[:6]
        type_, source, super_options = fields[end + 1 : end + 4]
    except ValueError:
        return None
    read_only = b"ro" in options.split(b",") or b"ro" in super_options.split(b",")
    return Mount(
        number=int(number),
        device=device.decode(),
        root=_unescaped(root),
        path=_unescaped(path),
        read_only=read_only,
        type=_unescaped(type_),
        source=_unescaped(source),
    )


def _unescaped(field: bytes) -> str:
    return os.fsdecode(_ESCAPE.sub(lambda match: bytes([int(match[1], 8)]), field))


def of_device(all_mounts: Sequence[Mount], device: str, node: str) -> list[Mount]:
    """
    Where a block device is mounted, best first: the whole of it, to be written on.

    :param device: ``"8:1"``.
    :param node: ``"/dev/sda1"``.
    """
    found = [m for m in all_mounts if m.source == node or device_of(m) == device]
    return sorted(found, key=lambda mount: (mount.read_only, mount.root != "/"))


def device_of(mount: Mount) -> str:
    """The block device below a mount, ``"8:1"``, or ``""`` if there is none."""
    if not mount.device.startswith("0:"):
        return mount.device
    if not mount.source.startswith("/dev/"):
        return ""
    try:
        status = os.stat(mount.source)
    except OSError:
        return ""
    if not stat.S_ISBLK(status.st_mode):
        return ""
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def number_of(path: str) -> int:
    """
    The number of the mount that a path leads to.

    Other than a device number it tells whether a file system was mounted over another, and it is
    right for those that have several device numbers.

    :raises OSError: there is no such path.
    """
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", "rb") as file:
            for line in file:
                key, _, value = line.partition(b":")
                if key == b"mnt_id":
                    return int(value)
    finally:
        os.close(descriptor)
    raise OSError(f"{path}: the kernel does not tell its mount")


def is_mount_point(path: str) -> bool:
    """
    Whether something is mounted at this path itself.

    :raises OSError: there is no such path.
    """
    return number_of(path) != number_of(f"{path}/..")


class Watch(threading.Thread):
    """
    Tells when something was mounted or unmounted.

    :param changed: what to call then, from this thread.
    """

    def __init__(self, changed: Callable[[], None], file: str = MOUNTINFO) -> None:
        super().__init__(name="mounts", daemon=True)
        self._changed = changed
        # Opened here and not in the thread: from now on nothing is missed.
        self._file = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        self._ended, self._end = os.pipe()

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._file, select.POLLPRI)  # with POLLERR, which is always asked for
        poll.register(self._ended, select.POLLIN)
        while self._ended not in (ready := [descriptor for descriptor, _ in poll.poll()]):
            if ready:
                self._changed()
        for descriptor in (self._file, self._ended):
            os.close(descriptor)

    def stop(self) -> None:
        """End it. Once, after it was started."""
        os.close(self._end)
        self.join()
