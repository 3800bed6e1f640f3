"""
What a client offers of compression, without what nobody may agree to.

RFC 7692, 7.1: an offer with a parameter that is unknown, doubled or has a wrong
value is declined, and the connection goes on without it. Autobahn would refuse
the whole handshake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_BITS: Final = rb"(?:9|1[0-5])"
"""Of a window, as far as zlib does it: not 8."""

_PARAMETER: Final = re.compile(
    rb"(server_no_context_takeover|client_no_context_takeover"
    rb"|(?:server_max_window_bits|client_max_window_bits)(?==)"
    rb"|client_max_window_bits)"
    rb'(?:=(?:%b|"%b"))?' % (_BITS, _BITS),
    re.IGNORECASE,
)


def acceptable(headers: Iterable[bytes]) -> list[bytes]:
    """
    The offers of ``permessage-deflate`` that one may agree to, in the client's order.

    :param headers: the values of ``Sec-WebSocket-Extensions``.
    """
    offers = (offer.strip() for header in headers for offer in header.split(b","))
    return [offer for offer in offers if _is_acceptable(offer)]


def _is_acceptable(offer: bytes) -> bool:
    name, *parameters = (b"".join(part.split()) for part in offer.split(b";"))
    if name.lower() != b"permessage-deflate":
        return False
    seen = set()
    for parameter in parameters:
        match = _PARAMETER.fullmatch(parameter)
        if match is None:
            return False
        key = match[1].lower()
        if key in seen or (key.endswith(b"takeover") and b"=" in parameter):
            return False
        seen.add(key)
    return True
