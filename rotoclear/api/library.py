"""Films and pictures that are stored, as the wire needs to know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rotoclear.media.catalogue import Entry, Kind


class File(Protocol):
    """A file that is open, as :class:`rotoclear.media.files.shelf.OpenFile`."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """Read some of it."""

    def close(self) -> None:
        """Let go of it."""


class Library(Protocol):
    """
    The stored films and pictures, as :class:`rotoclear.media.library.Library`.

    What is there but cannot be had right now is a
    :exc:`~rotoclear.state.errors.NotAvailable`, a volume that fails a
    :exc:`~rotoclear.state.errors.DeviceError`.
    """

    async def page(
        self, kind: Kind, limit: int, before: str
    ) -> Sequence[tuple[Entry, bool]] | None:
        """
        The newest first, each with whether its file can be had.

        :return: ``None``: there is no entry ``before``.
        """

    async def count(self, kind: Kind) -> int:
        """How many there are."""

    async def open(self, kind: Kind, id_: str) -> tuple[Entry, File] | None:
        """Open one for reading; ``None``: there is no such entry."""

    async def remove(self, kind: Kind, id_: str, by: str, *, forget: bool) -> bool:
        """
        Remove one and its file, on behalf of a user; ``False``: there is no such entry.

        :param forget: the entry alone, if its volume is not there.
        """
