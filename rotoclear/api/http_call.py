"""One call of the HTTP API: who makes it, and what they sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from rotoclear.api.address import host
from rotoclear.api.context import ApiContext
from rotoclear.api.http_errors import (
    CHALLENGE,
    INVALID_CREDENTIALS,
    INVALID_REQUEST,
    LENGTH_REQUIRED,
    NOT_LOGGED_IN,
    UNSUPPORTED_MEDIA_TYPE,
    Header,
    HttpError,
    unauthorized,
)
from rotoclear.api.http_request import Request
from rotoclear.api.strict_json import InvalidMessage, decode
from rotoclear.state.errors import INVALID_MESSAGE, PERMISSION_DENIED
from rotoclear.state.permissions import Permissions

if TYPE_CHECKING:
    from rotoclear.auth.accounts import Session

T = TypeVar("T")

_BEARER: Final = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
"""RFC 6750 2.1."""


class Call:
    """
    A request, and the session that its token belongs to.

    :ivar request: the request.
    :ivar context: the server.
    :ivar session: who is logged in, or ``None``.
    :ivar challenges: how to log in, for those who have not.
    """

    def __init__(self, request: Request, context: ApiContext) -> None:
        self.request = request
        self.context = context
        self.session: Session | None = None
        self.challenges: tuple[Header, ...] = (CHALLENGE,)

    @property
    def address(self) -> str:
        """Where the request comes from, for the throttle and the log."""
        return client_address(self.request)

    @property
    def permissions(self) -> Permissions:
        """What whoever asks holds at this moment."""
        if self.session is None:
            return self.context.accounts.anonymous
        return self.session.permissions

    def authenticate(self) -> None:
        """
        Find the session, if a token was sent.

        :raises HttpError: 401, what was sent is no token.
        :raises AuthError: it is one that is not good (any more).
        """
        headers = self.request.requestHeaders.getRawHeaders(b"Authorization")
        if not headers:
            return
        match = _BEARER.fullmatch(headers[0].strip()) if len(headers) == 1 else None
        if match is None:
            raise unauthorized(
                INVALID_CREDENTIALS, "The Authorization header must be: Bearer TOKEN"
            )
        token = match[1].decode("ascii")
        self.session = self.context.accounts.resume(token, None, self.address)

    def logged_in(self) -> Session:
        """
        The session of a call that takes one.

        :raises HttpError: 401, nobody is logged in.
        """
        if self.session is None:
            raise unauthorized(NOT_LOGGED_IN, "Log in with POST /api/login")
        return self.session

    def need(self, *permissions: str) -> None:
        """
        Go on only if whoever asks holds one of these.

        :raises HttpError: 401, nobody is logged in; 403, it takes more.
        """
        if self.permissions.isdisjoint(permissions):
            raise self.denied(f"This takes {' or '.join(permissions)}")

    def denied(self, message: str) -> HttpError:
        """403, or 401 if logging in might help."""
        if self.session is None:
            return unauthorized(
                PERMISSION_DENIED, f"{message}; log in with POST /api/login", self.challenges
            )
        return HttpError(403, PERMISSION_DENIED, message)

    def json(self) -> dict[str, object]:
        """
        The body: a JSON object.

        :raises HttpError: 411, 415 or 400: it is not there, says that it is
            something else, or is no strict JSON.
        """
        headers = self.request.requestHeaders
        if not headers.hasHeader(b"Content-Length") and not headers.hasHeader(b"Transfer-Encoding"):
            raise HttpError(411, LENGTH_REQUIRED, "Send a body, with its Content-Length")
        kind = (self.request.getHeader(b"Content-Type") or b"").partition(b";")[0]
        if kind.strip().lower() != b"application/json":
            raise HttpError(
                415, UNSUPPORTED_MEDIA_TYPE, "Send JSON, with Content-Type: application/json"
            )
        if headers.hasHeader(b"Content-Encoding"):
            raise HttpError(415, UNSUPPORTED_MEDIA_TYPE, "Send JSON as it is, not compressed")
        try:
            return decode(self.request.read_body())
        except InvalidMessage as error:
            raise HttpError(400, INVALID_MESSAGE, str(error)) from None

    def body(self, kind: type[T]) -> T:
        """
        The body as a struct.

        :raises HttpError: as :meth:`json`; 400, its fields are not those.
        """
        try:
            return msgspec.convert(self.json(), kind)
        except msgspec.ValidationError as error:
            raise HttpError(400, INVALID_MESSAGE, str(error).replace("`", "'")) from None

    def arguments(self, name: str) -> list[str]:
        """
        The values of a query parameter, as often as it was given.

        :raises HttpError: 400, it is not UTF-8.
        """
        values = self.request.args.get(name.encode("ascii"), [])
        try:
            return [value.decode("utf-8") for value in values]
        except UnicodeDecodeError:
            raise HttpError(400, INVALID_REQUEST, f"?{name}= is not UTF-8") from None


def client_address(request: Request) -> str:
    """The client's IP address; ``"local"`` behind a UNIX socket."""
    return host(request.getClientAddress())  # type: ignore[no-untyped-call]
