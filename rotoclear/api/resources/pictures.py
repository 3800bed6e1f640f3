"""The picture of this moment, and those that follow it: ``/api/snapshot``, ``/api/stream``."""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from rotoclear.api.context import ApiContext
from rotoclear.api.http_auth import PixelResource
from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import BUSY, INVALID_REQUEST, HttpError
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_resource import Answer
from rotoclear.api.mjpeg import CONTENT_TYPE, Stream, hand_over
from rotoclear.api.pictures import fps_limit
from rotoclear.state.errors import DEVICE_ERROR, INVALID_VALUE, NOT_AVAILABLE, DeviceError
from rotoclear.state.permissions import MEDIA_R

MOST: Final = 4
"""
Pictures of different quality or camera that are fetched at the same time.

Whoever asks for the same as somebody else gets the same.
"""

_SOON: Final = (b"Retry-After", b"1")
_JPEG: Final = b"image/jpeg"


class Snapshot(PixelResource):
    """``/api/snapshot``: the current picture. It is not stored; that is what ``snap`` is for."""

    def __init__(self, context: ApiContext, origins: Origins) -> None:
        super().__init__(context, origins)
        self._asked: dict[tuple[int, int], list[Deferred[bytes]]] = {}

    async def GET(self, call: Call) -> Answer:
        """A JPEG of ``?quality=``, of ``?camera=`` alone or of what is in view."""
        call.need(MEDIA_R)
        quality = _number(call, "quality", 1, 100)
        camera = _number(call, "camera", 1, 2)
        check_camera(self.context, camera)
        if quality is None:
            quality = int(self.context.model["jpeg-quality"])
        try:
            jpeg = await self._look(quality, camera or 0)
        except DeviceError as error:
            raise HttpError(503, DEVICE_ERROR, str(error), [_SOON]) from None
        return Answer(200, jpeg, _JPEG)

    def _look(self, quality: int, camera: int) -> Deferred[bytes]:
        mine: Deferred[bytes] = Deferred()
        what = (quality, camera)
        if what in self._asked:
            self._asked[what].append(mine)
            return mine
        if len(self._asked) >= MOST:
            raise HttpError(503, BUSY, "Too many pictures are being fetched right now", [_SOON])
        self._asked[what] = [mine]
        self.context.pictures.look(quality, camera).addBoth(self._looked, what)
        return mine

    def _looked(self, result: bytes | Failure, what: tuple[int, int]) -> None:
        for waiting in self._asked.pop(what):
            waiting.callback(result)


class StreamResource(PixelResource):
    """``/api/stream``: the live picture as MJPEG."""

    async def GET(self, call: Call) -> Answer | None:
        """Pictures until the client hangs up, or may not see them any more."""
        call.need(MEDIA_R)
        fps = fps_limit(call)
        check_camera(self.context, None)
        if call.request.method == b"HEAD":
            return Answer(200, b"", CONTENT_TYPE)
        self.context.check_place()
        if not call.request.gone:
            hand_over(call.request, Stream(self.context, call.session, fps))
        return None


def check_camera(context: ApiContext, camera: int | None) -> None:
    """
    The camera must be there.

    :param camera: ``None``: the active one.
    :raises HttpError: 409, it is not.
    """
    number = camera or context.model["main-camera"]
    if not context.model[f"cam{number}-exists"]:
        raise HttpError(409, NOT_AVAILABLE, f"Camera {number} is not plugged in")


def _number(call: Call, name: str, least: int, most: int) -> int | None:
    """
    A whole number of the query, ``None`` if it was not given.

    :raises HttpError: 400, it is none, or out of range.
    """
    values = call.arguments(name)
    if not values:
        return None
    if len(values) > 1:
        raise HttpError(400, INVALID_REQUEST, f"Send one ?{name}=")
    text = values[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise HttpError(400, INVALID_VALUE, f"{name} must be between {least} and {most}")
    return int(text)
