"""The marks by which pictures are told apart."""

from __future__ import annotations

import binascii
import io
import json
from collections.abc import Iterator

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotoclear.pixels import Planes, blank, size
from rotoclear.pixels.compose import composed, scaled
from rotoclear.pixels.convert import limited, to_jpeg, to_planes
from rotoclear.pixels.marks import COUNTS, TIMES, Mark, Unreadable, read, read_luma, write
from rotoclear.pixels.settings import Chain, Settings
from rotoclear.state.keys import PIP_MODES
from tests.pixels.images import natural, noisy

MARK = Mark(2, 1, 123_456, 4_000_000_000)
SIZES = [(320, 240), (640, 480), (1280, 720), (1920, 1080)]

marks = st.builds(
    Mark,
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, COUNTS - 1),
    st.integers(0, TIMES - 1),
)


def marked(width: int, height: int, mark: Mark = MARK) -> Planes:
    planes = natural(width, height)
    write(planes, mark)
    return planes


@given(mark=marks, width=st.integers(76, 1000), height=st.integers(48, 600))
@settings(max_examples=200, deadline=None)
def test_what_is_written_is_read(mark: Mark, width: int, height: int) -> None:
    assert read(marked(width * 2, height * 2, mark)) == mark


def test_numbers_begin_again() -> None:
    mark = Mark(1, 1, COUNTS + 5, TIMES + 7)
    assert read(marked(320, 240, mark)) == Mark(1, 1, 5, 7)


def test_it_is_as_documented() -> None:
    planes = marked(760, 480)
    found = ""
    for row in range(2):
        for bit in range(38):
            first, second = planes[row * 10 + 5, bit * 20 + 5], planes[row * 10 + 5, bit * 20 + 15]
            assert {int(first), int(second)} == {0, 255}
            found += "1" if first > second else "0"
    said, checksum = int(found[:60], 2), int(found[60:], 2)
    assert found[:4] == "0100"
    # As docs/pictures.rst has it, for those who write a reader of their own.
    assert (said, checksum) == (0x0401E240EE6B2800, 0x5547)
    assert int(found[4:28], 2) == MARK.count
    assert int(found[28:60], 2) == MARK.time
    # CRC-16/CCITT-FALSE, by its check value.
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1
    assert binascii.crc_hqx(said.to_bytes(8, "big"), 0xFFFF) == checksum
    assert (planes[20:480] == natural(760, 480)[20:480]).all()


def test_no_mark_is_no_mark() -> None:
    blurred = np.full((360, 320), 90, np.uint8)
    for planes in (natural(), blank(320, 240), blurred):
        with pytest.raises(Unreadable):
            read(planes)
    readable = 0
    for seed in range(2000):
        try:
            read_luma(np.random.default_rng(seed).integers(0, 256, (48, 152), np.uint8))
            readable += 1
        except Unreadable:
            pass
    assert readable <= 2


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_survives_jpeg(width: int, height: int) -> None:
    for seed in range(20):
        mark = Mark(1, 2, seed * 997, seed * 123_457)
        planes = noisy(marked(width, height, mark), seed)
        assert read(to_planes(to_jpeg(planes, 50), "mjpeg", width, height)) == mark


@pytest.mark.parametrize(("width", "height"), SIZES[1:])
def test_it_survives_half_the_size_and_any_other(width: int, height: int) -> None:
    planes = marked(width, height)
    assert read(scaled(planes, width // 2, height // 2)) == MARK
    assert read(scaled(planes, width * 3 // 4, height * 3 // 4)) == MARK
    assert read(scaled(planes, width * 2, height * 2)) == MARK


@pytest.mark.parametrize(
    "change",
    [{name: end} for name in ("brightness", "contrast", "gain", "sharpness") for end in (0, 100)]
    + [{"noise_supression": True}, {"auto_exposure": True, "auto_white_balance": True}],
    ids=json.dumps,
)
def test_it_survives_every_setting(change: dict[str, int]) -> None:
    chain = Chain()
    for number in range(20):
        mark = Mark(1, 1, number, number * 33)
        shown = chain(noisy(marked(640, 480, mark), number), Settings(**change))  # type: ignore[arg-type]
        assert read(limited(shown)) == mark


@pytest.mark.parametrize("mode", sorted(PIP_MODES))
@pytest.mark.parametrize(("width", "height"), SIZES[1:])
def test_picture_in_picture_leaves_it_free(width: int, height: int, mode: str) -> None:
    found = composed(marked(width, height), marked(width, height, Mark(1, 2, 3, 4)), mode)
    if mode != "side-by-side":
        assert read(found) == MARK
        return
    part = found[height // 4 : height // 4 + height // 2]
    assert read_luma(part[:, : width // 2]) == MARK
    assert read_luma(part[:, width // 2 :]) == Mark(1, 2, 3, 4)


def filmed(pictures: list[Planes]) -> Iterator[Planes]:
    """Encoded as recordings are, and decoded."""
    width, height = size(pictures[0])
    file = io.BytesIO()
    with av.open(file, "w", "mp4") as film:
        stream = film.add_stream("libx264", 30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "23", "preset": "ultrafast", "tune": "zerolatency"}
        for planes in pictures:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(limited(planes), "yuv420p")))
        film.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as film:
        for frame in film.decode(video=0):
            yield frame.to_ndarray(format="yuv420p")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_survives_h264(width: int, height: int) -> None:
    wanted = [Mark(1, 1, 1000 + number, 77_777 + 33 * number) for number in range(20)]
    shown = natural(width, height)
    pictures = []
    for number, mark in enumerate(wanted):
        planes = noisy(shown, number) if width < 1000 else shown.copy()
        write(planes, mark)
        pictures.append(planes)
    assert [read(planes) for planes in filmed(pictures)] == wanted
