"""What the resources of the HTTP API have in common."""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import ClassVar, Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from rotoclear.api.context import ApiContext
from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import (
    FOREIGN_ORIGIN,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    Header,
    HttpError,
    from_auth,
)
from rotoclear.api.http_headers import JSON
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_request import Request
from rotoclear.api.strict_json import encode
from rotoclear.auth.errors import AuthError

METHODS: Final = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")
"""The methods that any resource has, in the order of ``Allow``."""

_CHANGING: Final = frozenset({"POST", "PATCH", "DELETE"})


@frozen
class Answer:
    """
    What a call is answered with.

    :ivar status: 200 ... 599.
    :ivar body: a mapping goes out as JSON, bytes as they are.
    :ivar content_type: of the bytes.
    :ivar headers: what else there is to say.
    """

    status: int
    body: Mapping[str, object] | bytes = b""
    content_type: bytes = JSON
    headers: tuple[Header, ...] = ()


Handler = Callable[[Call], Awaitable[Answer | None]]
"""What answers a call; ``None``: it has taken the connection, and answers by itself."""


class Credentials(Enum):
    """What a resource makes of a token."""

    CHECKED = "one that is not good is refused"
    HELPFUL = "one that is not good counts for nothing"
    IGNORED = "it is not looked at"


class ApiResource(Resource):
    """
    A resource whose methods are coroutines.

    Subclasses have ``async def GET(self, call) -> Answer`` and the like, and
    raise :class:`HttpError` or an :exc:`AuthError`. HEAD comes with GET, OPTIONS by itself. A
    client that hangs up stops nothing that it has begun.

    :cvar credentials: what it makes of a token.
    """

    credentials: ClassVar[Credentials] = Credentials.CHECKED

    def __init__(self, context: ApiContext, origins: Origins) -> None:
        super().__init__()
        self.context = context
        self.origins = origins
        self._handlers = {
            method: handler
            for method in METHODS
            if (handler := getattr(self, "GET" if method == "HEAD" else method, None))
        }
        self._allow = ", ".join(m for m in METHODS if m in self._handlers or m == "OPTIONS")

    def getChild(self, path: bytes, request: Request) -> IResource:
        """There is nothing below."""
        return Missing(self.context, self.origins)

    def render(self, request: Request) -> int:
        """Answer, now or later."""
        answering = Deferred.fromCoroutine(self._respond(request))
        answering.addErrback(request.processingFailed)
        return NOT_DONE_YET

    async def _respond(self, request: Request) -> None:
        try:
            answer = await self._handle(request)
        except HttpError as error:
            request.fail(error)
            return
        except AuthError as error:
            request.fail(from_auth(error))
            return
        if answer is None:
            return
        for name, value in answer.headers:
            request.setHeader(name, value)
        if isinstance(answer.body, bytes):
            request.answer(answer.status, answer.body, answer.content_type)
        else:
            request.answer(answer.status, encode(answer.body), JSON)

    async def _handle(self, request: Request) -> Answer | None:
        method = request.method.decode("latin-1")
        if method == "OPTIONS":
            return self._options(request)
        handler: Handler | None = self._handlers.get(method)
        if handler is None:
            allow = (b"Allow", self._allow.encode("ascii"))
            raise HttpError(405, METHOD_NOT_ALLOWED, f"Allowed here: {self._allow}", [allow])
        if method in _CHANGING and self.origins.foreign(request.requestHeaders):
            raise HttpError(
                403,
                FOREIGN_ORIGIN,
                "Pages of that origin may not use this server: see allowed-origins",
            )
        call = Call(request, self.context)
        await self.authenticate(call)
        return await handler(call)

    def _options(self, request: Request) -> Answer:
        allow = self._allow.encode("ascii")
        self.origins.permit(request.requestHeaders, request.responseHeaders, allow)
        return Answer(204, headers=((b"Allow", allow),))

    async def authenticate(self, call: Call) -> None:
        """
        Find out who asks, before anything else. A body must still be there to be read after it.

        :raises HttpError: 401, what was sent is no token.
        :raises AuthError: it is one that is not good (any more).
        """
        if self.credentials is Credentials.IGNORED:
            return
        try:
            call.authenticate()
        except (HttpError, AuthError):
            if self.credentials is Credentials.CHECKED:
                raise


class Missing(ApiResource):
    """Where nothing is."""

    def render(self, request: Request) -> int:
        """Say so."""
        request.fail(HttpError(404, NOT_FOUND, "There is nothing here; see /api/openapi.json"))
        return NOT_DONE_YET
