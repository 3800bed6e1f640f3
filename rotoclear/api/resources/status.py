"""How the server is: ``/api/status``, ``/api/health``."""

from __future__ import annotations

from typing import Final

from rotoclear.api.http_call import Call
from rotoclear.api.http_resource import Answer, ApiResource, Credentials
from rotoclear.state.permissions import SYSTEM_R, SYSTEM_RW

FAILED: Final = "failed"
"""The state of a part that does not do what it is there for."""

_CAMERAS: Final = (1, 2)


class Status(ApiResource):
    """``/api/status``: which server this is, and what it has."""

    async def GET(self, call: Call) -> Answer:
        """Nothing secret; the devices and the connections with ``System_r``."""
        context = self.context
        body: dict[str, object] = {
            "name": "rotoclear",
            "version": context.version,
            "uptime": round(context.reactor.seconds() - context.started, 3),
        }
        readable = context.model.readable(call.permissions)
        body["cameras"] = [
            number
            for number in _CAMERAS
            if f"cam{number}-exists" in readable and context.model[f"cam{number}-exists"]
        ]
        if "record" in readable:
            body["recording"] = context.model["record"]
        if not call.permissions.isdisjoint((SYSTEM_R, SYSTEM_RW)):
            body["devices"] = context.status()
            body["connections"] = context.connections.count
        return Answer(200, body)


class Health(ApiResource):
    """``/api/health``: for whatever watches over the server."""

    credentials = Credentials.HELPFUL

    async def GET(self, call: Call) -> Answer:
        """
        200, or 503 as soon as one part has failed.

        Everybody sees each part's state; the reasons, which may name files
        and plugins, take ``System_r``.
        """
        parts = self.context.health()
        failed = any(part["state"] == FAILED for part in parts.values())
        if call.permissions.isdisjoint((SYSTEM_R, SYSTEM_RW)):
            parts = {name: {"state": part["state"]} for name, part in parts.items()}
        return Answer(503 if failed else 200, {"state": FAILED if failed else "ok", "parts": parts})
