"""Films of the simulated heads, looked at by two decoders, picture by picture."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from attrs import frozen

from rotoclear.pixels.marks import Mark, read_luma
from tests.clients.browser import tool


@frozen
class Examined:
    """
    A film that was decoded whole.

    :ivar marks: what each of its pictures says of itself.
    :ivar times: when each is shown, in seconds.
    """

    width: int
    height: int
    marks: list[Mark]
    times: list[float]

    @property
    def first(self) -> float:
        """When its first picture was taken, in seconds of ``CLOCK_MONOTONIC``."""
        return self.marks[0].time / 1000

    @property
    def last(self) -> float:
        """Likewise the last one."""
        return self.marks[-1].time / 1000

    def missing(self) -> int:
        """
        How many pictures of its head are not between the first and the last.

        :raises AssertionError: one is there twice, or in the wrong place, or of another head.
        """
        gaps = [other.count - one.count for one, other in pairwise(self.marks)]
        assert all(gap > 0 for gap in gaps), self.marks
        assert len({(mark.head, mark.sensor) for mark in self.marks}) == 1
        return sum(gap - 1 for gap in gaps)


def examine(path: Path) -> Examined:
    """
    Decode all of a film, by PyAV and by ffprobe.

    :raises AssertionError: one of them has something to say against it, or they do not
        agree.
    """
    marks, times = [], []
    with av.open(str(path)) as film:
        (stream,) = film.streams.video
        stream.codec_context.options = {"err_detect": "explode"}
        for frame in film.decode(stream):
            luma = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
            marks.append(read_luma(luma[: frame.height, : frame.width]))
            times.append(float(frame.time or 0.0))
        found = Examined(stream.width, stream.height, marks, times)
    assert times == sorted(set(times)), f"{path}: its times do not rise"
    for one, other in pairwise(marks):
        if (one.head, one.sensor) == (other.head, other.sensor):
            assert other.time > one.time, f"{path}: {other} is behind {one}"
    assert probed(path) == len(times), f"{path}: ffprobe finds {probed(path)}, not {len(times)}"
    return found


def probed(path: Path) -> int:
    """
    How many pictures ffprobe decodes.

    :raises AssertionError: it complains.
    """
    command = [tool("ffprobe"), "-v", "warning", "-count_frames", "-select_streams", "v"]
    command += ["-show_entries", "stream=nb_read_frames", "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), f"{path}: {done.stderr}"
    (stream,) = json.loads(done.stdout)["streams"]
    return int(stream["nb_read_frames"])
