"""The four classes that the document recommends, in Chromium; reconnection: see test_restart."""

from __future__ import annotations

import json

from tests.clients.browser import Browser
from tests.clients.document import (
    AUTHENTICATION_STATE,
    HTTP_LOGIN,
    QUEUE,
    STORED_CREDENTIALS,
    THROTTLE,
    for_server,
)
from tests.harness import Client, Server


def authenticated_client(server: Server, credentials: str) -> str:
    """The class, and somebody who connects with it and reports what it is told."""
    return f"""
{for_server(AUTHENTICATION_STATE, server)}
const client = new AuthenticatedClient({json.dumps(server.url)}, {credentials});
client.connect();
client.ws.addEventListener('message', (event) => console.log('told', JSON.parse(event.data)));
"""


def test_authentication_state(browser: Browser, server: Server, observer: Client) -> None:
    credentials = json.dumps({"username": "admin", "password": server.admin_password})
    with browser.page(authenticated_client(server, credentials)) as page:
        page.until_logged("Authenticated and ready")
        assert page.evaluate("client.authenticated") is True
        page.evaluate("client.ws.send(JSON.stringify({ brightness: 61 }))")
        observer.until({"brightness": 61})


def test_authentication_state_when_refused(browser: Browser, server: Server) -> None:
    """It stays as it was: connected, and not ready."""
    credentials = json.dumps({"username": "nobody", "password": "not the password"})
    with browser.page(authenticated_client(server, credentials)) as page:
        page.until_logged("told", {"authenticated": False, "error": "Invalid credentials"})
        assert page.evaluate("client.authenticated") is False
        assert page.evaluate("client.ws.readyState === WebSocket.OPEN") is True


def test_stored_token(browser: Browser, server: Server, observer: Client) -> None:
    """The document's stored credentials: a name and a token, instead of a password."""
    script = (
        f"sessionStorage.setItem('authToken', {json.dumps(server.login())});\n"
        + for_server(STORED_CREDENTIALS, server)
        + authenticated_client(server, "credentials")
    )
    with browser.page(script) as page:
        page.until_logged("told", {"authenticated": True, "username": "admin"})
        page.until_logged("Authenticated and ready")
        page.evaluate("client.ws.send(JSON.stringify({ brightness: 62 }))")
        observer.until({"brightness": 62})


def test_http_login_then_token(browser: Browser, server: Server, observer: Client) -> None:
    """
    The document's two steps: a token from ``/api/login``, and a connection with it.

    Its address is relative, so the page must come from the server itself. The
    example does not listen to the answer; a listener is appended.
    """
    listening = """
ws.onmessage = (event) => console.log('told', JSON.parse(event.data));
globalThis.ws = ws;
"""
    script = for_server(HTTP_LOGIN, server) + listening
    with browser.page(script, module=True, origin=server.http) as page:
        page.until_logged("told", {"authenticated": True, "username": "admin"})
        page.evaluate("ws.send(JSON.stringify({ brightness: 63 }))")
        observer.until({"brightness": 63})


def test_queue(browser: Browser, server: Server, observer: Client) -> None:
    """
    What was sent while disconnected arrives in the order sent, the login first.

    The class has no ``connect`` and nobody calls its ``onConnect``: the test does both.
    """
    script = f"""
{for_server(QUEUE, server)}
const client = new QueuedWebSocketClient({json.dumps(server.url)});
client.send({{ username: 'admin', password: {json.dumps(server.admin_password)} }});
client.send({{ brightness: 10 }});
client.send({{ contrast: 20 }});
client.send({{ brightness: 30 }});
console.log('queued', client.messageQueue.length);
client.ws = new WebSocket(client.url);
client.ws.onmessage = (event) => console.log('told', JSON.parse(event.data));
client.ws.onopen = () => client.onConnect();
"""
    with browser.page(script) as page:
        page.until_logged("queued", 4)
        for answer in (
            {"authenticated": True},
            {"brightness": 10, "info": ["brightness"]},
            {"contrast": 20, "info": ["contrast"]},
            {"brightness": 30, "info": ["brightness"]},
        ):
            page.until_logged("told", answer)
        assert page.evaluate("client.messageQueue.length") == 0
        page.evaluate("client.send({ brightness: 40 })")
        page.until_logged("told", {"brightness": 40, "info": ["brightness"]})
    observer.until({"contrast": 20})
    observer.until({"brightness": 40})


def test_throttle(browser: Browser, server: Server) -> None:
    """
    A slider's many values become one message with the last of each.

    The class has no ``connect`` either. (Its timer starts anew with each call:
    while the slider moves nothing is sent at all.)
    """
    script = f"""
{for_server(THROTTLE, server)}
const client = new ThrottledClient({json.dumps(server.url)});
client.ws = new WebSocket(client.url);
client.ws.onmessage = (event) => console.log('told', JSON.parse(event.data));
client.ws.onopen = () => {{
    client.ws.send(JSON.stringify({{
        username: 'admin', password: {json.dumps(server.admin_password)}
    }}));
    for (let value = 0; value <= 70; value++) client.send({{ brightness: value }});
    client.send({{ contrast: 71 }});
}};
"""
    with browser.page(script) as page:
        page.until(
            lambda values: (
                values[0] == "told"
                and sorted(values[1].get("info", ())) == ["brightness", "contrast"]
                and (values[1]["brightness"], values[1]["contrast"]) == (70, 71)
            )
        )
        confirmations = [values for values in page.reports() if "info" in values[1]]
        assert len(confirmations) == 1
