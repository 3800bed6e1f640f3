"""The requests of the HTTP API, as the OpenAPI document lists them."""

from __future__ import annotations

from typing import Final

from rotoclear.api.openapi_live import live_paths
from rotoclear.api.openapi_media import media_paths
from rotoclear.api.openapi_parts import ALL, Operation, json_body, operation, refused
from rotoclear.api.schemas import array, record, reference
from rotoclear.values import Schema

PathItem = dict[str, object]
"""What can be done at one path, by method."""

_NAME: Final[Operation] = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The user's name.",
    "schema": {"type": "string"},
}

_KEYS: Final[Operation] = {
    "name": "keys",
    "in": "query",
    "description": "The keys to read, separated by commas; all readable ones unless given.",
    "style": "form",
    "explode": False,
    "schema": {"type": "array", "items": {"type": "string"}},
    "example": ["brightness", "contrast"],
}

_NO_CONTENT: Final[Operation] = {"description": "Done."}


def paths() -> dict[str, PathItem]:
    """Every path of the API, by itself."""
    return {
        **_login_paths(),
        **_user_paths(),
        **_state_paths(),
        **live_paths(),
        **media_paths(),
        **_server_paths(),
    }


def _login_paths() -> dict[str, PathItem]:
    return {
        "/api/login": {
            "post": operation(
                "login",
                "login",
                "Log in",
                {"200": json_body("Logged in.", reference("LoggedIn"))},
                who=ALL,
                body="Credentials",
                refusals=("401", "429", "503"),
            )
        },
        "/api/logout": {
            "post": operation(
                "login",
                "logout",
                "End the token",
                {"204": _NO_CONTENT},
                doc="Connections that were opened with it lose their permissions at once.",
            )
        },
        "/api/password": {
            "post": operation(
                "login",
                "changePassword",
                "Change one's own password",
                {"204": _NO_CONTENT},
                body="PasswordChange",
                refusals=("403", "429", "503"),
                doc="Ends every token of the user, this one too.",
            )
        },
        "/api/tickets": {
            "post": operation(
                "login",
                "issueTicket",
                "Get a ticket for one path",
                {"200": json_body("The ticket.", reference("Ticket"))},
                body="TicketRequest",
                refusals=("403",),
                doc=(
                    "For what cannot send a header (`<img>`, `<video>`, a download): GET the path "
                    "with `?ticket=`. To be used within 60 s; ends with the token."
                ),
            )
        },
    }


def _user_paths() -> dict[str, PathItem]:
    return {
        "/api/users": {
            "get": operation(
                "users",
                "listUsers",
                "List the users",
                {"200": json_body("The users.", record({"users": array(reference("User"))}))},
                refusals=("403",),
                doc="Takes `User_r` or `User_rw`.",
            ),
            "post": operation(
                "users",
                "addUser",
                "Add a user",
                {"201": json_body("The user.", reference("User"))},
                body="NewUser",
                refusals=("403", "409", "503"),
                doc="Takes `User_rw`.",
            ),
        },
        "/api/users/{name}": {
            "parameters": [_NAME],
            "patch": operation(
                "users",
                "changeUser",
                "Change a user's role or password",
                {"200": json_body("The user.", reference("User"))},
                body="UserChange",
                refusals=("403", "404", "409", "503"),
                doc="Takes `User_rw`. A new password ends the user's tokens.",
            ),
            "delete": operation(
                "users",
                "removeUser",
                "Remove a user",
                {"204": _NO_CONTENT},
                refusals=("403", "404", "409"),
                doc="Takes `User_rw`. Ends the user's tokens.",
            ),
        },
    }


def _state_paths() -> dict[str, PathItem]:
    return {
        "/api/keys": {
            "get": operation(
                "state",
                "describeKeys",
                "What keys there are",
                {
                    "200": json_body(
                        "Each key that you may read, as it is right now.",
                        {"type": "object", "additionalProperties": reference("KeyDescription")},
                    )
                },
                who=ALL,
                refusals=("401", "403"),
            )
        },
        "/api/state": {
            "get": operation(
                "state",
                "readState",
                "Read keys",
                {
                    "200": json_body("The values.", reference("StateAnswer")),
                    "400": refused("No key of these could be read."),
                    "401": refused("It takes a login, or the token is not valid."),
                    "403": refused("You may not read any of these."),
                },
                who=ALL,
                parameters=(_KEYS,),
            ),
            "post": operation(
                "state",
                "changeState",
                "Change keys",
                {
                    "200": json_body("What became of it.", reference("StateAnswer")),
                    "400": refused("No change of these was possible."),
                    "401": refused("It takes a login, or the token is not valid."),
                    "403": refused("You may not set any of these."),
                    "409": refused("None of these is possible right now."),
                    "502": refused("The device failed at all of these."),
                },
                who=ALL,
                body="Changes",
                doc=(
                    "Keys stand alone: one that is refused does not stop the others. Only when "
                    "all were refused is the answer not 200."
                ),
            ),
        },
    }


def _server_paths() -> dict[str, PathItem]:
    anything: Schema = {"type": "object"}
    health = reference("Health")
    return {
        "/api/v1": {
            "get": operation(
                "state",
                "connect",
                "Open the WebSocket",
                {"101": {"description": "The WebSocket is open; see `/api/asyncapi.json`."}},
                who=ALL,
                refusals=("400", "426", "503"),
                doc=(
                    "Without upgrade headers: 426. With upgrade headers that are not a complete "
                    "WebSocket handshake: 400. Full: 503."
                ),
            )
        },
        "/api/status": {
            "get": operation(
                "server",
                "status",
                "Which server this is",
                {"200": json_body("More with `System_r`.", reference("Status"))},
                who=ALL,
                refusals=("401",),
            )
        },
        "/api/health": {
            "get": operation(
                "server",
                "health",
                "Whether everything works",
                {
                    "200": json_body("The server works, if need be without some driver.", health),
                    "503": json_body("It does not.", health),
                },
                who=ALL,
            )
        },
        "/metrics": {
            "get": operation(
                "server",
                "metrics",
                "Figures for Prometheus",
                {
                    "200": {
                        "description": "In the text format.",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    }
                },
                who=ALL,
                refusals=("401", "403"),
                doc="Takes `System_r`, unless the configuration opens it to everybody.",
            )
        },
        "/api/openapi.json": {
            "get": operation(
                "server", "openapi", "This document", {"200": json_body("It.", anything)}, who=ALL
            )
        },
        "/api/asyncapi.json": {
            "get": operation(
                "server",
                "asyncapi",
                "The AsyncAPI document of the WebSocket",
                {"200": json_body("It.", anything)},
                who=ALL,
            )
        },
    }
