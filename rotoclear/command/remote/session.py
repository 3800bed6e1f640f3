"""Asking a server: the connection for one command, and its errors in words."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from rotoclear.command.errors import DENIED, FAILED, UNAVAILABLE, CommandError
from rotoclear.command.remote.choosing import Target, chosen, stored
from rotoclear.command.remote.trust import offered
from rotoclear.command.remote.values import kinds, suggestion

if TYPE_CHECKING:
    from rotoclear.client import ClientError, Refused
    from rotoclear.client.asyncio import Client

Work = Callable[["Client", Namespace], Awaitable[int]]
"""What a command does on an open connection; returns what the program exits with."""


def run_with(arguments: Namespace, work: Work, *, reconnect: bool = False) -> int:
    """
    Do it on the server that is meant, as whoever is logged in there.

    :param reconnect: it goes on after the connection was lost.
    :raises CommandError: it cannot be done.
    """
    return on(chosen(arguments, stored()), arguments, work, reconnect=reconnect)


def on(target: Target, arguments: Namespace, work: Work, *, reconnect: bool = False) -> int:
    """The same on a server that has been chosen already."""
    client_error = _library()
    try:
        return asyncio.run(_ask(target, arguments, work, reconnect=reconnect))
    except client_error as error:
        raise explained(error, target) from None


async def _ask(target: Target, arguments: Namespace, work: Work, *, reconnect: bool) -> int:
    client = new_client(target, reconnect=reconnect)
    try:
        try:
            async with asyncio.timeout(target.timeout):
                await client.connect()
        except TimeoutError:
            raise CommandError(
                f"{target.server} does not answer within {target.timeout:g} s", UNAVAILABLE
            ) from None
        return await work(client, arguments)
    finally:
        await client.close()


def new_client(target: Target, *, reconnect: bool) -> Client:
    """A client that is not connected yet."""
    from rotoclear.client import TLS
    from rotoclear.client.asyncio import Client

    trust = None
    if target.cafile or target.fingerprint:
        trust = TLS(cafile=target.cafile or None, fingerprint=target.fingerprint or None)
    try:
        return Client(
            target.server,
            token=target.login.token if target.login else None,
            tls=trust,
            timeout=target.timeout,
            reconnect=reconnect,
        )
    except OSError:
        raise CommandError(f"there is no certificate in {target.cafile}") from None


def _library() -> type[ClientError]:
    """Load it: it takes a moment, and may not be there."""
    try:
        import aiohttp  # noqa: F401
    except ModuleNotFoundError:
        raise CommandError(
            "commands for the network need aiohttp: pip install 'rotoclear[client]'", FAILED
        ) from None
    from rotoclear.client import ClientError

    return ClientError


# -- errors in words -----------------------------------------------------------


def explained(error: ClientError, target: Target) -> CommandError:
    """What a client's error means for whoever typed the command."""
    from rotoclear import client

    match error:
        case client.SomeRefused():
            return _several(error.errors, target)
        case client.Refused():
            return _refused(error, target)
        case client.CertificateRefused():
            return CommandError(_distrusted(error, target), UNAVAILABLE)
        case client.TooManyAttempts():
            return CommandError(str(error), DENIED)
        case client.LoginRefused() if target.login is not None:
            return CommandError(
                f"the login of {target.login.username} at {target.server} has ended; "
                f"rotoclear login {target.login.username} begins another, rotoclear logout goes "
                "on without",
                DENIED,
            )
        case client.LoginRefused():
            return CommandError(
                f"{error} at {target.server}: there is no such user, or the password is wrong",
                DENIED,
            )
        case client.TimedOut():
            return CommandError(
                f"{target.server} did not answer within {target.timeout:g} s; it may have been "
                "done all the same",
                UNAVAILABLE,
            )
        case client.ConnectionFailed() | client.Disconnected() | client.Closed():
            where = "" if target.server in str(error) else f" ({target.server})"
            return CommandError(f"{error}{where}", UNAVAILABLE)
        case _:
            return CommandError(str(error), FAILED)


def _several(errors: Iterable[Refused], target: Target) -> CommandError:
    first, *rest = [_refused(error, target) for error in errors]
    code = first.code if all(error.code == first.code for error in rest) else FAILED
    return CommandError(str(first), code, map(str, rest))


_NOBODY = ("Not logged in", "Invalid credentials")
"""What HTTP answers to who has not logged in, or not well."""


def _refused(error: Refused, target: Target) -> CommandError:
    from rotoclear import client

    match error:
        case client.UnknownKey():
            return CommandError(
                f"there is no key {error.key!r}{suggestion(error.key, kinds())}; "
                "rotoclear keys lists them"
            )
        case client.PermissionDenied():
            return CommandError(f"{error}{_as_whom(target)}", DENIED)
        case _ if error.error in _NOBODY:
            return CommandError(f"{error}{_as_whom(target)}", DENIED)
        case _:
            return CommandError(str(error))


def _as_whom(target: Target) -> str:
    if target.login is None:
        return f" (nobody is logged in at {target.server}; rotoclear login)"
    return f" (logged in at {target.server} as {target.login.username})"


def _distrusted(error: ClientError, target: Target) -> str:
    if target.fingerprint:
        return (
            f"{error}. If the certificate was replaced on purpose, log in again with the new "
            "--fingerprint"
        )
    text = f"{error}. --cafile names a file with certificates to trust"
    found = offered(target.address, target.timeout)
    if found is None:
        return text
    return (
        f"{text}. The server shows the fingerprint {found}: if that is the one that rotoclear "
        "cert has printed there, give it with --fingerprint"
    )
