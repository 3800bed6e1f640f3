"""Where a server is: the addresses that people give, in the one form that is remembered."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from rotoclear.client.address import Address, parse
from rotoclear.command.errors import USAGE, CommandError

DEFAULT: Final = "http://localhost:8080"
"""Where ``twistd rotoclear`` listens unless it is told otherwise."""


def address(text: str) -> Address:
    """
    Read what somebody gave as the server; ``str()`` of it is the one form.

    A name alone is asked with TLS. ``ws`` and ``wss`` are taken too, and the path
    of the WebSocket.

    :raises CommandError: it is no such address, or there is a password in it.
    """
    try:
        return parse(text)
    except ValueError as error:
        if "@" in text:
            raise CommandError(
                "no user or password belongs in a server's address, where everybody on this "
                "machine can read it; rotoclear login asks for them",
                USAGE,
            ) from None
        raise CommandError(f"{error}, or {DEFAULT}", USAGE) from None


def private(where: Address) -> bool:
    """Whether nobody between here and there could read what is sent: TLS, or this very machine."""
    if where.secure or where.host == "localhost":
        return True
    try:
        return ip_address(where.host).is_loopback
    except ValueError:
        return False
