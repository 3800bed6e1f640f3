"""Where a client is, as the audit log and the throttle know it."""

from __future__ import annotations

from typing import Final

from twisted.internet.address import IPv4Address, IPv6Address

LOCAL: Final = "local"
"""A client that came through a UNIX socket."""

_MAPPED: Final = "::ffff:"


def host(address: object) -> str:
    """
    The IP address of a peer, without its port; :data:`LOCAL` if it has none.

    An IPv4 client of an IPv6 socket (RFC 4291 2.5.5.2) is the same client:
    it must not get a second set of attempts to log in.
    """
    if not isinstance(address, IPv4Address | IPv6Address):
        return LOCAL
    name = str(address.host)
    return name[len(_MAPPED) :] if name.startswith(_MAPPED) and "." in name else name
