"""The files of all volumes that are there: a :class:`~rotoclear.media.files.shelf.Shelf` each."""

from __future__ import annotations

from typing import Any, Protocol

from rotoclear.media.files.shelf import Shelf


class Volumes(Protocol):
    """The volumes, as :class:`rotoclear.devices.volumes.Volumes`."""

    def present(self) -> list[Any]:
        """All that are there."""


class Shelves:
    """
    See the module.

    :param reactor: starts processes and keeps the time.
    """

    def __init__(self, reactor: Any, volumes: Volumes) -> None:
        self._reactor = reactor
        self._volumes = volumes
        self._shelves: dict[str, tuple[str, Shelf]] = {}

    def shelf(self, volume: str) -> Shelf | None:
        """
        Of a volume that is there.

        :param volume: the driver's name and the volume's identity, with a slash between.
        """
        there = {
            f"{device.driver}/{device.identity}": str(device.description.path)
            for device in self._volumes.present()
        }
        for name, (path, shelf) in tuple(self._shelves.items()):
            if there.get(name) != path:
                shelf.stop()
                del self._shelves[name]
        if volume not in there:
            return None
        if volume not in self._shelves:
            self._shelves[volume] = there[volume], Shelf(self._reactor, there[volume])
        return self._shelves[volume][1]

    def stop(self) -> None:
        """End their processes."""
        for _, shelf in self._shelves.values():
            shelf.stop()
        self._shelves.clear()
