"""
What shows pixels lets in more than a token.

Players and recorders on the network know Basic (RFC 7617) and nothing else; an
``<img>`` cannot send a header at all, so it brings a ticket in its address. Both count
for GET (and HEAD) only.

A 401 that names Basic makes a browser ask its user for a password. So it is
named to whoever has sent nothing, or Basic that is wrong, and not to a page
whose ticket or token has ended.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import (
    BASIC_CHALLENGE,
    CHALLENGE,
    INVALID_CREDENTIALS,
    INVALID_REQUEST,
    HttpError,
    unauthorized,
)
from rotoclear.api.http_resource import ApiResource
from rotoclear.auth.errors import InvalidCredentials

_BASIC: Final = re.compile(rb"basic +([A-Za-z0-9+/]+=*)", re.IGNORECASE)


class PixelResource(ApiResource):
    """A resource whose GETs take tickets and Basic, besides tokens."""

    async def authenticate(self, call: Call) -> None:
        """
        Find out who asks.

        :raises HttpError: 401, what was sent is not good.
        :raises AuthError: likewise; a wrong password too often; too busy.
        """
        if call.request.method not in (b"GET", b"HEAD"):
            await super().authenticate(call)
            return
        headers = call.request.requestHeaders.getRawHeaders(b"Authorization", [])
        credentials = basic_credentials(headers)
        if credentials is not None:
            await self._verify(call, *credentials)
        elif headers:
            await super().authenticate(call)
        elif call.arguments("ticket"):
            self._redeem(call)
        else:
            call.challenges = (CHALLENGE, BASIC_CHALLENGE)

    async def _verify(self, call: Call, username: str, password: str) -> None:
        try:
            call.session = await self.context.accounts.verify(username, password, call.address)
        except InvalidCredentials:
            raise HttpError(
                401,
                INVALID_CREDENTIALS,
                "There is no such user, or the password is wrong",
                (CHALLENGE, BASIC_CHALLENGE),
            ) from None

    def _redeem(self, call: Call) -> None:
        tickets = call.arguments("ticket")
        if len(tickets) > 1:
            raise HttpError(400, INVALID_REQUEST, "Send one ticket")
        # Of the path as the client wrote it: that is what the ticket was made for.
        path = call.request.path.decode("latin-1")
        call.session = self.context.tickets.redeem(tickets[0], path)
        if call.session is None:
            raise unauthorized(
                INVALID_CREDENTIALS,
                "The ticket is not good (any more), or not for this path; "
                "make one with POST /api/tickets",
            )


def basic_credentials(headers: Sequence[bytes]) -> tuple[str, str] | None:
    """
    User and password of an ``Authorization`` header, if it is one of Basic in UTF-8.

    :param headers: the values of all of them that were sent.
    """
    match = _BASIC.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if match is None:
        return None
    try:
        username, colon, password = (
            base64.b64decode(match[1], validate=True).decode("utf-8").partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None
