"""Handshakes that are none, or not quite: protocol.md section 1."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from tests.api.people import make_context
from tests.api.wire import World

GOOD = {
    "Host": "test",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def ask(
    headers: dict[str, str | None], line: str = "GET /api/v1 HTTP/1.1"
) -> tuple[int, dict[str, str], dict[str, str]]:
    """Send a handshake with some headers changed (``None``: left out)."""
    clock = Clock()
    channel = World(clock, make_context(clock)).site.buildProtocol(None)
    transport = StringTransport()
    channel.makeConnection(transport)
    lines = [f"{k}: {v}" for k, v in {**GOOD, **headers}.items() if v is not None]
    channel.dataReceived("\r\n".join([line, *lines, "", ""]).encode())
    head, _, body = transport.value().partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    answered = dict(f.lower().split(": ", 1) for f in fields)
    _, code, phrase = status.split(" ", 2)
    assert phrase == HTTPStatus(int(code)).phrase
    return int(code), answered, json.loads(body) if body else {}


def test_good() -> None:
    status, headers, _ = ask({})
    assert status == 101
    # RFC 6455 1.3 has this key, and this answer to it.
    assert headers["sec-websocket-accept"].lower() == "s3pplmbitxaq9kygzzhzrbk+xoo="


def test_plain_get() -> None:
    """426, with a body that says how to connect."""
    status, headers, body = ask({"Upgrade": None, "Connection": None})
    assert status == 426
    assert headers["upgrade"] == "websocket"
    assert "ws://HOST/api/v1" in body["message"]


def test_curl_probe() -> None:
    """The seed's: upgrade headers, but no key."""
    status, _, body = ask({"Sec-WebSocket-Key": None, "Sec-WebSocket-Version": None})
    assert status == 400
    assert "Sec-WebSocket-Key" in body["message"]


@pytest.mark.parametrize(
    ("headers", "status", "word"),
    [
        ({"Sec-WebSocket-Key": "short"}, 400, "16 bytes"),
        ({"Sec-WebSocket-Key": "not base 64, not at all!"}, 400, "16 bytes"),
        ({"Sec-WebSocket-Version": "8"}, 426, "13"),
        ({"Sec-WebSocket-Version": None}, 426, "13"),
        ({"Connection": "close"}, 426, "WebSocket"),
        ({"Upgrade": "h2c"}, 426, "WebSocket"),
    ],
)
def test_wrong(headers: dict[str, str | None], status: int, word: str) -> None:
    got, _, body = ask(headers)
    assert (got, word in body["message"]) == (status, True)


def test_version_is_told() -> None:
    assert ask({"Sec-WebSocket-Version": "8"})[1]["sec-websocket-version"] == "13"


def test_old_http() -> None:
    assert ask({}, "GET /api/v1 HTTP/1.0")[0] == 400


def test_elsewhere() -> None:
    assert ask({}, "GET /api/v1/more HTTP/1.1")[0] == 404


def test_other_methods() -> None:
    assert ask({"Content-Length": "0"}, "POST /api/v1 HTTP/1.1")[0] == 405


def test_any_origin() -> None:
    """The login is in the messages: a page of another origin has no rights of its own."""
    assert ask({"Origin": "https://example.com"})[0] == 101
    assert ask({"Origin": "null"})[0] == 101
