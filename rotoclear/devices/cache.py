"""What a scan found the last time, so that a start need not import every plugin."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field
from twisted.logger import Logger

from rotoclear import __version__
from rotoclear.devices.found import Result, value_type

FORMAT: Final = 2
"""Of what is kept; a file of another one does not count."""

_MADE_BY: Final = f"rotoclear {__version__}, format {FORMAT}, Python {sys.version}"

Stamp = tuple[int, int]
"""When a file was changed, in nanoseconds, and its size."""


class Entry(Struct, frozen=True):
    """A result, and the stamps of the files that it depends on; the module's own is the first."""

    result: Result
    stamps: dict[str, Stamp]


class _Content(Struct, frozen=True):
    made_by: str
    modules: dict[str, Entry] = field(default_factory=dict)


class Cache:
    """
    The results by module. It is only ever a help: one that cannot be read or written is none.

    Results of another version, or of another Python, do not count.
    """

    _log = Logger()

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changed = False
        self._seen: dict[str, Stamp] = {}
        try:
            content = msgspec.json.decode(file.read_bytes(), type=_Content, dec_hook=value_type)
            self._modules = content.modules if content.made_by == _MADE_BY else {}
        except (OSError, msgspec.MsgspecError, ValueError, KeyError, TypeError):
            self._modules = {}

    def get(self, module: str, file: str) -> Result | None:
        """What was found in this very file."""
        self._seen[module] = _stamp(file)
        entry = self._modules.get(module)
        if entry is None or file not in entry.stamps or _stamps(entry.stamps) != entry.stamps:
            return None
        return entry.result

    def put(self, module: str, file: str, result: Result) -> None:
        """Remember it; it was asked for before somebody looked."""
        stamps = {file: self._seen[module]} | _stamps(result.files)
        self._modules[module] = Entry(result, stamps)
        self._changed = True

    def save(self) -> None:
        """Write it down, without the modules that nobody asked for."""
        kept = {name: entry for name, entry in self._modules.items() if name in self._seen}
        if not self._changed and len(kept) == len(self._modules):
            return
        new = self._file.with_name(f"{self._file.name}.new")
        try:
            new.touch(0o600)
            new.chmod(0o600)  # one that was left behind may have been anything
            new.write_bytes(msgspec.json.encode(_Content(_MADE_BY, kept)))
            new.replace(self._file)
        except OSError as error:
            self._log.warn(
                "{file}: the scan's result is not kept: {error}", file=self._file, error=error
            )
        self._changed = False


def _stamps(files: Iterable[str]) -> dict[str, Stamp]:
    return {file: _stamp(file) for file in files}


def _stamp(file: str) -> Stamp:
    """Changes when the file does."""
    try:
        status = os.stat(file)  # noqa: PTH116
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)
