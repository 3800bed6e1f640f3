"""Which server is asked, as whom, and by what it is trusted."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from rotoclear.client.address import Address
from rotoclear.command.errors import USAGE, CommandError
from rotoclear.command.remote.address import DEFAULT, address
from rotoclear.command.remote.logins import Login, Logins, folder
from rotoclear.command.remote.trust import fingerprint


@frozen(kw_only=True)
class Target:
    """
    A server to be asked.

    :ivar login: who is logged in there; ``None``: nobody.
    :ivar cafile: whose certificates are trusted; ``""``: those that the system trusts.
    :ivar fingerprint: of the only certificate that is trusted, or ``""``.
    :ivar timeout: seconds that it has to answer.
    """

    address: Address
    login: Login | None
    cafile: str
    fingerprint: str
    timeout: float

    @property
    def server(self) -> str:
        """Its address as people write it."""
        return str(self.address)


def stored(environ: Mapping[str, str] = os.environ) -> Logins:
    """The user's logins."""
    return Logins(folder(environ))


def chosen(arguments: Namespace, logins: Logins, *, anonymous: bool = False) -> Target:
    """
    The server that is meant.

    :param anonymous: whoever is logged in there does not matter, nor whether the token can be had.
    :raises CommandError: nobody can tell which, or by what it is to be trusted.
    """
    text = arguments.server or os.environ.get("ROTOCLEAR_SERVER") or logins.last() or DEFAULT
    where = address(text)
    server = str(where)
    known = logins.known(server)
    cafile, print_ = arguments.cafile, arguments.fingerprint
    if cafile and print_:
        raise CommandError("--cafile and --fingerprint exclude each other", USAGE)
    if (cafile or print_) and not where.secure:
        raise CommandError(
            f"{server} has no certificate that could be trusted; https:// has one", USAGE
        )
    if not cafile and not print_ and known is not None:
        cafile, print_ = known.cafile, known.fingerprint
    return Target(
        address=where,
        login=None if anonymous or known is None else logins.find(server),
        cafile=_readable(cafile) if cafile else "",
        fingerprint=fingerprint(print_) if print_ else "",
        timeout=arguments.timeout,
    )


def _readable(name: str) -> str:
    path = Path(name).absolute()
    try:
        with path.open("rb"):
            return str(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", USAGE) from None
