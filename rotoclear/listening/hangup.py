"""SIGHUP: read again what can be read again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.logger import Logger


class HangupHandler:
    """
    Calls something, in the reactor, at each SIGHUP.

    twistd leaves SIGHUP alone: by default it ends the process. A handler that
    somebody else has installed before is called, too.
    """

    _log = Logger()

    def __init__(self, reactor: Any, call: Callable[[], object]) -> None:
        self._reactor = reactor
        self._call = call
        self._installed = False
        self._before: Any = signal.SIG_DFL

    def install(self) -> None:
        """Begin; in the main thread, as only that may set signal handlers."""
        try:
            self._before = signal.signal(signal.SIGHUP, self._handle)
        except ValueError:
            self._log.warn("SIGHUP is not handled: not in the main thread")
            return
        signal.siginterrupt(signal.SIGHUP, False)
        self._installed = True

    def remove(self) -> None:
        """End: what was there before is there again, unless someone came after us."""
        if self._installed and signal.getsignal(signal.SIGHUP) == self._handle:
            # None: a handler that was not installed from Python, and that Python cannot restore.
            signal.signal(signal.SIGHUP, self._before or signal.SIG_DFL)
        self._installed = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # Between any two instructions of the reactor's thread: only what may be called from
        # any thread.
        self._reactor.callFromThread(self._call)
        if callable(self._before):
            self._before(number, frame)
