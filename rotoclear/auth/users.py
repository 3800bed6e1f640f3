"""
A user, and what may be called one.

Names are compared as RFC 8265 says for usernames that keep their case: in
Unicode's normal form C, so that it does not matter whether a keyboard sends
an accented letter as one character or two.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from attrs import frozen

from rotoclear.auth.errors import InvalidName, InvalidRole
from rotoclear.state.permissions import USER_ROLES

LONGEST_NAME: Final = 64
"""Characters of a user's name."""

_NAME_RULE: Final = (
    f"A user name has 1 to {LONGEST_NAME} printable characters, without / and :, "
    "without spaces at its ends, and is not . or .."
)
# No / . .. because names stand in URLs (/api/users/NAME, RFC 3986 5.2.4),
# no : because a user could never log in with Basic (RFC 7617 2).


@frozen
class User:
    """
    Somebody who may log in.

    :ivar role: one of :data:`~rotoclear.state.permissions.USER_ROLES`.
    :ivar created: seconds since 1970, by the wall clock.
    :ivar changed: likewise, of the last change of role or password.
    """

    name: str
    role: str
    created: float
    changed: float


def canonical_name(raw: str) -> str:
    """
    The one form of a user's name.

    :raises InvalidName: nobody can be called that.
    """
    if len(raw) > 4 * LONGEST_NAME:  # before normalising: long runs of accents are slow to sort
        raise InvalidName(_NAME_RULE)
    name = unicodedata.normalize("NFC", raw)
    if (
        not 1 <= len(name) <= LONGEST_NAME
        or not name.isprintable()
        or name != name.strip()
        or "/" in name
        or ":" in name
        or "\ufffd" in name  # it stands for others, in rotoclear.auth.audit
        or name in (".", "..")
    ):
        raise InvalidName(_NAME_RULE)
    return name


def check_role(role: str) -> str:
    """
    Return the role if a user can have it.

    :raises InvalidRole: there is none of that name.
    """
    if role not in USER_ROLES:
        raise InvalidRole(f"A role is one of {', '.join(USER_ROLES)}")
    return role
