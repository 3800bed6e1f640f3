"""
Passwords to hashes and back to yes or no: argon2id (RFC 9106), blocking.

The cost follows OWASP's lower bound of memory (19 MiB, so that two at once do
not hurt a small device that encodes video) with three passes: 30 ms on a
server's core, about 100 ms on a small ARM board's.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher as _Argon2
from argon2 import Type
from argon2.exceptions import Argon2Error, InvalidHashError
from attrs import frozen

from rotoclear.auth.errors import InvalidPassword

SHORTEST: Final = 8
"""Characters of the shortest password."""
LONGEST: Final = 256
"""Characters of the longest password."""

TIME_COST: Final = 3
"""Passes over the memory."""
MEMORY_COST: Final = 19_456
"""Memory for one hash in KiB."""
_HASH_LENGTH: Final = 32
_SALT_LENGTH: Final = 16


@frozen
class Verdict:
    """
    What came of comparing a password with a hash.

    :ivar right: it is the password.
    :ivar renewed: a new hash of it, to be kept instead, when the old one was
        made at another cost than today's.
    """

    right: bool
    renewed: str | None = None


def check_password(raw: str) -> str:
    """
    Return a new password in the form it is kept in, if it will do.

    :raises InvalidPassword: it will not.
    """
    if not raw:
        raise InvalidPassword("A password is needed")
    if len(raw) > 4 * LONGEST:
        raise InvalidPassword(f"A password has at most {LONGEST} characters")
    password = unicodedata.normalize("NFC", raw)
    if len(password) < SHORTEST:
        raise InvalidPassword(f"A password has at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise InvalidPassword(f"A password has at most {LONGEST} characters")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        raise InvalidPassword("A password has no control characters (tabs, line ends)")
    return password


class Argon:
    """
    Hashes and verifies at one cost. Thread-safe; everything blocks for that cost.

    :param time_cost: passes over the memory.
    :param memory_cost: KiB.
    """

    def __init__(self, time_cost: int = TIME_COST, memory_cost: int = MEMORY_COST) -> None:
        self._argon2 = _Argon2(
            time_cost=time_cost,
            memory_cost=memory_cost,
            parallelism=1,
            hash_len=_HASH_LENGTH,
            salt_len=_SALT_LENGTH,
            type=Type.ID,
        )
        salt, tag = (
            base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
            for length in (_SALT_LENGTH, _HASH_LENGTH)
        )
        self._decoy = f"$argon2id$v=19$m={memory_cost},t={time_cost},p=1${salt}${tag}"

    def hash(self, password: str) -> str:
        """The encoded hash of a password, with a random salt of its own."""
        return self._argon2.hash(_octets(password))

    def verify(self, encoded: str | None, password: str) -> Verdict:
        """
        Compare a password with a hash.

        :param encoded: what :meth:`hash` returned; ``None`` (no such user)
            takes as long, and is never right.
        """
        octets = _octets(password)
        try:
            self._argon2.verify(encoded if encoded is not None else self._decoy, octets)
        except (Argon2Error, InvalidHashError):
            return Verdict(right=False)
        if encoded is None:
            return Verdict(right=False)
        if self._argon2.check_needs_rehash(encoded):
            return Verdict(right=True, renewed=self._argon2.hash(octets))
        return Verdict(right=True)


def _octets(password: str) -> bytes:
    """The octets of a password as somebody typed it, whatever it is (RFC 8265 4.2.2)."""
    if len(password) <= 4 * LONGEST:  # a longer one is wrong anyway, and may be slow to sort
        password = unicodedata.normalize("NFC", password)
    return password.encode("utf-8", "surrogatepass")
