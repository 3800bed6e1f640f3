"""
Which web pages may use the HTTP API (the Fetch standard's CORS protocol).

A page of this server may do everything that its user may; so may the pages of
the origins that the configuration names. A foreign page can read nothing,
because its browser is not told that it may, and change nothing, because
requests that would are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from twisted.web.http_headers import Headers

_ORIGIN: Final = re.compile(r"(https?)://([^/?#@\s]+)", re.ASCII)
_DEFAULT_PORT: Final = {"http": ":80", "https": ":443"}

_PREFLIGHT_SECONDS: Final = b"600"


class Origins:
    """
    The origins whose pages are let in.

    :param allowed: ``https://example.com``, as the configuration has them.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.lower().rstrip("/") for origin in allowed)

    def foreign(self, headers: Headers) -> bool:
        """Whether a request comes from a page that is neither ours nor allowed."""
        origin = _origin(headers)
        return origin is not None and not self._is_allowed(origin) and not _is_own(origin, headers)

    def share(self, request: Headers, response: Headers) -> None:
        """Let an allowed page read this answer."""
        response.addRawHeader(b"Vary", b"Origin")
        origin = _origin(request)
        if origin is not None and self._is_allowed(origin):
            response.setRawHeaders(b"Access-Control-Allow-Origin", [origin])
            response.setRawHeaders(
                b"Access-Control-Expose-Headers", [b"Retry-After, WWW-Authenticate"]
            )

    def permit(self, request: Headers, response: Headers, methods: bytes) -> None:
        """Answer the preflight of an allowed page."""
        origin = _origin(request)
        if (
            origin is not None
            and self._is_allowed(origin)
            and request.hasHeader(b"Access-Control-Request-Method")
        ):
            response.setRawHeaders(b"Access-Control-Allow-Methods", [methods])
            response.setRawHeaders(
                b"Access-Control-Allow-Headers", [b"Authorization, Content-Type"]
            )
            response.setRawHeaders(b"Access-Control-Max-Age", [_PREFLIGHT_SECONDS])

    def _is_allowed(self, origin: bytes) -> bool:
        return origin.decode("latin-1").lower() in self._allowed


def _origin(headers: Headers) -> bytes | None:
    values = headers.getRawHeaders(b"Origin")
    return b", ".join(values) if values else None


def _is_own(origin: bytes, headers: Headers) -> bool:
    """
    Whether an origin is the host that the request was sent to.

    The scheme does not count: behind a proxy that does the TLS, the page's is
    ``https`` and ours ``http``.
    """
    match = _ORIGIN.fullmatch(origin.decode("latin-1").lower())
    if match is None:
        return False
    port = _DEFAULT_PORT[match[1]]
    hosts = headers.getRawHeaders(b"Host") or [b""]
    host = hosts[0].decode("latin-1").lower()
    return match[2].removesuffix(port) == host.removesuffix(port)
