"""
The one table of everything a client can see or change.

Validation, permissions, the OpenAPI and AsyncAPI documents, ``/api/keys``,
the reference page and the clients' completion are all generated from it.
A driver may add keys of its own, named ``vendor-...``, when it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from attrs import frozen

from rotoclear.state.permissions import (
    DEVICE_R,
    DEVICE_RW,
    MEDIA_R,
    MEDIA_RW,
    STORAGE_R,
    STORAGE_RW,
    Permissions,
)
from rotoclear.values import Boolean, Choice, Integer, Mode, Recording, Size, Text, Value, ValueType

RESERVED: Final = frozenset(
    {
        "id",
        "username",
        "password",
        "token",
        "get",
        "info",
        "error",
        "key",
        "message",
        "authenticated",
        "permissions",
    }
)
"""Names that mean something in a message: no key may take one."""

VENDOR_NAME: Final = re.compile(r"vendor(-[a-z0-9]+)+")
"""How a driver's own key must be named, at most 64 characters."""


@frozen(kw_only=True)
class Key:
    """
    One row: a key, and everything there is to know about it.

    :ivar name: as it stands on the wire.
    :ivar observable: the name of the observable behind it.
    :ivar type: what its values look like at the widest; what is possible
        right now (the sizes of this camera) may be narrower, and is the
        model's to know.
    :ivar default: its value before anyone has set it.
    :ivar read: holding any of these permissions lets one read it.
    :ivar write: holding any of these lets one write it; empty: read-only.
    :ivar saved: it survives a restart.
    :ivar group: the heading it is documented under.
    :ivar doc: one line for people.
    """

    name: str
    observable: str
    type: ValueType
    default: Value
    read: Permissions
    write: Permissions = frozenset()
    saved: bool = False
    group: str
    doc: str

    def readable(self, permissions: Permissions) -> bool:
        """Whether someone who holds these may read it."""
        return not self.read.isdisjoint(permissions)

    def writable(self, permissions: Permissions) -> bool:
        """Whether someone who holds these may write it."""
        return not self.write.isdisjoint(permissions)


CAMERA: Final = "Camera control"
VIDEO: Final = "Video settings"
IMAGE: Final = "Image quality"
AUTO: Final = "Auto settings"
RECORDING: Final = "Recording"
STORAGE: Final = "Storage"

PIP_MODES: Final = (
    "off",
    "top-left",
    "top-right",
    "bottom-left",
    "bottom-right",
    "side-by-side",
)
"""Where the second picture goes."""

MAX_SENSORS: Final = 16
"""The most sensors that one head may report."""

_SEES_DEVICE: Final = frozenset({DEVICE_R, DEVICE_RW})
_SETS_DEVICE: Final = frozenset({DEVICE_RW})
_SEES_MEDIA: Final = frozenset({MEDIA_R, MEDIA_RW})
_SETS_MEDIA: Final = frozenset({MEDIA_RW})
_SEES_RECORDER: Final = _SEES_DEVICE | _SEES_MEDIA
_SEES_STORAGE: Final = frozenset({STORAGE_R, STORAGE_RW})

_PERCENT: Final = Integer(0, 100)


def _image(name: str, observable: str, doc: str) -> Key:
    """A slider of the picture: 0 to 100, and 50 leaves the picture as it is."""
    return Key(
        name=name,
        observable=observable,
        type=_PERCENT,
        default=50,
        saved=True,
        group=IMAGE,
        doc=doc,
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    )


KEYS: Final[tuple[Key, ...]] = (
    Key(
        name="cam1-light",
        observable="light0",
        type=Boolean(),
        default=False,
        saved=True,
        group=CAMERA,
        doc="Camera 1 LED light on or off.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="cam2-light",
        observable="light1",
        type=Boolean(),
        default=False,
        saved=True,
        group=CAMERA,
        doc="Camera 2 LED light on or off.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="cam1-exists",
        observable="cam0Exists",
        type=Boolean(),
        default=False,
        group=CAMERA,
        doc="Camera 1 is plugged in and answers.",
        read=_SEES_DEVICE,
    ),
    Key(
        name="cam2-exists",
        observable="cam1Exists",
        type=Boolean(),
        default=False,
        group=CAMERA,
        doc="Camera 2 is plugged in and answers.",
        read=_SEES_DEVICE,
    ),
    Key(
        name="main-camera",
        observable="cameraSwitch",
        type=Integer(1, 2),
        default=1,
        saved=True,
        group=CAMERA,
        doc="The active camera, 1 or 2. It never switches by itself.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="cam1-sensor",
        observable="cam0SelectedSensor",
        type=Integer(1, MAX_SENSORS),
        default=1,
        saved=True,
        group=CAMERA,
        doc="The sensor of camera 1 in use, counted from 1.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="cam2-sensor",
        observable="cam1SelectedSensor",
        type=Integer(1, MAX_SENSORS),
        default=1,
        saved=True,
        group=CAMERA,
        doc="The sensor of camera 2 in use, counted from 1.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="resolution",
        observable="resolution",
        type=Size(),
        default="1920x1080",
        saved=True,
        group=VIDEO,
        doc='Video resolution, "WIDTHxHEIGHT" in pixels; one of the active camera\'s.',
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="fps",
        observable="fps",
        type=Integer(5, 60, "frames per second"),
        default=30,
        saved=True,
        group=VIDEO,
        doc="Frames per second that the active camera can do at this resolution.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="pip-mode",
        observable="pip",
        type=Choice(PIP_MODES),
        default="off",
        saved=True,
        group=VIDEO,
        doc="Picture-in-picture: where the other camera's picture goes.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    _image("brightness", "brightness", "Image brightness; 50 is neutral."),
    _image("contrast", "contrast", "Image contrast; 50 is neutral."),
    _image("sharpness", "sharpness", "Image sharpness; 50 is neutral."),
    _image("saturation", "saturation", "Colour saturation; 50 is neutral."),
    _image("gain", "gain", "Sensor gain (ISO); takes effect while auto exposure is off."),
    _image(
        "red-gain",
        "redGain",
        "Gain of the red channel; takes effect while auto white balance is off.",
    ),
    _image(
        "blue-gain",
        "blueGain",
        "Gain of the blue channel; takes effect while auto white balance is off.",
    ),
    Key(
        name="auto-exposure",
        observable="exposure",
        type=Mode(),
        default=True,
        saved=True,
        group=AUTO,
        doc="Auto exposure: on, off, or a mode that the camera offers.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="auto-white-balance",
        observable="whiteBalance",
        type=Mode(),
        default=True,
        saved=True,
        group=AUTO,
        doc="Auto white balance: on, off, or a mode that the camera offers.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="noise-supression",
        observable="noiseSuppression",
        type=Boolean(),
        default=False,
        saved=True,
        group=AUTO,
        doc="Noise reduction on or off.",
        read=_SEES_DEVICE,
        write=_SETS_DEVICE,
    ),
    Key(
        name="record",
        observable="record",
        type=Recording(),
        default=False,
        group=RECORDING,
        doc='Recording: false, true or "pause"; "pause_release" ends a pause.',
        read=_SEES_RECORDER,
        write=_SETS_MEDIA,
    ),
    Key(
        name="snap",
        observable="takePicture",
        type=Boolean(),
        default=False,
        group=RECORDING,
        doc="Each true takes one picture; true while it is being stored.",
        read=_SEES_RECORDER,
        write=_SETS_MEDIA,
    ),
    Key(
        name="jpeg-quality",
        observable="pictureQuality",
        type=_PERCENT,
        default=90,
        saved=True,
        group=RECORDING,
        doc="JPEG compression quality of snapshots.",
        read=_SEES_RECORDER,
        write=_SETS_MEDIA,
    ),
    Key(
        name="last-recording",
        observable="lastRecording",
        type=Text(64),
        default="",
        group=RECORDING,
        doc="Catalogue id of the newest recording, empty before the first.",
        read=_SEES_MEDIA,
    ),
    Key(
        name="last-snapshot",
        observable="lastSnapshot",
        type=Text(64),
        default="",
        group=RECORDING,
        doc="Catalogue id of the newest snapshot, empty before the first.",
        read=_SEES_MEDIA,
    ),
    Key(
        name="storage-exists",
        observable="storageExists",
        type=Boolean(),
        default=False,
        group=STORAGE,
        doc="There is a volume to record on.",
        read=_SEES_STORAGE,
    ),
    Key(
        name="storage-free",
        observable="storageFree",
        type=Integer(0, 2**53 - 1, "bytes"),
        default=0,
        group=STORAGE,
        doc="Free space on the volume that records, in bytes.",
        read=_SEES_STORAGE,
    ),
    Key(
        name="storage-name",
        observable="storageName",
        type=Text(255),
        default="",
        group=STORAGE,
        doc="Name of the volume that records, empty without one.",
        read=_SEES_STORAGE,
    ),
)


class KeyTable(Mapping[str, Key]):
    """
    The keys by name, in the order they are documented in.

    :raises ValueError: from the constructor and from :meth:`add`, for a key
        whose name is taken, reserved or no name, or whose default it does not
        take itself.
    """

    def __init__(self, keys: Iterable[Key] = KEYS) -> None:
        self._keys: dict[str, Key] = {}
        for key in keys:
            self._put(key)

    def add(self, key: Key) -> None:
        """Add a driver's own key."""
        if not VENDOR_NAME.fullmatch(key.name) or len(key.name) > 64:
            raise ValueError(
                f"{key.name!r}: a driver's key is named vendor-... "
                "(small letters, digits and single hyphens, at most 64 characters)"
            )
        self._put(key)

    def _put(self, key: Key) -> None:
        if key.name in RESERVED:
            raise ValueError(f"{key.name!r} is reserved and cannot be a key")
        if key.name in self._keys:
            raise ValueError(f"there is a key {key.name!r} already")
        if key.type.parse(key.default) != key.default:
            raise ValueError(f"{key.name!r}: its default {key.default!r} is not canonical")
        self._keys[key.name] = key

    def __getitem__(self, name: str) -> Key:
        return self._keys[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
