"""
What systemd is told of a service of ``Type=notify``.

The protocol is datagrams of ``NAME=VALUE`` lines to the socket that
``$NOTIFY_SOCKET`` names, sd_notify(3). Where there is none, nothing is told.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Final

from attrs import frozen
from twisted.logger import Logger

LONGEST: Final = 400
"""Characters of a status text: it is one line of ``systemctl status``."""


@frozen
class Notifier:
    """
    Tells systemd.

    Its process is the one that systemd has started; a message of another one is
    ignored there (``NotifyAccess=main``).

    :ivar address: of the socket; ``""``: nobody is to be told.
    :ivar interval: seconds within which a sign of life is wanted
        (``WatchdogSec=``); 0: none is.
    """

    address: str = ""
    interval: float = 0.0

    _log = Logger()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], pid: int) -> Notifier:
        """
        As systemd wants it.

        :param pid: of this process: the watchdog may be another one's.
        """
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            address = ""
        microseconds = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        wanted = bool(address) and ours and microseconds.isascii() and microseconds.isdigit()
        return cls(address, int(microseconds) / 1e6 if wanted else 0.0)

    def ready(self) -> None:
        """It serves: what waits for the unit may go on. Also ends :meth:`reloading`."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """What it does, for people who ask ``systemctl status``."""
        self._tell(f"STATUS={' '.join(text.split())[:LONGEST]}")

    def reloading(self) -> None:
        """It reads its configuration again."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It ends."""
        self._tell("STOPPING=1", "STATUS=Stopping")

    def alive(self) -> None:
        """It works. Said at least once in :attr:`interval` seconds."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self.address:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as told:
                told.sendto("\n".join(lines).encode(), name)
        except OSError as error:
            # A sign of life that is lost is followed by another one; so is a status.
            self._log.warn("systemd cannot be told {lines}: {error}", lines=lines, error=error)
