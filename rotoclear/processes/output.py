"""
What a driver prints, on its way into the log.

It is cut and counted so that a driver that spews costs nothing: of the lines
that come too fast only the number is logged, and beyond a rate of bytes
nothing is read any more, so that the driver waits until the next second.
"""

from __future__ import annotations

from typing import Final, cast

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.logger import Logger

MAX_LINE: Final = 500
"""Bytes of a line that are logged."""

BURST: Final = 50
"""Lines that may come at once."""

RATE: Final = 2
"""Lines a second in the long run."""

MAX_BYTES: Final = 2_097_152
"""Bytes a second that are read."""

REPORT: Final = 10
"""Seconds between two reports of what was not logged."""


class Output(Protocol):
    """
    Reads the stdout and stderr of one driver's process.

    :param clock: tells the seconds.
    :param driver: its name, for the log.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, driver: str) -> None:
        self._clock = clock
        self._driver = driver
        self._rest = b""
        self._cut = False
        self._lines = BURST
        self._bytes = 0
        self._skipped = 0
        self._seconds = 0
        self._second: IDelayedCall | None = None

    def dataReceived(self, data: bytes) -> None:
        if self._second is None:
            self._second = self._clock.callLater(1, self._next_second)
        self._bytes += len(data)
        if self._lines > 0:
            *lines, rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._line(line)
            self._rest = rest[: MAX_LINE + 1]
        else:  # not worth splitting
            self._skipped += data.count(b"\n")
            self._cut = not data.endswith(b"\n")
            self._rest = b""
        if self._bytes >= MAX_BYTES:
            self._producer().pauseProducing()

    def close(self) -> None:
        """The process has ended: whoever still holds its output is not listened to."""
        if self.transport is not None:
            cast(ITCPTransport, self.transport).abortConnection()

    def connectionLost(self, reason: object = None) -> None:
        if self._rest:
            self._line(self._rest)
        if self._second is not None:
            self._second.cancel()
            self._second = None
        self._report()

    def _line(self, line: bytes) -> None:
        if self._lines <= 0 or self._cut:
            # What follows a line that was skipped in the middle is not worth it, either.
            self._cut = False
            self._skipped += 1
            return
        self._lines -= 1
        text = line[:MAX_LINE].decode("utf-8", "replace").rstrip()
        if text:
            more = " ..." if len(line) > MAX_LINE else ""
            self._log.info(
                "{driver} printed: {text}{more}", driver=self._driver, text=text, more=more
            )

    def _next_second(self) -> None:
        """Goes on until nothing was printed for as long as it takes to forget everything."""
        self._second = None
        self._seconds += 1
        paused = self._bytes >= MAX_BYTES
        self._bytes = 0
        self._lines = min(self._lines + RATE, BURST)
        if self._seconds >= REPORT or self._lines == BURST:
            self._report()
        if self._lines < BURST:
            self._second = self._clock.callLater(1, self._next_second)
        if paused:
            self._producer().resumeProducing()

    def _report(self) -> None:
        self._seconds = 0
        if self._skipped:
            self._log.warn(
                "{driver} printed too much: {count} lines are not logged",
                driver=self._driver,
                count=self._skipped,
            )
            self._skipped = 0

    def _producer(self) -> IPushProducer:
        return cast(IPushProducer, self.transport)
