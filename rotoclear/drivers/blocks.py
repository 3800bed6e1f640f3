"""
Disks and their partitions, as udev and sysfs tell of them.

The properties are those of udev's rules (60-persistent-storage.rules, udev_builtin_blkid).
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH110, PTH116, PTH119, PTH120, PTH123, PTH208

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from rotoclear.interfaces import UdevDevice

EFI_SYSTEM: Final = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
"""The type of a partition that is for firmware (UEFI 5.3.3); macOS makes one on every stick."""

_INTERFACE: Final = re.compile(r".*/(\d+-[\d.]+:\d+\.\d+)/")
_ESCAPE: Final = re.compile(rb"\\x([0-9a-f]{2})")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def disks_of(device: str, sysfs: str = "/sys") -> set[str]:
    """
    The disks that a block device lies on, by their paths in sysfs.

    One as a rule; of a logical volume or an encrypted one perhaps more.

    :param device: ``"8:1"``.
    """
    path = os.path.realpath(f"{sysfs}/dev/block/{device}")
    try:
        below = os.listdir(f"{path}/slaves")
    except OSError:
        below = []
    if below:
        return set().union(*(disks_of(_read(f"{path}/slaves/{x}/dev"), sysfs) for x in below))
    if not os.path.exists(path):
        return set()
    return {os.path.dirname(path) if os.path.exists(f"{path}/partition") else path}


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


class Block:
    """
    A disk or a partition that is plugged in.

    :ivar node: ``"/dev/sda1"``.
    :ivar numbers: ``"8:1"``.
    :ivar disk: the path in sysfs of the disk that it is, or is on.
    :ivar key: tells it, with what is on it, from all that were plugged in before.
    """

    def __init__(self, device: UdevDevice) -> None:
        self._path = device.path
        self._properties: Mapping[str, str] = device.properties
        self.node = device.node
        self.numbers = f"{self._get('MAJOR')}:{self._get('MINOR')}"
        partition = self._get("DEVTYPE") == "partition"
        self.disk = os.path.dirname(device.path) if partition else device.path
        self._generation = self._inode()
        self.key = (
            self._path,
            self._generation,
            self._get("DISKSEQ"),
            self._get("ID_FS_UUID"),
        )

    def _get(self, name: str) -> str:
        return self._properties.get(name, "")

    def _inode(self) -> int:
        """Of its folder in sysfs: another one each time it appears; 0 if it is not there."""
        try:
            return os.stat(self._path).st_ino
        except OSError:
            return 0

    @property
    def present(self) -> bool:
        """It has not been pulled since."""
        return self._generation != 0 and self._inode() == self._generation

    @property
    def removable(self) -> bool:
        """It is at a USB port, or in a slot that says that one may pull it."""
        return (
            "/usb" in self._path
            or self._get("ID_BUS") == "usb"
            or _read(f"{self.disk}/removable") == "1"
        )

    @property
    def has_files(self) -> bool:
        """Udev says that there is a file system on it, and it is for people."""
        return (
            self._get("ID_FS_USAGE") == "filesystem"
            and self._get("ID_PART_ENTRY_TYPE") != EFI_SYSTEM
            and self._get("UDISKS_IGNORE") != "1"
        )

    @property
    def identity(self) -> str:
        """The file system's, if udev knows it; else the port's."""
        uuid = self._get("ID_FS_UUID")
        number = self._get("ID_PART_ENTRY_NUMBER") or self._get("PARTN")
        part = f"-part{number}" if number else ""
        if uuid:
            identity = f"uuid:{uuid}"
        elif self._get("ID_PATH"):
            identity = f"path:{self._get('ID_PATH')}{part}"
        elif interface := _INTERFACE.match(self._path):
            identity = f"port:{interface[1]}{part}"
        else:
            identity = f"block:{os.path.basename(self._path)}"
        return _UNPRINTABLE.sub("?", identity)[:128]

    def name(self, path: str = "") -> str:
        """
        What people call it.

        :param path: where it is mounted, if it is: its last resort.
        """
        label = self._text("ID_FS_LABEL")
        maker = " ".join(filter(None, (self._text("ID_VENDOR"), self._text("ID_MODEL"))))
        return (label or maker or os.path.basename(path) or os.path.basename(self.node))[:255]

    def _text(self, name: str) -> str:
        """A property that udev has besides in full, with odd characters as ``\\x20``."""
        escaped = self._get(f"{name}_ENC").encode(errors="surrogateescape")
        full = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), escaped)
        text = full.decode(errors="replace") or self._get(name)
        return "".join(c for c in text if c.isprintable()).strip()
