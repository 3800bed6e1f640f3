"""``rotoclear login``: a password for a token, which is kept."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from rotoclear.command.errors import OK, USAGE, CommandError
from rotoclear.command.passwords import ask_present_password
from rotoclear.command.remote.address import private
from rotoclear.command.remote.choosing import Target, chosen, stored
from rotoclear.command.remote.logins import Login
from rotoclear.command.remote.session import on
from rotoclear.command.text import printable

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """Reach the server first, then ask for the password: it is not to be typed for nothing."""
    logins = stored()
    target = chosen(arguments, logins, anonymous=True)
    _refuse_plaintext(target, arguments)
    on(target, arguments, _reach)
    user = arguments.user or _ask_name()
    password = ask_present_password(user, target.server, arguments.password_file)

    async def login(client: Client, arguments: Namespace) -> int:
        made = await client.login(user, password)
        place = logins.put(
            Login(
                server=target.server,
                username=made.username,
                token=made.token or "",
                cafile=target.cafile,
                fingerprint=target.fingerprint,
            )
        )
        print(printable(f"logged in at {target.server} as {made.username} ({made.role})"))
        print(printable(f"the token is kept in {place}"))
        return OK

    return on(target, arguments, login)


async def _reach(client: Client, arguments: Namespace) -> int:
    return OK


def _refuse_plaintext(target: Target, arguments: Namespace) -> None:
    """
    :raises CommandError: the password would go over the network in clear, and nobody has said
        that it may.
    """
    if not private(target.address) and not arguments.plaintext:
        raise CommandError(
            f"{target.server} is not encrypted: whoever is on the network could read the "
            "password. Use https:// (rotoclear cert makes a certificate there), or say --plaintext",
            USAGE,
        )


def _ask_name() -> str:
    if not sys.stdin.isatty():
        raise CommandError("no USER given", USAGE)
    try:
        print("User: ", end="", file=sys.stderr, flush=True)
        name = sys.stdin.readline().strip()
    except UnicodeDecodeError:
        name = ""
    if not name:
        raise CommandError("no USER given", USAGE)
    return name
