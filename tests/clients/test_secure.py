"""The document's clients over ``wss``, with a certificate from ``rotoclear cert``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import document
from tests.clients.browser import Browser, tool
from tests.clients.document import for_server
from tests.clients.test_node_class import run_example, until_received
from tests.harness import Script, Server
from tests.harness.server import ROOT


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that speaks nothing but TLS."""
    folder = tmp_path_factory.mktemp("secure")
    rotoclear = "from rotoclear.command.main import main; raise SystemExit(main())"
    command = [sys.executable, "-c", rotoclear, "cert", "--dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    key, certificate = folder / "server-key.pem", folder / "server-cert.pem"
    endpoint = f"ssl:{{port}}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    with Server(folder / "server", listen=[endpoint], certificate=certificate) as server:
        yield server


def test_browser(browser: Browser, server: Server) -> None:
    listening = """
ws.onmessage = (event) => console.log('told', JSON.parse(event.data));
ws.onopen = () => ws.send('{"get": ["brightness"]}');
"""
    with browser.page(for_server(document.SECURE, server) + listening) as page:
        page.until_logged("told", {"brightness": 50})


def test_node(server: Server, tmp_path: Path) -> None:
    certificate = str(server.certificate)
    with run_example(server, tmp_path, NODE_EXTRA_CA_CERTS=certificate) as script:
        until_received(script, {"record": True, "info": ["record"]})


def test_python(server: Server, tmp_path: Path) -> None:
    program = tmp_path / "example.py"
    program.write_text(for_server(document.PYTHON_CLASS, server))
    environment = {"SSL_CERT_FILE": str(server.certificate)}
    with Script([sys.executable, "-u", str(program)], env=environment) as script:
        script.until(lambda line: line == f"Connected to {server.url}")
        script.until(lambda line: str(line).startswith("Received: {'authenticated': True"))


def test_curl(server: Server) -> None:
    """The probe for the plain site, with ``https`` put in."""
    program, address = for_server(document.CHECK_SERVER, server).split()
    done = subprocess.run(
        [tool(program), "-sS", "--noproxy", "*", "--cacert", str(server.certificate), address],
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"version"' in done.stdout, done.stderr
