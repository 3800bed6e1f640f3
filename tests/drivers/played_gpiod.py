"""As much of libgpiod's Python library as the driver uses, with chips that are not there."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any

from attrs import define, field

line = SimpleNamespace(
    Direction=SimpleNamespace(AS_IS="as-is", OUTPUT="output"),
    Drive=SimpleNamespace(PUSH_PULL="push-pull", OPEN_DRAIN="open-drain"),
    Value=SimpleNamespace(ACTIVE="active", INACTIVE="inactive"),
)


@define
class PlayedLine:
    """``history``: each level that it had as an output."""

    name: str = ""
    high: bool = False
    consumer: str = ""
    settings: Any = None
    history: list[bool] = field(factory=list)


@define
class PlayedChip:
    """``error``: of everything; ``request_error``: of lines that were taken."""

    name: str
    label: str
    lines: list[PlayedLine]
    plugged: bool = True
    error: int = 0
    request_error: int = 0

    def meet(self) -> None:
        self._raise(0 if self.plugged else errno.ENODEV)
        self._raise(self.error)

    def meet_request(self) -> None:
        self.meet()
        self._raise(self.request_error)

    @staticmethod
    def _raise(error: int) -> None:
        if error:
            raise OSError(error, os.strerror(error))


chips: dict[str, PlayedChip] = {}
"""By their nodes."""


@define(kw_only=True)
class LineSettings:
    direction: str = "as-is"
    active_low: bool = False
    drive: str = "push-pull"
    output_value: str = "inactive"


class Chip:
    def __init__(self, node: str) -> None:
        if node not in chips or not chips[node].plugged:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), node)
        chips[node].meet()
        self._chip = chips[node]

    def __enter__(self) -> Chip:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_info(self) -> PlayedChip:
        return self._chip

    def line_offset_from_id(self, wanted: str) -> int:
        for offset, there in enumerate(self._chip.lines):
            if there.name == wanted:
                return offset
        if not wanted.isdecimal():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if int(wanted) >= len(self._chip.lines):
            raise ValueError("line offset of out range")
        return int(wanted)

    def get_line_info(self, offset: int) -> PlayedLine:
        return self._chip.lines[offset]

    def request_lines(self, config: dict[int, LineSettings], consumer: str) -> Request:
        ((offset, settings),) = config.items()
        there = self._chip.lines[offset]
        if there.consumer:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        there.consumer = consumer
        there.settings = settings
        return Request(self._chip, offset)


class Request:
    def __init__(self, chip: PlayedChip, offset: int) -> None:
        self._chip = chip
        self._offset = offset
        self._line = chip.lines[offset]

    def get_value(self, offset: int) -> str:
        assert offset == self._offset
        self._chip.meet_request()
        active = self._line.high != self._line.settings.active_low
        return "active" if active else "inactive"

    def set_value(self, offset: int, value: str) -> None:
        assert offset == self._offset
        assert self._line.settings.direction == "output"
        self._chip.meet_request()
        self._line.high = (value == "active") != self._line.settings.active_low
        self._line.history.append(self._line.high)

    def reconfigure_lines(self, config: dict[int, LineSettings]) -> None:
        self._line.settings = config[self._offset]
        self.set_value(self._offset, self._line.settings.output_value)

    def release(self) -> None:
        self._line.consumer = ""
