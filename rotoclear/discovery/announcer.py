"""
Announces with the library zeroconf, in a thread of its own: the reactor never waits for it.

Addresses come and go with cables and leases. zeroconf binds to the interfaces that
there are when it is made, so it is made anew when they have changed.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from rotoclear.discovery.records import Announcement, Port, announcements, label

if TYPE_CHECKING:
    from zeroconf import Zeroconf

PERIOD: Final = 5.0
"""Seconds between two looks at the addresses."""

RETRY: Final = 30.0
"""Seconds after which what failed is tried again."""

FAREWELL: Final = 2.0
"""Seconds that taking leave may last: nobody waits for the network at a shutdown."""

MISSING: Final = "the library zeroconf is not installed: pip install 'rotoclear[discovery]'"

AVAHI: Final = Path("/run/avahi-daemon/pid")
"""The number of Avahi's process. It has the machine's own name, and gives it up to another."""

TAKEN: Final = (
    "Avahi answers for this machine's name: install etc/avahi/rotoclear.service, "
    "or choose another name, discovery.host"
)


class Wishes(Protocol):
    """What ``[discovery]`` of the configuration has to say."""

    @property
    def name(self) -> str:
        """What people see; empty: made of the host's."""

    @property
    def host(self) -> str:
        """The host's name, without ``.local``; empty: this machine's."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that are announced; none: all of this machine."""


class Announcer(Service):
    """
    Announces from its start to its stop.

    :param web: the server's ports.
    :param rtsp: those of RTSP.
    :param look: tells this machine's addresses; may block.
    :param avahi: the file with the number of Avahi's process.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        wishes: Wishes,
        web: Sequence[Port],
        rtsp: Sequence[Port],
        version: str,
        look: Callable[[], list[str]] | None = None,
        avahi: Path = AVAHI,
    ) -> None:
        self._reactor = reactor
        self._wishes = wishes
        self._web = web
        self._rtsp = rtsp
        self._version = version
        self._look = look or addresses
        self._avahi = avahi
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._state = {"state": "starting"}

    def startService(self) -> None:
        """Begin, in the background."""
        super().startService()  # type: ignore[no-untyped-call]
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="discovery", daemon=True)
        self._thread.start()

    def stopService(self) -> Deferred[None]:
        """Take leave; fires when the others were told, or it took too long."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._stop.set()
        thread = self._thread

        def wait() -> None:
            if thread is not None:
                thread.join(FAREWELL)

        return deferToThreadPool(self._reactor, self._reactor.getThreadPool(), wait)

    def health(self) -> dict[str, dict[str, object]]:
        """Never vital: who knows the address needs no name."""
        return {"discovery": {**self._state, "vital": False}}

    # -- in the thread ---------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._announce()
            except ImportError:
                self._state = {"state": "refused", "reason": MISSING}
                self._log.error("discovery: {reason}", reason=MISSING)
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the network may be back later
                reason = f"{type(error).__name__}: {error}"
                if self._state.get("reason") != reason:
                    self._log.error("discovery: {reason}; it is tried again", reason=reason)
                self._state = {"state": "failed", "reason": reason}
                self._stop.wait(RETRY)

    def _announce(self) -> None:
        """Until the addresses have changed, or it is to end."""
        from zeroconf import IPVersion, Zeroconf

        found = self._wanted()
        if self._taken():
            self._state = {"state": "idle", "reason": TAKEN}
            self._wait_for_change(found, taken=True)
            return
        services = announcements(self._web, self._rtsp, found, self._version)
        if not services:
            reason = "no port can be reached from outside: server.listen" if found else "no address"
            self._state = {"state": "idle", "reason": reason}
            self._wait_for_change(found)
            return
        fours = [address for address in found if ip_address(address).version == 4]
        zeroconf = Zeroconf(interfaces=fours, ip_version=IPVersion.V4Only)
        try:
            for service in services:
                self._register(zeroconf, service, found)
            self._state = {"state": "ok"}
            self._wait_for_change(found)
        finally:
            zeroconf.unregister_all_services()
            zeroconf.close()

    def _register(self, zeroconf: Zeroconf, service: Announcement, found: list[str]) -> None:
        from zeroconf import ServiceInfo

        host = self._wishes.host or _own_name()
        name = label(self._wishes.name or f"rotoclear on {host}")
        kind = f"{service.type}.local."
        info = ServiceInfo(
            kind,
            f"{name}.{kind}",
            port=service.port,
            properties=dict(service.text),
            server=f"{host}.local.",
            parsed_addresses=found,
        )
        # Two devices of one name: the second one becomes "NAME-2".
        zeroconf.register_service(info, allow_name_change=True)
        self._log.info(
            "announced: {name} at {host}.local:{port}",
            name=info.name,
            host=host,
            port=service.port,
        )

    def _wait_for_change(self, found: list[str], *, taken: bool = False) -> None:
        while not self._stop.wait(PERIOD):
            if self._taken() != taken:
                return
            if self._wanted() != found:
                self._log.info("discovery: the addresses have changed")
                return

    def _taken(self) -> bool:
        return self._wishes.host in ("", _own_name()) and _runs(self._avahi)

    def _wanted(self) -> list[str]:
        there = self._look()
        wanted = self._wishes.addresses
        if wanted:
            return sorted(set(there) & set(wanted))
        return sorted(a for a in there if not ip_address(a).is_loopback)


def _runs(pid_file: Path) -> bool:
    """Whether the process is there whose number is in the file; Avahi leaves its file behind."""
    try:
        os.kill(int(pid_file.read_text()), 0)
    except PermissionError:
        return True  # another user's
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _own_name() -> str:
    return socket.gethostname().partition(".")[0]


def addresses() -> list[str]:
    """
    This machine's addresses, but IPv6's link-local ones, which are good on one link only.

    :raises ImportError: zeroconf, which brings the library for it, is not installed.
    """
    import ifaddr

    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            if ip.is_IPv4 or not ip_address(text).is_link_local:
                found.append(text)
    return found
