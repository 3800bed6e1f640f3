"""The seed document, and the examples in it, cut out as they stand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.harness import Server

SEED = Path(__file__).resolve().parent / "seed"

LINES = (SEED / "websocket-api.txt").read_text().splitlines()

PYTHON_CLASS = (SEED / "client.py").read_text()
"""The Python example with its indentation restored; see ``seed/README.rst``."""


def between(first: str, last: str, *, after: str | None = None) -> str:
    """
    The text between two whole lines of the document, which must be there.

    :param after: a line after which to look for the first.
    """
    found = LINES.index(after) if after is not None else 0
    start = LINES.index(first, found) + 1
    return "\n".join(LINES[start : LINES.index(last, start)]) + "\n"


BROWSER_CLASS = between("Basic Connection", "React Hook Example")
REACT_HOOK = between("React Hook Example", "Python")
FLAT_PYTHON_CLASS = between("Python", "Node.js")
NODE_CLASS = between("Node.js", "Advanced Features")

ANONYMOUS = between(
    "Anonymous connections have limited read-only permissions:", "Authenticated Connection"
)
AUTHENTICATED = between(
    "For full access, authenticate after connection:", "Session-based Authentication"
)
HTTP_LOGIN = between("Use session token from HTTP login:", "Message Format")
STORED_CREDENTIALS = between("Store credentials securely:", "Permission Validation")

STATE_UPDATE = between("State Update:", "Multiple State Updates:")
STATE_UPDATES = between("Multiple State Updates:", "State Query:")
STATE_QUERY = between("State Query:", "Response Message (Server → Client)")
CONFIRMATION = between("State Update Confirmation:", "State Broadcast (automatic on changes):")
BROADCAST = between("State Broadcast (automatic on changes):", "Error Response:")
ERROR_RESPONSE = between("Error Response:", "API V1 State Mappings")
MAPPINGS = between("API V1 State Mappings", "Usage Examples")

QUERIES = between("Request current state values:", "Batch Updates")
BATCH = between("Update multiple states in one message:", "Recording States")
RECORDING = between("The record state has special values:", "Automatic Broadcasts")
BROADCASTS = between(
    "When any client changes state, all connected clients receive the update:", "Error Handling"
)
CONNECTION_ERRORS = between("Connection Errors", "Permission Errors")
PERMISSION_ERRORS = between("Permission Errors", "Validation Errors")
VALIDATION_ERRORS = between("Validation Errors", "Best Practices")

RECONNECTION = between("1. Implement Reconnection", "2. Handle Authentication State")
AUTHENTICATION_STATE = between(
    "2. Handle Authentication State", "3. Queue Messages When Disconnected"
)
QUEUE = between("3. Queue Messages When Disconnected", "4. Throttle State Updates")
THROTTLE = between("4. Throttle State Updates", "Performance Considerations")

SECURE = between(
    "Always use WSS (WebSocket Secure) in production:", "Authentication Token", after="Security"
)

CHECK_SERVER, CHECK_ENDPOINT = (line for line in LINES if line.startswith("curl "))
CHECK_STATE = between("Problem: send() fails silently", "Related Documentation")


def for_server(example: str, server: Server) -> str:
    """
    The example with the running server's address and credentials put in: nothing else.

    The document calls the server ``localhost`` (once ``camera.example.com``) and
    writes the password as ``'password'``, ``'your_password'`` and ``'pass'``; a
    ``'password':`` is a name in an object.
    """
    for written, meant in (
        ("ws://localhost/api/v1", server.url),
        ("wss://camera.example.com/api/v1", server.url),
        ("http://localhost/", server.http + "/"),
    ):
        example = example.replace(written, meant)
    password = json.dumps(server.admin_password)
    return re.sub(r"'(password|your_password|pass)'(?!:)", lambda _: password, example)


def code(example: str) -> str:
    """The part of an example that is sent, without the answer printed below it."""
    kept = []
    for line in example.splitlines():
        if line in ANSWER_HEADINGS:
            break
        kept.append(line)
    return "\n".join(kept) + "\n"


ANSWER_HEADINGS = ("// Response", "// Confirmation", "// All clients (A, B, C) receive:")


def answer(example: str) -> dict[str, Any]:
    """The answer that is printed below an example, or the one object that it consists of."""
    lines = example.splitlines()
    heading = next((line for line in lines if line in ANSWER_HEADINGS), None)
    start = lines.index(heading) + 1 if heading else 0
    decoded: dict[str, Any] = json.loads("\n".join(lines[start:]))
    return decoded


def objects(example: str) -> Iterator[dict[str, Any]]:
    """The JSON objects that stand on lines of their own."""
    for line in example.splitlines():
        if line.startswith("{"):
            yield json.loads(line)
