"""How a command ends."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
"""It was refused, or it failed."""
USAGE: Final = 2
"""Nobody can tell what was meant (argparse's own code)."""
UNAVAILABLE: Final = 3
"""There is no server to ask, or no data folder to work on."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells have it."""


class CommandError(Exception):
    """
    The command cannot do it. ``str()`` is one line for people.

    :ivar code: what the program exits with.
    """

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code
