"""Users and their roles: ``/api/users``, ``/api/users/NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType
from twisted.web.resource import IResource

from rotoclear.api.context import ApiContext
from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import HttpError
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_request import Request
from rotoclear.api.http_resource import Answer, ApiResource, Missing
from rotoclear.auth.argon import check_password
from rotoclear.auth.errors import InvalidName, NoSuchUser
from rotoclear.auth.users import canonical_name
from rotoclear.state.errors import INVALID_MESSAGE
from rotoclear.state.permissions import USER_R, USER_RW

if TYPE_CHECKING:
    from rotoclear.auth.accounts import Accounts


class _NewUser(Struct, forbid_unknown_fields=True):
    name: str
    role: str
    password: str


class _UserChange(Struct, forbid_unknown_fields=True):
    role: str | UnsetType = UNSET
    password: str | UnsetType = UNSET


class Users(ApiResource):
    """``/api/users``: all of them."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        """``/api/users/NAME``."""
        try:
            name = canonical_name(path.decode("utf-8"))
        except (UnicodeDecodeError, InvalidName):
            return Missing(self.context, self.origins)
        return OneUser(name, self.context, self.origins)

    async def GET(self, call: Call) -> Answer:
        """The users, by name."""
        call.need(USER_R, USER_RW)
        users = sorted(self.context.accounts.users(), key=lambda user: user.name)
        return Answer(200, {"users": [_describe(user.name, user.role) for user in users]})

    async def POST(self, call: Call) -> Answer:
        """Add one."""
        call.need(USER_RW)
        new = call.body(_NewUser)
        user = await self.context.accounts.add_user(
            new.name, new.role, new.password, call.logged_in().username, call.address
        )
        location = f"/api/users/{quote(user.name, safe='')}".encode("ascii")
        return Answer(201, _describe(user.name, user.role), headers=((b"Location", location),))


class OneUser(ApiResource):
    """``/api/users/NAME``: one of them."""

    def __init__(self, name: str, context: ApiContext, origins: Origins) -> None:
        super().__init__(context, origins)
        self._name = name

    async def PATCH(self, call: Call) -> Answer:
        """
        Give them another role, or another password, or both.

        A password that is too weak leaves the role as it is, too.
        """
        call.need(USER_RW)
        by = call.logged_in().username
        change = call.body(_UserChange)
        accounts = self.context.accounts
        if change.role is UNSET and change.password is UNSET:
            raise HttpError(400, INVALID_MESSAGE, "Send a role, a password, or both")
        if change.password is not UNSET:
            check_password(change.password)
        if change.role is not UNSET:
            await accounts.set_role(self._name, change.role, by, call.address)
        if change.password is not UNSET:
            await accounts.change_password(self._name, None, change.password, by, call.address)
        return Answer(200, _describe(self._name, _role(accounts, self._name)))

    async def DELETE(self, call: Call) -> Answer:
        """Remove them; their tokens end."""
        call.need(USER_RW)
        by = call.logged_in().username
        await self.context.accounts.remove_user(self._name, by, call.address)
        return Answer(204)


def _role(accounts: Accounts, name: str) -> str:
    for user in accounts.users():
        if user.name == name:
            return user.role
    raise NoSuchUser(f"There is no user {name!r}")


def _describe(name: str, role: str) -> dict[str, object]:
    return {"name": name, "role": role}
