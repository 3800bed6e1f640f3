"""The live picture, as the wire needs to know it, and when it is to be shown to whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import HttpError
from rotoclear.state.errors import INVALID_VALUE

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rotoclear.api.metrics import Metrics
from rotoclear.api.picture_outbox import PictureOutbox

FASTEST: Final = 1000.0
"""Pictures a second that a client may name as its limit."""


class Picture(Protocol):
    """A live picture, shared by everybody who looks, as :class:`rotoclear.media.feed.Picture`."""

    @property
    def jpeg(self) -> bytes:
        """It."""

    @property
    def number(self) -> int:
        """Counts them."""

    @property
    def time(self) -> int:
        """When it was taken: nanoseconds of a monotonic clock."""

    @property
    def taken(self) -> float:
        """Likewise, in seconds since 1970."""

    def framed(self, frame: Callable[[Picture], bytes]) -> bytes:
        """What a function makes of it; called once, however many want the same."""


class Spectator(Protocol):
    """Somebody who looks."""

    def show(self, picture: Picture) -> None:
        """Here is a picture."""


class Pictures(Protocol):
    """Where live pictures come from, as :class:`rotoclear.media.feed.Feed`."""

    @property
    def count(self) -> int:
        """How many look."""

    def join(self, spectator: Spectator) -> None:
        """Show it every picture from now on."""

    def leave(self, spectator: Spectator) -> None:
        """Show it no more; it need not have joined."""

    def look(self, quality: int, camera: int = 0) -> Deferred[bytes]:
        """The next picture as JPEG, of that camera or (0) of the view; fails with DeviceError."""


class Viewing:
    """
    One client's live picture.

    :param frame: how a picture goes over the wire; one function for all clients of a kind.
    :param fps: the most pictures a second that it wants; ``None``: all.
    :param metrics: counts what is shown.
    """

    def __init__(
        self,
        pictures: Pictures,
        outbox: PictureOutbox,
        frame: Callable[[Picture], bytes],
        fps: float | None,
        metrics: Metrics,
    ) -> None:
        self._pictures = pictures
        self._outbox = outbox
        self._frame = frame
        self._period = 0 if fps is None else round(1e9 / fps)
        self._due = 0
        self._metrics = metrics

    def start(self) -> None:
        """Begin. Not twice."""
        self._pictures.join(self)

    def stop(self) -> None:
        """End; as often as one likes."""
        self._pictures.leave(self)
        self._outbox.drop()

    def show(self, picture: Picture) -> None:
        """See :class:`Spectator`."""
        if self._period:
            # A picture that comes a little early, as pictures do, is not too early.
            if picture.time < self._due - self._period // 8:
                return
            self._due = max(self._due + self._period, picture.time)
        self._metrics.pictures_shown += 1
        self._metrics.pictures_skipped += self._outbox.show(picture.framed(self._frame))


def fps_limit(call: Call) -> float | None:
    """
    ``?fps=``: the most pictures a second that a client wants.

    :raises HttpError: 400, it is none.
    """
    values = call.arguments("fps")
    if not values:
        return None
    try:
        fps = float(values[-1])
    except ValueError:
        fps = 0.0
    if not 0 < fps <= FASTEST:
        raise HttpError(
            400, INVALID_VALUE, f"fps must be a number of pictures a second, up to {FASTEST:.0f}"
        )
    return fps
