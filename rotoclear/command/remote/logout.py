"""``rotoclear logout``: the end of a token, there and here."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from rotoclear.command.errors import DENIED, OK, CommandError
from rotoclear.command.remote.choosing import chosen, stored
from rotoclear.command.remote.session import on

if TYPE_CHECKING:
    from rotoclear.client.asyncio import Client


def run(arguments: Namespace) -> int:
    """It is forgotten here in any case."""
    logins = stored()
    try:
        target = chosen(arguments, logins)
    except CommandError:
        target = chosen(arguments, logins, anonymous=True)  # its keyring is gone, say
    if logins.known(target.server) is None:
        raise CommandError(f"nobody is logged in at {target.server}", DENIED)
    try:
        if target.login is not None:
            on(target, arguments, _end)
    except CommandError as error:
        logins.remove(target.server)
        if error.code == DENIED:  # it had ended
            return OK
        raise CommandError(
            f"the token is forgotten here, but the server was not told: {error}", error.code
        ) from None
    logins.remove(target.server)
    return OK


async def _end(client: Client, arguments: Namespace) -> int:
    await client.logout()
    return OK
