"""The headers that every HTTP answer carries."""

from __future__ import annotations

from typing import Final

from twisted.web.http_headers import Headers

JSON: Final = b"application/json"

NOTHING_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of what is no page."""

_ALWAYS: Final = (
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Content-Security-Policy", NOTHING_POLICY),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Frame-Options", b"DENY"),
    (b"Cache-Control", b"no-store"),
    (b"Cross-Origin-Resource-Policy", b"same-origin"),
    (
        b"Permissions-Policy",
        b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
)
_SECURE: Final = (b"Strict-Transport-Security", b"max-age=31536000")


def protect(headers: Headers, secure: bool) -> None:
    """
    Set what keeps browsers from doing more with an answer than it is meant for.

    A resource may set some of it anew (a page its own policy).

    :param secure: the request came over TLS.
    """
    for name, value in _ALWAYS:
        headers.setRawHeaders(name, [value])
    if secure:
        headers.setRawHeaders(_SECURE[0], [_SECURE[1]])
