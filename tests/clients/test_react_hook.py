"""The document's React hook and component, bundled by esbuild, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.browser import Browser, Page, bundle
from tests.clients.document import REACT_HOOK, for_server
from tests.harness import Client, Server

# The example defines a component; somebody has to put it onto a page.
MOUNTED = """
import { createRoot } from 'react-dom/client';
const root = createRoot(document.getElementById('root'));
root.render(<CameraControl />);
globalThis.unmount = () => root.unmount();
"""


@pytest.fixture
def page(browser: Browser, server: Server, tmp_path: Path) -> Iterator[Page]:
    source = tmp_path / "example.jsx"
    source.write_text(for_server(REACT_HOOK, server) + MOUNTED)
    with browser.page(bundle(source)) as page:
        page.wait("document.body.innerText.includes('Connected: Yes')")
        yield page


def test_buttons(page: Page, observer: Client) -> None:
    """
    Each button changes the state, and what the server says is shown.

    The hook is "connected" before its login is answered; a click in between is
    a command right behind the credentials, which is handled after them.
    """
    page.click("Set Brightness 75%")
    observer.until({"brightness": 75})
    page.wait("document.body.innerText.includes('Brightness: 75')")
    page.click("Start Recording")
    observer.until({"record": True})


def test_others_changes_are_shown(page: Page, admin: Client) -> None:
    admin.ask({"brightness": 12})
    page.wait("document.body.innerText.includes('Brightness: 12')")


def test_unmounting_closes_the_connection(page: Page, admin: Client, server: Server) -> None:
    """Its clean-up closes the socket; the page forgets it without an error."""
    page.evaluate("unmount()")
    page.wait("document.getElementById('root').innerText === ''")
    admin.ask({"brightness": 13})
    assert page.reports("error") == []
