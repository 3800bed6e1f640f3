"""What comes over TCP that is hardly HTTP: garbage, half handshakes, one byte at a time."""

from __future__ import annotations

import contextlib
import random
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.harness import Server
from tests.robustness.bystander import Bystander
from tests.robustness.people import add_people
from tests.robustness.rawsocket import abort, connect, handshake
from tests.robustness.vitals import Flat

REQUEST_LIMIT: Final = 60
"""Seconds that a request may take to arrive (``rotoclear.api.site.TIMEOUT``)."""


def garbage(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """So many connections with bytes that mean nothing; each is closed or can be."""
    draw = random.Random(seed)
    with Server(folder) as server:
        tokens = add_people(server)
        with Bystander(server, tokens["administrator"]) as bystander:
            for _ in range(count // 5):
                _throw(server, draw)
            flat = Flat(server.pid)
            bystander.seen()
            for number in range(count):
                if number == count // 2:
                    bystander.is_served()
                _throw(server, draw)
            yield f"{count} connections with garbage (seed {seed})"
            yield str(bystander.seen())
            yield flat.check()


def _throw(server: Server, draw: random.Random) -> None:
    """Send something, look at what comes of it, hang up."""
    data = _rubbish(draw)
    connection = connect(server)
    with contextlib.suppress(OSError):
        cut = draw.randrange(len(data) + 1)
        connection.sendall(data[:cut])
        connection.sendall(data[cut:])
        match draw.randrange(4):
            case 0:
                # Wait for its opinion.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass
            case 1:
                if select.select([connection], [], [], 0)[0]:
                    connection.recv(65_536)
    if draw.random() < 0.5:
        abort(connection)
    else:
        connection.close()


def _rubbish(draw: random.Random) -> bytes:
    whole = handshake()
    match draw.randrange(9):
        case 0:
            return draw.randbytes(draw.choice([1, 100, 5000, 100_000]))
        case 1:
            return whole[: draw.randrange(1, len(whole))]
        case 2:
            spoilt = bytearray(whole)
            for _ in range(draw.randint(1, 6)):
                spoilt[draw.randrange(len(spoilt))] = draw.randrange(256)
            return bytes(spoilt)
        case 3:
            return whole + draw.randbytes(draw.randint(1, 3000))
        case 4:
            return whole * draw.randint(2, 5)
        case 5:
            # TLS, SSH and HTTP/2 at the wrong door.
            return draw.choice(
                [
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(500),
                    b"SSH-2.0-OpenSSH_9.2\r\n",
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
                ]
            )
        case 6:
            return b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * draw.choice([10, 499, 501, 5000])
        case 7:
            return b"GET /" + b"a" * draw.choice([16_000, 16_384, 200_000])
    return draw.choice(
        [b"\r\n" * 5000, b"\0" * 5000, b"\n", b"GET\r\n\r\n", b" / HTTP/1.1\r\n\r\n"]
    )


def slow_loris(folder: Path, count: int, *, to_the_end: bool) -> Iterator[str]:
    """
    So many connections that send a request byte by byte, and never finish it.

    A bystander is served meanwhile, and new ones are let in.

    :param to_the_end: wait until the server has had enough of each of them.
    """
    with Server(folder) as server:
        tokens = add_people(server)
        with Bystander(server, tokens["administrator"]) as bystander:
            flat = Flat(server.pid, bound=count * 65_536 + 2**23)
            whole = handshake()
            slow = [(connect(server), whole[: 1 + n % (len(whole) - 1)]) for n in range(count)]
            try:
                for step in range(len(whole)):
                    for connection, part in slow:
                        if step < len(part):
                            connection.sendall(part[step : step + 1])
                    if step == len(whole) // 2:
                        bystander.is_served()
                bystander.is_served()
                with server.client() as client:
                    assert client.get("fps").keys() == {"fps"}
                yield f"{count} connections, one byte at a time"
                yield str(bystander.seen())
                if to_the_end:
                    yield _let_go([connection for connection, _ in slow])
            finally:
                for connection, _ in slow:
                    connection.close()
            yield flat.check()


def _let_go(connections: list[socket.socket]) -> str:
    """Keep sending a byte now and then until the server has closed all of them."""
    began = time.monotonic()
    open_ = set(connections)
    while open_:
        took = time.monotonic() - began
        assert took < REQUEST_LIMIT + 20, f"{len(open_)} are open after {took:.0f} s"
        ready, _, _ = select.select(list(open_), [], [], 1.0)
        for connection in ready:
            with contextlib.suppress(OSError):
                if connection.recv(65_536):
                    continue
            open_.discard(connection)
        for connection in list(open_):
            # A letter more of a header's value, or of its name.
            with contextlib.suppress(OSError):
                connection.sendall(b"a")
    return f"all of them closed by the server within {time.monotonic() - began:.0f} s"
