"""The document's Node class, with ``ws``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.clients.browser import run_node
from tests.clients.document import NODE_CLASS, for_server
from tests.harness import Client, Script, Server, holds


def run_example(server: Server, folder: Path, **env: str) -> Script:
    """Run it as it stands, with these variables set."""
    script = folder / "example.js"
    script.write_text(for_server(NODE_CLASS, server))
    return run_node(script, **env)


def received(line: object) -> dict[str, object] | None:
    """The message that a printed ``Received:`` is about."""
    match line:
        case {"log": ["Received:", dict(message)]}:
            return message
    return None


def until_received(script: Script, wanted: Mapping[str, object]) -> None:
    """Wait until it has printed such a message."""
    script.until(lambda line: holds(received(line), wanted))


def test_as_it_stands(server: Server, observer: Client, tmp_path: Path) -> None:
    """
    It logs in and sends three commands right behind.

    They are handled in that order, each with the rights that the login gave.
    """
    with run_example(server, tmp_path) as script:
        script.until(lambda line: line == {"log": ["Connected"]})
        for answer in (
            {"authenticated": True},
            {"cam1-light": True, "info": ["cam1-light"]},
            {"brightness": 75, "info": ["brightness"]},
            {"record": True, "info": ["record"]},
        ):
            until_received(script, answer)
        assert not [line for line in script.seen if "error" in (received(line) or line)]
    for change in ({"cam1-light": True}, {"brightness": 75}, {"record": True}):
        observer.until(change)
