"""One Chromium for a file; each test has a server of its own, or resets the one it shares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.console.desk import launch
from tests.harness import Server, holds

NEUTRAL = {
    "main-camera": 1,
    "cam1-light": True,
    "cam2-light": False,
    "cam1-sensor": 1,
    "cam2-sensor": 1,
    "resolution": "1280x720",
    "fps": 30,
    "pip-mode": "off",
    "brightness": 50,
    "contrast": 50,
    "sharpness": 50,
    "saturation": 50,
    "gain": 50,
    "red-gain": 50,
    "blue-gain": 50,
    "auto-exposure": False,
    "auto-white-balance": False,
    "noise-supression": False,
}
"""A picture on which each control can be seen."""


# Not for the whole session: while playwright is there its asyncio loop counts as the one that runs
# in this thread, and what else uses asyncio is misled.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("console")) as server:
        token = server.login()
        for role in ("operator", "viewer"):
            new = {"name": role, "role": role, "password": f"password of {role}"}
            assert server.request("POST", "/api/users", new, token=token).status == 201
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A running server that records nothing, with a picture on which each control can be seen."""
    with shared_server.client("admin") as client:
        assert "error" not in client.ask({"record": False})
        # One after another: some depend on others.
        for key, value in NEUTRAL.items():
            answer = client.ask({key: value})
            assert holds(answer, {key: value}), answer
    return shared_server


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[Server]:
    """A server at its first start."""
    with Server(tmp_path) as server:
        yield server
