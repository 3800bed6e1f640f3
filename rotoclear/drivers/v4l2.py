"""
Cameras with a Linux kernel driver: V4L2, and so all USB cameras of the class UVC.

It works with or without a udev daemon. linuxpy (the extra ``v4l2``) supplies
the kernel's structures.
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH116, PTH119

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen
from zope.interface import implementer

from rotoclear.drivers.notes import Notes
from rotoclear.drivers.v4l2_camera import V4l2Camera
from rotoclear.drivers.v4l2_errors import GONE, reason, told
from rotoclear.drivers.v4l2_formats import FORMATS
from rotoclear.drivers.v4l2_identity import (
    Place,
    firsts,
    has_planes_apart,
    identities,
    is_camera,
    place_of,
    shared,
)
from rotoclear.drivers.v4l2_node import Node
from rotoclear.drivers.v4l2_twins import Twins
from rotoclear.interfaces import (
    DeviceGone,
    DriverContext,
    DriverKey,
    DriverUnusable,
    ICamera,
    ICameraDriver,
    Match,
    Option,
    UdevDevice,
)

_LOOPBACK: Final = "v4l2 loopback"
"""Its nodes turn into cameras when a program begins to feed them, without any event."""

_Stamp = tuple[str, int, int]
"""Of a device node: its device's path, its number and its inode; another after a replug."""


@frozen
class _Known:
    """What was found out about a node: where it is, or that it is no camera."""

    stamp: _Stamp
    place: Place | None


def _linuxpy() -> Any:
    return importlib.import_module("linuxpy.video.raw")


@implementer(ICameraDriver)
class V4l2Cameras:
    """
    All cameras of this machine.

    :param load: returns the module with the kernel's structures.
    :param node: opens a device node.
    """

    name = "v4l2"
    matches: Sequence[Match] = (Match(subsystem="video4linux"),)
    options: Sequence[Option] = (
        Option(
            name="prefer-format",
            default="auto",
            doc="the pixel format to take where a camera has it: auto (raw, but mjpeg beyond "
            "260 MB a second), or one of the formats",
            choices=("auto", *sorted(set(FORMATS.values()))),
        ),
    )
    keys: Sequence[DriverKey] = ()

    def __init__(
        self, load: Callable[[], Any] = _linuxpy, node: Callable[[Any, str], Node] = Node
    ) -> None:
        self._load = load
        self._node = node
        self._raw: Any = None
        self._context: DriverContext
        self._notes: Notes
        self._twins: Twins
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._named: dict[str, str] = {}
        self._places: dict[str, Place] = {}

    def start(self, context: DriverContext) -> None:
        try:
            self._raw = self._load()
        except ImportError as error:
            raise DriverUnusable(
                f"V4L2 cameras need linuxpy ({error}): pip install 'rotoclear[v4l2]'"
            ) from error
        self._context = context
        self._notes = Notes(context.log)
        self._twins = Twins(context.data_dir, self._notes)

    def stop(self) -> None:
        pass

    def find(self) -> Sequence[str]:
        with self._lock:
            devices = {_node_of(device): device for device in self._context.devices()}
            before = {name: known.stamp for name, known in self._known.items()}
            self._known = {
                name: known
                for name, device in devices.items()
                if (known := self._look(name, device)) is not None
            }
            self._notes.keep(devices)
            for name in list(self._named):
                if name not in self._known or self._known[name].stamp != before.get(name):
                    del self._named[name]
            places = [known.place for known in self._known.values() if known.place is not None]
            cameras = firsts(places)
            self._twins.see(shared(cameras))
            self._places = identities(cameras, self._named, self._twins.names)
            self._named = {place.node: name for name, place in self._places.items()}
            return list(self._places)

    def _look(self, name: str, device: UdevDevice) -> _Known | None:
        """What a node is; ``None`` if it cannot be told now."""
        try:
            status = os.stat(name)
            stamp = (device.path, status.st_rdev, status.st_ino)
            known = self._known.get(name)
            if known is not None and known.stamp == stamp:
                return known
            node = self._node(self._raw, name)
            try:
                capability = node.capability()
            finally:
                node.close()
        except OSError as error:
            if error.errno not in GONE:
                self._notes.warn(name, f"{name} cannot be looked at: {reason(error)}")
            return None
        if has_planes_apart(capability):
            self._notes.warn(
                name,
                f"{name} ({capability.card or capability.driver}) is not used: it delivers "
                "pictures only by the calls for several planes (V4L2_CAP_VIDEO_CAPTURE_MPLANE), "
                "which this driver does not make. Such a camera needs a driver of its own",
            )
            return _Known(stamp, None)
        self._notes.fine(name)
        if is_camera(capability):
            return _Known(stamp, place_of(device, name, capability))
        return None if capability.driver == _LOOPBACK else _Known(stamp, None)

    def _forget(self, name: str) -> None:
        """A camera is gone though its node may still be there: look again."""
        with self._lock:
            self._known.pop(name, None)

    def open(self, identity: str) -> ICamera:
        with self._lock:
            place = self._places.get(identity)
        if place is None:
            raise DeviceGone("It is not plugged in")

        def lost() -> None:
            self._forget(place.node)

        try:
            with told(f"Opening {place.node}"):
                node = self._node(self._raw, place.node)
            try:
                prefer = str(self._context.options["prefer-format"])
                return V4l2Camera(node, identity, place, prefer, lost)
            except BaseException:
                node.close()
                raise
        except DeviceGone:
            lost()
            raise


def _node_of(device: UdevDevice) -> str:
    return device.node or f"/dev/{os.path.basename(device.path)}"
