"""The document's Python class, with ``websockets``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.clients.document import PYTHON_CLASS, for_server
from tests.harness import Client, Script, Server, holds


def test_as_it_stands(server: Server, admin: Client, tmp_path: Path) -> None:
    """
    The example's ``main`` logs in and hears of every change.

    A flaw of its own: ``connect`` ends with ``await self.listen()``, which
    returns only when the connection is closed. So ``main`` never comes to the
    commands behind it; the next test calls them.
    """
    program = tmp_path / "example.py"
    program.write_text(for_server(PYTHON_CLASS, server))
    with Script([sys.executable, "-u", str(program)]) as script:
        script.until(lambda line: line == f"Connected to {server.url}")
        script.until(lambda line: line == "Authentication sent")
        script.until(lambda line: str(line).startswith("Received: {'authenticated': True"))
        admin.ask({"brightness": 80})
        script.until(lambda line: line == "Brightness changed to: 80")
        admin.ask({"record": True})
        script.until(lambda line: line == "Recording state: True")
        assert admin.get("cam1-light") == {"cam1-light": False}


def test_methods(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """Its methods, with ``connect`` running beside them as a task."""
    example = ModuleType("example")
    exec(for_server(PYTHON_CLASS, server), example.__dict__)  # noqa: S102

    async def drive() -> None:
        messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        class Heard(example.RotoclearWebSocketClient):  # type: ignore[misc, name-defined]
            async def handle_message(self, data: dict[str, Any]) -> None:
                await super().handle_message(data)
                messages.put_nowait(data)

        async def until(wanted: dict[str, object]) -> None:
            while not holds(await messages.get(), wanted):
                pass

        client = Heard(server.url, username="admin", password=server.admin_password)
        connected = asyncio.create_task(client.connect())
        await until({"authenticated": True})
        for call, change in (
            (client.set_light(1, True), {"cam1-light": True}),
            (client.set_light(2, True), {"cam2-light": True}),
            (client.set_brightness(75), {"brightness": 75}),
            (client.set_resolution("1280x720"), {"resolution": "1280x720"}),
            (client.start_recording(), {"record": True}),
            (client.stop_recording(), {"record": False}),
            (client.take_snapshot(), {"snap": True}),
        ):
            await call
            await until({**change, "info": list(change)})
        await client.ws.close()
        await connected

    asyncio.run(asyncio.wait_for(drive(), 20))
    assert "Brightness changed to: 75" in capsys.readouterr().out
