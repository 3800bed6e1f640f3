"""The document's JavaScript class for the browser, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.browser import Browser, Page
from tests.clients.document import BROWSER_CLASS, for_server
from tests.harness import Client, Server

ALL_PERMISSIONS = [
    "Device_r",
    "Device_rw",
    "Media_r",
    "Media_rw",
    "Storage_r",
    "Storage_rw",
    "System_r",
    "System_rw",
    "User_r",
    "User_rw",
]


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The example as it stands, up to where it has logged in."""
    with browser.page(for_server(BROWSER_CLASS, server)) as page:
        page.until_logged("WebSocket connected")
        page.until_logged("Received:", {"authenticated": True, "permissions": ALL_PERMISSIONS})
        yield page


def test_commands_before_it_is_open(page: Page, observer: Client) -> None:
    """
    A flaw of the example: it calls ``connect`` and sends three commands at once.

    The connection is still being made, so its own ``send`` drops each with a
    message, and nothing of the kind reaches the server.
    """
    for _ in range(3):
        page.until_logged("WebSocket not connected", kind="error")
    assert len(page.reports("error")) == 3
    unchanged = {"cam1-light": False, "brightness": 50, "record": False}
    assert observer.get(*unchanged) == unchanged


@pytest.mark.parametrize(
    ("call", "change"),
    [
        ("client.setLight(1, true)", {"cam1-light": True}),
        ("client.setLight(2, true)", {"cam2-light": True}),
        ("client.setBrightness(75)", {"brightness": 75}),
        ("client.setResolution('1280x720')", {"resolution": "1280x720"}),
        ("client.startRecording()", {"record": True}),
    ],
)
def test_methods(page: Page, observer: Client, call: str, change: dict[str, object]) -> None:
    """Its methods, once it is open: confirmed to it, and broadcast to it and to others."""
    page.evaluate(call)
    page.until_logged("Received:", {**change, "info": list(change)})
    page.until_logged("Received:", change, exactly=True)
    observer.until(change)


def test_recording_stops(page: Page, observer: Client) -> None:
    page.evaluate("client.startRecording()")
    observer.until({"record": True})
    page.evaluate("client.stopRecording()")
    observer.until({"record": False})
    page.until_logged("Received:", {"record": False, "info": ["record"]})


def test_snapshot(page: Page, observer: Client) -> None:
    """``true`` while it is taken, confirmed when it is stored, ``false`` again."""
    page.evaluate("client.takeSnapshot()")
    page.until_logged("Received:", {"snap": True}, exactly=True)
    page.until_logged("Received:", {"snap": True, "info": ["snap"]})
    page.until_logged("Received:", {"snap": False}, exactly=True)
    observer.until({"snap": True})
    observer.until({"snap": False})


def test_callbacks(page: Page, admin: Client) -> None:
    """Its callbacks, overridden as it says, hear of the others' changes."""
    page.evaluate(
        "client.onBrightnessChange = (value) => console.log('brightness is', value);"
        "client.onRecordingChange = (state) => console.log('record is', state);"
    )
    admin.ask({"brightness": 33, "record": True})
    page.until_logged("brightness is", 33)
    page.until_logged("record is", True)
