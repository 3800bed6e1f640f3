"""
The OpenAPI 3.1 document of the HTTP API (``GET /api/openapi.json``).

What depends on the state keys is made from the key table; the rest is written
here, next to nothing else. https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

from typing import Final

import rotoclear
from rotoclear.api.openapi_parts import ERROR_RESPONSES
from rotoclear.api.openapi_paths import paths
from rotoclear.api.openapi_schemas import http_schemas
from rotoclear.api.schemas import state_schemas
from rotoclear.state.keys import KeyTable

Document = dict[str, object]

_DESCRIPTION: Final = """\
Everything a client can see or change of the device is a *key*; read and write
keys here, or over the WebSocket at `/api/v1`, which also tells of changes (its
own document is `/api/asyncapi.json`).

Log in with `POST /api/login` and send the token it returns with every request:
`Authorization: Bearer TOKEN`. Errors are JSON objects, `{"error", "message"}`,
with the status that fits. No cookie authenticates anything.
"""


def document(keys: KeyTable) -> Document:
    """
    Describe the HTTP API.

    It is the same until a key is added to the table: build it once, not for
    every request.
    """
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "rotoclear",
            "summary": "The control server for machine-tool cameras.",
            "description": _DESCRIPTION,
            "version": rotoclear.__version__,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The host that serves this document."}],
        "tags": [
            {"name": "login", "description": "Tokens and one's own password."},
            {"name": "users", "description": "Users and their roles."},
            {"name": "state", "description": "The keys and their values."},
            {"name": "media", "description": "Films and pictures that are stored."},
            {"name": "server", "description": "How the server and its devices are."},
        ],
        "paths": paths(),
        "components": {
            "schemas": {**state_schemas(keys), **http_schemas(keys)},
            "responses": ERROR_RESPONSES,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that `POST /api/login` returned.",
                },
                "ticket": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "ticket",
                    "description": "A ticket for the path, of `POST /api/tickets`.",
                },
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A user's name and password.",
                },
            },
        },
    }
