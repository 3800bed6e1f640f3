"""What a scan found the last time, so that a start need not import every plugin."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field
from twisted.logger import Logger

from rotoclear import __version__
from rotoclear.devices.device import Kind

_MADE_BY: Final = f"rotoclear {__version__}, Python {sys.version}"


class FoundDriver(Struct, frozen=True):
    """One driver of a module; see :class:`~rotoclear.devices.plugin.Plugin`."""

    name: str
    attribute: str
    kind: Kind | None = None
    simulated: bool = False
    reason: str = ""


class Result(Struct, frozen=True):
    """What the scan's child says of a module."""

    distribution: str
    plugins: tuple[FoundDriver, ...] = ()
    reason: str = ""


class Entry(Struct, frozen=True):
    """A result, and of which file."""

    file: str
    stamp: tuple[int, int]
    result: Result


class _Content(Struct, frozen=True):
    made_by: str
    modules: dict[str, Entry] = field(default_factory=dict)


def decode(data: bytes) -> Result | None:
    """A child's words; ``None`` if they make no sense."""
    try:
        return msgspec.json.decode(data, type=Result)
    except (msgspec.MsgspecError, ValueError):
        return None


class Cache:
    """
    The results by module. It is only ever a help: one that cannot be read or written is none.

    Results of another version, or of another Python, do not count.
    """

    _log = Logger()

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = False
        self._seen: set[str] = set()
        try:
            content = msgspec.json.decode(file.read_bytes(), type=_Content)
            self._modules = content.modules if content.made_by == _MADE_BY else {}
        except (OSError, msgspec.MsgspecError, ValueError):
            self._modules = {}

    def get(self, module: str, file: str, stamp: tuple[int, int]) -> Result | None:
        """What was found in this very file."""
        self._seen.add(module)
        entry = self._modules.get(module)
        if entry is None or (entry.file, entry.stamp) != (file, stamp):
            return None
        return entry.result

    def put(self, module: str, entry: Entry) -> None:
        """Remember it."""
        self._modules[module] = entry
        self._changed = True

    def save(self) -> None:
        """Write it down, without the modules that nobody asked for."""
        kept = {name: entry for name, entry in self._modules.items() if name in self._seen}
        if not self._changed and len(kept) == len(self._modules):
            return
        new = self._file.with_name(f"{self._file.name}.new")
        try:
            new.write_bytes(msgspec.json.encode(_Content(_MADE_BY, kept)))
            new.replace(self._file)
        except OSError as error:
            self._log.warn(
                "{file}: the scan's result is not kept: {error}", file=self._file, error=error
            )
        self._changed = False
