"""
The log as programs read it: JSON, a line for each event, or the journal's own fields.

Without a word in the configuration it is twistd's, as text. What it is written to stays
twistd's to say (``--logfile``, ``--syslog``), but for the journal.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, Literal, Protocol

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LegacyLogObserverWrapper,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    formatEventAsClassicLogText,
)
from twisted.python.failure import Failure
from twisted.scripts._twistd_unix import UnixAppLogger
from zope.interface import implementer

JOURNAL: Final = "/run/systemd/journal/socket"
"""Where journald takes entries with fields (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""

PRIORITIES: Final = {"debug": 7, "info": 6, "warn": 4, "error": 3, "critical": 2}
"""syslog(3)'s of Twisted's levels."""

_LONGEST: Final = 65_536
"""Characters of one text: a datagram must hold them."""

_TAKEN: Final = frozenset({"time", "level", "logger", "message", "traceback"})
"""What a line says itself."""

_NOT_FIELDS: Final = frozenset({"format", "isError", "why", "system", "failure", "printed"})
"""What Twisted's older log leaves in an event."""


class Wishes(Protocol):
    """What ``[log]`` of the configuration has to say."""

    @property
    def format(self) -> Literal["text", "json", "journal"]:
        """What it is written as."""

    @property
    def level(self) -> Literal["debug", "info", "warn", "error"]:
        """What is not worth a line."""


def observer(wishes: Wishes, options: Mapping[str, Any]) -> ILogObserver | None:
    """
    The log that is wished for; ``None``: twistd's own.

    :param options: twistd's own.
    """
    made: Any = None
    if wishes.format == "journal":
        made = JournalObserver()
    elif wishes.format == "json" or wishes.level != "info":
        made = twistds(options)
        if wishes.format == "json" and isinstance(made, FileLogObserver):
            made = FileLogObserver(made._outFile, line)
    if made is None:
        return None
    level = LogLevel.lookupByName(wishes.level)
    return FilteringLogObserver(made, [LogLevelFilterPredicate(level)])


def twistds(options: Mapping[str, Any]) -> ILogObserver:
    """Where twistd's options say: a file, the syslog, the terminal."""
    made: Any = UnixAppLogger(options)._getLogObserver()
    if not ILogObserver.providedBy(made):
        made = LegacyLogObserverWrapper(made)
    return made  # type: ignore[no-any-return]


def line(event: LogEvent) -> str | None:
    """An event as a line of JSON."""
    return json.dumps(described(event), allow_nan=False, default=str) + "\n"


def described(event: LogEvent) -> dict[str, object]:
    """
    An event in plain values: its time, level, logger and message, and the fields it came with.

    Fields that are no plain values are in the message only.
    """
    moment = datetime.fromtimestamp(event.get("log_time", 0), UTC)
    level = event.get("log_level", LogLevel.info)
    result: dict[str, object] = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level.name,
        "logger": event.get("log_namespace", ""),
        "message": _whole(formatEvent(event) or str(event.get("log_io", ""))),
    }
    failure = event.get("log_failure")
    if isinstance(failure, Failure):
        result["traceback"] = _whole(failure.getTraceback())
    for name, value in event.items():
        if name.startswith("log_") or name in _NOT_FIELDS:
            continue
        if isinstance(value, str):
            value = _whole(value)
        elif not (value is None or isinstance(value, bool | int | float)) or (
            isinstance(value, float) and not isfinite(value)
        ):
            continue
        result[f"field_{name}" if name in _TAKEN else name] = value
    return result


def _whole(text: str) -> str:
    """The text, if it is not endless, without what no encoding has."""
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@implementer(ILogObserver)
class JournalObserver:
    """
    Sends events to journald with their fields: ``audit`` becomes ``ROTOCLEAR_AUDIT``.

    It never waits: what the journal does not take at once goes to stderr, as text.

    :param send: takes a datagram, or raises OSError.
    """

    def __init__(self, send: Callable[[bytes], object] | None = None) -> None:
        self._send = send or _journal()

    def __call__(self, event: LogEvent) -> None:
        try:
            self._send(entry(event))
        except OSError:
            text = formatEventAsClassicLogText(event)
            if text is not None:
                sys.stderr.write(text)


def _journal() -> Callable[[bytes], object]:
    """Sends datagrams to the journal; journald may be started anew meanwhile."""
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    return lambda datagram: journal.sendto(datagram, JOURNAL)


def entry(event: LogEvent) -> bytes:
    """An event as a datagram for the journal."""
    fields = described(event)
    del fields["time"]  # it notes its own
    message = fields.pop("message")
    if "traceback" in fields:
        message = f"{message}\n{fields.pop('traceback')}"
    parts = {
        "MESSAGE": message,
        "PRIORITY": PRIORITIES[str(fields.pop("level"))],
        "SYSLOG_IDENTIFIER": "rotoclear",
        "ROTOCLEAR_LOGGER": fields.pop("logger"),
        **{_variable(name): value for name, value in fields.items() if value is not None},
    }
    return b"".join(_field(name, str(value)) for name, value in parts.items())


def _variable(name: str) -> str:
    """A field's name as the journal allows it: capitals, digits and underscores."""
    clean = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.upper())
    return f"ROTOCLEAR_{clean}"[:64]


def _field(name: str, value: str) -> bytes:
    """One field; a value with a newline has its length before it."""
    data = value.encode("utf-8")
    if b"\n" not in data:
        return name.encode("ascii") + b"=" + data + b"\n"
    return name.encode("ascii") + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
