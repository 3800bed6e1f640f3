"""What the process that pushes trusts: certificates, when the address begins with ``rtsps``."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rotoclear.listening.descriptions import CertificateFiles
from rotoclear.media.engine import pushing
from rotoclear.processes.framing import Unpacker, pack
from tests.listening.pairs import make_pair
from tests.media.rtsp.played import Encoder

LIMIT = 20.0

MAIN = "import os; os.dup2({}, 3); from rotoclear.media.engine.publisher import main; main()"
"""The publisher; the library holds Python's lock while it connects."""


class Other:
    """A server that speaks TLS, and hangs up after the first request."""

    def __init__(self, files: CertificateFiles) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(files.certificate, files.key)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.heard: list[bytes] = []
        self.url = f"rtsps://joe:s3cret@localhost:{self.socket.getsockname()[1]}/machine"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as connection:
                    self.heard.append(connection.recv(1 << 16))
            except OSError:
                pass  # it does not trust us


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return make_pair(tmp_path)


@pytest.fixture
def other(files: CertificateFiles) -> Iterator[Other]:
    server = Other(files)
    yield server
    server.socket.close()


def push(other: Other, authorities: str) -> str:
    """Why it could not be pushed, from a process of its own; the address is in no line of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN.format(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        theirs.close()
        data, key = Encoder().next()
        ours.sendall(pack(pushing.Begin(other.url, authorities), pushing.MAX_MESSAGE))
        ours.sendall(pack(pushing.Packet(0, key, data), pushing.MAX_MESSAGE))
        ours.settimeout(LIMIT)
        unpacker = Unpacker(pushing.FromPublisher, pushing.MAX_MESSAGE)
        said = []
        while data := ours.recv(1 << 16):
            said += unpacker.feed(data)
        assert process.communicate(timeout=LIMIT) == (b"", None)
    ready, failed = said
    assert isinstance(ready, pushing.Ready)
    assert "s3cret" not in failed.reason
    return str(failed.reason)


def test_a_certificate_that_is_trusted(other: Other, files: CertificateFiles) -> None:
    assert "certificate" not in push(other, str(files.certificate))
    assert other.heard[-1].startswith(b"OPTIONS rtsps://localhost")


def test_one_that_is_not(other: Other, tmp_path: Path) -> None:
    for authorities in ("", str(tmp_path / "nothing.pem")):
        assert "certificate" in push(other, authorities)
        assert not any(other.heard), "it has told them something"
