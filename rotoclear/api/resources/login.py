"""Logging in and out: ``/api/login``, ``/api/logout``, ``/api/password``, ``/api/tickets``."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import INVALID_CREDENTIALS, HttpError, unauthorized
from rotoclear.api.http_resource import Answer, ApiResource, Credentials
from rotoclear.auth.errors import InvalidCredentials
from rotoclear.state.errors import INVALID_VALUE

_TICKET_PATH: Final = re.compile(r"/api/[\x21-\x7e]{1,500}", re.ASCII)


class _Credentials(Struct, forbid_unknown_fields=True):
    username: str
    password: str


class _PasswordChange(Struct, forbid_unknown_fields=True):
    old: str
    new: str


class _TicketRequest(Struct, forbid_unknown_fields=True):
    path: str


class Login(ApiResource):
    """``/api/login``: a name and a password for a token."""

    credentials = Credentials.IGNORED  # an old token must not keep anyone from getting a new one

    async def POST(self, call: Call) -> Answer:
        """Check the password, which takes a moment, and make a token."""
        wanted = call.body(_Credentials)
        try:
            login = await self.context.accounts.login(
                wanted.username, wanted.password, call.address
            )
        except InvalidCredentials:
            raise unauthorized(
                INVALID_CREDENTIALS, "There is no such user, or the password is wrong"
            ) from None
        session = login.session
        return Answer(
            200,
            {
                "token": login.token,
                "expires": session.expires,
                "permissions": sorted(session.permissions),
                "username": session.username,
                "role": session.role,
            },
        )


class Logout(ApiResource):
    """``/api/logout``: the end of a token."""

    async def POST(self, call: Call) -> Answer:
        """End it; connections that were opened with it lose their permissions at once."""
        await self.context.accounts.logout(call.logged_in())
        return Answer(204)


class Password(ApiResource):
    """``/api/password``: one's own."""

    async def POST(self, call: Call) -> Answer:
        """
        Change it, for who knows the old one.

        Every token of the user ends, this one too. A wrong old password is
        403, not 401: the token is good.
        """
        session = call.logged_in()
        wanted = call.body(_PasswordChange)
        try:
            await self.context.accounts.change_password(
                session, wanted.old, wanted.new, session.username, call.address
            )
        except InvalidCredentials:
            raise HttpError(403, INVALID_CREDENTIALS, "The old password is wrong") from None
        return Answer(204)


class TicketsResource(ApiResource):
    """``/api/tickets``: for what cannot send a header (``<img>``, ``<video>``, downloads)."""

    async def POST(self, call: Call) -> Answer:
        """A ticket for GETs of one path."""
        session = call.logged_in()
        path = call.body(_TicketRequest).path
        if not _TICKET_PATH.fullmatch(path) or "?" in path or "#" in path:
            raise HttpError(
                400, INVALID_VALUE, "path must be one such as /api/snapshot, without a query"
            )
        return Answer(200, {"ticket": self.context.tickets.issue(session, path)})
