"""Films made in a moment, as the engine's writer makes them."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from rotoclear.media.engine.writer import MUXING

RATE = 25


def film(
    path: Path, frames: int = 50, *, closed: bool = True, size: tuple[int, int] = (64, 48)
) -> Path:
    """
    A film of so many frames at 25 a second.

    :param closed: ``False``: as ``kill -9`` leaves it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        target = _Cut(file)
        container = av.open(target, "w", format="mp4", options=dict(MUXING))  # type: ignore[arg-type]
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, RATE)
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10"}
        for number in range(frames):
            picture = np.full((size[1] * 3 // 2, size[0]), number * 4 % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        target.dead = not closed
        container.close()
    return path


class _Cut(io.RawIOBase):
    """A file that is written no more once the writer is dead."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file
        self.dead = False

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return len(data) if self.dead else self._file.write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True


def frames_of(path: Path) -> int:
    """How many pictures can be decoded."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def seconds_of(path: Path) -> float:
    """How long it plays: every picture is decoded."""
    with av.open(str(path)) as container:
        times = [(frame.time or 0.0, frame.duration) for frame in container.decode(video=0)]
        (stream,) = container.streams.video
        assert stream.time_base is not None
        return times[-1][0] - times[0][0] + float(times[-1][1] * stream.time_base)
