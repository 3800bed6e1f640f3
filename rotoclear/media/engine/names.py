"""What films and pictures are called: by the day, and by the time they were begun."""

from __future__ import annotations

import os
import time
from pathlib import Path

from rotoclear.media.engine.writing import PART


def free_name(volume: Path, began: float, suffix: str) -> str:
    """
    A name that nothing on the volume has; blocking.

    :param began: seconds since 1970; the name has the local time.
    :param suffix: ``".mp4"`` or ``".jpg"``.
    :return: relative to the volume: ``2026/11/24/rotoclear-20261124-093005.mp4``, with
        ``-2``, ``-3``, ... behind the time if there is one already.
    """
    local = time.localtime(began)
    folder = time.strftime("%Y/%m/%d", local)
    stem = time.strftime("rotoclear-%Y%m%d-%H%M%S", local)
    number = 1
    while True:
        more = f"-{number}" if number > 1 else ""
        name = f"{folder}/{stem}{more}{suffix}"
        if not (volume / name).exists() and not (volume / (name + PART)).exists():
            return name
        number += 1


def sync_folders(volume: Path, name: str) -> None:
    """
    Have a new name, and the folders that it is in, on the disk; blocking.

    With a journal, a file that is on the disk can be found there; on a stick with FAT only if
    its folders are, too.

    :param name: relative to the volume.
    :raises OSError: the volume is gone.
    """
    for folder in reversed((volume / name).parents[: len(Path(name).parents)]):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
