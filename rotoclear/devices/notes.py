"""What a driver says and does, in the server's log."""

from __future__ import annotations

import logging
from typing import Final

from twisted.logger import Logger, LogLevel

_LEVELS: Final = (
    (logging.CRITICAL, LogLevel.critical),
    (logging.ERROR, LogLevel.error),
    (logging.WARNING, LogLevel.warn),
    (logging.INFO, LogLevel.info),
)
"""Python's least numbers for Twisted's levels."""


class Notes:
    """
    The log of one driver.

    :param name: the driver's.
    """

    _log = Logger()

    def __init__(self, name: str) -> None:
        self._name = name
        self._complaint = ""

    def complain(self, text: str, traceback: str = "") -> None:
        """Something is wrong again and again: say it once, until :meth:`well`."""
        if self._complaint != text:
            self._complaint = text
            self._emit(text, traceback)

    def well(self) -> None:
        """It is not wrong any more."""
        self._complaint = ""

    def report(self, what: str, text: str, traceback: str = "") -> None:
        """Something went wrong; with a traceback it is the driver's fault."""
        self._emit(f"{what} failed: {text}", traceback)

    def record(self, number: int, text: str) -> None:
        """One of the driver's own log records; ``number`` is its level as :mod:`logging` has it."""
        level = next((level for least, level in _LEVELS if number >= least), LogLevel.debug)
        self._log.emit(level, "{driver}: {text}", driver=self._name, text=text)

    def _emit(self, text: str, traceback: str) -> None:
        self._log.emit(
            LogLevel.error if traceback else LogLevel.warn,
            "{driver}: {text}{newline}{traceback}",
            driver=self._name,
            text=text,
            newline="\n" if traceback else "",
            traceback=traceback,
        )
