"""
The kernel's devices without udev: as the kernel itself shows them.

Blocking: for a thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Final

from rotoclear.interfaces import UdevDevice

ROOT: Final = "/sys"
"""Where the kernel shows them."""


def devices(subsystems: Iterable[str], root: str = ROOT) -> list[UdevDevice]:
    """
    Those of these subsystems, with the properties that the kernel gives them.

    See Documentation/admin-guide/sysfs-rules.rst of the kernel.
    """
    return [device for subsystem in subsystems for device in _devices(subsystem, root)]


def _devices(subsystem: str, root: str) -> Iterator[UdevDevice]:
    for folder in (f"{root}/class/{subsystem}", f"{root}/bus/{subsystem}/devices"):
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            path = os.path.realpath(f"{folder}/{name}")
            try:
                with open(f"{path}/uevent", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                    text = file.read()
            except OSError:  # it has just gone, or is no device (/sys/class/zram-control/hot_add)
                continue
            properties = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
            node = properties.get("DEVNAME", "")
            if node and not node.startswith("/"):
                node = f"/dev/{node}"
                properties["DEVNAME"] = node
            yield UdevDevice(path=path, subsystem=subsystem, node=node, properties=properties)
