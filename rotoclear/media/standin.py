"""An engine that makes no files: the recorder's steps can be rehearsed with it."""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from rotoclear.media.interfaces import Camera, IEngine
from rotoclear.state.errors import DeviceError


@implementer(IEngine)
class StandIn:
    """
    Has the active head take pictures wherever an engine would, and throws them away.

    So the camera runs while a recording does, and a head that hangs or fails shows
    as it would with a real engine.

    :param camera: the active head, if it can be called now.
    """

    _log = Logger()

    def __init__(self, camera: Callable[[], Camera | None]) -> None:
        self._camera = camera
        self._recording = False
        self._watched: Camera | None = None
        self._view: socket.socket | None = None

    def start(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._record())

    def stop(self) -> Deferred[None]:
        self._close()
        return succeed(None)

    def pause(self) -> Deferred[None]:
        self._close()
        return succeed(None)

    def resume(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._record())

    def snap(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._snap())

    def follow(self) -> None:
        """Perhaps another head is the active one now: a recording goes on with that."""
        camera = self._camera()
        if not self._recording or camera is self._watched:
            return
        self._close()
        self._recording = True
        self._watched = camera
        if camera is not None:
            camera.view().addCallbacks(
                self._followed, self._lost, callbackArgs=(camera,), errbackArgs=(camera,)
            )

    async def _record(self) -> None:
        camera = self._active()
        # Nobody reads from it: frames that find no room are lost, and that is all.
        view = await camera.view()
        try:
            await camera.call("capture")
        except BaseException:
            view.close()
            raise
        self._close()
        self._recording = True
        self._watched, self._view = camera, view
        self.follow()

    async def _snap(self) -> None:
        await self._active().call("capture")

    def _active(self) -> Camera:
        camera = self._camera()
        if camera is None:
            raise DeviceError("The camera does not answer at the moment")
        return camera

    def _followed(self, view: socket.socket, camera: Camera) -> None:
        if self._recording and camera is self._watched:
            self._view = view
        else:
            view.close()

    def _lost(self, failure: Failure, camera: Camera) -> None:
        """A head that has gone ends the recording, or comes back; the recorder sees to that."""
        self._log.warn("no pictures: {why}", why=failure.getErrorMessage())
        if camera is self._watched:
            self._watched = None

    def _close(self) -> None:
        view, self._view = self._view, None
        self._recording, self._watched = False, None
        if view is not None:
            view.close()
