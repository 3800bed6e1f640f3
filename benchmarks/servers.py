"""The servers that are measured: ours, and the same small one on other libraries."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.process import cores, pinned
from rotoclear.listening.certificates import make_self_signed
from tests.harness import Server

HERE = Path(__file__).parent
TOOLS = HERE / ".peers"

CONFIGURATION = """\
[limits]
connections = 10000
"""
"""As it comes, but with places for all: the last tenth are not for anonymous ones."""

FLAT_OUT = """\
message-rate = 1000000
message-burst = 1000000
"""
"""One client may change as much as it can: it is the others that are measured."""

START = 20.0
"""Seconds that a server may take to start."""


@frozen
class Running:
    """
    A server that takes connections.

    :ivar login: what a client sends first, if it is to change something.
    """

    pid: int
    port: int
    login: str | None = None


class Pinned(Server):
    """Ours, on the first core."""

    def command(self) -> list[str]:
        return pinned(cores()[0]) + super().command()


@contextmanager
def rotoclear(flat_out: bool = False, tls: bool = False) -> Iterator[Running]:
    """The real server, with simulated cameras and a data folder of its own."""
    with TemporaryDirectory(prefix="rotoclear-bench-") as name:
        folder = Path(name)
        listen = "tcp:{port}:interface=127.0.0.1"
        if tls:
            key, certificate = make_self_signed(folder, [], False, datetime.now(UTC))
            listen = f"ssl:{{port}}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
        configuration = CONFIGURATION + FLAT_OUT if flat_out else CONFIGURATION
        with Pinned(folder / "server", configuration, listen=[listen]) as server:
            login = {"username": "admin", "password": server.admin_password}
            yield Running(server.pid, server.port, json.dumps(login))


@contextmanager
def unpinned() -> Iterator[Running]:
    """The same on all cores, as it is used: there is more than one process at work."""
    with (
        TemporaryDirectory(prefix="rotoclear-bench-") as name,
        Server(Path(name) / "server", CONFIGURATION) as server,
    ):
        login = {"username": "admin", "password": server.admin_password}
        yield Running(server.pid, server.port, json.dumps(login))


@contextmanager
def started(command: Sequence[str]) -> Iterator[Running]:
    """
    A server that is told its port as its last argument.

    :raises RuntimeError: it does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*pinned(cores()[0]), *command, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _await_port(process, port)
        yield Running(process.pid, port)
    finally:
        process.kill()
        process.communicate()


def _await_port(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[1].strip().rpartition("\n")[2])
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"no answer in {START:.0f} s")


def peers() -> dict[str, list[str]]:
    """The command of each server that ours is compared with, by its name."""
    python = str(_python())
    commands = {
        path.stem.removesuffix("_peer").replace("_", " "): [python, str(path)]
        for path in sorted((HERE / "peers").glob("*_peer.py"))
    }
    node = shutil.which("node")
    if node and shutil.which("npm"):
        commands["ws (Node)"] = [node, str(_node_peer())]
    return commands


def _python() -> Path:
    """An interpreter that has them all: this one, or one made for them."""
    program = "import aiohttp, autobahn, tornado, twisted, websockets"
    has_all = subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL).returncode
    if has_all == 0:
        return Path(sys.executable)
    python = TOOLS / "bin" / "python"
    if not python.exists():
        venv.create(TOOLS, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"],
            check=True,
        )
    return python


def _node_peer() -> Path:
    """Node looks for modules beside the program: both are put into one folder."""
    program = TOOLS / "ws_peer.cjs"
    TOOLS.mkdir(exist_ok=True)
    if not (TOOLS / "node_modules" / "ws").exists():
        shutil.copy(HERE / "package.json", TOOLS)
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=TOOLS, check=True
        )
    shutil.copy(HERE / "peers" / "ws_peer.cjs", program)
    return program
