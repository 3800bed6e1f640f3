"""Why an HTTP request was refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rotoclear.auth.errors import (
    AuthError,
    Busy,
    InvalidCredentials,
    LastAdministrator,
    NoSuchUser,
    TooManyAttempts,
    UserExists,
)
from rotoclear.state.errors import INVALID_VALUE

INVALID_REQUEST: Final = "Invalid request"
NOT_LOGGED_IN: Final = "Not logged in"
INVALID_CREDENTIALS: Final = "Invalid credentials"
NOT_FOUND: Final = "Not found"
METHOD_NOT_ALLOWED: Final = "Method not allowed"
CONFLICT: Final = "Conflict"
LENGTH_REQUIRED: Final = "Length required"
TOO_LARGE: Final = "Too large"
UNSUPPORTED_MEDIA_TYPE: Final = "Unsupported media type"
TOO_MANY_ATTEMPTS: Final = "Too many attempts"
FOREIGN_ORIGIN: Final = "Foreign origin"
INTERNAL_ERROR: Final = "Internal error"
BUSY: Final = "Busy"
FULL: Final = "Full"

CHALLENGE: Final = (b"WWW-Authenticate", b"Bearer")
"""Every 401 says how to log in (RFC 9110 15.5.2)."""

BASIC_CHALLENGE: Final = (b"WWW-Authenticate", b'Basic realm="rotoclear", charset="UTF-8"')
"""Besides, where pixels are shown (RFC 7617 2.1)."""

_BUSY_SECONDS: Final = 5
"""When to try again after :exc:`Busy`: the queue is worked off by then."""

Header = tuple[bytes, bytes]


class HttpError(Exception):
    """
    A request is refused.

    :ivar status: the HTTP status, 400 ... 599.
    :ivar error: what is wrong, in a word or two of this module or of
        :mod:`rotoclear.state.errors`, for programs.
    :ivar message: for people: what is allowed, what is missing.
    :ivar headers: response headers that belong to it.
    """

    def __init__(
        self, status: int, error: str, message: str, headers: Iterable[Header] = ()
    ) -> None:
        super().__init__(f"{status} {error}: {message}")
        self.status = status
        self.error = error
        self.message = message
        self.headers = tuple(headers)


def unauthorized(
    error: str, message: str, challenges: Iterable[Header] = (CHALLENGE,)
) -> HttpError:
    """401: nobody is logged in, or the token is not good."""
    return HttpError(401, error, message, challenges)


def from_auth(error: AuthError) -> HttpError:
    """What an error of :mod:`rotoclear.auth` is on the wire."""
    text = str(error)
    match error:
        case InvalidCredentials():
            return unauthorized(INVALID_CREDENTIALS, "Log in again, with POST /api/login")
        case TooManyAttempts():
            return HttpError(429, TOO_MANY_ATTEMPTS, text, [_retry_after(error.retry_after)])
        case Busy():
            return HttpError(503, BUSY, text, [_retry_after(_BUSY_SECONDS)])
        case NoSuchUser():
            return HttpError(404, NOT_FOUND, text)
        case UserExists() | LastAdministrator():
            return HttpError(409, CONFLICT, text)
        case _:
            return HttpError(400, INVALID_VALUE, text)


def _retry_after(seconds: int) -> Header:
    """RFC 9110 10.2.3."""
    return b"Retry-After", b"%d" % seconds
