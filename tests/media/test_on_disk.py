"""That what is on the disk can be found there, on a file system without a journal, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rotoclear.media.engine import stills, wire, writer, writing
from tests.media.counted import counted

BEGAN = 1_790_000_000.0


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was brought to the disk, in that order."""
    synced: list[Path] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return synced


def folders(volume: Path, name: str) -> list[Path]:
    """Those that a file is in, from the volume on."""
    year, month, day, _ = Path(name).parts
    return [volume, volume / year, volume / year / month, volume / year / month / day]


def test_a_film_that_is_being_written(tmp_path: Path, synced: list[Path]) -> None:
    """With the first second of it; a stick may be pulled before the kernel would do so."""
    film = writer.Film(writing.Begin(str(tmp_path), BEGAN, 320, 240, 30, "", 1))
    assert synced == []  # nobody waits for it
    film.sync()
    assert synced == folders(tmp_path, film.name)
    film.sync()
    assert synced == folders(tmp_path, film.name)


def test_a_snapshot(tmp_path: Path, synced: list[Path]) -> None:
    snap = wire.Snap(1, str(tmp_path), 80, {})
    stored = stills.store(counted(0).planes, snap, BEGAN)
    assert synced[-4:] == folders(tmp_path, stored.file)
