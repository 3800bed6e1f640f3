"""One picture after another into H.264, whatever becomes of the encoder."""

from __future__ import annotations

from attrs import frozen

from rotoclear.media.engine import writing
from rotoclear.media.engine.encode import Encoded, Encoder
from rotoclear.media.engine.pictures import Picture
from rotoclear.media.engine.timeline import Timeline
from rotoclear.media.engine.wire import Plan
from rotoclear.pixels import size


@frozen
class Unit:
    """
    One encoded picture.

    :ivar taken: its camera's time, nanoseconds of ``CLOCK_MONOTONIC``.
    :ivar usual: ticks that it is shown, usually.
    """

    encoded: Encoded
    taken: int
    usual: int


class Encoding:
    """The encoder for the pictures that come, and their times."""

    def __init__(self) -> None:
        self._encoder: Encoder | None = None
        self._timeline = Timeline()
        self._usual = 1

    def fits(self, plan: Plan, picture: Picture) -> bool:
        """The encoder goes on with this picture; else another one begins."""
        return self._encoder is not None and self._encoder.fits(plan, picture.planes, picture.rate)

    def encode(self, plan: Plan, picture: Picture, *, key: bool) -> list[Unit]:
        """
        Encode the next picture.

        :param key: it is to be a keyframe.
        :raises rotoclear.media.engine.encode.EncoderError: there is no such encoder, or it failed.
        """
        encoder = self._encoder
        if encoder is None or not self.fits(plan, picture):
            self._encoder = None
            encoder = Encoder(plan, *size(picture.planes), picture.rate)
        self._usual = writing.CLOCK_RATE // picture.rate
        ticks = self._timeline.ticks(picture.time, self._usual)
        # One that fails is not asked again.
        self._encoder = None
        encoded = encoder.encode(picture.planes, ticks, key=key)
        self._encoder = encoder
        return self._units(encoded)

    def drain(self) -> list[Unit]:
        """
        What the encoder still holds: nothing, if it is one in software.

        :raises rotoclear.media.engine.encode.EncoderError: it failed.
        """
        encoder = self._encoder
        if encoder is None or not encoder.held:
            return []
        self._encoder = None
        return self._units(encoder.drain())

    def _units(self, encoded: list[Encoded]) -> list[Unit]:
        return [Unit(one, self._timeline.taken(one.time), self._usual) for one in encoded]
