"""Pictures of every format become planes, and planes JPEG."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st

from rotoclear.interfaces import PIXEL_FORMATS
from rotoclear.pixels import Planes, blank, size, split
from rotoclear.pixels.convert import BadPicture, full, limited, to_jpeg, to_planes
from rotoclear.pixels.raw import to_yuyv
from tests.pixels.images import far, natural

# BT.601: red, green, blue -> full-range Y, Cb, Cr (JFIF 1.02), and the same in the limited range.
COLOURS = (
    ((255, 255, 255), (255, 128, 128), (235, 128, 128)),
    ((0, 0, 0), (0, 128, 128), (16, 128, 128)),
    ((255, 0, 0), (76, 85, 255), (81, 90, 240)),
    ((0, 255, 0), (150, 44, 21), (145, 54, 34)),
    ((0, 0, 255), (29, 255, 107), (41, 240, 110)),
    ((90, 120, 150), (116, 147, 110), (116, 145, 112)),
)


def padded(rows: Planes, stride: int) -> bytes:
    """The lines with rubbish between them; the last one ends early."""
    room = np.full((rows.shape[0], stride), 0xA5, np.uint8)
    room[:, : rows.shape[1]] = rows
    return room.tobytes()[: stride * (rows.shape[0] - 1) + rows.shape[1]]


def as_format(planes: Planes, name: str, spare: int = 0) -> tuple[bytes, int]:
    """Planes as a camera would send them, with spare bytes in each line; and the stride."""
    width, height = size(planes)
    y, u, v = split(limited(planes))
    if name in ("yuyv", "uyvy"):
        rows = np.empty((height, width * 2), np.uint8)
        first = 0 if name == "yuyv" else 1
        rows[:, first::2] = y
        rows[:, 1 - first :: 4] = np.repeat(u, 2, axis=0)
        rows[:, 3 - first :: 4] = np.repeat(v, 2, axis=0)
    elif name == "nv12":
        rows = np.empty((height * 3 // 2, width), np.uint8)
        rows[:height] = y
        rows[height:, 0::2], rows[height:, 1::2] = u, v
    elif name == "i420":
        stride = width + 2 * (spare // 2)
        colours = padded(np.vstack((u, v)), stride // 2)
        return padded(y, stride).ljust(stride * height, b"\0") + colours, stride
    else:
        raise AssertionError(name)
    return padded(rows, rows.shape[1] + spare), rows.shape[1] + spare


@pytest.mark.parametrize(("rgb", "wanted", "video"), COLOURS)
@pytest.mark.parametrize("name", sorted(set(PIXEL_FORMATS) - {"grey", "mjpeg"}))
def test_a_colour_is_that_colour_in_every_format(
    name: str, rgb: tuple[int, ...], wanted: tuple[int, ...], video: tuple[int, ...]
) -> None:
    width, height = 16, 12
    y, u, v = video
    count = width * height
    data = {
        "yuyv": bytes((y, u, y, v)) * (count // 2),
        "uyvy": bytes((u, y, v, y)) * (count // 2),
        "nv12": bytes([y]) * count + bytes((u, v)) * (count // 4),
        "i420": bytes([y]) * count + bytes([u]) * (count // 4) + bytes([v]) * (count // 4),
        "rgb24": bytes(rgb) * count,
        "bgr24": bytes(reversed(rgb)) * count,
    }[name]
    for plane, value in zip(split(to_planes(data, name, width, height)), wanted, strict=True):
        assert np.abs(plane.astype(int) - value).max() <= 2


@pytest.mark.parametrize("how", ["420", "422", "444", "440", "411"])
def test_a_jpeg_of_any_subsampling(how: str) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    for number, (rgb, _, _) in enumerate(COLOURS):
        picture[number * 8 : number * 8 + 8] = rgb
    data = simplejpeg.encode_jpeg(picture, quality=98, colorsubsampling=how)
    found = to_planes(data, "mjpeg", 64, 48)
    for number, (_, wanted, _) in enumerate(COLOURS):
        y, u, v = split(found)
        # Away from where colours run into each other.
        middle = (y[number * 8 + 4, 32], u[number * 4 + 2, 16], v[number * 4 + 2, 16])
        tolerance = 3 if how in ("422", "444", "411") else 30
        assert np.abs(np.array(middle, int) - wanted).max() <= tolerance, (number, middle)


def test_a_grey_jpeg_and_a_grey_picture() -> None:
    planes = natural(64, 48)
    y = np.ascontiguousarray(planes[:48])
    data = simplejpeg.encode_jpeg(y[:, :, None], colorspace="GRAY", quality=98)
    for found, most in (
        (to_planes(data, "mjpeg", 64, 48), 2),
        (to_planes(y.tobytes(), "grey", 64, 48), 0),
        (to_planes(padded(y, 71), "grey", 64, 48, 71), 0),
    ):
        assert np.abs(found[:48].astype(int) - y).max() <= most
        assert (found[48:] == 128).all()


def without_tables(jpeg: bytes) -> bytes:
    """As USB cameras send it: no Huffman tables (DHT, FFC4)."""
    kept, at = bytearray(jpeg[:2]), 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at + 1] != 0xC4:
            kept += jpeg[at:end]
        at = end
    return bytes(kept) + jpeg[at:]


def test_a_jpeg_without_huffman_tables() -> None:
    data = to_jpeg(natural(), 90)
    bare = without_tables(data)
    assert len(bare) < len(data) - 300
    assert (to_planes(bare, "mjpeg", 320, 240) == to_planes(data, "mjpeg", 320, 240)).all()


@pytest.mark.parametrize("damage", ["half", "head", "hole", "none", "size"])
def test_a_damaged_jpeg_is_no_picture(damage: str) -> None:
    data = to_jpeg(natural(), 90)
    middle = len(data) // 2
    bad = {
        "half": data[:middle],
        "head": data[:100],
        "hole": data[:middle] + bytes(200) + data[middle + 200 :],
        "none": b"\xff\xd8" + os.urandom(2000),
        "size": to_jpeg(natural(64, 48), 90),
    }[damage]
    with pytest.raises(BadPicture):
        to_planes(bad, "mjpeg", 320, 240)


def test_a_jpeg_that_says_it_is_enormous_takes_no_memory() -> None:
    data = bytearray(to_jpeg(natural(64, 48), 90))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\x9c\x40\x9c\x40"
    with pytest.raises(BadPicture, match="40000x40000, not 64x48"):
        to_planes(bytes(data), "mjpeg", 64, 48)


sides = st.integers(1, 40).map(lambda number: number * 2)


@given(
    name=st.sampled_from(["yuyv", "uyvy", "nv12", "i420"]),
    width=sides,
    height=sides,
    spare=st.integers(0, 9),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_what_is_sent_arrives(name: str, width: int, height: int, spare: int, seed: int) -> None:
    planes = np.random.default_rng(seed).integers(0, 256, (height * 3 // 2, width), np.uint8)
    data, stride = as_format(planes, name, spare)
    found = to_planes(data, name, width, height, stride)
    # Limited range has fewer levels: each way, one may be lost.
    assert np.abs(found.astype(int) - planes).max() <= 1
    found[:] = 0
    assert to_planes(data, name, width, height, stride).any() == planes.any()


@given(width=sides, height=sides, seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_planes_as_yuyv_are_those_planes(width: int, height: int, seed: int) -> None:
    planes = np.random.default_rng(seed).integers(0, 256, (height * 3 // 2, width), np.uint8)
    rows = to_yuyv(planes)
    assert rows.tobytes() == as_format(planes, "yuyv")[0]
    assert (to_planes(rows.tobytes(), "yuyv", width, height) == full(limited(planes))).all()


def test_every_level_survives_the_limited_range() -> None:
    planes = blank(256, 2)
    planes[:] = np.arange(256)
    video = limited(planes)
    assert (video[:2].min(), video[:2].max(), video[2:].min(), video[2:].max()) == (
        16,
        235,
        16,
        240,
    )
    assert np.abs(full(video).astype(int) - planes).max() <= 1


@pytest.mark.parametrize("quality", [50, 80, 95])
def test_a_jpeg_is_nearly_what_it_was_made_of(quality: int) -> None:
    planes = natural()
    found = to_planes(to_jpeg(planes, quality), "mjpeg", 320, 240)
    assert max(far(planes, found)) < 2.5


@pytest.mark.parametrize("name", sorted(set(PIXEL_FORMATS) - {"mjpeg"}))
def test_what_is_too_short_or_odd_is_no_picture(name: str) -> None:
    data = bytes(16 * 12 * 3)
    to_planes(data, name, 16, 12)
    for bad, width, height, stride in (
        (data[:191], 16, 12, 0),
        (data, 15, 12, 0),
        (data, 16, 11, 0),
        (data, 16, 12, 8),
        (data, 16, 12, 80),
        (b"", 16, 12, 0),
    ):
        with pytest.raises(BadPicture):
            to_planes(bad, name, width, height, stride)


def test_a_format_that_there_is_not() -> None:
    with pytest.raises(BadPicture, match="There is no format 'h264'"):
        to_planes(b"", "h264", 16, 12)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_planes_are_the_callers_own(kind: Any) -> None:
    planes = natural(32, 24)
    data, _ = as_format(planes, "yuyv")
    source = bytearray(data)
    found = to_planes(kind(source), "yuyv", 32, 24)
    kept = found.copy()
    source[:] = bytes(len(source))
    assert (found == kept).all()
    found[:] = 0
