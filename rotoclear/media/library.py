"""What is stored, for those who ask for it: looked at, fetched, removed."""

from __future__ import annotations

from typing import Final, Protocol

from twisted.logger import Logger

from rotoclear.media.catalogue import Catalogue, Entry, Kind
from rotoclear.media.files.shelf import FileBusy, FileError, FileMissing, OpenFile, Shelf
from rotoclear.media.films import Films
from rotoclear.state.errors import DeviceError, NotAvailable

LOOKED_AT: Final = "It was not closed, and is being looked at; ask again in a moment"


class Shelves(Protocol):
    """The volumes' files, as :class:`rotoclear.media.shelves.Shelves`."""

    def shelf(self, volume: str) -> Shelf | None:
        """Of a volume that is there."""


class Library:
    """Films and pictures by their entries in the catalogue."""

    _log = Logger()

    def __init__(self, catalogue: Catalogue, films: Films, shelves: Shelves) -> None:
        self._catalogue = catalogue
        self._films = films
        self._shelves = shelves

    async def page(
        self, kind: Kind, limit: int, before: str = ""
    ) -> list[tuple[Entry, bool]] | None:
        """
        The newest first, each with whether its file can be had.

        :param before: an entry's id: only those that are older.
        :return: ``None``: there is no entry ``before``.
        """
        entries = await self._catalogue.page(kind, limit, before)
        if entries is None:
            return None
        return [(self._films.so_far(entry), self._available(entry)) for entry in entries]

    async def count(self, kind: Kind) -> int:
        """How many there are."""
        return await self._catalogue.count(kind)

    async def open(self, kind: Kind, id_: str) -> tuple[Entry, OpenFile] | None:
        """
        Open one for reading; whoever gets it closes it.

        :return: ``None``: there is no such entry.
        :raises NotAvailable: it is being written, or its volume or file is not there.
        :raises DeviceError: the volume has failed.
        """
        entry = await self._catalogue.get(kind, id_)
        if entry is None:
            return None
        shelf = self._shelf(entry)
        if entry.state == "interrupted":
            raise NotAvailable(LOOKED_AT)
        if entry.state == "damaged":
            raise NotAvailable(f"There is nothing to play in it: {entry.reason}")
        try:
            file = await shelf.open(entry.file)
        except FileMissing:
            await self._catalogue.change(entry.id, missing=True)
            raise NotAvailable(f"Its file is not on {entry.volume_name} any more") from None
        except FileError as error:
            raise DeviceError(f"{entry.volume_name}: {error}") from None
        return entry, file

    async def remove(self, kind: Kind, id_: str, by: str, *, forget: bool = False) -> bool:
        """
        Remove one: its file, then its entry.

        :param by: who wants it, for the log.
        :param forget: if its volume is not there, the entry alone: the volume is lost for
            good. If it does come back, its file is there and not listed.
        :return: ``False``: there is no such entry.
        :raises NotAvailable: it is being written or looked at, or its volume is not there.
        :raises DeviceError: the volume has failed; nothing is removed.
        """
        entry = await self._catalogue.get(kind, id_)
        if entry is None:
            return False
        if forget and self._is_away(entry):
            await self._catalogue.remove(entry.id)
            self._log.info(
                "{file} on {volume} is forgotten, by {by}",
                file=entry.file,
                volume=entry.volume_name,
                by=by,
            )
        else:
            try:
                unfinished = entry.state == "interrupted"
                await self._shelf(entry).remove(entry.file, unfinished=unfinished)
            except NotAvailable as error:
                hint = "; it can be forgotten, with forget=true" if self._is_away(entry) else ""
                raise NotAvailable(f"{error}{hint}") from None
            except FileBusy:
                raise NotAvailable(LOOKED_AT) from None
            except FileError as error:
                raise DeviceError(f"{entry.volume_name}: {error}") from None
            await self._catalogue.remove(entry.id)
            self._log.info("{file} is removed, by {by}", file=entry.file, by=by)
        await self._films.name_newest(kind)
        return True

    def _is_away(self, entry: Entry) -> bool:
        """Its volume is not there, and nobody writes it."""
        return entry.state != "recording" and self._shelves.shelf(entry.volume) is None

    def _available(self, entry: Entry) -> bool:
        return (
            entry.state in ("complete", "recovered")
            and not entry.missing
            and self._shelves.shelf(entry.volume) is not None
        )

    def _shelf(self, entry: Entry) -> Shelf:
        """
        Where the file of one is that nobody writes.

        :raises NotAvailable: it is being written, or its volume is not there.
        """
        if entry.state == "recording":
            raise NotAvailable("It is being recorded; it can be had when the recording has ended")
        shelf = self._shelves.shelf(entry.volume)
        if shelf is None:
            raise NotAvailable(f"Its volume is not there: {entry.volume_name}")
        return shelf
