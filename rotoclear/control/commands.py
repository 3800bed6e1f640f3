"""What the control socket can be asked for."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from rotoclear import __version__
from rotoclear.auth.errors import AuthError
from rotoclear.control.request import Handler, Refused, Request
from rotoclear.state.errors import DeviceError, NotAvailable

if TYPE_CHECKING:
    from rotoclear.auth.accounts import Accounts
    from rotoclear.auth.users import User
    from rotoclear.devices.service import Devices
    from rotoclear.values import Value

ADDRESS = "the control socket"
"""Where users are changed from, for the audit trail."""


def handlers_for(accounts: Accounts, devices: Devices) -> dict[str, Handler]:
    """
    The handlers of a whole server, by the names of their requests.

    ============================================  ==============================
    request                                       answer, besides ``ok``
    ============================================  ==============================
    ``ping``
    ``user-list``                                 ``users``: each ``name``,
                                                  ``role``, ``created``,
                                                  ``changed`` (seconds since 1970)
    ``user-add`` ``name`` ``role`` ``password``
    ``user-role`` ``name`` ``role``
    ``user-passwd`` ``name`` ``password``
    ``user-remove`` ``name``
    ``user-stream-key`` ``name`` ``action``       ``key``: a text, empty when there is
    (``show``, ``new``, ``revoke``)               none any more
    ``simulate`` ``action`` ``target``            ``result``: an object, or null
    ``arguments`` (an object)
    ``status``                                    ``version``, ``pid``, ``users``
                                                  (how many), ``devices``
    ============================================  ==============================
    """
    users = UserCommands(accounts)

    async def simulate(request: Request) -> Mapping[str, object]:
        request.only("action", "target", "arguments")
        action, target = request.text("action"), request.text("target")
        arguments = _values(request.arguments.get("arguments", {}))
        try:
            return {"result": await devices.simulate(action, target, arguments)}
        except (ValueError, DeviceError, NotAvailable) as error:
            raise Refused(str(error)) from None

    async def status(request: Request) -> Mapping[str, object]:
        request.only()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "users": len(accounts.users()),
            "devices": devices.status(),
        }

    async def ping(request: Request) -> Mapping[str, object]:
        request.only()
        return {}

    return {
        "ping": ping,
        "user-list": users.list,
        "user-add": _explained(users.add),
        "user-role": _explained(users.role),
        "user-passwd": _explained(users.passwd),
        "user-remove": _explained(users.remove),
        "user-stream-key": _explained(users.stream_key),
        "simulate": simulate,
        "status": status,
    }


class UserCommands:
    """The handlers for users."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def list(self, request: Request) -> Mapping[str, object]:
        """All users."""
        request.only()
        return {"users": [described(user) for user in self._accounts.users()]}

    async def add(self, request: Request) -> Mapping[str, object]:
        """Add one."""
        name, role, password = request.texts("name", "role", "password")
        await self._accounts.add_user(name, role, password, by=request.by, address=ADDRESS)
        return {}

    async def role(self, request: Request) -> Mapping[str, object]:
        """Give one another role."""
        name, role = request.texts("name", "role")
        await self._accounts.set_role(name, role, by=request.by, address=ADDRESS)
        return {}

    async def passwd(self, request: Request) -> Mapping[str, object]:
        """Give one another password, whatever the old one was."""
        name, password = request.texts("name", "password")
        await self._accounts.change_password(name, None, password, by=request.by, address=ADDRESS)
        return {}

    async def remove(self, request: Request) -> Mapping[str, object]:
        """Remove one."""
        (name,) = request.texts("name")
        await self._accounts.remove_user(name, by=request.by, address=ADDRESS)
        return {}

    async def stream_key(self, request: Request) -> Mapping[str, object]:
        """Show, renew or revoke one's stream key."""
        name, action = request.texts("name", "action")
        key = await self._accounts.stream_key(name, action, by=request.by, address=ADDRESS)
        return {"key": key}


def described(user: User) -> dict[str, object]:
    """A user, ready for JSON."""
    return {
        "name": user.name,
        "role": user.role,
        "created": user.created,
        "changed": user.changed,
    }


def _explained(handler: Callable[[Request], Awaitable[Mapping[str, object]]]) -> Handler:
    """The handler, with the reasons of the users' room told to the person."""

    async def explained(request: Request) -> Mapping[str, object]:
        try:
            return await handler(request)
        except AuthError as error:
            raise Refused(str(error)) from None

    return explained


def _values(raw: object) -> dict[str, Value]:
    if not isinstance(raw, dict) or not all(
        isinstance(value, bool | int | str) for value in raw.values()
    ):
        raise Refused("the arguments must be an object of texts, whole numbers and booleans")
    return raw
