"""The most frequent WebSocket frames (RFC 6455, 5.2): messages in one piece."""

from __future__ import annotations

from struct import pack


def text_frame(payload: bytes) -> bytes:
    """A text message as the bytes to send."""
    size = len(payload)
    if size < 126:
        return b"\x81" + size.to_bytes(1, "big") + payload
    if size < 65_536:
        return pack("!BBH", 0x81, 126, size) + payload
    return pack("!BBQ", 0x81, 127, size) + payload


def binary_frame(payload: bytes) -> bytes:
    """A binary message as the bytes to send."""
    size = len(payload)
    if size < 126:
        return pack("!BB", 0x82, size) + payload
    if size < 65_536:
        return pack("!BBH", 0x82, 126, size) + payload
    return pack("!BBQ", 0x82, 127, size) + payload


def small_text(data: bytes) -> bytes | None:
    """
    The payload of a client's frame, if that is all there is to it.

    :param data: from the network.
    :return: ``None`` unless it is exactly one frame: a whole text message,
        masked, not compressed, of 125 bytes at most, in proper UTF-8.
    """
    if len(data) < 6 or data[0] != 0x81 or data[1] & 0x80 == 0 or len(data) != (data[1] & 0x7F) + 6:
        return None
    size = len(data) - 6
    if size > 125:
        return None
    mask = data[2:6] * (size // 4 + 1)
    payload = (int.from_bytes(data[6:], "big") ^ int.from_bytes(mask[:size], "big")).to_bytes(
        size, "big"
    )
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return payload
