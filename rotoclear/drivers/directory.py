"""
A folder of this machine to record in.

Its disk may be the system's own, or one that the system mounts there: with ``mount-point`` the
folder is only a volume while something is mounted at it, so that recordings do not fill the
system's disk when the other one is missing.
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH117, PTH118

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from typing import Final

from zope.interface import implementer

from rotoclear.drivers import folders
from rotoclear.drivers.mounts import is_mount_point
from rotoclear.drivers.notes import Notes
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

INTERNAL: Final = "internal"
"""The identity of the folder in the data folder, wherever that is."""

_PLAIN: Final = re.compile(r"[\x20-\x7e]{1,120}")


def identity_of(folder: str) -> str:
    """The identity of a folder that the configuration names: its path, if that will do."""
    if _PLAIN.fullmatch(folder):
        return f"folder:{folder}"
    return f"folder:{hashlib.sha256(os.fsencode(folder)).hexdigest()}"


def _mounted(path: str) -> bool:
    try:
        return is_mount_point(path)
    except OSError:
        return False


@implementer(IVolume)
class FolderVolume:
    """
    The folder.

    :param mount_point: something has to be mounted at it.
    """

    def __init__(self, description: VolumeDescription, *, mount_point: bool) -> None:
        self._description = description
        self._path = description.path
        self._mount_point = mount_point

    def describe(self) -> VolumeDescription:
        return self._description

    def probe(self) -> None:
        folders.probe(self._path)
        if self._mount_point and not _mounted(self._path):
            raise DeviceGone(f"Nothing is mounted at {self._path} any more")

    def usage(self) -> VolumeUsage:
        return folders.usage(self._path)

    def close(self) -> None:
        pass


@implementer(IStorageDriver)
class FolderStorage:
    """One folder."""

    name = "directory"
    matches: Sequence[Match] = ()
    options: Sequence[Option] = (
        Option(
            name="folder",
            default="",
            doc="where to record, an absolute path; empty: the folder media in the data folder",
        ),
        Option(name="name", default="Internal storage", doc="what people see it called"),
        Option(
            name="mount-point",
            default=False,
            doc="only record there while a disk is mounted at it",
        ),
    )
    keys: Sequence[DriverKey] = ()

    def __init__(self) -> None:
        self._notes: Notes | None = None
        self._description = VolumeDescription(identity=INTERNAL, name="", path="/")
        self._mount_point = False

    def start(self, context: DriverContext) -> None:
        self._notes = Notes(context.log)
        folder = str(context.options["folder"])
        if folder and not os.path.isabs(folder):
            raise DriverUnusable(f"The folder {folder!r:.200} is no absolute path")
        path = os.path.normpath(folder) if folder else os.path.join(context.data_dir, "media")
        self._mount_point = bool(context.options["mount-point"])
        self._description = VolumeDescription(
            identity=identity_of(path) if folder else INTERNAL,
            name=str(context.options["name"])[:255],
            path=path,
        )

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        notes, description = self._notes, self._description
        if notes is None:
            return []
        try:
            self._ready()
        except DeviceFailure as failure:
            notes.warn(description.path, str(failure))
            return []
        notes.fine(description.path)
        return [description.identity]

    def open(self, identity: str) -> IVolume:
        if identity != self._description.identity:
            raise DeviceGone(f"There is no folder {identity:.200}")
        self._ready()
        folders.try_writing(self._description.path)
        return FolderVolume(self._description, mount_point=self._mount_point)

    def _ready(self) -> None:
        """Make it be there; raises DeviceFailure if it is not or cannot be written to."""
        path = self._description.path
        if not self._mount_point:
            folders.make(path)
        elif not _mounted(path):
            raise DeviceGone(f"Nothing is mounted at {path}")
        folders.check_writable(path)
