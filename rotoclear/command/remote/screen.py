"""The terminal of ``rotoclear watch``, by curses: it knows all terminals there are."""

from __future__ import annotations

import asyncio
import curses
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from rotoclear.command.errors import OK
from rotoclear.command.remote.board import FRESH, Board, Style
from rotoclear.command.remote.together import until_first

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client

_PAGE: Final = 10
_SCROLL: Final = {
    curses.KEY_DOWN: 1,
    curses.KEY_UP: -1,
    ord("j"): 1,
    ord("k"): -1,
    curses.KEY_NPAGE: _PAGE,
    curses.KEY_PPAGE: -_PAGE,
}
_STYLES: Final = {
    Style.PLAIN: curses.A_NORMAL,
    Style.HEAD: curses.A_BOLD,
    Style.FRESH: curses.A_REVERSE,
    Style.DIM: curses.A_DIM,
}


def available() -> bool:
    """Whether the terminal can do more than print lines."""
    try:
        curses.setupterm(fd=sys.stdout.fileno())
    except curses.error:
        return False
    return bool(curses.tigetstr("cup"))


async def show(client: Client, keys: Sequence[str], server: str) -> int:
    """Show the keys until somebody has seen enough."""
    with _terminal() as window:
        view = _View(window, Board(server), asyncio.get_running_loop())
        with view:
            await until_first(
                [view.ended.wait(), _values(client, keys, view)], [_states(client, view)]
            )
    return OK


async def _values(client: Client, keys: Sequence[str], view: _View) -> None:
    async for change in client.watch(*keys):
        view.board.tell(change.key, change.value, time.monotonic(), time.strftime("%H:%M:%S"))
        view.draw_soon()


async def _states(client: Client, view: _View) -> None:
    from rotoclear.client import ConnectionState

    words = {
        ConnectionState.READY: "connected",
        ConnectionState.CONNECTING: "connecting",
        ConnectionState.WAITING: "the connection is lost; trying again",
    }
    async for state in client.states():
        view.board.state = words.get(state, "closed")
        view.draw_soon()


@contextmanager
def _terminal() -> Iterator[curses.window]:
    """The whole terminal; whatever happens, it is left as it was."""
    window = curses.initscr()
    try:
        curses.noecho()
        curses.cbreak()
        with suppress(curses.error):  # it cannot be hidden everywhere
            curses.curs_set(0)
        window.keypad(True)
        window.nodelay(True)
        yield window
    finally:
        with suppress(curses.error):
            curses.curs_set(1)
        curses.endwin()


class _View:
    """
    Draws the board when something in it has changed, and hears the keyboard.

    :ivar ended: is set when somebody has pressed q.
    """

    def __init__(
        self, window: curses.window, board: Board, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.board = board
        self.ended = asyncio.Event()
        self._window = window
        self._loop = loop
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.Handle | None = None

    def __enter__(self) -> None:
        self._loop.add_reader(sys.stdin.fileno(), self._pressed)
        self._loop.add_signal_handler(signal.SIGWINCH, self._resized)
        self._draw()

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(sys.stdin.fileno())
        self._loop.remove_signal_handler(signal.SIGWINCH)
        for handle in (self._soon, self._later):
            if handle is not None:
                handle.cancel()

    def draw_soon(self) -> None:
        """Once for all that happens together."""
        if self._soon is None:
            self._soon = self._loop.call_soon(self._draw)

    def _draw(self) -> None:
        self._soon = None
        height, width = self._window.getmaxyx()
        now = time.monotonic()
        self._window.erase()
        for number, line in enumerate(self.board.lines(width, height, now)):
            with suppress(curses.error):  # the last cell of all cannot be written
                self._window.addnstr(number, 0, line.text, width, _STYLES[line.style])
        self._window.refresh()
        if self._later is not None:
            self._later.cancel()
        fresh = self.board.fresh(now)
        self._later = self._loop.call_later(FRESH / 3, self._draw) if fresh else None

    def _pressed(self) -> None:
        while (key := self._window.getch()) != curses.ERR:
            if key in (ord("q"), ord("Q"), 4):  # Ctrl-D
                self.ended.set()
            elif key in _SCROLL:
                self.board.scroll(_SCROLL[key])
        self.draw_soon()

    def _resized(self) -> None:
        with suppress(curses.error, OSError):
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
            curses.resizeterm(lines, columns)
        self._window.clear()
        self.draw_soon()
