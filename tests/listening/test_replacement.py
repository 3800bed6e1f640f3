"""A certificate that is replaced while clients are busy, seen from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from cryptography import x509
from websockets.asyncio.client import ClientConnection, connect

from rotoclear.listening.descriptions import CertificateFiles
from tests.harness import Server
from tests.listening.pairs import make_pair, serial

BUSY = 10
"""Clients that ask one question after the other, all the time."""

PAUSE = 0.05
"""Seconds between two questions of one client."""

LIMIT = 60.0
"""Seconds after which nothing is waited for any longer."""


def test_replaced_under_load(tmp_path: Path) -> None:
    """
    Nobody is dropped, and who comes later sees the new one.

    A half one changes nothing, and health says so while it is there.
    """
    files = make_pair(tmp_path / "served")
    endpoint = f"ssl:{{port}}:privateKey={files.key}:certKey={files.certificate}"
    with Server(
        tmp_path,
        "[limits]\nmessage-rate = 10000\n",
        listen=(f"{endpoint}:interface=127.0.0.1",),
        certificate=files.certificate,
    ) as server:
        asyncio.run(asyncio.wait_for(_replace(server, files, tmp_path), LIMIT))


async def _replace(server: Server, files: CertificateFiles, folder: Path) -> None:
    async with _busy(server.port) as progress:
        before = serial(files)
        assert await _served(server.port) == before

        good = files.certificate.read_bytes()
        files.certificate.write_bytes(good[: len(good) // 2])
        await _until(lambda: _state(server.port, "failed"))
        assert await _served(server.port) == before
        await progress()

        new = make_pair(folder / "new")
        for name in ("key", "certificate"):
            os.replace(getattr(new, name), getattr(files, name))
        await _until(lambda: _serves(server.port, serial(files)))
        await _until(lambda: _state(server.port, "ok"))
        await progress()


@contextlib.asynccontextmanager
async def _busy(port: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Clients on connections of their own; call what is given to wait until each was answered."""
    counts = [0] * BUSY
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(_connect(port)) for _ in range(BUSY)]

        async def ask(number: int, socket: ClientConnection) -> None:
            while True:
                await socket.send('{"get": ["brightness"]}')
                await socket.recv()
                counts[number] += 1
                await asyncio.sleep(PAUSE)

        tasks = [asyncio.create_task(ask(*numbered)) for numbered in enumerate(sockets)]

        async def progress() -> None:
            seen = list(counts)
            while not all(now > then for now, then in zip(counts, seen, strict=True)):
                # Who was dropped has ended.
                for task in tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.01)

        try:
            await progress()
            yield progress
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def _blind() -> ssl.SSLContext:
    """Trusts everybody: which certificate it was is looked at afterwards."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connect(port: int) -> connect:
    return connect(f"wss://127.0.0.1:{port}/api/v1", ssl=_blind())


async def _served(port: int) -> int:
    """The serial number of the certificate that a new connection is shown."""
    await asyncio.sleep(PAUSE)
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=_blind())
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


async def _serves(port: int, wanted: int) -> bool:
    return await _served(port) == wanted


async def _state(port: int, wanted: str) -> bool:
    """Whether health says so of the certificates."""
    await asyncio.sleep(PAUSE)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=_blind())
    writer.write(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    parts = json.loads(answer.partition(b"\r\n\r\n")[2])["parts"]
    state: str = parts["tls"]["state"]
    return state == wanted


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():
        pass
