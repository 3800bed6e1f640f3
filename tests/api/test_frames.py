"""Frames, as RFC 6455 5.2 draws them."""

from __future__ import annotations

import pytest

from rotoclear.api.frames import text_frame


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, "8100"),
        (1, "8101"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_text_frame(size: int, header: str) -> None:
    payload = b"x" * size
    assert text_frame(payload) == bytes.fromhex(header) + payload
