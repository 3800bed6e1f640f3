"""Who is let in: challenges, and what is answered to them."""

from __future__ import annotations

import secrets
from typing import Final, Literal

from twisted.internet.interfaces import IReactorTime

from rotoclear.media.rtsp.credentials import BadCredentials, Basic, Digest, challenges, read
from rotoclear.media.rtsp.door import Door, Guest, NotLetIn
from rotoclear.media.rtsp.messages import Request

FRESH: Final = 60.0
"""Seconds for which a nonce may be used."""

Offer = Literal["basic", "digest", "both"]


class Locked(Exception):
    """
    Not let in.

    :ivar status: to be answered with.
    :ivar headers: likewise.
    """

    def __init__(self, text: str, status: int, headers: list[tuple[str, str]]) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class Nonces:
    """
    Those of one connection; of another they are worth nothing.

    One is good for a while; a proof with an older one is asked for once more.
    """

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._nonce = ""
        self._made = 0.0
        self._old = ""

    def current(self) -> str:
        """One that is fresh."""
        now = self._reactor.seconds()
        if not self._nonce or now - self._made >= FRESH:
            self._old, self._nonce, self._made = self._nonce, secrets.token_hex(16), now
        return self._nonce

    def fresh(self, nonce: str) -> bool:
        """Whether this one may still be used."""
        return nonce == self.current()

    def ours(self, nonce: str) -> bool:
        """Whether it could be used before."""
        return bool(nonce) and nonce == self._old


class Admission:
    """
    Lets clients in.

    :param offer: how they may say who they are.
    :param anonymous: they need not.
    """

    def __init__(self, reactor: IReactorTime, door: Door, offer: Offer, *, anonymous: bool) -> None:
        self._reactor = reactor
        self._door = door
        self._basic = offer != "digest"
        self._digest = offer != "basic"
        self._anonymous = anonymous

    def nonces(self) -> Nonces:
        """For one connection."""
        return Nonces(self._reactor)

    async def admit(self, request: Request, nonces: Nonces, address: str) -> Guest | None:
        """
        Let in who sent a request.

        :return: ``None``: it need not be known who that is.
        :raises Locked: no.
        """
        header = request.headers.get("authorization", "")
        if not header:
            if self._anonymous:
                return None
            raise self._locked(nonces)
        try:
            credentials = read(header)
        except BadCredentials:
            raise self._locked(nonces) from None
        try:
            if isinstance(credentials, Basic):
                return await self._by_password(credentials, nonces, address)
            return self._by_proof(credentials, request, nonces, address)
        except NotLetIn as error:
            if error.later:
                raise Locked(str(error), 503, [("Retry-After", str(error.later))]) from None
            raise self._locked(nonces) from None

    async def _by_password(self, basic: Basic, nonces: Nonces, address: str) -> Guest:
        if not self._basic:
            raise self._locked(nonces)
        return await self._door.basic(basic.username, basic.password, address)

    def _by_proof(self, digest: Digest, request: Request, nonces: Nonces, address: str) -> Guest:
        if not self._digest or not _same(digest.uri, request):
            raise self._locked(nonces)
        if not nonces.fresh(digest.nonce):
            # Whether it proves anything does not matter: it is to be done again.
            raise self._locked(nonces, stale=nonces.ours(digest.nonce))
        return self._door.digest(
            digest.username, lambda key: digest.proves(key, request.method), address
        )

    def _locked(self, nonces: Nonces, *, stale: bool = False) -> Locked:
        nonce = nonces.current() if self._digest else ""
        headers = challenges(basic=self._basic, nonce=nonce, stale=stale)
        return Locked("Who are you?", 401, headers)


def _same(uri: str, request: Request) -> bool:
    """Whether a proof for this address is one for the request: players leave out the track."""

    def path(text: str) -> str:
        rest = text.partition("://")[2] or text
        return "/" + rest.partition("/")[2].rstrip("/") if "://" in text else rest.rstrip("/")

    asked, proven = path(request.uri), path(uri)
    return asked == proven or asked.startswith(proven + "/")
