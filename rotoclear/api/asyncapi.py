"""
The AsyncAPI 3.0 document of the WebSocket API (``GET /api/asyncapi.json``).

Written from where the server stands: it *receives* what clients send.
https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import rotoclear
from rotoclear.api.schemas import (
    ID,
    accepted,
    array,
    record,
    reference,
    refusal,
    state_schemas,
    text,
    values,
)
from rotoclear.state.keys import KeyTable
from rotoclear.values import Schema

Document = dict[str, object]

_CHANNEL: Final = "v1"
_LIVE: Final = "live"
_PICTURE: Final = "picture"
_LIVE_MESSAGES: Final = (
    "login",
    "loginAnswer",
    "loginRefused",
    "rightsChange",
    "error",
    _PICTURE,
)

_DESCRIPTION: Final = """\
Text frames, one JSON object each. What kind of message it is shows in its
keys; one object may mix kinds, and is then worked through as login, updates,
query. Messages of one connection are handled, and answered, one after another
in the order sent. An `id` is repeated in every answer to its message.

On connecting nothing is sent. After that every change of a key that the
connection may read is broadcast to it.

The live picture has a WebSocket of its own, `/api/live`. There one logs in with
the first message, and then gets a binary message for each picture.
"""

_PERMISSIONS: Final = array(reference("Permission"), "Sorted by name.")
_USERNAME: Final = text("The user's name.")


def document(keys: KeyTable) -> Document:
    """
    Describe the WebSocket API.

    It is the same until a key is added to the table: build it once, not for
    every request.
    """
    messages = _messages(keys)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "rotoclear",
            "description": _DESCRIPTION,
            "version": rotoclear.__version__,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            scheme: {
                "host": "{host}",
                "protocol": scheme,
                "description": doc,
                "variables": {"host": {"description": "Name or address, with the port."}},
            }
            for scheme, doc in (("wss", "With TLS."), ("ws", "Without TLS."))
        },
        "channels": {
            _CHANNEL: {
                "address": "/api/v1",
                "title": "State and control",
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"}
                    for name in messages
                    if name != _PICTURE
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            },
            _LIVE: {
                "address": "/api/live",
                "title": "Live picture",
                "description": (
                    "Takes `Media_r`; whoever does not have it is closed with 1008 after 10 s. "
                    "A client that is slower than the camera misses pictures."
                ),
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"} for name in _LIVE_MESSAGES
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            },
        },
        "operations": _operations(),
        "components": {
            "messages": messages,
            "schemas": state_schemas(keys),
        },
    }


def _messages(keys: KeyTable) -> dict[str, dict[str, object]]:
    return {**_requests(keys), **_login_answers(), **_answers(keys), _PICTURE: _picture()}


def _message(
    title: str, payload: Schema, example: Mapping[str, object], doc: str = ""
) -> dict[str, object]:
    message: dict[str, object] = {
        "title": title,
        "payload": payload,
        "examples": [{"payload": dict(example)}],
    }
    if doc:
        message["description"] = doc
    return message


def _identified(properties: Mapping[str, Schema], *required: str, **more: object) -> Schema:
    """A message's payload: these properties, and an ``id`` if the client likes."""
    return {**record({**properties, "id": ID}, required=required), **more}


def _requests(keys: KeyTable) -> dict[str, dict[str, object]]:
    """What clients send."""
    login: dict[str, Schema] = {
        "username": _USERNAME,
        "password": text("With a username.", format="password"),
        "token": text("Of an earlier login; a username beside it must match."),
    }
    update = {key.name: accepted(key) for key in keys.values() if key.write}
    query: dict[str, Schema] = {
        "get": {
            "description": "Keys, or `*` for all that one may read.",
            "anyOf": [{"const": "*"}, array(text(), "Keys.")],
        }
    }
    return {
        "login": _message(
            "Log in",
            _identified(
                login,
                oneOf=[{"required": ["username", "password"]}, {"required": ["token"]}],
            ),
            {"username": "admin", "password": "correct horse battery"},
            "With a username and a password, or with a token.",
        ),
        "update": _message(
            "Set values",
            _identified(update, minProperties=1),
            {"brightness": 75, "contrast": 60},
            "Keys stand alone: one that is refused does not stop the others.",
        ),
        "query": _message(
            "Ask for values", _identified(query, "get"), {"get": ["brightness", "contrast"]}
        ),
        "mixed": _message(
            "Several of these in one",
            _identified({**login, **update, **query}, minProperties=1),
            {"token": "T", "brightness": 75, "get": ["contrast"], "id": 1},
            "Worked through as login, updates, query; a refused login ends it there.",
        ),
    }


def _login_answers() -> dict[str, dict[str, object]]:
    """What logging in brings, at once and later."""
    answer: dict[str, Schema] = {
        "authenticated": {"const": True},
        "permissions": _PERMISSIONS,
        "username": _USERNAME,
        "role": reference("Role"),
        "token": text("Log in with it next time."),
        "expires": text("When the token expires if it is not used.", format="date-time"),
    }
    refused: dict[str, Schema] = {
        "authenticated": {"const": False},
        "error": text(enum=["Invalid credentials", "Too many attempts"]),
        "message": text("For people."),
        "retry-after": {"type": "integer", "description": "Seconds to wait before another try."},
    }
    return {
        "loginAnswer": _message(
            "Logged in",
            _identified(answer, *answer),
            {
                "authenticated": True,
                "permissions": ["Device_r", "Media_r", "Storage_r", "System_r"],
                "username": "hall-2",
                "role": "viewer",
                "token": "T",
                "expires": "2030-01-01T12:30:00Z",
            },
        ),
        "loginRefused": _message(
            "Not logged in",
            _identified(refused, "authenticated", "error"),
            {"authenticated": False, "error": "Invalid credentials"},
            "The connection stays open and stays what it was.",
        ),
        "rightsChange": _message(
            "Permissions have changed",
            record({"authenticated": {"type": "boolean"}, "permissions": _PERMISSIONS}),
            {"authenticated": False, "permissions": ["Device_r"]},
            "After a log-out, a new role, or when the token has expired.",
        ),
    }


def _answers(keys: KeyTable) -> dict[str, dict[str, object]]:
    """What updates and queries bring, and what comes by itself."""
    info = array(reference("Key"), "The keys that were set.")
    return {
        "confirmation": _message(
            "Values were set",
            _identified({**values(keys), "info": info}, "info"),
            {"brightness": 75, "info": ["brightness"]},
            "The values as this message applied them; the hardware has taken them.",
        ),
        "queryAnswer": _message(
            "Values", _identified(values(keys)), {"brightness": 75, "contrast": 60}
        ),
        "broadcast": _message(
            "Values have changed",
            {**record(values(keys), required=()), "minProperties": 1},
            {"brightness": 75},
            "To every connection that may read the keys, the setter included.",
        ),
        "error": _message(
            "Refused",
            _identified(refusal(), "error", "message"),
            {
                "error": "Invalid value",
                "key": "brightness",
                "message": "Value must be between 0 and 100",
            },
        ),
    }


def _picture() -> dict[str, object]:
    """A message that is no JSON."""
    return {
        "title": "A picture",
        "contentType": "image/jpeg",
        "payload": {"type": "string", "format": "binary"},
        "description": (
            "A binary message: a JPEG. A comment in it (COM segment) is JSON: `number` counts the "
            "pictures, `taken` is when it was taken, in seconds since 1970."
        ),
    }


def _operations() -> dict[str, dict[str, object]]:
    """Which message is answered with which."""
    return {
        "receiveLogin": _receive("login", "loginAnswer", "loginRefused"),
        "receiveQuery": _receive("query", "queryAnswer", "error"),
        "receiveUpdate": _receive("update", "confirmation", "error"),
        "receiveMixed": _receive(
            "mixed", "loginAnswer", "loginRefused", "confirmation", "queryAnswer", "error"
        ),
        "sendBroadcast": {**_on_channel("broadcast"), "action": "send"},
        "sendRightsChange": {**_on_channel("rightsChange"), "action": "send"},
        "receiveLiveLogin": {
            "action": "receive",
            **_on_channel("login", channel=_LIVE),
            "reply": _on_channel("loginAnswer", "loginRefused", "error", channel=_LIVE),
        },
        "sendPicture": {**_on_channel(_PICTURE, channel=_LIVE), "action": "send"},
        "sendLiveRightsChange": {**_on_channel("rightsChange", channel=_LIVE), "action": "send"},
    }


def _receive(message: str, *answers: str) -> dict[str, object]:
    return {"action": "receive", **_on_channel(message), "reply": _on_channel(*answers)}


def _on_channel(*messages: str, channel: str = _CHANNEL) -> dict[str, object]:
    where = f"#/channels/{channel}"
    return {
        "channel": {"$ref": where},
        "messages": [{"$ref": f"{where}/messages/{name}"} for name in messages],
    }
