"""One server and one Chromium for all examples; each finds the settings as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.browser import Browser, run_chromium
from tests.harness import Client, Server, holds

# None of these is what an example sets: every change is one.
NEUTRAL = {
    "brightness": 50,
    "contrast": 50,
    "sharpness": 50,
    "saturation": 40,
    "cam1-light": False,
    "cam2-light": False,
    "resolution": "1920x1080",
}


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("clients")) as server:
        yield server


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A running server that records nothing, with the lamps off and neutral pictures."""
    with shared_server.client("admin") as client:
        assert "error" not in client.ask({"record": False})
        assert holds(client.ask(NEUTRAL), NEUTRAL)
    return shared_server


@pytest.fixture
def observer(server: Server) -> Iterator[Client]:
    """Somebody else who is connected: anonymous, sees what is broadcast."""
    with server.client() as client:
        yield client


@pytest.fixture
def admin(server: Server) -> Iterator[Client]:
    """Somebody else who may change everything."""
    with server.client("admin") as client:
        yield client


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with run_chromium() as script:
        script.until(lambda line: isinstance(line, dict) and "ready" in line)
        yield Browser(script)
        script.finish()
