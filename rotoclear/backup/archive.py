"""
The backup's file: a ZIP of two, so that everybody can look into it.

``manifest.json`` says what it is, ``rotoclear.db`` is an SQLite database as
:mod:`rotoclear.state.database` has it, without tokens. The manifest has that one's
SHA-256: it tells a torn copy, not a forged one. Blocking, all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zipfile
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any, Final
from urllib.parse import quote

import msgspec

from rotoclear import __version__
from rotoclear.errors import StartError

KIND: Final = "rotoclear backup"
FORMAT: Final = 1
"""Grows when older versions could not read it any more."""

MANIFEST: Final = "manifest.json"
DATABASE: Final = "rotoclear.db"

LARGEST: Final = 4 * 2**30
"""Bytes of a database that are unpacked; a catalogue of a million films has less than one."""

_MANIFEST_LARGEST: Final = 65_536
_PIECE: Final = 2**20


class BackupError(StartError):
    """It cannot be written, or not be restored. ``str()`` is one line for people."""


class Manifest(msgspec.Struct, kw_only=True, frozen=True):
    """
    What a backup says of itself.

    :ivar version: rotoclear's, that made it.
    :ivar schema: of the database.
    :ivar created: ISO 8601, UTC, by the device's clock.
    :ivar sha256: of the database, in hexadecimal.
    :ivar counts: rows by table, for people.
    """

    kind: str
    format: Annotated[int, msgspec.Meta(ge=1)]
    version: str
    schema: Annotated[int, msgspec.Meta(ge=1)]
    created: str
    sha256: str
    counts: dict[str, int]


def pack(database: Path, out: IO[bytes], now: datetime | None = None) -> Manifest:
    """
    Write a backup of a database that nobody else writes into.

    :raises BackupError: the database cannot be read.
    :raises OSError: it cannot be written.
    """
    try:
        uri = f"file:{quote(str(database))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            (schema,) = connection.execute("PRAGMA user_version").fetchone()
            counts = {
                table: connection.execute(
                    f"SELECT count(*) FROM {table}"  # noqa: S608 - names of ours
                ).fetchone()[0]
                for table in ("settings", "users", "media")
            }
    except sqlite3.Error as error:
        raise BackupError(f"{database}: {error}") from None
    with database.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = Manifest(
        kind=KIND,
        format=FORMAT,
        version=__version__,
        schema=schema,
        created=(now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        sha256=digest,
        counts=counts,
    )
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(msgspec.to_builtins(manifest), indent=2) + "\n"
        archive.writestr(_info(MANIFEST), text)
        with (
            database.open("rb") as file,
            archive.open(_info(DATABASE), "w", force_zip64=True) as to,
        ):
            while piece := file.read(_PIECE):
                to.write(piece)
    return manifest


def _info(name: str) -> zipfile.ZipInfo:
    """Without the time, which ZIP has by the local clock; whoever unpacks it gets it to himself."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o600 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def unpack(file: IO[bytes], name: str, to: int) -> Manifest:
    """
    Check a backup, and write its database to a descriptor.

    :param name: the file's, for errors.
    :param to: an open, empty file.
    :raises BackupError: it is none, damaged, or of a newer version.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, name)
            with archive.open(DATABASE) as source:
                digest = _copy(source, to, name)
            os.fsync(to)
    except BackupError:
        raise
    except zipfile.BadZipFile as error:
        raise BackupError(f"{name} is no backup of rotoclear, or damaged: {error}") from None
    except (KeyError, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BackupError(f"{name} is no backup of rotoclear: {error}") from None
    except Exception as error:
        # zlib.error and its like: a stream that is torn.
        if isinstance(error, OSError):
            raise
        raise BackupError(f"{name} is damaged: {error}") from None
    if digest != manifest.sha256:
        raise BackupError(f"{name} is damaged: the checksum of its database is wrong")
    return manifest


def _manifest(archive: zipfile.ZipFile, name: str) -> Manifest:
    try:
        with archive.open(MANIFEST) as source:
            text = source.read(_MANIFEST_LARGEST + 1)
    except KeyError:
        raise BackupError(f"{name} is no backup of rotoclear: it has no {MANIFEST}") from None
    raw: Any = None
    with suppress(ValueError, RecursionError):
        raw = json.loads(text[:_MANIFEST_LARGEST])
    if not isinstance(raw, dict) or raw.get("kind") != KIND:
        raise BackupError(f"{name} is no backup of rotoclear: its {MANIFEST} is of something else")
    # What is newer may look quite different, so this comes first.
    # Whether this one understands the database is for itself to say.
    if isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
        by = str(raw.get("version", "an unknown one"))[:32]
        raise BackupError(
            f"{name} was made by a newer version ({by}; this one is {__version__}): "
            "install that one first"
        )
    try:
        return msgspec.convert(raw, Manifest)
    except msgspec.ValidationError as error:
        raise BackupError(f"{name} is damaged: its {MANIFEST}: {error}") from None


def _copy(source: IO[bytes], to: int, name: str) -> str:
    """Returns its SHA-256."""
    digest = hashlib.sha256()
    written = 0
    while piece := source.read(_PIECE):
        written += len(piece)
        if written > LARGEST:
            raise BackupError(f"{name} is damaged: there is no end to its database")
        digest.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(to, view) :]
    return digest.hexdigest()
