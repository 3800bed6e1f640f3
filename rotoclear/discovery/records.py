"""
What is announced: a service for each protocol that somebody can reach, with its TXT record.

====================  ==========================================================
service               announced
====================  ==========================================================
``_rotoclear._tcp``   always: the API, over TLS if there is a port with TLS
``_https._tcp``       the page, if there is a port with TLS
``_http._tcp``        the page, if there is one without
``_rtsp._tcp``        the film, if ``[rtsp]`` listens
====================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final

from attrs import frozen

API: Final = "/api/v1"

TXT_VERSION: Final = "1"
"""``txtvers`` (RFC 6763 6.7): grows when a key means something else."""

LONGEST: Final = 63
"""Bytes of an instance's name: it is one label (RFC 6763 4.1.1)."""


@frozen
class Port:
    """
    A port of this server.

    :ivar interface: the local address that it is bound to; ``0.0.0.0`` and ``::`` are all.
    """

    number: int
    interface: str
    tls: bool

    def reached_by(self, addresses: Iterable[str]) -> bool:
        """Whether one of these addresses leads to it."""
        bound = ip_address(self.interface)
        return bound.is_unspecified or self.interface in addresses


@frozen
class Announcement:
    """
    One service.

    :ivar type: ``_https._tcp``, say.
    :ivar text: its TXT record.
    """

    type: str
    port: int
    text: Mapping[str, str]


def announcements(
    web: Sequence[Port], rtsp: Sequence[Port], addresses: Sequence[str], version: str
) -> list[Announcement]:
    """
    What can be reached at these addresses.

    :param web: the ports of the server, in the order of the configuration: the first counts.
    :param rtsp: those of RTSP.
    """
    plain = next((p for p in web if not p.tls and p.reached_by(addresses)), None)
    secure = next((p for p in web if p.tls and p.reached_by(addresses)), None)
    result = []
    if best := secure or plain:
        text = {
            "txtvers": TXT_VERSION,
            "path": API,
            "tls": "1" if best.tls else "0",
            "version": version,
        }
        result.append(Announcement("_rotoclear._tcp", best.number, text))
    for kind, port in (("_https._tcp", secure), ("_http._tcp", plain)):
        if port is not None:
            result.append(Announcement(kind, port.number, {"path": "/"}))
    # There is no registered name for RTSP over TLS.
    film = next((p for p in rtsp if not p.tls and p.reached_by(addresses)), None)
    if film is not None:
        result.append(Announcement("_rtsp._tcp", film.number, {"path": "/live"}))
    return result


def label(text: str) -> str:
    """A name as one label: cut to its length, between letters."""
    data = text.encode("utf-8")[:LONGEST]
    return data.decode("utf-8", "ignore")
