"""Single pictures: JPEG for viewers, and files with notes in them (EXIF)."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PIL import Image

from rotoclear import __version__
from rotoclear.media.engine import wire
from rotoclear.media.engine.names import free_name, sync_folders
from rotoclear.media.engine.writing import PART
from rotoclear.pixels import Planes, size
from rotoclear.pixels.convert import to_jpeg

_IMAGE_DESCRIPTION: Final = 0x010E
_MAKE: Final = 0x010F
_MODEL: Final = 0x0110
_SOFTWARE: Final = 0x0131
_DATE_TIME: Final = 0x0132
_EXIF: Final = 0x8769
_DATE_TIME_ORIGINAL: Final = 0x9003
_SUBSEC_ORIGINAL: Final = 0x9291
_USER_COMMENT: Final = 0x9286
"""Tags of Exif 2.32 (CIPA DC-008)."""

_START: Final = b"\xff\xd8"


def noted(jpeg: bytes, taken: float, notes: Mapping[str, str]) -> bytes:
    """
    A JPEG with notes in it.

    :param taken: seconds since 1970; the notes have the local time.
    :param notes: ``camera`` and ``settings``.
    """
    exif = Image.Exif()
    moment = time.strftime("%Y:%m:%d %H:%M:%S", time.localtime(taken))
    exif[_MAKE] = "rotoclear"
    exif[_MODEL] = notes.get("camera", "")
    exif[_SOFTWARE] = f"rotoclear {__version__}"
    exif[_DATE_TIME] = moment
    exif[_IMAGE_DESCRIPTION] = notes.get("settings", "")
    details = exif.get_ifd(_EXIF)
    details[_DATE_TIME_ORIGINAL] = moment
    details[_SUBSEC_ORIGINAL] = f"{int(taken % 1 * 1000):03}"
    details[_USER_COMMENT] = b"ASCII\0\0\0" + notes.get("settings", "").encode("ascii", "replace")
    block = exif.tobytes()
    if len(block) > 65_533:
        return jpeg
    return _START + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def store(planes: Planes, snap: wire.Snap, taken: float) -> wire.Stored:
    """
    Write a picture to a volume, whole or not at all; blocking.

    It is on the disk, and has its name, when this returns.

    :raises OSError: it cannot be written; nothing is left of it.
    """
    data = noted(to_jpeg(planes, snap.quality), taken, snap.notes)
    volume = Path(snap.volume)
    if not volume.is_dir():
        # It was pulled: no folder is to be made in its place.
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    name = free_name(volume, taken, ".jpg")
    final, part = volume / name, volume / (name + PART)
    final.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Whoever finds it knows whether it will ever be whole.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(final)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folders(volume, name)
    width, height = size(planes)
    digest = hashlib.sha256(data).hexdigest()
    return wire.Stored(name, taken, width, height, len(data), digest)
