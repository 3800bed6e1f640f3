"""The live picture with a real server, real sockets and real clients."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.clients.browser import tool
from tests.harness import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.login()


def viewers(server: Server, token: str) -> int:
    """How many the engine shows live pictures: the feed, or nobody."""
    count: int = server.request("GET", "/api/status", token=token).json()["engine"]["viewers"]
    return count


def await_nobody(server: Server, token: str) -> None:
    deadline = time.monotonic() + 10
    while viewers(server, token):
        assert time.monotonic() < deadline, "somebody is still shown pictures"
        time.sleep(0.02)


def stream(server: Server, token: str) -> socket.socket:
    """A raw connection that has asked for the stream, and has read the answer's status."""
    connection = socket.create_connection(("127.0.0.1", server.port), 10)
    connection.sendall(
        f"GET /api/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def test_a_client_that_never_reads_beside_one_that_does(server: Server, token: str) -> None:
    with stream(server, token), connect(f"ws://{server.address}/api/live") as quick:
        quick.send(json.dumps({"token": token}))
        assert json.loads(quick.recv(timeout=10))["authenticated"] is True
        numbers = []
        for _ in range(60):
            picture = quick.recv(timeout=5)
            assert isinstance(picture, bytes)
            assert picture.startswith(b"\xff\xd8")
            comment = picture[24 : 22 + int.from_bytes(picture[22:24], "big")]
            numbers.append(json.loads(comment)["number"])
        assert viewers(server, token) == 1
    assert numbers == sorted(set(numbers))
    await_nobody(server, token)


def test_the_end_of_the_token_ends_the_stream(server: Server) -> None:
    token = server.login()
    with stream(server, token) as connection:
        assert server.request("POST", "/api/logout", token=token).status == 204
        connection.settimeout(10)
        try:
            while connection.recv(2**20):
                pass
        except ConnectionResetError:
            pass
    await_nobody(server, server.login())


def test_abrupt_ends(server: Server, token: str) -> None:
    for _ in range(5):
        connections = [stream(server, token) for _ in range(5)]
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
    await_nobody(server, token)


def test_curl(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "picture.jpg"
    user = f"admin:{server.admin_password}"
    command = [tool("curl"), "-sSf", "-u", user, "-o", str(file), f"{server.http}/api/snapshot"]
    subprocess.run(command, check=True, timeout=20)
    assert file.read_bytes().startswith(b"\xff\xd8")


def test_ffprobe(server: Server) -> None:
    """It asks without a password first, and understands the challenge."""
    url = f"http://admin:{server.admin_password}@{server.address}/api/stream"
    command = [tool("ffprobe"), "-v", "error", "-f", "mpjpeg", "-show_streams", "-of", "json", url]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    (found,) = json.loads(done.stdout)["streams"]
    assert (found["codec_name"], found["width"], found["height"]) == ("mjpeg", 1920, 1080)


def test_wrong_basic(server: Server) -> None:
    text = base64.b64encode(b"admin:a guess").decode()
    answer = server.request("GET", "/api/stream", headers={"Authorization": f"Basic {text}"})
    assert answer.status == 401
