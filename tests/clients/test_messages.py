"""The messages that the document shows, and the answers that it prints below them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import document
from tests.clients.browser import Browser, Page
from tests.clients.document import answer, code, for_server, objects
from tests.clients.test_node_class import run_example, until_received
from tests.harness import Client, Server, holds

OPEN = """
const ws = new WebSocket(%(url)s);
ws.onmessage = (event) => console.log('told', JSON.parse(event.data));
ws.onopen = () => console.log('open');
"""


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page with an open ``ws``, as the document's snippets take it for granted."""
    with browser.page(OPEN % {"url": json.dumps(server.url)}) as page:
        page.until_logged("open")
        yield page


@pytest.fixture
def admin_page(page: Page, server: Server) -> Page:
    """Likewise, logged in."""
    credentials = {"username": "admin", "password": server.admin_password}
    page.evaluate(f"ws.send(JSON.stringify({json.dumps(credentials)}))")
    page.until_logged("told", {"authenticated": True})
    return page


# Message format


def test_update_of_several(admin: Client) -> None:
    message = answer(document.STATE_UPDATES)
    confirmed = admin.ask(message)
    assert holds(confirmed, message)
    assert sorted(confirmed["info"]) == sorted(message)


def test_query(observer: Client) -> None:
    message = answer(document.STATE_QUERY)
    assert sorted(observer.ask(message)) == sorted(message["get"])


def test_confirmation_and_broadcast(admin: Client, observer: Client) -> None:
    confirmation, broadcast = answer(document.CONFIRMATION), answer(document.BROADCAST)
    assert holds(admin.ask({"brightness": 75}), confirmation)
    assert observer.until(broadcast) == broadcast
    assert admin.receive() == broadcast


def test_error_response(observer: Client) -> None:
    assert holds(observer.ask({"brightness": 75}), answer(document.ERROR_RESPONSE))


def test_all_keys_are_there(server: Server, admin: Client) -> None:
    """Each row of the document's tables: the key, its observable, its type."""
    rows = re.findall(r"^([a-z0-9-]+) \|\n(\w+) \|\n(\S+) \|", document.MAPPINGS, re.MULTILINE)
    assert len(rows) == 23
    values = admin.get()
    described = server.request("GET", "/api/keys", token=server.login()).text()
    types = {"boolean": bool, "integer": int, "string": str}
    for key, observable, kind in rows:
        assert type(values[key]) in {types[name] for name in kind.split("/")}, key
        assert f'"{observable}"' in described


# Usage and advanced features


def test_anonymous_connection(browser: Browser, server: Server) -> None:
    script = for_server(document.ANONYMOUS, server) + (
        "ws.onmessage = (event) => console.log('told', JSON.parse(event.data));"
    )
    with browser.page(script) as page:
        page.until_logged("Connected as anonymous user")
        page.evaluate("""ws.send('{"get": ["brightness"]}'); ws.send('{"brightness": 1}')""")
        page.until_logged("told", {"brightness": 50})
        page.until_logged("told", {"error": "Permission denied", "key": "brightness"})


def test_authenticated_connection(browser: Browser, server: Server) -> None:
    with browser.page(for_server(document.AUTHENTICATED, server)) as page:
        page.until_logged("Authentication successful")
        _, permissions = page.until_logged("Permissions:")
        assert permissions == sorted(permissions)
        assert {"Device_rw", "Media_rw"} <= set(permissions)


def test_state_queries(admin_page: Page, admin: Client) -> None:
    shown = answer(document.QUERIES)
    settings = {key: value for key, value in shown.items() if key != "record"}
    assert holds(admin.ask(settings), settings)
    admin_page.evaluate(code(document.QUERIES))
    admin_page.until_logged("told", shown)


def test_batch_updates(admin_page: Page, observer: Client) -> None:
    shown = answer(document.BATCH)
    admin_page.evaluate(code(document.BATCH))
    admin_page.until_logged("told", shown)
    heard: dict[str, object] = {}
    while set(heard) < set(shown) - {"info"}:
        heard |= observer.receive()
    assert {**heard, "info": shown["info"]} == shown


def test_recording_states(admin: Client, observer: Client) -> None:
    """All six, in the document's order; to pause takes a recording, so one is started before."""
    start, start_too, stop, stop_too, pause, resume = objects(document.RECORDING)
    for message, state, changes in (
        (start, True, True),
        (start_too, True, False),
        (stop, False, True),
        (stop_too, False, False),
        (start_too, True, True),
        (pause, "pause", True),
        (resume, True, True),
        (stop_too, False, True),
    ):
        assert admin.ask(message) == {"record": state, "info": ["record"]}
        if changes:
            assert holds(observer.until(lambda heard: "record" in heard), {"record": state})


def test_recording_steps_that_make_no_sense(admin: Client) -> None:
    *_, pause, resume = objects(document.RECORDING)
    for message in (pause, resume):
        assert holds(admin.ask(message), {"error": "Not available", "key": "record"})


def test_automatic_broadcasts(browser: Browser, server: Server) -> None:
    """Three of the document's clients: A changes, and all of them are told."""
    script = (
        document.BROWSER_CLASS.split("// Usage\n")[0]
        + f"""
const connected = (name) => {{
    const client = new RotoclearWebSocketClient({json.dumps(server.url)});
    client.connect('admin', {json.dumps(server.admin_password)});
    client.handleMessage = (data) => console.log(name, data);
    return client;
}};
const [clientA, clientB, clientC] = ['A', 'B', 'C'].map(connected);
"""
    )
    shown = answer(document.BROADCASTS)
    with browser.page(script) as page:
        for name in "ABC":
            page.until_logged(name, {"authenticated": True})
        page.evaluate(code(document.BROADCASTS))
        page.until_logged("A", {**shown, "info": list(shown)})
        for name in "ABC":
            page.until_logged(name, shown, exactly=True)


def test_all_kinds_of_clients_hear_each_other(
    browser: Browser, server: Server, admin: Client, tmp_path: Path
) -> None:
    """Node changes something, Chromium and Python are told; and the other way round."""
    with (
        browser.page(for_server(document.BROWSER_CLASS, server)) as page,
        run_example(server, tmp_path) as node,
    ):
        page.until_logged("Received:", {"authenticated": True})
        page.until_logged("Received:", {"cam1-light": True})
        admin.until({"record": True})
        page.evaluate("client.setBrightness(20)")
        admin.until({"brightness": 20})
        until_received(node, {"brightness": 20})


# Error handling


def test_permission_errors(page: Page) -> None:
    page.evaluate(document.PERMISSION_ERRORS)
    page.evaluate("ws.send(JSON.stringify({ brightness: 75 }))")
    page.until_logged("Error:", "Permission denied", kind="error")
    page.until_logged("Insufficient permissions for:", "brightness")


def test_validation_errors(admin_page: Page, observer: Client) -> None:
    admin_page.evaluate(code(document.VALIDATION_ERRORS))
    admin_page.until_logged("told", answer(document.VALIDATION_ERRORS))
    assert observer.get("brightness") == {"brightness": 50}


def test_check_of_the_connection(admin_page: Page, observer: Client) -> None:
    """The document's remedy for lost messages, while open and after."""
    admin_page.evaluate("""var message = '{"brightness": 44}'""")
    admin_page.evaluate(document.CHECK_STATE)
    observer.until({"brightness": 44})
    admin_page.evaluate("ws.close()")
    admin_page.wait("ws.readyState === WebSocket.CLOSED")
    admin_page.evaluate(document.CHECK_STATE)
    admin_page.until_logged("Not connected, state:", 3)
