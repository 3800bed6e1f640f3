"""The keys: ``/api/state``, ``/api/keys``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import CHALLENGE, Header, HttpError
from rotoclear.api.http_resource import Answer, ApiResource
from rotoclear.api.keys import describe_keys
from rotoclear.api.strict_json import ID_RULE, MAX_KEYS, identifier
from rotoclear.state.errors import (
    DEVICE_ERROR,
    INVALID_MESSAGE,
    MAX_KEY_ECHO,
    NOT_AVAILABLE,
    PERMISSION_DENIED,
    Refusal,
)
from rotoclear.state.keys import RESERVED

_STATUS: Final = {PERMISSION_DENIED: 403, NOT_AVAILABLE: 409, DEVICE_ERROR: 502}
"""The status of a request that was refused for this alone; for anything else it is 400."""


class State(ApiResource):
    """
    ``/api/state``: the values.

    What is answered is one object: the values by their keys, in ``errors``
    why others were refused, and after a change in ``info`` the keys that it
    has set. When **everything** was refused it also has the ``error`` and
    ``message`` of the first refusal, and a status of its own: 403 for
    permissions (401 if nobody is logged in), 409 for what is not available,
    502 for a device that failed; 400 for the rest, and for a mixture.
    """

    async def GET(self, call: Call) -> Answer:
        """As the WebSocket query. ``errors`` is only there if there are any."""
        names = _names(call)
        if names is None and not self.context.model.readable(call.permissions):
            raise call.denied("Reading the state takes Device_r")
        values, refused = self.context.model.read(names, call.permissions)
        if refused and not values:
            return _refuse(call, refused, {})
        body: dict[str, object] = {**values}
        if refused:
            body["errors"] = [_describe(refusal) for refusal in refused]
        return Answer(200, body)

    async def POST(self, call: Call) -> Answer:
        """As the WebSocket update. An ``id`` is echoed."""
        changes = call.json()
        echo: dict[str, object] = {}
        if "id" in changes:
            echo["id"] = identifier(changes.pop("id"))
            if echo["id"] is None:
                raise HttpError(400, INVALID_MESSAGE, ID_RULE)
        for name in changes:
            if name in RESERVED:
                raise HttpError(400, INVALID_MESSAGE, f"{name} is no key that could be set")
        if not changes:
            raise HttpError(400, INVALID_MESSAGE, "Send keys and the values they are to take")
        by = call.session.username if call.session is not None else ""
        outcome = await self.context.model.request(changes, call.permissions, by)
        if not outcome.applied:
            return _refuse(call, outcome.refused, {**echo, "info": []})
        return Answer(
            200,
            {
                **outcome.applied,
                **echo,
                "info": list(outcome.applied),
                "errors": [_describe(refusal) for refusal in outcome.refused],
            },
        )


class Keys(ApiResource):
    """``/api/keys``: what each key is, and may be right now."""

    async def GET(self, call: Call) -> Answer:
        """Those that whoever asks may read."""
        keys = describe_keys(self.context.model, call.permissions)
        if not keys:
            raise call.denied("Reading the keys takes Device_r")
        return Answer(200, keys)


def _names(call: Call) -> list[str] | None:
    """``?keys=a,b``, as often as it was given; ``None`` without it, and for ``*``."""
    lists = call.arguments("keys")
    if not lists or lists == ["*"]:
        return None
    names = [name for text in lists for name in text.split(",") if name]
    if len(names) > MAX_KEYS:
        raise HttpError(400, INVALID_MESSAGE, f"A query may name {MAX_KEYS} keys at most")
    return names


def _refuse(call: Call, refused: Sequence[Refusal], rest: dict[str, object]) -> Answer:
    """Everything was refused."""
    errors = {refusal.error for refusal in refused}
    status = _STATUS.get(errors.pop(), 400) if len(errors) == 1 else 400
    headers: tuple[Header, ...] = ()
    if status == 403 and call.session is None:
        status, headers = 401, (CHALLENGE,)
    first = refused[0]
    return Answer(
        status,
        {
            "error": first.error,
            "message": first.message,
            **rest,
            "errors": [_describe(refusal) for refusal in refused],
        },
        headers=headers,
    )


def _describe(refusal: Refusal) -> dict[str, object]:
    return {
        "error": refusal.error,
        "key": refusal.key[:MAX_KEY_ECHO],
        "message": refusal.message,
    }
