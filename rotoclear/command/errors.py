"""How a command ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

OK: Final = 0
FAILED: Final = 1
"""It was refused, or it failed."""
USAGE: Final = 2
"""Nobody can tell what was meant (argparse's own code)."""
UNAVAILABLE: Final = 3
"""There is no server to ask, or no data folder to work on."""
DENIED: Final = 4
"""Whoever asks is not logged in, or may not do that."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells have it."""


class CommandError(Exception):
    """
    The command cannot do it. ``str()`` is one line for people.

    :param more: lines of the same kind, if several things cannot be done.
    :ivar code: what the program exits with.
    """

    def __init__(self, text: str, code: int = FAILED, more: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.lines = (text, *more)
