"""The live picture, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Final

from rotoclear.api.openapi_parts import ALL, PIXELS, Operation, operation
from rotoclear.api.pictures import FASTEST

_QUALITY: Final[Operation] = {
    "name": "quality",
    "in": "query",
    "description": "Of the JPEG; `jpeg-quality` unless given.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 100},
}

_CAMERA: Final[Operation] = {
    "name": "camera",
    "in": "query",
    "description": "That camera alone, in its own size; what is in view unless given.",
    "schema": {"type": "integer", "minimum": 1, "maximum": 2},
}

_FPS: Final[Operation] = {
    "name": "fps",
    "in": "query",
    "description": "The most pictures a second; all unless given.",
    "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": FASTEST},
}


def live_paths() -> dict[str, dict[str, object]]:
    """Every path of the live picture."""
    return {
        "/api/snapshot": {
            "get": operation(
                "media",
                "look",
                "See the current picture",
                {"200": {"description": "The picture.", "content": {"image/jpeg": {}}}},
                who=PIXELS,
                parameters=(_QUALITY, _CAMERA),
                refusals=("400", "403", "409", "429", "503"),
                doc=(
                    "Takes `Media_r`. Nothing is stored; setting `snap` does that. 409: the camera "
                    "is not there. 503: no picture came in time."
                ),
            )
        },
        "/api/stream": {
            "get": operation(
                "media",
                "stream",
                "See the live picture as MJPEG",
                {
                    "200": {
                        "description": (
                            "JPEGs without end, each in a part of its own with `Content-Length` "
                            "and `X-Timestamp` (seconds since 1970)."
                        ),
                        "content": {"multipart/x-mixed-replace": {}},
                    }
                },
                who=PIXELS,
                parameters=(_FPS,),
                refusals=("400", "403", "409", "429", "503"),
                doc=(
                    "Takes `Media_r`, and ends with it. A client that is too slow misses "
                    "pictures. 409: the camera is not there."
                ),
            )
        },
        "/api/live": {
            "get": operation(
                "media",
                "openLive",
                "Open the WebSocket of the live picture",
                {"101": {"description": "The WebSocket is open; see `/api/asyncapi.json`."}},
                who=ALL,
                refusals=("400", "426", "503"),
                doc="One logs in with the first message. Otherwise as `/api/v1`.",
            )
        },
    }
