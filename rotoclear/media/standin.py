"""An engine that makes no pictures: the recorder's steps can be rehearsed with it."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from rotoclear.media.interfaces import Camera, IEngine
from rotoclear.state.errors import DeviceError


@implementer(IEngine)
class StandIn:
    """
    Asks the active head for a sign of life wherever an engine would need its picture.

    So a head that hangs or fails shows as it would with real pixels.

    :param camera: the active head, if it can be called now.
    """

    def __init__(self, camera: Callable[[], Camera | None]) -> None:
        self._camera = camera

    def start(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._probe())

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def pause(self) -> Deferred[None]:
        return succeed(None)

    def resume(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._probe())

    def snap(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._probe())

    async def _probe(self) -> None:
        camera = self._camera()
        if camera is None:
            raise DeviceError("The camera does not answer at the moment")
        await camera.call("probe")
