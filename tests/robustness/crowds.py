"""Clients that send too much, read nothing, or only come and go."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.harness import Server
from tests.robustness.bystander import Bystander
from tests.robustness.people import add_people
from tests.robustness.rawsocket import (
    CLOSE,
    RawSocket,
    abort,
    connect,
    frame,
    handshake,
)
from tests.robustness.vitals import MIB, Flat, resident, until

POLICY: Final = 1008

BACKLOG: Final = 16_384
STALL: Final = 1

QUERIES: Final = 300
"""For everything, as many as may wait: 200 KB of answers, if the server went on answering."""


def floods(folder: Path, count: int) -> Iterator[str]:
    """
    With the default limits: so many clients, each of which sends ten times what it may.

    Each is closed with 1008; a bystander is served while they are at it, and
    nothing of what was dropped runs later.
    """
    with Server(folder) as server:
        tokens = add_people(server)
        with Bystander(server, tokens["administrator"]) as bystander:
            login = frame(json.dumps({"token": tokens["operator"]}).encode())
            flat: Flat | None = None
            for number in range(count):
                with RawSocket(server) as flooder:
                    flooder.sendall(login)
                    flooder.receive()
                    for value in range(1000):
                        try:
                            flooder.sendall(frame(b'{"gain": %d}' % (value % 100)))
                        except OSError:
                            break
                    if number == count // 2:
                        bystander.is_served()
                    code = flooder.ended()
                    assert code == POLICY, f"closed with {code}"
                if number == count // 4:
                    flat = Flat(server.pid)
            with server.client() as client:
                before = client.get("gain")
                bystander.is_served()
                assert client.get("gain") == before, "what was dropped runs"
            yield f"{count} floods, each closed with {POLICY}"
            yield str(bystander.seen())
            if flat is not None:
                yield flat.check()


def comings_and_goings(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """Connections that end in every way, at every stage. Nothing is left of them."""
    draw = random.Random(seed)
    with Server(folder) as server:
        tokens = add_people(server)
        login = frame(json.dumps({"token": tokens["viewer"]}).encode())
        with Bystander(server, tokens["administrator"]) as bystander:
            _come_and_go(server, draw, login, count // 5)
            flat = Flat(server.pid)
            bystander.seen()
            _come_and_go(server, draw, login, count)
            bystander.is_served()
            until(lambda: _connections(server, tokens["administrator"]) == 2, "only the bystander")
            yield f"{count} connections opened and closed (seed {seed})"
            yield str(bystander.seen())
            yield flat.check()


def _come_and_go(server: Server, draw: random.Random, login: bytes, count: int) -> None:
    for _ in range(count):
        stage = draw.randrange(4)
        if stage == 0:
            connection = connect(server)
            if draw.random() < 0.5:
                whole = handshake()
                connection.sendall(whole[: draw.randrange(len(whole))])
            if draw.random() < 0.5:
                abort(connection)
            else:
                connection.close()
            continue
        client = RawSocket(server, deflate=draw.random() < 0.5)
        if stage > 1:
            client.sendall(login)
        if stage > 2:
            client.receive()
            client.sendall(frame(b'{"get": "*"}'))
        match draw.randrange(3):
            case 0:
                client.abort()
            case 1:
                client.close()
            case _:
                client.sendall(frame(b"\x03\xe8", CLOSE))
                client.ended()
                client.close()


def _connections(server: Server, token: str) -> int:
    """How many the server says there are."""
    text = server.request("GET", "/metrics", token=token).text()
    return sum(
        int(float(line.split()[-1]))
        for line in text.splitlines()
        if line.startswith("rotoclear_connections{")
    )


def silent_readers(folder: Path, count: int, changes: int) -> Iterator[str]:
    """
    So many clients that read nothing, while a storm of changes is told to all.

    They ask for a lot besides. The server's memory grows by no more than their
    backlogs, a bystander is served, and when they have read nothing for the
    stall limit they are closed.
    """
    config = f"""
[limits]
message-rate = 1000000
backlog = {BACKLOG}
stall = {STALL}
"""
    with Server(folder, config) as server:
        tokens = add_people(server)
        with (
            Bystander(server, tokens["administrator"]) as bystander,
            RawSocket(server) as setter,
        ):
            setter.sendall(frame(json.dumps({"token": tokens["operator"]}).encode()))
            setter.receive()
            _storm(setter, changes // 10)
            silent = [RawSocket(server, receive_buffer=4096) for _ in range(count)]
            before = resident(server.pid)
            try:
                for client in silent:
                    client.sendall(frame(b'{"get": "*"}') * QUERIES)
                bystander.is_served()
                bystander.seen()
                grown = 0
                for _ in range(10):
                    _storm(setter, changes // 10)
                    grown = max(grown, resident(server.pid) - before)
                bystander.is_served()
                bound = count * 4 * BACKLOG + MIB
                assert grown <= bound, f"It grew by {grown / MIB:.1f} MiB"
                administrator = tokens["administrator"]
                until(lambda: _connections(server, administrator) == 3, "the others only")
                for client in silent:
                    # What the kernels had kept for it comes, then the end, without a close frame.
                    assert client.ended() is None
            finally:
                for client in silent:
                    client.close()
            bystander.is_served()
            yield f"{count} silent readers, {changes} changes"
            yield f"RSS grew by {grown / MIB:.1f} MiB at most (bound {bound / MIB:.1f} MiB)"
            yield str(bystander.seen())


def _storm(setter: RawSocket, changes: int) -> None:
    """Change as fast as it is confirmed."""
    for number in range(changes):
        payload = json.dumps({"brightness": number % 101, "id": number}).encode()
        setter.sendall(frame(payload))
        while json.loads(setter.receive()).get("id") != number:
            pass
