"""The backup's file: whatever is wrong with it is told in words."""

from __future__ import annotations

import io
import json
import os
import random
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rotoclear import __version__
from rotoclear.backup import archive, contents
from rotoclear.backup.archive import BackupError, pack, unpack
from rotoclear.state.database import MIGRATIONS
from tests.backup.stored import database, filled


@pytest.fixture
def packed(tmp_path: Path) -> bytes:
    with database(filled(tmp_path / "a.db")) as connection:
        contents.copy(connection, tmp_path / "copy.db")
    out = io.BytesIO()
    pack(tmp_path / "copy.db", out, datetime(2026, 11, 24, tzinfo=UTC))
    return out.getvalue()


def unpacked(data: bytes, folder: Path) -> bytes:
    path = folder / "unpacked.db"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        unpack(io.BytesIO(data), "FILE", descriptor)
    finally:
        os.close(descriptor)
    return path.read_bytes()


def changed(data: bytes, change: Callable[[dict], None], **files: bytes) -> bytes:
    """Another backup, with another manifest."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        manifest = json.loads(old.read(archive.MANIFEST))
        content = {archive.DATABASE: old.read(archive.DATABASE)}
    change(manifest)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        new.writestr(archive.MANIFEST, json.dumps(manifest))
        for name, piece in content.items():
            new.writestr(name, piece)
    return out.getvalue()


def test_there_and_back(packed: bytes, tmp_path: Path) -> None:
    assert unpacked(packed, tmp_path) == (tmp_path / "copy.db").read_bytes()


def test_manifest(packed: bytes) -> None:
    """For people and for their tools."""
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.testzip() is None
        manifest = json.loads(file.read("manifest.json"))
    assert manifest.pop("sha256")
    assert manifest == {
        "kind": "rotoclear backup",
        "format": 1,
        "version": __version__,
        "schema": len(MIGRATIONS),
        "created": "2026-11-24T00:00:00Z",
        "counts": {"settings": 1, "users": 2, "media": 2},
    }


def test_no_token_goes_along(packed: bytes, tmp_path: Path) -> None:
    """Not in free pages either."""
    content = unpacked(packed, tmp_path)
    assert b"a secret key" not in content
    assert b"initial-password-of" not in content
    with closing(sqlite3.connect(tmp_path / "unpacked.db")) as connection:
        for table in ("tokens", "stream_keys"):
            assert connection.execute(f"SELECT * FROM {table}").fetchall() == []  # noqa: S608


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(format=2, version="9.9"), "newer version (9.9; this one is"),
        (lambda m: m.update(format=2, counts=None, sha256=None), "newer version"),
        (lambda m: m.update(kind="photos"), "is no backup of rotoclear"),
        (lambda m: m.update(sha256="0" * 64), "checksum"),
        (lambda m: m.pop("sha256"), "is damaged"),
        (lambda m: m.update(schema="x"), "is damaged"),
        (lambda m: m.update(format=-1), "is damaged"),
    ],
)
def test_manifest_is_wrong(
    packed: bytes, tmp_path: Path, change: Callable[[dict], None], words: str
) -> None:
    with pytest.raises(BackupError, match=r"^FILE ") as raised:
        unpacked(changed(packed, change), tmp_path)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\3\4", b"something else", bytes(10_000)],
    ids=("empty", "zip", "text", "zeros"),
)
def test_no_zip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BackupError, match="is no backup of rotoclear"):
        unpacked(data, tmp_path)


def test_another_zip(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("picture.jpg", b"x")
    with pytest.raises(BackupError, match="is no backup of rotoclear"):
        unpacked(out.getvalue(), tmp_path)


def test_endless(packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that unpacks into a large one fills no disk."""
    monkeypatch.setattr(archive, "LARGEST", 10_000)
    monkeypatch.setattr(archive, "_PIECE", 1000)
    with pytest.raises(BackupError, match="no end"):
        unpacked(packed, tmp_path)
    assert (tmp_path / "unpacked.db").stat().st_size <= 10_000


def test_any_damage(packed: bytes, tmp_path: Path) -> None:
    """Cut off or with any byte changed: an error in words, or the very same content."""
    draw = random.Random(1)
    whole = unpacked(packed, tmp_path)
    for number in range(300):
        damaged = bytearray(packed)
        if number % 3:
            damaged[draw.randrange(len(packed))] ^= 1 << draw.randrange(8)
        else:
            del damaged[draw.randrange(len(packed)) :]
        words = ""
        try:
            content = unpacked(bytes(damaged), tmp_path)
        except BackupError as error:
            content, words = whole, str(error)
        assert content == whole
        assert not words or (words.startswith("FILE ") and "\n" not in words)
