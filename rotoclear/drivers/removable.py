"""
Sticks and disks that someone plugs in to record on.

File systems at a USB port, but never on a disk that the system itself, or the server's data
folder, lies on. A stick is known by the UUID of its file system, whichever port it is in.

It is recorded on where it is mounted. One that is not is mounted by udisks2 if that is there
(:mod:`rotoclear.drivers.udisks`), once: whoever unmounts it wants to pull it. Otherwise
mounting is left to others (an entry in fstab, a rule of udev's, a person), and noticed at once.

Without a udev daemon nobody tells which disks have a file system: then only those are found that
are mounted, with the mount point's name for theirs and the port for their identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from attrs import frozen
from zope.interface import implementer

from rotoclear.drivers import folders, udisks
from rotoclear.drivers.blocks import Block, disks_of
from rotoclear.drivers.mounts import (
    MOUNTINFO,
    Mount,
    Watch,
    device_of,
    mounts,
    number_of,
    of_device,
)
from rotoclear.drivers.notes import Notes
from rotoclear.drivers.sticks import Means, Stick, in_thread, number_of_or_gone
from rotoclear.interfaces import (
    DeviceGone,
    DriverContext,
    DriverKey,
    DriverUnusable,
    IStorageDriver,
    IVolume,
    Match,
    Option,
    UdevDevice,
    VolumeDescription,
    VolumeUsage,
)

SYSTEM: Final = frozenset(
    {"/", "/boot", "/boot/efi", "/boot/firmware", "/efi", "/home", "/opt", "/usr", "/var"}
)
"""A disk with a part of it mounted at one of these is the system's, be it at a USB port."""


@frozen(kw_only=True)
class Found:
    """A stick that is ready: where it is plugged in, where it is mounted, and what it is."""

    block: Block
    mount: Mount
    description: VolumeDescription


@implementer(IVolume)
class RemovableVolume:
    """A stick that is mounted."""

    def __init__(self, found: Found) -> None:
        self._found = found

    def describe(self) -> VolumeDescription:
        return self._found.description

    def probe(self) -> None:
        self._check_there()
        folders.probe(self._found.description.path, folders.DEAD)

    def usage(self) -> VolumeUsage:
        self._check_there()
        return folders.usage(self._found.description.path, folders.DEAD)

    def close(self) -> None:
        pass

    def _check_there(self) -> None:
        """A dead mount answers from memory for a while, and a folder from the disk below."""
        found = self._found
        if not found.block.present:
            raise DeviceGone(f"{found.description.name} was pulled out")
        if number_of_or_gone(found.description.path) != found.mount.number:
            raise DeviceGone(f"{found.description.name} was unmounted")


@implementer(IStorageDriver)
class RemovableStorage:
    """
    All sticks.

    :param mountinfo: the kernel's file.
    :param sysfs: where that is mounted.
    :param mounter: mounts a node; it raises ``DeviceFailure``, and may take a minute.
    :param run: does a job, now or later.
    """

    name = "removable"
    matches: Sequence[Match] = (
        Match(subsystem="block", properties={"ID_BUS": "usb", "ID_FS_USAGE": "filesystem"}),
        # A disk in a box at a USB port may say that its bus is "ata".
        Match(subsystem="block", properties={"ID_PATH": "*-usb-*", "ID_FS_USAGE": "filesystem"}),
    )
    options: Sequence[Option] = (
        Option(
            name="folder",
            default="rotoclear",
            doc="the folder on a stick to record in, made if it is missing; empty: all of it",
        ),
        Option(
            name="mount",
            default="auto",
            choices=("auto", "never"),
            doc="auto: have udisks mount a stick that is not; never: leave that to others",
        ),
    )
    keys: Sequence[DriverKey] = ()

    def __init__(
        self,
        mountinfo: str = MOUNTINFO,
        sysfs: str = "/sys",
        mounter: Callable[[str], None] = udisks.mount,
        run: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._mountinfo = mountinfo
        self._sysfs = sysfs
        self._mounter = mounter
        self._run = run
        self._devices: Callable[[], Sequence[UdevDevice]] = tuple
        self._data_dir = ""
        self._means: Means | None = None
        self._watch: Watch | None = None
        self._sticks: dict[object, Stick] = {}
        self._found: dict[str, Found] = {}

    def start(self, context: DriverContext) -> None:
        folder = str(context.options["folder"]).strip("/")
        if ".." in folder.split("/"):
            raise DriverUnusable(f"The folder {folder!r:.200} is not one on the stick")
        self._means = Means(
            folder=folder,
            mount=self._mounter if context.options["mount"] == "auto" else None,
            changed=context.changed,
            notes=Notes(context.log),
            run=self._run,
        )
        self._devices = context.devices
        self._data_dir = context.data_dir
        self._watch = Watch(context.changed, self._mountinfo)
        self._watch.start()

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    def find(self) -> Sequence[str]:
        means = self._means
        if means is None:
            return []
        blocks = sorted(map(Block, self._devices()), key=lambda block: block.key)
        blocks = [block for block in blocks if block.present and block.removable]
        means.notes.keep([block.node for block in blocks])
        self._sticks = {b.key: self._sticks.get(b.key) or Stick(b, means) for b in blocks}
        found: dict[str, Found] = {}
        if blocks:
            all_mounts = mounts(self._mountinfo)
            taken = self._system_disks(all_mounts)
            for block in blocks:
                if block.disk not in taken:
                    self._look(block, all_mounts, found, means)
        self._found = found
        return list(found)

    def open(self, identity: str) -> IVolume:
        found = self._found.get(identity)
        if found is None:
            raise DeviceGone(f"There is no stick {identity:.128}")
        volume = RemovableVolume(found)
        volume.probe()
        return volume

    def _look(
        self, block: Block, all_mounts: Sequence[Mount], found: dict[str, Found], means: Means
    ) -> None:
        places = of_device(all_mounts, block.numbers, block.node)
        mount = places[0] if places else None
        if mount is None and not block.has_files:
            return
        if block.identity in found:
            means.notes.warn(
                block.node,
                f"{block.name()} ({block.node}) is a copy of another stick, down to its UUID, "
                "and is left out: format it",
            )
            return
        path = self._sticks[block.key].look(mount)
        if path is not None and mount is not None:
            description = VolumeDescription(
                identity=block.identity, name=block.name(mount.path), path=path, removable=True
            )
            found[block.identity] = Found(block=block, mount=mount, description=description)

    def _system_disks(self, all_mounts: Sequence[Mount]) -> set[str]:
        try:
            ours = number_of(self._data_dir)
        except OSError:
            ours = -1
        devices = {device_of(m) for m in all_mounts if m.path in SYSTEM or m.number == ours}
        return set().union(*(disks_of(device, self._sysfs) for device in devices))
