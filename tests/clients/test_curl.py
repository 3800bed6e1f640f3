"""The document's probes with curl."""

from __future__ import annotations

import json
import shlex
import subprocess

from tests.clients.browser import tool
from tests.clients.document import CHECK_ENDPOINT, CHECK_SERVER, for_server
from tests.harness import Server


def run(probe: str, server: Server) -> str:
    """The probe as it stands, but quiet, with a limit, and past any proxy."""
    program, *arguments = shlex.split(for_server(probe, server))
    done = subprocess.run(
        [tool(program), "-sS", "--max-time", "10", "--noproxy", "*", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_is_the_server_running(server: Server) -> None:
    status = json.loads(run(CHECK_SERVER, server))
    assert status["name"]
    assert status["version"]


def test_is_the_endpoint_there(server: Server) -> None:
    """It asks for an upgrade without a key: refused, in words that help, and at once."""
    head, _, body = run(CHECK_ENDPOINT, server).partition("\n\n")
    assert head.startswith("HTTP/1.1 400 ")
    refusal = json.loads(body)
    assert refusal["error"]
    assert "Sec-WebSocket-Key" in refusal["message"]
