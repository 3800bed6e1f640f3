"""
Lines of GPIO chips, by way of libgpiod's Python library.

The library is handed in and never imported here: it is an extra, and loaded when the driver starts.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen

from rotoclear.drivers.failures import told
from rotoclear.drivers.notes import Notes
from rotoclear.interfaces import DeviceFailure, DeviceGone

CONSUMER: Final = "rotoclear"
"""The name that others see a line to be in use by."""

DENIED: Final = (
    "The server's user must be allowed to use the chip: put it into the group that owns "
    "/dev/gpiochip* (mostly gpio), or give them to its group by a udev rule"
)


@frozen
class Place:
    """
    Where a line is.

    :ivar node: of its chip: ``"/dev/gpiochip0"``.
    :ivar offset: in that chip.
    """

    node: str
    offset: int


class Chips:
    """
    The chips of this machine.

    :param library: the module ``gpiod``.
    :param nodes: call it for the chips' nodes as they are now.
    """

    def __init__(self, library: Any, nodes: Callable[[], Sequence[str]], notes: Notes) -> None:
        self._library = library
        self._nodes = nodes
        self._notes = notes

    def find(self, text: str) -> Place | None:
        """
        Where the line is that this text names, if it is there.

        :param text: ``CHIP:LINE``, the chip by its name or label and the line by its name or
            offset, or else the name of a line that no other line of any chip has.
        """
        places = self._search(*text.rpartition(":")[::2]) if ":" in text else []
        # The colon may also belong to the line's own name.
        places = places or self._search("", text)
        if len(places) > 1:
            nodes = ", ".join(place.node for place in places)
            self._notes.warn(
                text, f"There is more than one line {text} ({nodes}): write CHIP:LINE instead"
            )
            return None
        return places[0] if places else None

    def _search(self, chip_text: str, line: str) -> list[Place]:
        places = []
        for node in self._nodes():
            try:
                with self._library.Chip(node) as chip:
                    place = self._search_chip(chip, node, chip_text, line)
            except PermissionError as error:
                self._notes.warn(node, f"{node}: {error.strerror}. {DENIED}")
                continue
            except OSError:
                continue  # it was pulled just now
            self._notes.fine(node)
            if place is not None:
                places.append(place)
        return places

    @staticmethod
    def _search_chip(chip: Any, node: str, chip_text: str, line: str) -> Place | None:
        info = chip.get_info()
        if chip_text and chip_text not in (info.name, info.label):
            return None
        try:
            offset = chip.line_offset_from_id(line)
        except (OSError, ValueError):
            return None  # it has no such line
        # Digits are an offset, too, but of which chip?
        if not chip_text and chip.get_line_info(offset).name != line:
            return None
        return Place(node, offset)


class Line:
    """
    A line that is ours: an output that begins with the value that it had.

    :param library: the module ``gpiod``.
    :param name: for people.
    :raises DeviceGone: it is not there.
    :raises DeviceFailure: it cannot be had.
    """

    def __init__(
        self, library: Any, place: Place, name: str, *, active_low: bool, open_drain: bool
    ) -> None:
        self._library = library
        self._offset = place.offset
        self._what = f"The GPIO line {name}"
        line = library.line
        with told(self._what, DENIED), library.Chip(place.node) as chip:
            self._request = self._take(chip, active_low=active_low)
            try:
                settings = library.LineSettings(
                    direction=line.Direction.OUTPUT,
                    active_low=active_low,
                    drive=line.Drive.OPEN_DRAIN if open_drain else line.Drive.PUSH_PULL,
                    output_value=self._request.get_value(self._offset),
                )
                self._request.reconfigure_lines({self._offset: settings})
            except BaseException:
                self._request.release()
                raise

    def _take(self, chip: Any, *, active_low: bool) -> Any:
        """Take it as it is: only then can be seen what value it has."""
        as_is = self._library.LineSettings(
            direction=self._library.line.Direction.AS_IS, active_low=active_low
        )
        try:
            return chip.request_lines({self._offset: as_is}, consumer=CONSUMER)
        except ValueError:
            raise DeviceGone(f"{self._what} is not there any more") from None
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            consumer = chip.get_line_info(self._offset).consumer or "the kernel"
            raise DeviceFailure(f"{self._what} is in use by {consumer}") from error

    def get(self) -> bool:
        """
        Whether it is active.

        :raises DeviceGone: the chip is not there any more.
        :raises DeviceFailure: it does not say.
        """
        with told(self._what, DENIED):
            return bool(self._request.get_value(self._offset) == self._library.line.Value.ACTIVE)

    def put(self, active: bool) -> None:
        """
        Make it so.

        :raises DeviceGone: the chip is not there any more.
        :raises DeviceFailure: it stays as it was.
        """
        value = self._library.line.Value
        with told(self._what, DENIED):
            self._request.set_value(self._offset, value.ACTIVE if active else value.INACTIVE)

    def release(self) -> None:
        """Let go of it; from now on it is as the chip likes."""
        self._request.release()
