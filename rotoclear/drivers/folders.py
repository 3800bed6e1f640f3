"""Folders to write in, on whatever file system."""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH103, PTH108, PTH112

from __future__ import annotations

import errno
import os
from typing import Final

from rotoclear.drivers.failures import told
from rotoclear.interfaces import DeviceFailure, VolumeUsage

_TRIAL: Final = ".rotoclear-write-test"

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_DENIED: Final = "The server's user must be allowed to write there"

_GONE: Final = frozenset({errno.ENODEV, errno.ENXIO, errno.ENOENT})
DEAD: Final = _GONE | {errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENOMEDIUM, errno.ESHUTDOWN}
"""The error numbers of a disk that was pulled while it was mounted."""


def make(path: str) -> None:
    """
    Make a folder, and those above it, unless it is there; its owner's alone.

    :raises DeviceFailure: it cannot be made, or is no folder.
    """
    with told(f"The folder {path}", _DENIED, frozenset()):
        try:
            os.makedirs(path, mode=0o700)
        except FileExistsError:
            if not os.path.isdir(path):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def check_writable(path: str) -> None:
    """
    Look whether one may write there; the disk is not touched.

    :raises DeviceFailure: one may not.
    """
    # os.access() would not tell why.
    with told(f"The folder {path}", _DENIED, frozenset()):
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def try_writing(path: str, *, sync: bool = False) -> None:
    """
    Write a file and remove it: what a file system says of itself is not all there is.

    A full one is a good one.

    :param sync: wait until the disk has it. That may take seconds, but else only memory is
        written to, and the disk may be gone.
    :raises DeviceFailure: it failed.
    """
    trial = f"{path}/{_TRIAL}"
    with told(f"The folder {path}", _DENIED, frozenset()):
        try:
            descriptor = os.open(
                trial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            try:
                os.write(descriptor, b"\n")
                if sync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
                os.unlink(trial)
        except OSError as error:
            if error.errno not in _FULL:
                raise


def probe(path: str, gone: frozenset[int] = _GONE) -> None:
    """
    A sign of life of its file system, which costs next to nothing.

    One that has errors makes itself read-only (ext4 with ``errors=remount-ro``, vfat always), and
    that shows here. Nothing is written: four times a second it would wear out a stick.

    :param gone: the error numbers that mean that it is not there any more.
    :raises DeviceGone: one of these.
    :raises DeviceFailure: any other, or it is read-only now.
    """
    status = _status(path, gone)
    if status.f_flag & os.ST_RDONLY:
        raise DeviceFailure(
            f"The file system of {path} is read-only now: the disk may be damaged, "
            "the kernel's log tells more"
        )


def usage(path: str, gone: frozenset[int] = _GONE) -> VolumeUsage:
    """
    How full its file system is; ``free`` is what others than root may write.

    :raises DeviceGone: as :func:`probe`.
    :raises DeviceFailure: it cannot be read.
    """
    status = _status(path, gone)
    total = status.f_blocks * status.f_frsize
    return VolumeUsage(total=total, free=min(status.f_bavail * status.f_frsize, total))


def _status(path: str, gone: frozenset[int]) -> os.statvfs_result:
    with told(f"The folder {path}", _DENIED, gone):
        return os.statvfs(f"{path}/")  # with the slash, a file in its place does not count
