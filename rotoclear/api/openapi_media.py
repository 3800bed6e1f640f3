"""Stored films and pictures, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Final

from rotoclear.api.openapi_parts import PIXELS, Operation, json_body, operation, refusal
from rotoclear.api.schemas import array, record, reference, text
from rotoclear.values import Schema

_ID: Final[Operation] = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The entry's id.",
    "schema": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,64}$"},
}

_LIMIT: Final[Operation] = {
    "name": "limit",
    "in": "query",
    "description": "How many entries.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 50},
}

_BEFORE: Final[Operation] = {
    "name": "before",
    "in": "query",
    "description": "The `next` of the page before: the entries that are older than this one.",
    "schema": {"type": "string"},
}

_RANGE: Final[Operation] = {
    "name": "Range",
    "in": "header",
    "description": "One range of bytes: `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LENGTH`.",
    "schema": {"type": "string"},
}

_HEADERS: Final = {
    "ETag": "Its version, for `If-Range` and `If-None-Match`.",
    "Content-Disposition": "What to call it.",
}

_FORGET: Final[Operation] = {
    "name": "forget",
    "in": "query",
    "description": "If its volume is not there, remove the entry alone: it is lost for good.",
    "schema": {"type": "boolean", "default": False},
}

STATES: Final = ("recording", "interrupted", "complete", "recovered", "damaged")


def media_paths() -> dict[str, dict[str, object]]:
    """Every path of stored films and pictures."""
    return {
        **_of("recording", "Recording", "video/mp4"),
        **_of("snapshot", "Snapshot", "image/jpeg"),
    }


def _of(kind: str, name: str, content_type: str) -> dict[str, dict[str, object]]:
    page = record(
        {
            f"{kind}s": array(reference("StoredMedia"), "The newest first."),
            "total": {"type": "integer", "description": "How many there are in all."},
            "next": {
                "type": ["string", "null"],
                "description": "The `before` of the next page; `null`: this is the last.",
            },
        }
    )
    return {
        f"/api/{kind}s": {
            "get": operation(
                "media",
                f"list{name}s",
                f"List the {kind}s",
                {"200": json_body("A page of them.", page)},
                who=PIXELS,
                parameters=(_LIMIT, _BEFORE),
                refusals=("400", "403", "429", "503"),
                doc="Takes `Media_r`.",
            )
        },
        f"/api/{kind}s/{{id}}": {
            "parameters": [_ID],
            "get": operation(
                "media",
                f"get{name}",
                f"Fetch a {kind}",
                {
                    "200": _file("All of it.", content_type),
                    "206": _file("The part that was asked for.", content_type, part=True),
                    "304": {"description": "It is the version that `If-None-Match` names."},
                    "416": refusal("The file has nothing there.", Content_Range="How large it is."),
                },
                who=PIXELS,
                parameters=(_RANGE,),
                refusals=("400", "403", "404", "409", "429", "502", "503"),
                doc=(
                    "Takes `Media_r`. 409: it is being recorded, or its volume is not there; "
                    "the message says so."
                ),
            ),
            "delete": operation(
                "media",
                f"remove{name}",
                f"Remove a {kind}",
                {"204": {"description": "It is removed, the file too."}},
                parameters=(_FORGET,),
                refusals=("400", "403", "404", "409", "502"),
                doc=(
                    "Takes `Media_rw`. 409: it is being recorded, or its volume is not there; "
                    "the latter can be forgotten."
                ),
            ),
        },
    }


def _file(doc: str, content_type: str, *, part: bool = False) -> Operation:
    headers = {**_HEADERS, "Content-Range": "Which part it is."} if part else _HEADERS
    return {
        "description": doc,
        "headers": {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in headers.items()
        },
        "content": {content_type: {}},
    }


def media_schemas() -> dict[str, Schema]:
    """The bodies, by name."""
    moment = {"type": "string", "format": "date-time"}
    integer: Schema = {"type": "integer"}
    return {
        "StoredMedia": record(
            {
                "id": text("Names it; what `last-recording` and `last-snapshot` hold."),
                "began": {**moment, "description": "When it was begun, or taken."},
                "ended": {
                    "type": ["string", "null"],
                    "format": "date-time",
                    "description": "`null` while it is recorded.",
                },
                "duration": {
                    "type": "number",
                    "description": "Seconds that it plays; by now, while it is recorded.",
                },
                "size": {**integer, "description": "Bytes; by now, while it is recorded."},
                "width": {**integer, "description": "Pixels."},
                "height": {**integer, "description": "Pixels."},
                "fps": {**integer, "description": "Frames a second that were asked for."},
                "camera": {**integer, "description": "The active one; 0: not known."},
                "volume": text("The volume that it is on, for people."),
                "file": text("Where it is on that volume."),
                "available": {
                    "type": "boolean",
                    "description": "It is closed, and its volume and file are there.",
                },
                "state": text(
                    "`recovered`: a crash cut its end off; `interrupted`: likewise, and it has "
                    "not been looked at yet; `damaged`: there is nothing to play.",
                    enum=list(STATES),
                ),
                "reason": text("Why it ended, if nobody asked it to."),
                "sha256": text("In hexadecimal; empty until it is known."),
                "user": text("Who has recorded it; empty if that is not known."),
                "continues": text("The id of the recording that it goes on with, or empty."),
                "url": text("Where it is to be had."),
            },
            doc="A film or a picture that is stored.",
        )
    }
