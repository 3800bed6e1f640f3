"""JSON Schemas of the bodies that only the HTTP API has."""

from __future__ import annotations

from typing import Final

from rotoclear.api.openapi_media import media_schemas
from rotoclear.api.schemas import ID, KINDS, accepted, array, record, reference, text, values
from rotoclear.state.keys import KeyTable
from rotoclear.values import Schema

_USERNAME: Final = text("The user's name.")
_PASSWORD: Final = text("The password.", format="password")
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_ANYTHING: Final[Schema] = {"type": "object", "additionalProperties": True}


def http_schemas(keys: KeyTable) -> dict[str, Schema]:
    """By the names that the OpenAPI document gives them."""
    return {
        **_login_schemas(),
        **_state_schemas(keys),
        **media_schemas(),
        **_server_schemas(),
    }


def _login_schemas() -> dict[str, Schema]:
    return {
        "Error": record(
            {
                "error": text("What went wrong, in a few words."),
                "message": text("For people: what to do about it."),
            },
            doc="The body of every answer that is an error.",
        ),
        "Credentials": record({"username": _USERNAME, "password": _PASSWORD}),
        "LoggedIn": record(
            {
                "token": text("Send it as `Authorization: Bearer TOKEN`."),
                "expires": text(
                    "When the token expires if it is not used until then.", format="date-time"
                ),
                "permissions": array(reference("Permission"), "Sorted by name."),
                "username": _USERNAME,
                "role": reference("Role"),
            }
        ),
        "PasswordChange": record(
            {
                "old": {**_PASSWORD, "description": "The password so far."},
                "new": {**_PASSWORD, "description": "The password from now on."},
            }
        ),
        "TicketRequest": record(
            {"path": text("The path that the ticket is for.", examples=["/api/snapshot"])}
        ),
        "Ticket": record({"ticket": text("Send it as `?ticket=`.")}),
        "User": record({"name": _USERNAME, "role": reference("Role")}),
        "NewUser": record(
            {"name": _USERNAME, "role": reference("Role"), "password": _PASSWORD},
        ),
        "UserChange": {
            **record({"role": reference("Role"), "password": _PASSWORD}, required=()),
            "minProperties": 1,
        },
    }


def _state_schemas(keys: KeyTable) -> dict[str, Schema]:
    return {
        "Changes": {
            **record({**_changes(keys), "id": ID}, required=()),
            "description": "Keys and the values that they are to take.",
            "minProperties": 1,
        },
        "StateAnswer": record(
            {**values(keys), **_outcome(), "id": ID},
            required=(),
            doc="Values, and what was refused.",
        ),
        "StateRefused": record(
            {
                "error": text("Of the first refusal."),
                "message": text("Of the first refusal."),
                **_outcome(),
                "id": ID,
            },
            required=("error", "message"),
            doc="Everything was refused, or the request as a whole.",
        ),
        "KeyDescription": {
            "description": "A key, and what it may hold right now.",
            **record(
                {
                    "type": text("What sort of value it is.", enum=list(KINDS)),
                    "schema": {**_ANYTHING, "description": "JSON Schema of what is sent."},
                    "input-schema": {**_ANYTHING, "description": "JSON Schema of what is taken."},
                    "minimum": {"type": "integer", "description": "Of an integer."},
                    "maximum": {"type": "integer", "description": "Of an integer."},
                    "unit": text("What an integer counts, or empty."),
                    "choices": {
                        "type": "array",
                        "description": "The values there are, if they can be counted out.",
                    },
                    "default": {"description": "Its value before anyone has set it."},
                    "writable": {**_BOOLEAN, "description": "You may set it."},
                    "saved": {**_BOOLEAN, "description": "It survives a restart."},
                    "read": array(reference("Permission"), "Any one lets one read it."),
                    "write": array(reference("Permission"), "Any one lets one set it."),
                    "group": text("The heading it is documented under."),
                    "observable": text("The observable behind it."),
                    "doc": text("One line for people."),
                },
                required=(
                    "type",
                    "schema",
                    "input-schema",
                    "default",
                    "writable",
                    "saved",
                    "read",
                    "write",
                    "group",
                    "observable",
                    "doc",
                ),
            ),
        },
    }


def _changes(keys: KeyTable) -> dict[str, Schema]:
    return {key.name: accepted(key) for key in keys.values() if key.write}


def _outcome() -> dict[str, Schema]:
    return {
        "info": array(reference("Key"), "The keys that this request has set."),
        "errors": array(reference("Refusal"), "One for each key that was refused."),
    }


def _server_schemas() -> dict[str, Schema]:
    return {
        "Status": {
            "description": "Which server this is and how it is; more with `System_r`.",
            "type": "object",
            "required": ["name", "version", "uptime"],
            "properties": {
                "name": text("`rotoclear`."),
                "version": text("Of the server."),
                "uptime": {"type": "number", "description": "Seconds since it started."},
                "cameras": array({"type": "integer"}, "The cameras that exist; with `Device_r`."),
                "recording": reference("record"),
            },
        },
        "Health": {
            "type": "object",
            "required": ["state", "parts"],
            "properties": {
                "state": text(
                    "`failed`: the server cannot do its work; `degraded`: something does not "
                    "work that it can do without, such as a driver.",
                    enum=["ok", "degraded", "failed"],
                ),
                "parts": {
                    "type": "object",
                    "description": "Each part by name, with a state of its own.",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["state"],
                        "properties": {
                            "state": text("`ok` is good, `failed` and `refused` are bad."),
                            "since": text(
                                "When it came to that state, in UTC.", format="date-time"
                            ),
                            "vital": {
                                "type": "boolean",
                                "description": "`false`: the server can do without; "
                                "with `System_r`, as is the reason.",
                            },
                            "reason": text("Why it is not `ok`."),
                        },
                    },
                },
            },
        },
    }
