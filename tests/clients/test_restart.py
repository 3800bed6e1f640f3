"""The document's clients, and a server that goes away and comes back."""

from __future__ import annotations

import json
from pathlib import Path

from tests.clients import document
from tests.clients.browser import Browser
from tests.clients.document import for_server
from tests.clients.test_node_class import run_example
from tests.harness import Server

SNIPPET = """
const connectWebSocket = () => console.log('again');
const ws = new WebSocket(%(url)s);
ws.onopen = () => console.log('open');
"""


def test_restart_and_power_cut(browser: Browser, tmp_path: Path) -> None:
    """
    Restarted, then killed: the recommended class and the browser class come back by themselves.

    The browser class waits 5 s before each try; it is told to wait less, by the
    property that it has for that. The Node class has no reconnection ("Reconnect
    logic here"): it says that the connection is closed, and ends.
    """
    with Server(tmp_path / "server") as server:
        robust = f"""
{for_server(document.RECONNECTION, server)}
const client = new RobustWebSocketClient({json.dumps(server.url)});
client.connect();
"""
        snippet = SNIPPET % {"url": json.dumps(server.url)} + document.CONNECTION_ERRORS
        with (
            browser.page(robust) as recommended,
            browser.page(for_server(document.BROWSER_CLASS, server)) as basic,
            browser.page(snippet) as bare,
            run_example(server, tmp_path) as node,
        ):
            recommended.until_logged("Connected")
            bare.until_logged("open")
            basic.until_logged("Received:", {"record": True})
            basic.evaluate("client.reconnectInterval = 200")

            server.restart()

            bare.until_logged("Connection closed:", 1001)
            node.until(lambda line: line == {"log": ["Connection closed"]})
            assert node.wait() == 0
            basic.until_logged("WebSocket closed, reconnecting...")
            basic.until_logged("WebSocket connected")
            basic.until_logged("Received:", {"authenticated": True})
            recommended.until_logged("Reconnecting in 1000ms...")
            recommended.until_logged("Connected")
            assert recommended.evaluate("client.reconnectDelay") == 1000

            with server.client("admin") as admin:
                # The Node example's settings are back, its recording is not resumed.
                kept = {"cam1-light": True, "brightness": 75, "record": False}
                assert admin.get(*kept) == kept

            server.kill()
            server.start()

            basic.until_logged("WebSocket connected")
            basic.until_logged("Received:", {"authenticated": True})
            recommended.until_logged("Connected")
            bare.until_logged("again")
