"""Planes into H.264."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import av
from attrs import frozen

from rotoclear.media.engine.wire import Plan
from rotoclear.media.engine.writing import CLOCK_RATE
from rotoclear.pixels import Planes, size
from rotoclear.pixels.convert import limited

_TICK: Final = Fraction(1, CLOCK_RATE)

_BT601: Final = {"color_primaries": 6, "color_trc": 6, "colorspace": 6}
"""SMPTE 170M (ITU-T H.273), which is what the planes are."""


class EncoderError(Exception):
    """There is no such encoder, or it does not work. ``str()`` is for people."""


@frozen
class Encoded:
    """
    One picture of the film.

    :ivar time: in ticks, as it was given.
    :ivar key: it can be decoded without those before it, and brings its parameter sets.
    :ivar data: an access unit in Annex B form.
    """

    time: int
    key: bool
    data: bytes


class Encoder:
    """
    One encoder, for pictures of one size: a picture in, the same one out.

    :raises EncoderError: it cannot be had.
    :ivar held: pictures that went in and have not come out: hardware keeps some.
    """

    def __init__(self, plan: Plan, width: int, height: int, rate: int) -> None:
        self.plan, self.size, self.rate = plan, (width, height), rate
        try:
            context: Any = av.CodecContext.create(plan.encoder, "w")
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.time_base, context.framerate = _TICK, Fraction(rate)
            context.gop_size = max(1, round(rate * plan.keyframe))
            context.max_b_frames = 0
            context.bit_rate = plan.bitrate * 1000
            for name, value in _BT601.items():
                setattr(context, name, value)
            context.color_range = 1
            context.options = _options(plan)
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise EncoderError(f"The encoder {plan.encoder} cannot be used: {error}") from None
        self._context = context
        self.held = 0

    def encode(self, planes: Planes, time: int, *, key: bool) -> list[Encoded]:
        """
        Encode one picture.

        :param time: in ticks; each one's is later than the one's before.
        :param key: it is to be a keyframe.
        :return: mostly one; hardware may keep some for itself.
        :raises EncoderError: it failed.
        """
        frame = av.VideoFrame.from_numpy_buffer(limited(planes), format="yuv420p")
        frame.pts, frame.time_base = time, _TICK
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        self.held += 1
        return self._encode(frame)

    def drain(self) -> list[Encoded]:
        """
        What it holds. Nothing can be encoded any more.

        :raises EncoderError: it failed.
        """
        return self._encode(None)

    def _encode(self, frame: Any) -> list[Encoded]:
        try:
            packets = self._context.encode(frame)
        except av.FFmpegError as error:
            raise EncoderError(f"The encoder {self.plan.encoder} failed: {error}") from None
        self.held -= len(packets)
        return [
            Encoded(int(packet.pts), bool(packet.is_keyframe), bytes(packet)) for packet in packets
        ]

    def fits(self, plan: Plan, planes: Planes, rate: int) -> bool:
        """It is the one for such pictures."""
        return (plan, size(planes), rate) == (self.plan, self.size, self.rate)


_THRIFTY: Final = ":aq-mode=0:weightp=0"
"""
Without adaptive quantisation: it has the quick presets, which do not look for motion finely
enough to follow it, spend half of their time and four fifths of the bits on a sensor's noise.
"""

_QUICK: Final = {"ultrafast": _THRIFTY, "superfast": _THRIFTY}


def _options(plan: Plan) -> dict[str, str]:
    limits = {"maxrate": f"{plan.bitrate}k", "bufsize": f"{plan.bitrate}k"}
    if plan.encoder != "libx264":
        return limits
    return {
        **limits,
        "preset": plan.preset,
        "tune": "zerolatency",
        "crf": str(plan.crf),
        "forced-idr": "1",
        # Each keyframe brings what a decoder has to know. One thread: two take longer in all,
        # and there is one picture in and one out.
        "x264-params": "repeat-headers=1:scenecut=0:threads=1" + _QUICK.get(plan.preset, ""),
    }


def available() -> tuple[str, ...]:
    """The names of the H.264 encoders that FFmpeg has."""
    return tuple(
        sorted(
            name
            for name in av.codecs_available
            if name.startswith(("h264_", "libx264", "libopenh264")) and _encodes(name)
        )
    )


def _encodes(name: str) -> bool:
    try:
        codec = av.Codec(name, "w")
    except (av.FFmpegError, ValueError):
        return False
    return str(codec.canonical_name) == "h264" or codec.name.startswith("libx264")
