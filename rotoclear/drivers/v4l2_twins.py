"""
Serial numbers that do not tell one camera from another: some makers give all the same.

That they do is seen when two are plugged in at once, and remembered from then on, in
a file of the server's data folder. Else one that is alone the next time would be taken
for the other.
"""

# pathlib would be one more import for the driver's process.
# ruff: noqa: PTH105, PTH118, PTH123

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

from rotoclear.drivers.notes import Notes
from rotoclear.drivers.v4l2_errors import reason

FILE: Final = "v4l2-shared-serials"
"""A line for each: ``serial:VENDOR:PRODUCT:SERIAL``, printable ASCII."""

_MOST: Final = 1000
"""That are remembered."""


class Twins:
    """
    The names that several cameras would have.

    :ivar names: see :data:`FILE`.

    :param folder: where the file is, or is made.
    """

    def __init__(self, folder: str, notes: Notes) -> None:
        self._path = os.path.join(folder, FILE)
        self._notes = notes
        self.names: frozenset[str] = frozenset()
        try:
            with open(self._path, encoding="ascii", errors="replace") as file:
                self.names = frozenset(file.read(200 * _MOST).split())
        except FileNotFoundError:
            pass
        except OSError as error:
            self._complain("read", error)

    def see(self, names: Collection[str]) -> None:
        """Remember them, too."""
        if self.names.issuperset(names):
            return
        self.names = self.names.union(names)
        new = f"{self._path}.new"
        try:
            with open(new, "w", encoding="ascii") as file:
                file.writelines(f"{name}\n" for name in sorted(self.names)[:_MOST])
            os.replace(new, self._path)
        except OSError as error:
            self._complain("written", error)

    def _complain(self, what: str, error: OSError) -> None:
        self._notes.warn(
            self._path,
            f"{self._path} cannot be {what}: {reason(error)}. Cameras that share a serial number "
            "may change their numbers when one of them is plugged in alone",
        )
