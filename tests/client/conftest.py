"""The servers that both faces are tried on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.faces import FACES, Face
from tests.client.proxy import Proxy
from tests.harness import Client, Server, holds
from tests.harness.server import ROOT


@pytest.fixture(params=sorted(FACES))
def face(request: pytest.FixtureRequest) -> Face:
    """One of the two."""
    return FACES[request.param]()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server; a test that kills it starts it again."""
    with Server(tmp_path_factory.mktemp("client")) as server:
        with server.client("admin") as admin:
            small = {"resolution": "640x480", "fps": 5}
            assert holds(admin.ask(small), small)
        yield server


@pytest.fixture
def pictures(server: Server) -> Iterator[None]:
    """Somebody looks on: camera and engine run, and need not be started within two seconds."""
    url = server.url.replace("/api/v1", "/api/live")
    with Client(url, limit=40.0) as viewer:
        viewer.send({"token": server.login()})
        while isinstance(viewer.socket.recv(timeout=40), str):
            pass
        yield


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A network between the client and the server."""
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture(scope="package")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a certificate of its own making; its name is not 127.0.0.2."""
    folder = tmp_path_factory.mktemp("secure-client")
    rotoclear = "from rotoclear.command.main import main; raise SystemExit(main())"
    command = [sys.executable, "-c", rotoclear, "cert", "--dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    key, certificate = folder / "server-key.pem", folder / "server-cert.pem"
    listen = [
        f"ssl:{{port}}:interface={host}:privateKey={key}:certKey={certificate}"
        for host in ("127.0.0.1", "127.0.0.2")
    ]
    with Server(folder / "server", listen=listen, certificate=certificate) as server:
        yield server


@pytest.fixture
def other_certificate(tmp_path: Path) -> Path:
    """A certificate that no server has."""
    rotoclear = "from rotoclear.command.main import main; raise SystemExit(main())"
    command = [sys.executable, "-c", rotoclear, "cert", "--dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return tmp_path / "server-cert.pem"
