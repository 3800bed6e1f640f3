"""Films and pictures that the server has stored, as it lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from attrs import frozen

Kind = Literal["recordings", "snapshots"]

KINDS: Final[tuple[Kind, ...]] = ("recordings", "snapshots")

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}", re.ASCII)
_NAME: Final = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._ -]{0,199}", re.ASCII)


@frozen(kw_only=True)
class Entry:
    """
    A film or a picture.

    :ivar kind: ``"recordings"`` or ``"snapshots"``.
    :ivar began: when, UTC.
    :ivar ended: ``None`` while it is being recorded.
    :ivar duration: seconds.
    :ivar size: bytes.
    :ivar camera: 1 or 2; 0 if nobody knows.
    :ivar file: its path on the volume.
    :ivar available: it can be fetched.
    :ivar state: ``"recording"``, ``"complete"``, ``"interrupted"``, ``"recovered"``
        or ``"damaged"``.
    :ivar reason: why it ended if nobody asked it to.
    :ivar sha256: of the file, in hexadecimal; may be empty for a while.
    :ivar continues: id of the film that it goes on with.
    """

    kind: Kind
    id: str
    began: datetime
    ended: datetime | None = None
    duration: float = 0.0
    size: int = 0
    width: int = 0
    height: int = 0
    fps: int = 0
    camera: int = 0
    volume: str = ""
    file: str = ""
    available: bool = False
    state: str = ""
    reason: str = ""
    sha256: str = ""
    user: str = ""
    continues: str = ""

    @property
    def name(self) -> str:
        """What to call the file here: a plain name, whatever the server says."""
        name = PurePosixPath(self.file).name
        if _NAME.fullmatch(name):
            return name
        return f"{self.id}.{'mp4' if self.kind == 'recordings' else 'jpg'}"

    @property
    def path(self) -> str:
        """Where it is on the server."""
        return file_path(self.kind, self.id)


@frozen
class Page:
    """
    A part of the catalogue.

    :ivar entries: the newest first.
    :ivar total: how many there are on all pages.
    :ivar next: what to ask for as ``before`` to get the next page; ``None``: it was the last.
    """

    entries: tuple[Entry, ...]
    total: int
    next: str | None


def list_path(kind: Kind, limit: int, before: str) -> str:
    """
    Where a page is.

    :raises ValueError: there is none such.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} must be 'recordings' or 'snapshots'")
    if not 1 <= limit <= 500:
        raise ValueError("limit must be between 1 and 500")
    path = f"/api/{kind}?limit={limit}"
    return f"{path}&before={_checked(before)}" if before else path


def file_path(kind: Kind, id_: str) -> str:
    """
    Where a file is.

    :raises ValueError: that is no id.
    """
    return f"/api/{kind}/{_checked(id_)}"


def page_of(kind: Kind, answer: object) -> Page:
    """
    A page.

    :raises ValueError: it is none.
    """
    try:
        assert isinstance(answer, dict)  # noqa: S101 - like any other thing that it lacks
        rows, total, next_ = answer[kind], answer["total"], answer["next"]
        entries = tuple(_entry(kind, row) for row in rows)
        return Page(entries, int(total), None if next_ is None else str(next_))
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"The server's list makes no sense: {error!r}") from None


def _entry(kind: Kind, row: Mapping[str, Any]) -> Entry:
    ended = row.get("ended")
    return Entry(
        kind=kind,
        id=_checked(row["id"]),
        began=datetime.fromisoformat(row["began"]),
        ended=None if ended is None else datetime.fromisoformat(ended),
        duration=float(row.get("duration") or 0.0),
        size=int(row.get("size") or 0),
        width=int(row.get("width") or 0),
        height=int(row.get("height") or 0),
        fps=int(row.get("fps") or 0),
        camera=int(row.get("camera") or 0),
        available=row.get("available") is True,
        **{
            name: str(row.get(name) or "")
            for name in ("volume", "file", "state", "reason", "sha256", "user", "continues")
        },
    )


def _checked(id_: str) -> str:
    if not _ID.fullmatch(id_):
        raise ValueError(f"{id_!r} is no id of a recording or a snapshot")
    return id_
