"""
Messages over a stream socket between two processes of ours.

A frame is a length (four bytes, big-endian) and that many bytes of MessagePack:
one of a few structs that are told apart by their names.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

import msgspec

_HEAD: Final = struct.Struct("!I")

_encoder: Final[msgspec.msgpack.Encoder] = msgspec.msgpack.Encoder()


class WireError(Exception):
    """The other side does not keep to what was agreed, or a message cannot be sent."""


def pack(message: object, limit: int) -> bytes:
    """
    One message, ready to be sent.

    :param limit: bytes that it may have, its length not counted.
    :raises WireError: it cannot be encoded or is too long.
    """
    try:
        payload = _encoder.encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(f"cannot be sent: {error}") from None
    if len(payload) > limit:
        raise WireError(f"cannot be sent: {len(payload)} bytes are too many")
    return _HEAD.pack(len(payload)) + payload


M = TypeVar("M")


class Unpacker(Generic[M]):
    """
    Takes messages out of a stream.

    :param messages: the union of what the other side may say.
    :param limit: bytes that one may have.
    """

    def __init__(self, messages: type[M], limit: int) -> None:
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(messages)
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[M]:
        """
        The messages that are complete with these bytes.

        :raises WireError: a frame is too long or holds no such message;
            nothing that comes later can be understood.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= _HEAD.size:
                (length,) = _HEAD.unpack_from(buffer, start)
                if length > self._limit:
                    raise WireError(f"a frame of {length} bytes")
                end = start + _HEAD.size + length
                if len(buffer) < end:
                    return
                payload = bytes(buffer[start + _HEAD.size : end])
                start = end
                yield self._decode(payload)
        finally:
            del buffer[:start]

    def _decode(self, payload: bytes) -> M:
        try:
            return self._decoder.decode(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise WireError(f"a frame that is not understood: {error}") from None
