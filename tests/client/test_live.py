"""The live picture, on a network in memory."""

from __future__ import annotations

from typing import Any

from rotoclear.client.core import Options
from rotoclear.client.errors import Closed, Disconnected, LoginRefused, PermissionDenied
from rotoclear.client.live import Live, frame_of
from tests.client.memory import Line, Network, Outcome

SAID = b'{"number": 7, "taken": 1795526117.5}'
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    + b"\xff\xfe"
    + (len(SAID) + 2).to_bytes(2, "big")
    + SAID
    + b"\xff\xda\x00\x02\xff\xd9"
)


def picture(number: int) -> bytes:
    return JPEG.replace(b'"number": 7', b'"number": %d' % number)


class Viewer:
    def __init__(self, token: str | None = "t-1", **options: Any) -> None:
        self.network = Network()
        self.token = token
        self.live = Live(self.network, lambda: self.token, Options(**options), lambda: 1.0)

    def next(self) -> Outcome:
        return Outcome(self.live.next())

    def let_in(self) -> Line:
        line = self.network.line
        line.link.opened()
        assert line.take() == {"token": self.token}
        line.tell({"authenticated": True, "permissions": ["Media_r"]})
        return line


def test_what_a_picture_says() -> None:
    frame = frame_of(JPEG)
    assert (frame.number, frame.taken) == (7, 1795526117.5)
    assert frame.jpeg == JPEG
    for broken in (b"", b"\xff\xd8", JPEG[:30], JPEG.replace(b"number", b"nombre")):
        assert frame_of(broken).number == 0


def test_newest_only() -> None:
    viewer = Viewer()
    first = viewer.next()
    line = viewer.let_in()
    assert line.path == "/api/live"
    for number in (1, 2, 3):
        line.link.received(picture(number))
    assert first.value.number == 1
    assert viewer.next().value.number == 3
    waiting = viewer.next()
    assert waiting.pending
    line.link.received(picture(4))
    assert waiting.value.number == 4


def test_comes_back() -> None:
    viewer = Viewer()
    viewer.next()
    viewer.let_in().link.received(JPEG)
    waiting = viewer.next()
    viewer.network.line.break_()
    viewer.token = "t-2"
    viewer.network.clock.advance(1)
    viewer.let_in().link.received(JPEG)
    assert waiting.value.number == 7


def test_does_not_try_for_ever_what_never_worked() -> None:
    viewer = Viewer()
    waiting = viewer.next()
    viewer.network.line.break_()
    assert isinstance(waiting.error, Disconnected)
    assert not viewer.network.clock.getDelayedCalls()


def test_may_not_look() -> None:
    viewer = Viewer(token=None)
    waiting = viewer.next()
    viewer.network.line.link.opened()
    assert isinstance(waiting.error, LoginRefused)

    viewer = Viewer()
    waiting = viewer.next()
    line = viewer.let_in()
    line.tell({"error": "Permission denied", "message": "Seeing pictures takes Media_r"})
    assert isinstance(waiting.error, PermissionDenied)
    assert line.dropped

    viewer = Viewer()
    waiting = viewer.next()
    viewer.network.line.link.opened()
    viewer.network.line.tell({"authenticated": False, "error": "Invalid credentials"})
    assert isinstance(waiting.error, LoginRefused)


def test_silence_is_questioned() -> None:
    """Without a camera there are no pictures; only without a server is there no answer."""
    viewer = Viewer(silence=10.0, patience=5.0)
    viewer.next()
    line = viewer.let_in()
    line.link.received(JPEG)
    waiting = viewer.next()
    viewer.network.clock.advance(10.1)
    assert line.take() == {"token": "t-1"}
    line.tell({"authenticated": True, "permissions": ["Media_r"]})
    viewer.network.clock.advance(5)
    assert not line.dropped
    viewer.network.clock.advance(10)
    viewer.network.clock.advance(5)
    assert line.dropped
    assert waiting.pending


def test_ending() -> None:
    viewer = Viewer()
    waiting = viewer.next()
    line = viewer.let_in()
    viewer.live.end(Closed("enough"))
    assert isinstance(waiting.error, Closed)
    assert line.dropped
    assert isinstance(viewer.next().error, Closed)
    assert not viewer.network.clock.getDelayedCalls()
