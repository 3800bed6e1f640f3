"""The table of ``rotoclear watch``: what is in it, and what of that fits into a terminal."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from attrs import define, field, frozen

from rotoclear.command.remote.values import shown
from rotoclear.command.text import printable

if TYPE_CHECKING:
    from rotoclear.values import Value

FRESH: Final = 3.0
"""Seconds for which what has changed stands out."""

_FRAME: Final = 3
"""Lines that are not rows: the server, the heads of the columns, what the keys do."""


class Style(Enum):
    """How a line stands out."""

    PLAIN = "plain"
    HEAD = "head"
    FRESH = "fresh"
    DIM = "dim"


@frozen
class Line:
    """A line of the terminal."""

    text: str
    style: Style = Style.PLAIN


@define
class _Row:
    value: str
    changed: float | None = None
    clock: str = ""


@define
class Board:
    """
    The rows, in the order in which they were first told.

    :ivar server: whose values they are.
    :ivar state: of the connection, for people.
    """

    server: str
    state: str = "connecting"
    _rows: dict[str, _Row] = field(factory=dict, init=False)
    _offset: int = field(default=0, init=False)

    def tell(self, key: str, value: Value, now: float, clock: str) -> None:
        """
        A key's value, the first or a new one.

        :param now: seconds of a clock that only runs forward.
        :param clock: the time as people read it.
        """
        text = shown(value)
        row = self._rows.get(key)
        if row is None:
            self._rows[key] = _Row(text)
        elif row.value != text:
            self._rows[key] = _Row(text, now, clock)

    def scroll(self, by: int) -> None:
        """Down by so many rows, or up; :meth:`lines` stops at the ends."""
        self._offset += by

    def fresh(self, now: float) -> bool:
        """Whether anything stands out now, and will not for ever."""
        return any(self._is_fresh(row, now) for row in self._rows.values())

    def lines(self, width: int, height: int, now: float) -> list[Line]:
        """What is to be seen, not longer and not wider than the terminal."""
        keys = list(self._rows)
        room = max(1, height - _FRAME)
        self._offset = max(0, min(self._offset, len(keys) - room))
        name = max(map(len, keys), default=3)
        value = max([5, *(len(row.value) for row in self._rows.values())])
        value = max(5, min(value, width - name - 12))
        lines = [
            Line(f"rotoclear at {self.server}: {self.state}", Style.HEAD),
            Line(f"{'KEY':{name}}  {'VALUE':{value}}  CHANGED", Style.DIM),
        ]
        for key in keys[self._offset : self._offset + room]:
            row = self._rows[key]
            text = row.value if len(row.value) <= value else f"{row.value[: value - 1]}…"
            style = Style.FRESH if self._is_fresh(row, now) else Style.PLAIN
            lines.append(Line(f"{printable(key):{name}}  {text:{value}}  {row.clock}", style))
        below = len(keys) - self._offset - room
        more = f"  {below} more below" if below > 0 else ""
        lines.append(Line(f"q ends{more}", Style.DIM))
        return [Line(line.text[:width].rstrip(), line.style) for line in lines[:height]]

    @staticmethod
    def _is_fresh(row: _Row, now: float) -> bool:
        return row.changed is not None and now - row.changed < FRESH
