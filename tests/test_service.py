"""The whole server, started and stopped for real."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from rotoclear.config import Configuration
from rotoclear.errors import StartError
from rotoclear.service import make_service
from tests.harness import Server, ServerFailed


class Reactor:
    """One that is never run."""

    seconds = staticmethod(time.time)


class TestMake:
    def test_clock(self, tmp_path: Path) -> None:
        """No time-out may depend on the wall clock, which jumps."""
        reactor = Reactor()
        make_service(reactor, Configuration(), tmp_path, [])
        assert reactor.seconds is time.monotonic

    def test_damaged_database(self, tmp_path: Path) -> None:
        """Found out before twistd becomes a daemon."""
        (tmp_path / "rotoclear.db").write_bytes(b"no database" * 1000)
        with pytest.raises(StartError, match=r"rotoclear\.db"):
            make_service(Reactor(), Configuration(), tmp_path, [])


class TestRunning:
    def test_first_answer_is_true(self, tmp_path: Path) -> None:
        """Nobody is let in before the cameras are known."""
        with Server(tmp_path) as server, server.client() as client:
            assert client.get("cam1-exists", "cam2-exists") == {
                "cam1-exists": True,
                "cam2-exists": True,
            }

    def test_answers_before_the_handshake(self, tmp_path: Path) -> None:
        """A connection that has served HTTP becomes a WebSocket only behind its answers."""
        requests = (
            b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
            b"GET /api/v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            b'\x81\x8b\0\0\0\0{"get": []}'
        )
        with (
            Server(tmp_path) as server,
            socket.create_connection(("127.0.0.1", server.port), 10) as connection,
        ):
            connection.sendall(requests)
            received = b""
            while not received.endswith(b"\x81\x02{}"):
                received += connection.recv(2**16)
            assert received.startswith(b"HTTP/1.1 200 ")
            assert b"}HTTP/1.1 101 " in received

    def test_stop(self, tmp_path: Path) -> None:
        """Clients are told (1001), the exit is clean, and nothing is left behind."""
        with Server(tmp_path) as server:
            client = server.client()
            client.get("fps")
            assert server.terminate() in (0, -signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                client.receive()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            assert not list(tmp_path.rglob("control.sock"))

    def test_cannot_start(self, tmp_path: Path) -> None:
        """What only shows once it runs ends it, with a line that says why."""
        server = Server(tmp_path)
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "initial-admin-password").mkdir()
        with pytest.raises(ServerFailed, match="initial-admin-password"), server:
            pass
