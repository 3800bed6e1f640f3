"""The files of all volumes that are there: a :class:`~rotoclear.media.files.shelf.Shelf` each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from attrs import frozen

from rotoclear.media.files.shelf import Shelf


class Volumes(Protocol):
    """The volumes, as :class:`rotoclear.devices.volumes.Volumes`."""

    def present(self) -> list[Any]:
        """All that are there."""

    def watch(self, observer: Callable[[], None]) -> None:
        """Have it called when one has come or gone."""


@frozen
class _Place:
    name: str
    path: str
    shelf: Shelf


class Shelves:
    """
    See the module.

    :param reactor: starts processes and keeps the time.
    :param make: makes a shelf of a folder; for tests.
    """

    def __init__(
        self, reactor: Any, volumes: Volumes, make: Callable[[Any, str], Shelf] = Shelf
    ) -> None:
        self._reactor = reactor
        self._volumes = volumes
        self._make = make
        self._places: dict[str, _Place] = {}
        self._arrived: list[Callable[[str], None]] = []
        self._left: list[Callable[[str], None]] = []
        self._stopped = False
        volumes.watch(self._look)

    def shelf(self, volume: str) -> Shelf | None:
        """
        Of a volume that is there.

        :param volume: the driver's name and the volume's identity, with a slash between.
        """
        place = self._places.get(volume)
        return None if place is None else place.shelf

    def name(self, volume: str) -> str:
        """What people call a volume that is there; else empty."""
        place = self._places.get(volume)
        return "" if place is None else place.name

    def volumes(self) -> list[str]:
        """Those that are there, the first arrived first."""
        return list(self._places)

    def watch(self, arrived: Callable[[str], None], left: Callable[[str], None]) -> None:
        """Have these called with each volume that comes or goes, those that are there at once."""
        self._arrived.append(arrived)
        self._left.append(left)
        for volume in self._places:
            arrived(volume)

    def stop(self) -> None:
        """End their processes."""
        self._stopped = True
        for place in self._places.values():
            place.shelf.stop()
        self._places.clear()

    def _look(self) -> None:
        """See which are there. One that comes back at once, at the same path, was not away."""
        if self._stopped:
            return
        there = {
            f"{device.driver}/{device.identity}": device.description
            for device in self._volumes.present()
        }
        for volume, place in tuple(self._places.items()):
            if volume not in there or there[volume].path != place.path:
                del self._places[volume]
                place.shelf.stop()
                for left in self._left:
                    left(volume)
        for volume, description in there.items():
            if volume not in self._places:
                shelf = self._make(self._reactor, description.path)
                self._places[volume] = _Place(description.name, description.path, shelf)
                for arrived in self._arrived:
                    arrived(volume)
