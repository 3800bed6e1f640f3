"""How long films play, without looking at their pictures."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import av
import pytest

from rotoclear.media.files.measure import Measure, Unreadable, measure
from tests.media.making import RATE, film, frames_of


def measured(path: Path) -> Measure:
    with path.open("rb") as file:
        return measure(file)


def test_closed(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 50, size=(64, 48))
    assert measured(path) == Measure(50 / RATE, 50, 64, 48, closed=True)


def test_not_closed(tmp_path: Path) -> None:
    """What is counted is what can be decoded, fragment by fragment."""
    path = film(tmp_path / "a.mp4", 100, closed=False)
    found = measured(path)
    assert 80 <= found.frames <= 100
    assert found.frames == frames_of(path)
    assert not found.closed
    assert found.duration == pytest.approx(found.frames / RATE)
    assert (found.width, found.height) == (64, 48)


def test_as_the_library_says(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 77)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert measured(path).duration == pytest.approx(stream.duration * stream.time_base)


def test_large_one_is_not_read(tmp_path: Path) -> None:
    """Sixteen hours of fragments, 40 GB, in a moment."""
    small = film(tmp_path / "a.mp4", 60, closed=False).read_bytes()
    begin = small.index(b"moof") - 4
    (moof,) = struct.unpack_from(">I", small, begin)
    count, pictures = 10_000, 4_000_000
    long = tmp_path / "long.mp4"
    with long.open("wb") as file:
        file.write(small[:begin])
        for _ in range(count):
            file.write(small[begin : begin + moof])
            file.write(struct.pack(">I4s", pictures, b"mdat"))
            file.seek(pictures - 8, 1)
        file.truncate()
    started = time.process_time()
    assert measured(long).frames > count
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no film at all, but some text that is long enough",
        struct.pack(">I4s", 8, b"moov"),
        struct.pack(">I4sI4s", 16, b"moov", 4, b"trak"),
        struct.pack(">I4sI4sB", 17, b"moov", 9, b"mdhd", 0),
        struct.pack(">I4sQ", 1, b"moov", 2**40),
        struct.pack(">I4sI4sII", 24, b"moov", 16, b"stts", 0, 2**31),
    ],
)
def test_no_film(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        measured(path)


def test_cut_anywhere(tmp_path: Path) -> None:
    """Wherever a film is cut it is measured or refused, and nothing else."""
    whole = film(tmp_path / "a.mp4", 30, closed=False).read_bytes()
    cut = tmp_path / "cut.mp4"
    for length in range(0, len(whole), 97):
        cut.write_bytes(whole[:length])
        try:
            assert 0 < measured(cut).frames <= 30
        except Unreadable:
            pass
