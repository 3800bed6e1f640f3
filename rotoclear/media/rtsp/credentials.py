"""
``Authorization`` and ``WWW-Authenticate``: Basic (RFC 7617), Digest (RFC 2617, RFC 7616).

A challenge without ``qop`` is what all players understand; those that send one
all the same are understood, too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final

from attrs import field, frozen

REALM: Final = "rotoclear"

_ALGORITHMS: Final[Mapping[str, Callable[[bytes], str]]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}
_PARAMETER: Final = re.compile(
    r'\s*([A-Za-z]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))\s*(?:,|$)'
)


class BadCredentials(Exception):
    """The header cannot be understood."""


@frozen
class Basic:
    """A name and a password."""

    username: str
    password: str = field(repr=False)


@frozen
class Digest:
    """
    The proof of somebody who knows a key.

    :ivar uri: what it is good for.
    """

    username: str
    nonce: str = field(repr=False)
    uri: str
    response: str = field(repr=False)
    algorithm: str = "MD5"
    qop: str = ""
    nc: str = ""
    cnonce: str = ""

    def proves(self, key: str, method: str) -> bool:
        """Whether it was made with this key, for this method."""
        h = _ALGORITHMS[self.algorithm]
        secret = h(f"{self.username}:{REALM}:{key}".encode())
        what = h(f"{method}:{self.uri}".encode())
        middle = f"{self.nc}:{self.cnonce}:{self.qop}:" if self.qop else ""
        expected = h(f"{secret}:{self.nonce}:{middle}{what}".encode())
        return hmac.compare_digest(expected.encode(), self.response.lower().encode())


def read(header: str) -> Basic | Digest:
    """
    What an ``Authorization`` header holds.

    :raises BadCredentials: nothing that is known here.
    """
    scheme, _, rest = header.strip().partition(" ")
    match scheme.lower():
        case "basic":
            return _basic(rest)
        case "digest":
            return _digest(rest)
    raise BadCredentials


def _basic(text: str) -> Basic:
    try:
        pair = base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadCredentials from None
    username, colon, password = pair.partition(":")
    if not colon:
        raise BadCredentials
    return Basic(username, password)


def _digest(text: str) -> Digest:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None or match[1].lower() in found:
            raise BadCredentials
        quoted = match[2]
        found[match[1].lower()] = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = match.end()
    algorithm = found.get("algorithm", "MD5").upper()
    if (
        algorithm not in _ALGORITHMS
        or found.get("realm") != REALM
        or found.get("qop", "auth") != "auth"
    ):
        raise BadCredentials
    try:
        return Digest(
            found["username"],
            found["nonce"],
            found["uri"],
            found["response"],
            algorithm,
            *(found.get(name, "") for name in ("qop", "nc", "cnonce")),
        )
    except KeyError:
        raise BadCredentials from None


def challenges(*, basic: bool, nonce: str, stale: bool = False) -> list[tuple[str, str]]:
    """
    What a client may log in with.

    :param nonce: for Digest; ``""``: without it.
    :param stale: only the nonce was wrong.
    """
    found = []
    if nonce:
        flag = ", stale=true" if stale else ""
        # FFmpeg takes the last one, and knows MD5 only.
        for algorithm in ("SHA-256", "MD5"):
            found.append(f'Digest realm="{REALM}", nonce="{nonce}", algorithm={algorithm}{flag}')
    if basic:
        found.append(f'Basic realm="{REALM}", charset="UTF-8"')
    return [("WWW-Authenticate", value) for value in found]
