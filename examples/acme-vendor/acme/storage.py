"""The disk in an Acme machine's dock, which the system mounts."""

from __future__ import annotations

import os
from collections.abc import Sequence

from zope.interface import implementer

from acme.link import ADDRESS, ask, plugged
from rotoclear.interfaces import (
    DeviceFailure,
    DeviceGone,
    DriverContext,
    DriverKey,
    DriverUnusable,
    IStorageDriver,
    IVolume,
    Match,
    Option,
    VolumeDescription,
    VolumeUsage,
)

IDENTITY = "disk"


@implementer(IVolume)
class Disk:
    """The disk; there is one."""

    def __init__(self, address: str, folder: str) -> None:
        self._address = address
        self._folder = folder

    def describe(self) -> VolumeDescription:
        return VolumeDescription(
            identity=IDENTITY, name="Acme disk", path=self._folder, removable=True
        )

    def probe(self) -> None:
        ask(self._address, "STATUS disk")

    def usage(self) -> VolumeUsage:
        self.probe()
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            raise DeviceFailure(f"{self._folder}: {error.strerror}") from None
        return VolumeUsage(total=disk.f_blocks * disk.f_frsize, free=disk.f_bavail * disk.f_frsize)

    def close(self) -> None:
        pass


@implementer(IStorageDriver)
class AcmeStorage:
    """Finds it."""

    name = "acme-storage"
    matches: Sequence[Match] = ()
    options: Sequence[Option] = (
        ADDRESS,
        Option(name="folder", default="/media/acme", doc="where the disk is mounted"),
    )
    keys: Sequence[DriverKey] = ()

    def start(self, context: DriverContext) -> None:
        self._address = str(context.options["address"])
        self._folder = str(context.options["folder"])
        if not os.path.isabs(self._folder):
            raise DriverUnusable(f"folder must be an absolute path, not {self._folder}")

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        there = os.path.isdir(self._folder) and plugged(self._address, "disk")
        return [IDENTITY] if there else []

    def open(self, identity: str) -> Disk:
        if identity not in self.find():
            raise DeviceGone("There is no disk in the dock")
        return Disk(self._address, self._folder)
