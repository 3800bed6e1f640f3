"""The ``Transport`` header (RFC 2326, 12.39): how a client wants its packets."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

_PAIR: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


@frozen
class Wanted:
    """
    One of the ways that a client offers, which we know.

    :ivar interleaved: over the connection itself, else by UDP.
    :ivar first: channel or port of RTP; -1: ours to choose.
    :ivar second: of RTCP.
    """

    interleaved: bool
    first: int = -1
    second: int = -1


def wanted(header: str) -> Wanted | None:
    """The first way in the header that can be gone, or ``None``."""
    for offer in header.split(","):
        found = _read(offer.strip())
        if found is not None:
            return found
    return None


def _read(offer: str) -> Wanted | None:
    protocol, *fields = (part.strip() for part in offer.split(";"))
    options = {name.lower(): value for name, _, value in (f.partition("=") for f in fields)}
    mode = options.get("mode", "play").strip('"').lower()
    if "multicast" in options or mode != "play":
        return None
    match protocol.upper():
        case "RTP/AVP/TCP":
            if "interleaved" not in options:
                return Wanted(True)
            pair = _pair(options["interleaved"], 255)
            return None if pair is None else Wanted(True, *pair)
        case "RTP/AVP" | "RTP/AVP/UDP":
            pair = _pair(options.get("client_port", ""), 65_535)
            # Nothing but a client's own port, never a service of its machine's.
            return None if pair is None or min(pair) < 1024 else Wanted(False, *pair)
    return None


def _pair(text: str, most: int) -> tuple[int, int] | None:
    found = _PAIR.fullmatch(text.strip())
    if found is None:
        return None
    first = int(found[1])
    second = first + 1 if found[2] is None else int(found[2])
    return (first, second) if max(first, second) <= most and first != second else None
