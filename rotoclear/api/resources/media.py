"""Films and pictures that are stored: ``/api/recordings``, ``/api/snapshots``."""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

import base64
import datetime
import re
from typing import TYPE_CHECKING, Final

from twisted.web.resource import IResource

from rotoclear.api.context import ApiContext
from rotoclear.api.download import Download
from rotoclear.api.http_auth import PixelResource
from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import BUSY, INVALID_REQUEST, NOT_FOUND, HttpError
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_range import Span, Unsatisfiable, names, requested
from rotoclear.api.http_request import Request
from rotoclear.api.http_resource import Answer, Missing
from rotoclear.state.errors import DEVICE_ERROR, NOT_AVAILABLE, DeviceError, NotAvailable
from rotoclear.state.permissions import MEDIA_R, MEDIA_RW

if TYPE_CHECKING:
    from rotoclear.api.library import File
    from rotoclear.media.catalogue import Entry, Kind

PAGE: Final = 50
"""Rows of a page, if nobody says otherwise."""

MOST: Final = 500
"""Rows of the largest page."""

DOWNLOADS: Final = 64
"""Files that are sent at once."""

_ID: Final = re.compile(rb"[0-9A-Za-z-]{1,64}")
_LIMIT: Final = re.compile(r"[0-9]{1,4}", re.ASCII)
_NAME: Final = re.compile(r"[^0-9A-Za-z._-]")

NOT_SATISFIABLE: Final = "Range not satisfiable"


class Media(PixelResource):
    """
    The catalogue of one kind, and below it the files by their ids.

    :param kind: ``"recording"`` or ``"snapshot"``.
    """

    def __init__(self, kind: Kind, context: ApiContext, origins: Origins) -> None:
        super().__init__(context, origins)
        self._kind = kind
        self._downloads: set[Call] = set()

    def getChild(self, path: bytes, request: Request) -> IResource:
        """One of them."""
        if not _ID.fullmatch(path):
            return Missing(self.context, self.origins)
        id_ = path.decode("ascii")
        return OneMedia(self._kind, id_, self._downloads, self.context, self.origins)

    async def GET(self, call: Call) -> Answer:
        """A page, the newest first."""
        call.need(MEDIA_R, MEDIA_RW)
        limit, before = _limit(call), _last(call, "before")
        library = self.context.library
        rows = await library.page(self._kind, limit + 1, before)
        if rows is None:
            raise HttpError(
                400, INVALID_REQUEST, "There is no entry of the id before; begin with the newest"
            )
        shown = rows[:limit]
        return Answer(
            200,
            {
                f"{self._kind}s": [_row(entry, available) for entry, available in shown],
                "total": await library.count(self._kind),
                "next": shown[-1][0].id if len(rows) > limit else None,
            },
        )


class OneMedia(PixelResource):
    """One film or picture."""

    def __init__(
        self,
        kind: Kind,
        id_: str,
        downloads: set[Call],
        context: ApiContext,
        origins: Origins,
    ) -> None:
        super().__init__(context, origins)
        self._kind = kind
        self._id = id_
        self._downloads = downloads

    async def GET(self, call: Call) -> Answer | None:
        """The file, or a part of it."""
        call.need(MEDIA_R, MEDIA_RW)
        if len(self._downloads) >= DOWNLOADS:
            raise HttpError(
                503, BUSY, f"{DOWNLOADS} files are being sent already", [(b"Retry-After", b"5")]
            )
        self._downloads.add(call)  # before anything is waited for: the file takes a handle
        try:
            await self._send(call)
        finally:
            self._downloads.discard(call)
        return None

    async def _send(self, call: Call) -> None:
        try:
            found = await self.context.library.open(self._kind, self._id)
        except (NotAvailable, DeviceError) as error:
            raise _http(error) from None
        if found is None:
            raise self._nothing()
        entry, file = found
        try:
            span = _head(call.request, entry, file)
        except BaseException:
            file.close()
            raise
        if span is None:
            file.close()
            if not call.request.gone:
                call.request.finish()
            return
        stall = self.context.configuration.limits.stall
        await Download(self.context.reactor, call.request, file, span, stall, call.session).run()

    async def DELETE(self, call: Call) -> Answer:
        """Remove it: the file, too, unless its volume is lost and it is to be forgotten."""
        call.need(MEDIA_RW)
        by = call.session.username if call.session is not None else ""
        try:
            removed = await self.context.library.remove(
                self._kind, self._id, by, forget=_switch(call, "forget")
            )
        except (NotAvailable, DeviceError) as error:
            raise _http(error) from None
        if not removed:
            raise self._nothing()
        return Answer(204)

    def _nothing(self) -> HttpError:
        return HttpError(404, NOT_FOUND, f"There is no {self._kind} of this id")


def _head(request: Request, entry: Entry, file: File) -> Span | None:
    """
    Set the head of the answer.

    :return: what is to be sent; ``None``: the head is all.
    :raises HttpError: 416, the file has nothing there.
    """
    tag = f'"{entry.id}-{file.size}"'.encode("ascii")
    request.setHeader(b"ETag", tag)
    request.setHeader(b"Accept-Ranges", b"bytes")
    if names(request.getHeader(b"If-None-Match"), tag):
        request.setResponseCode(304)
        return None
    ranged = request.getHeader(b"Range") if request.method == b"GET" else None
    if request.getHeader(b"If-Range") not in (None, tag):
        ranged = None
    try:
        part = requested(ranged, file.size)
    except Unsatisfiable:
        whole = b"bytes */%d" % file.size
        raise HttpError(
            416, NOT_SATISFIABLE, f"It has {file.size} bytes", [(b"Content-Range", whole)]
        ) from None
    span = part or Span(0, file.size)
    if part is not None:
        request.setResponseCode(206)
        shown = b"bytes %d-%d/%d" % (part.begin, part.end - 1, file.size)
        request.setHeader(b"Content-Range", shown)
    name = _NAME.sub("_", entry.file.rpartition("/")[2])
    kind = b"video/mp4" if entry.kind == "recording" else b"image/jpeg"
    request.setHeader(b"Content-Type", kind)
    request.setHeader(b"Content-Length", b"%d" % (span.end - span.begin))
    request.setHeader(b"Content-Disposition", f'attachment; filename="{name}"'.encode("ascii"))
    if entry.sha256:  # RFC 9530
        digest = base64.b64encode(bytes.fromhex(entry.sha256))
        request.setHeader(b"Repr-Digest", b"sha-256=:%s:" % digest)
    return None if request.method == b"HEAD" else span


def _row(entry: Entry, available: bool) -> dict[str, object]:
    return {
        "id": entry.id,
        "began": _iso(entry.began),
        "ended": None if entry.ended is None else _iso(entry.ended),
        "duration": round(entry.duration, 3),
        "size": entry.size,
        "width": entry.width,
        "height": entry.height,
        "fps": entry.rate,
        "camera": entry.camera,
        "volume": entry.volume_name,
        "file": entry.file,
        "available": available,
        "state": entry.state,
        "reason": entry.reason,
        "sha256": entry.sha256,
        "user": entry.user,
        "continues": entry.continues,
        "url": f"/api/{entry.kind}s/{entry.id}",
    }


def _iso(seconds: float) -> str:
    """RFC 3339, in UTC, with milliseconds."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _http(error: NotAvailable | DeviceError) -> HttpError:
    if isinstance(error, NotAvailable):
        return HttpError(409, NOT_AVAILABLE, str(error))
    return HttpError(502, DEVICE_ERROR, str(error))


def _limit(call: Call) -> int:
    text = _last(call, "limit") or str(PAGE)
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= MOST:
        raise HttpError(400, INVALID_REQUEST, f"limit must be 1 to {MOST}")
    return int(text)


def _switch(call: Call, name: str) -> bool:
    text = _last(call, name) or "false"
    if text not in ("true", "false"):
        raise HttpError(400, INVALID_REQUEST, f"{name} must be true or false")
    return text == "true"


def _last(call: Call, name: str) -> str:
    return (call.arguments(name) or [""])[-1]
