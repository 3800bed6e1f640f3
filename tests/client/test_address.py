"""Where the server is: what may be written, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from rotoclear.client import TLS
from rotoclear.client.address import parse
from rotoclear.client.asyncio import Client as AsyncioClient
from rotoclear.client.twisted import Client as TwistedClient


@pytest.mark.parametrize(
    ("text", "page", "socket"),
    [
        ("ws://localhost/api/v1", "http://localhost/api/status", "ws://localhost/api/v1"),
        ("http://localhost:8080/", "http://localhost:8080/api/status", "ws://localhost:8080/api/v1"),
        ("wss://a.example", "https://a.example/api/status", "wss://a.example/api/v1"),
        ("a.example", "https://a.example/api/status", "wss://a.example/api/v1"),
        ("a.example:444", "https://a.example:444/api/status", "wss://a.example:444/api/v1"),
        ("https://[::1]:443", "https://[::1]/api/status", "wss://[::1]/api/v1"),
        ("wss://a.example/hall-2/api/v1", "https://a.example/hall-2/api/status",
         "wss://a.example/hall-2/api/v1"),
    ],
)  # fmt: skip
def test_addresses(text: str, page: str, socket: str) -> None:
    address = parse(text)
    assert address.http("/api/status") == page
    assert address.websocket("/api/v1") == socket


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must be such as"),
        ("ftp://a.example", "must begin with"),
        ("ws://anna:secret@a.example", "must not hold a name or a password"),
        ("ws://a.example/api/v1?token=t", r"must not have a \?"),
        ("ws://a.example:99999", "must be such as"),
        ("ws://a.example:0", "must be such as"),
        ("ws://a example", "must be such as"),
    ],
)
def test_no_addresses(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse(text)
    assert "secret" not in str(caught.value)


def test_fingerprints() -> None:
    digits = "0123456789abcdef" * 4
    colons = ":".join(digits[at : at + 2] for at in range(0, 64, 2)).upper()
    assert TLS(fingerprint=colons).fingerprint == digits
    assert TLS(fingerprint=f"sha256:{digits}").fingerprint == digits
    for wrong in ("", "abc", digits + "0", "x" * 64):
        with pytest.raises(ValueError, match="64 hexadecimal digits"):
            TLS(fingerprint=wrong)


@pytest.mark.parametrize("make", [AsyncioClient, partial(TwistedClient, None)])
def test_a_certificate_takes_tls(make: Callable[..., object]) -> None:
    """Whoever says what it must be does not expect that there is none."""
    with pytest.raises(ValueError, match="write wss://"):
        make("ws://a.example", tls=TLS(fingerprint="0" * 64))


@pytest.mark.parametrize("make", [AsyncioClient, partial(TwistedClient, None)])
def test_settings_that_make_no_sense(make: Callable[..., object]) -> None:
    for wrong in (
        {"timeout": 0},
        {"throttle": -1},
        {"queue": -1},
        {"password": "secret"},
        {"username": "anna"},
    ):
        with pytest.raises(ValueError, match=r"must|takes"):
            make("ws://a.example", **wrong)


def test_plain_text_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    AsyncioClient("ws://localhost", token="t-1")
    AsyncioClient("wss://a.example", token="t-1")
    AsyncioClient("ws://a.example")
    assert not caplog.records
    AsyncioClient("ws://a.example", token="t-1")
    assert "not encrypted" in caplog.text
    assert "t-1" not in caplog.text
