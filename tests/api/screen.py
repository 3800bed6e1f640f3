"""The live picture, played: a test says when there is one, and who looks can be counted."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred

from rotoclear.media.feed import Feed

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00the rest\xff\xd9"
SECOND = 10**9


@define(eq=False)
class PlayedEngine:
    """
    :class:`rotoclear.media.service.EngineService`, as far as viewers need it.

    :ivar watching: who watches; twice if somebody does so twice.
    :ivar needs: the cameras that are needed, 0 for the view.
    :ivar asked: requests, with what they are answered by.
    """

    watching: list = field(factory=list)
    needs: list[tuple[object, int]] = field(factory=list)
    asked: list[tuple[object, Deferred]] = field(factory=list)

    def watch(self, viewer: object) -> None:
        self.watching.append(viewer)

    def unwatch(self, viewer: object) -> None:
        self.watching.remove(viewer)

    def need(self, who: object, camera: int = 0) -> None:
        self.needs.append((who, camera))

    def done(self, who: object, camera: int = 0) -> None:
        self.needs.remove((who, camera))

    def ask(self, make: Callable[[int], object]) -> Deferred:
        answer: Deferred = Deferred()
        self.asked.append((make(7), answer))
        return answer

    def picture(self, jpeg: bytes = JPEG, time: int = SECOND) -> None:
        """There is a picture."""
        for viewer in list(self.watching):
            viewer.picture(jpeg, time)


class Screen(Feed):
    """The real thing over an engine that is played; it is 1000 s after 1970, all the time."""

    def __init__(self) -> None:
        self.engine = PlayedEngine()
        super().__init__(self.engine, lambda: 1000 * SECOND, lambda: SECOND)
