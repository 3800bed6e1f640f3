"""How the server is: ``/api/status``, ``/api/health``."""

from __future__ import annotations

from typing import Final

from rotoclear.api.http_call import Call
from rotoclear.api.http_resource import Answer, ApiResource, Credentials
from rotoclear.state.permissions import SYSTEM_R, SYSTEM_RW

FAILED: Final = "failed"
"""The state of a part that does not do what it is there for."""

REFUSED: Final = "refused"
"""The state of a part that is not even tried."""

_FOR_ALL: Final = ("state", "since")
"""What everybody may know of a part."""

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
            body["engine"] = context.engine()
            body["connections"] = context.connections.count
        return Answer(200, body)


class Health(ApiResource):
    """``/api/health``: for whatever watches over the server."""

    credentials = Credentials.HELPFUL

    async def GET(self, call: Call) -> Answer:
        """
        200, or 503 as soon as a part has failed that the server cannot do without.

        A part that says it is not ``vital`` (a driver) only makes the whole
        ``degraded``: whoever restarts what answers 503 would end a recording
        for the sake of a lamp. Everybody sees each part's state and
        since when it is so; the reasons, which may name files and plugins, take ``System_r``.
        """
        parts = self.context.health()
        bad = [part for part in parts.values() if part["state"] in (FAILED, REFUSED)]
        failed = any(part.get("vital", True) for part in bad)
        if call.permissions.isdisjoint((SYSTEM_R, SYSTEM_RW)):
            parts = {
                name: {field: part[field] for field in _FOR_ALL if field in part}
                for name, part in parts.items()
            }
        state = FAILED if failed else "degraded" if bad else "ok"
        return Answer(503 if failed else 200, {"state": state, "parts": parts})
