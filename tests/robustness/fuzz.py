"""Bad input, a lot of it, over live connections."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.harness import Server
from tests.robustness.answers import Answer, Case, Expected, Unanswered, check
from tests.robustness.bystander import Bystander
from tests.robustness.messages import Messages
from tests.robustness.offences import offence
from tests.robustness.people import PEOPLE, add_people
from tests.robustness.rawsocket import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    RSV1,
    Ended,
    RawSocket,
    deflated,
    frame,
)
from tests.robustness.vitals import Flat

CONFIG: Final = """
[limits]
message-rate = 1000000
message-burst = 1000000
message-waiting = 1000000
login-failures = 1000
login-window = 1.0
"""
"""For storms: what a client may send is no concern of theirs."""

BATCH: Final = 40
"""Messages that are sent before their answers are read."""

BATCH_BYTES: Final = 150_000
"""Less than what the server lets wait (four times the largest message)."""

WARM_UP: Final = 0.2
"""The part of a storm after which the server's memory must not grow any more."""


def bad_input(folder: Path, count: int, seed: int = 1) -> Iterator[str]:
    """
    Send so many generated messages, on one connection after another.

    Between them stand empty queries that tell where the answers to one end.
    Every message is answered, or the connection is closed with the right
    code; a bystander is served all the while; the memory stays flat.

    :return: lines for people.
    """
    with Server(folder, CONFIG) as server:
        tokens = add_people(server)
        with Bystander(server, tokens["administrator"]) as bystander:
            storm = Storm(server, tokens, seed)
            storm.run(int(count * WARM_UP))
            flat = Flat(server.pid)
            bystander.seen()
            storm.run(count, bystander)
            yield f"{storm.sent} messages (seed {seed}), {storm.closed} connections closed"
            yield ", ".join(f"{kind} {number}" for kind, number in sorted(storm.kinds.items()))
            yield ", ".join(f"{code}: {number}" for code, number in sorted(storm.codes.items()))
            yield str(bystander.seen())
            yield flat.check()


class Storm:
    """
    Sends and checks.

    :param tokens: by role.
    :ivar sent: messages so far.
    :ivar closed: connections that were closed for an offence.
    :ivar kinds: messages by kind.
    :ivar codes: closed connections by close code.
    """

    def __init__(self, server: Server, tokens: Mapping[str, str], seed: int) -> None:
        self._server = server
        self._tokens = tokens
        self._random = random.Random(seed)
        self._seed = seed
        self._ends = map("the end of {}".format, itertools.count())
        self.sent = 0
        self.closed = 0
        self.kinds: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()

    def run(self, count: int, bystander: Bystander | None = None) -> None:
        """Go on until so many have been sent; half-way the bystander must be served."""
        half = (self.sent + count) // 2
        while self.sent < count:
            try:
                self._connection(count)
            except (Unanswered, Ended, TimeoutError) as error:
                raise AssertionError(
                    f"seed {self._seed}, after {self.sent} messages: {error!r}\n{error}"
                ) from error
            if bystander is not None and self.sent >= half:
                bystander.is_served()
                bystander = None

    def _connection(self, count: int) -> None:
        draw = self._random
        deflate = draw.random() < 0.3
        role = draw.choice([*PEOPLE, "anonymous"])
        token = self._tokens.get(role)
        messages = Messages(draw, role, token)
        with RawSocket(self._server, deflate=deflate) as connection:
            if token is not None:
                connection.sendall(frame(json.dumps({"token": token}).encode()))
                while "authenticated" not in (answer := json.loads(connection.receive())):
                    pass
                assert answer["role"] == role, answer
            for _ in range(draw.randint(0, 5)):
                self._batch(connection, self._some(messages), deflate=deflate)
                if self.sent >= count:
                    break
            match draw.randrange(8):
                case 0:
                    connection.abort()
                case 1:
                    # In the middle of a message.
                    connection.sendall(frame(b"{" * draw.randint(1, 500))[:-1])
                case _:
                    self._offend(connection, deflate)

    def _some(self, messages: Iterator[Case] | Messages) -> list[Case]:
        """A batch."""
        batch: list[Case] = []
        size = 0
        for case in messages:
            size += len(case.payload)
            if batch and size > BATCH_BYTES:
                break
            batch.append(case)
            if len(batch) == BATCH:
                break
        return batch

    def _batch(self, connection: RawSocket, batch: list[Case], *, deflate: bool) -> None:
        """Send some messages, then read and check all their answers."""
        cases: list[tuple[Case, str]] = []
        wire = bytearray()
        for plain in batch:
            case, data = self._dressed(plain, deflate)
            end = next(self._ends)
            wire += data + frame(json.dumps({"get": [], "id": end}).encode())
            cases.append((case, end))
            self.kinds[case.kind] += 1
        self._send(connection, bytes(wire))
        for case, end in cases:
            answers: list[Answer] = []
            while True:
                try:
                    answer = json.loads(connection.receive())
                except (Ended, TimeoutError) as error:
                    raise Unanswered(
                        f"{error!r} instead of an answer to {case.payload[:2000]!r}; "
                        f"before it: {answers!s:.2000}"
                    ) from error
                if answer.get("id") == end:
                    break
                answers.append(answer)
            check(case, answers)
        self.sent += len(cases)

    def _dressed(self, case: Case, deflate: bool) -> tuple[Case, bytes]:
        """A message in frames: one or several, deflated, with pings between."""
        draw = self._random
        payload = case.payload
        if draw.random() < 0.03:
            case = Case("binary", payload, Expected(True))
            return case, frame(payload, BINARY)
        rsv = 0
        if deflate and draw.random() < 0.6:
            rsv, payload = RSV1, deflated(payload)
        if draw.random() < 0.7 or len(payload) < 2:
            return case, frame(payload, rsv=rsv)
        cuts = sorted(draw.sample(range(len(payload)), min(draw.randint(1, 4), len(payload))))
        pieces = [payload[a:b] for a, b in itertools.pairwise([0, *cuts, len(payload)])]
        wire = frame(pieces[0], fin=False, rsv=rsv)
        for piece in pieces[1:-1]:
            wire += frame(piece, CONTINUATION, fin=False)
            wire += draw.choice([b"", frame(b"are you there", PING), frame(b"", PONG)])
        return case, wire + frame(pieces[-1], CONTINUATION)

    def _send(self, connection: RawSocket, wire: bytes) -> None:
        """In one piece, or in several that are no frames."""
        draw = self._random
        if draw.random() < 0.7:
            connection.sendall(wire)
            return
        cuts = sorted(draw.sample(range(len(wire)), min(7, len(wire))))
        for start, end in itertools.pairwise([0, *cuts, len(wire)]):
            connection.sendall(wire[start:end])

    def _offend(self, connection: RawSocket, deflate: bool) -> None:
        """Do what ends the connection."""
        offending = offence(self._random, deflate=deflate)
        try:
            connection.sendall(offending.wire)
        except OSError:
            # It was enough before all of it was sent.
            pass
        try:
            code = connection.ended()
        except TimeoutError as error:
            raise Unanswered(f"{offending.what}: still open; {offending.wire[:200]!r}") from error
        if code not in offending.codes:
            raise Unanswered(
                f"{offending.what}: closed with {code}, not with {offending.codes}; "
                f"{offending.wire[:200]!r}"
            )
        self.closed += 1
        self.codes[str(code)] += 1
