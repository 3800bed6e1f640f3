"""
What the server and the engine's process say to each other.

Two stream sockets. Over the **control** socket (descriptor 3) go the messages
below, as :mod:`rotoclear.processes.framing` has it, in both directions; the viewer's end
of a camera's frames (:mod:`rotoclear.devices.ring`) comes with :class:`Source`.
Over the **packet** socket (descriptor 4) the engine sends encoded pictures, each
behind a :class:`Head`: whoever does not read gets fewer of them, and newer ones.
"""

from __future__ import annotations

import struct
from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

MAX_MESSAGE: Final = 16 * 2**20
"""Bytes of a message over the control socket: a JPEG fits."""

MAX_PACKET: Final = 32 * 2**20
"""Bytes of an encoded picture."""


class _Message(Struct, tag_field="is", frozen=True):
    """Common to all messages: told apart by the name of their struct."""


class Software(Struct, frozen=True):
    """What is to be done to one camera's pictures: what its hardware has not done."""

    brightness: int = 50
    contrast: int = 50
    sharpness: int = 50
    saturation: int = 50
    gain: int = 50
    red_gain: int = 50
    blue_gain: int = 50
    noise_supression: bool = False
    auto_exposure: bool = False
    auto_white_balance: bool = False


class Plan(Struct, frozen=True):
    """
    How to record.

    :ivar encoder: FFmpeg's name of an H.264 encoder.
    :ivar preset: of libx264; others ignore it.
    :ivar crf: quality, 0 (best) to 51.
    :ivar bitrate: the most kilobits a second.
    :ivar keyframe: seconds between two keyframes.
    :ivar segment_seconds: after which a new file is begun, 0: never.
    :ivar segment_bytes: likewise.
    :ivar reserve: bytes that must stay free on the volume: before that, it ends.
    """

    encoder: str = "libx264"
    preset: str = "superfast"
    crf: int = 23
    bitrate: int = 20_000
    keyframe: float = 2.0
    segment_seconds: int = 0
    segment_bytes: int = 0
    reserve: int = 64 * 2**20


# -- from the server -----------------------------------------------------------


class Source(_Message, frozen=True, tag="source"):
    """
    The frames of camera ``number`` come over the socket that comes with this message.

    :ivar look: what :class:`Unseen` will call it.
    """

    number: int
    look: int


class NoSource(_Message, frozen=True, tag="no-source"):
    """Let go of camera ``number``; nobody wants its frames, or it is gone."""

    number: int


class View(_Message, frozen=True, tag="view"):
    """
    What the picture is to be, from now on.

    :ivar main: the active camera.
    :ivar pip: a value of ``pip-mode``.
    :ivar software: by the camera's number.
    """

    main: int
    pip: str
    width: int
    height: int
    rate: int
    software: dict[int, Software] = field(default_factory=dict)


class Record(_Message, frozen=True, tag="record"):
    """
    Begin a recording. Answered when its first frame is in the file.

    :ivar volume: the folder of the volume, absolute.
    :ivar title: goes into the file.
    """

    request: int
    volume: str
    plan: Plan
    title: str = ""


class Pause(_Message, frozen=True, tag="pause"):
    """Leave out what comes. Answered when it is."""

    request: int


class Resume(_Message, frozen=True, tag="resume"):
    """Go on with the same file. Answered with the first frame."""

    request: int


class Stop(_Message, frozen=True, tag="stop"):
    """End the recording. Answered when the file is closed, and its name final."""

    request: int


class Snap(_Message, frozen=True, tag="snap"):
    """
    Store the next picture of the view as JPEG. Answered with a :class:`Stored`.

    :ivar quality: 1 to 100.
    :ivar notes: for its EXIF: ``camera``, ``settings``.
    """

    request: int
    volume: str
    quality: int
    notes: dict[str, str] = field(default_factory=dict)


class Look(_Message, frozen=True, tag="look"):
    """
    The next picture as JPEG: the answer's result is its bytes.

    :ivar camera: of that camera alone, 0: of the view.
    """

    request: int
    quality: int
    camera: int = 0


class Live(_Message, frozen=True, tag="live"):
    """Send the view's pictures as JPEG packets from now on; ``quality`` 0: no more."""

    quality: int


class Stream(_Message, frozen=True, tag="stream"):
    """
    Send H.264 packets from now on, or no more.

    They are the recorder's own while it records, else of an encoder by this plan. So are
    those of a camera, while it is all that the view shows.

    :ivar camera: of that camera alone, in the size of the view; 0: of the view.
    """

    on: bool
    plan: Plan
    camera: int = 0


class Keyframe(_Message, frozen=True, tag="keyframe"):
    """The next H.264 packet of this camera's stream is to be a keyframe: somebody has joined."""

    camera: int = 0


class Quit(_Message, frozen=True, tag="quit"):
    """Close what is open and end. The server waits some seconds, not longer."""


ToEngine = (
    Source
    | NoSource
    | View
    | Record
    | Pause
    | Resume
    | Stop
    | Snap
    | Look
    | Live
    | Stream
    | Keyframe
    | Quit
)

# -- from the engine -----------------------------------------------------------


class Ready(_Message, frozen=True, tag="ready"):
    """It has loaded its libraries."""

    encoders: tuple[str, ...]


class Answer(_Message, frozen=True, tag="answer"):
    """What was asked is done."""

    request: int
    result: object = None


class Refused(_Message, frozen=True, tag="refused"):
    """What was asked went wrong; ``message`` is for people."""

    request: int
    message: str


class Stored(Struct, frozen=True):
    """
    A picture on a volume.

    :ivar file: relative to the volume.
    :ivar taken: seconds since 1970, by the wall clock.
    """

    file: str
    taken: float
    width: int
    height: int
    size: int
    sha256: str


class Opened(_Message, frozen=True, tag="opened"):
    """A file is being written: ``NAME.mp4.part``. ``began`` is seconds since 1970."""

    file: str
    began: float
    width: int
    height: int
    rate: int


class Closed(_Message, frozen=True, tag="closed"):
    """
    A file is complete, and has its final name.

    :ivar duration: seconds that it plays.
    :ivar ended: why, if it was not asked to; the recording is over then.
    """

    file: str
    duration: float
    size: int
    frames: int
    ended: str = ""


class Progress(_Message, frozen=True, tag="progress"):
    """
    How far the film that is being written has come; four times a second while there is one.

    :ivar duration: seconds that it plays.
    :ivar size: bytes of its pictures.
    """

    file: str
    duration: float
    size: int


class Torn(_Message, frozen=True, tag="torn"):
    """What has written a file has died: it was not closed, and somebody has to look at it."""

    file: str


class Hashed(_Message, frozen=True, tag="hashed"):
    """The SHA-256 of a closed file, in hexadecimal; comes a while after it."""

    file: str
    sha256: str


class Ended(_Message, frozen=True, tag="ended"):
    """The recording is over, though nobody has asked for it: the disk is full, or gone."""

    reason: str


class Unseen(_Message, frozen=True, tag="unseen"):
    """There will be no more frames from a :class:`Source`, though that was not asked for."""

    look: int


class Beat(_Message, frozen=True, tag="beat"):
    """
    A sign of life, four times a second, of all its threads.

    :ivar frames: pictures made since it was started.
    :ivar dropped: frames that came and were not made into one.
    :ivar rate: pictures a second, of the last one.
    :ivar written: bytes of film since it was started.
    """

    frames: int
    dropped: int
    rate: float
    recording: Literal["off", "on", "paused"]
    written: int = 0


class Log(_Message, frozen=True, tag="log"):
    """Something for the log; ``level`` is one of :mod:`logging`'s numbers."""

    level: int
    text: str


FromEngine = (
    Ready
    | Answer
    | Refused
    | Opened
    | Progress
    | Closed
    | Torn
    | Hashed
    | Ended
    | Unseen
    | Beat
    | Log
)

# -- packets -------------------------------------------------------------------

HEAD: Final = struct.Struct("!BBBxIQ")
"""
Kind, flags, camera (0: the view), length of what follows, and time: nanoseconds of
``CLOCK_MONOTONIC``.
"""

JPEG: Final = 1
"""Kind: one picture."""

H264: Final = 2
"""Kind: one access unit in Annex B form; a keyframe brings its parameter sets."""

KEY: Final = 1
"""Flag: a keyframe."""

STREAMS: Final = (0, 1, 2)
"""Whose H.264 there may be: that of the view, and of each camera."""


class Head(NamedTuple):
    """What stands before each packet."""

    kind: int
    flags: int
    camera: int
    length: int
    time: int
