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


def protect(headers: Headers, hsts: int) -> None:
    """
    Set what keeps browsers from doing more with an answer than it is meant for.

    A resource may set some of it anew (a page its own policy).

    :param hsts: seconds for which the browser shall use nothing but TLS with a certificate that it
        trusts (RFC 6797); 0: that is not said. RFC 6797 7.2 forbids it without TLS.
    """
    for name, value in _ALWAYS:
        headers.setRawHeaders(name, [value])
    if hsts:
        headers.setRawHeaders(b"Strict-Transport-Security", [b"max-age=%d" % hsts])
