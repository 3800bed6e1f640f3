"""WebSocket frames of a server (RFC 6455, 5.2): unmasked, unfragmented text."""

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
