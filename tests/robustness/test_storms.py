"""
Samples of what ``scripts/soak`` does in full: each storm is a function with a count.

What must hold is asserted by the storms themselves. None asserts how fast
something is: a bystander is served while the worst goes on, and answers come
before the fault has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.robustness.crowds import comings_and_goings, floods, silent_readers
from tests.robustness.engines import engines
from tests.robustness.films import cuts
from tests.robustness.fuzz import bad_input
from tests.robustness.hosts import faults
from tests.robustness.kill9 import kills, restarts
from tests.robustness.network import garbage, slow_loris
from tests.robustness.web import bad_requests


def _run(lines: Iterator[str]) -> None:
    """The figures are shown if it fails."""
    for line in lines:
        print(line)


def test_bad_input(tmp_path: Path) -> None:
    """Every message is answered or the connection closed with the right code."""
    _run(bad_input(tmp_path, 3000))


def test_bad_requests(tmp_path: Path) -> None:
    """Never 500, never anything but JSON."""
    _run(bad_requests(tmp_path, 300))


def test_garbage(tmp_path: Path) -> None:
    _run(garbage(tmp_path, 200))


def test_slow_loris(tmp_path: Path) -> None:
    _run(slow_loris(tmp_path, 30, to_the_end=False))


def test_floods(tmp_path: Path) -> None:
    """1008, and nothing of it runs later."""
    _run(floods(tmp_path, 4))


def test_comings_and_goings(tmp_path: Path) -> None:
    """No descriptor and no memory is left behind."""
    _run(comings_and_goings(tmp_path, 150))


def test_silent_readers(tmp_path: Path) -> None:
    """Memory by no more than the backlogs; then they are closed."""
    _run(silent_readers(tmp_path, 80, changes=1500))


def test_kill(tmp_path: Path) -> None:
    """What was confirmed more than a second before is there."""
    _run(kills(tmp_path, 5))


def test_films(tmp_path: Path) -> None:
    """All but the last second is kept, plays, and is listed."""
    _run(cuts(tmp_path, 1))


def test_engines(tmp_path: Path) -> None:
    """``record`` is false while there is no engine; the film goes on in another one."""
    _run(engines(tmp_path, 3, slack=15.0))


def test_restart(tmp_path: Path) -> None:
    """1001; settings and tokens are back, nothing records."""
    _run(restarts(tmp_path, 1))


def test_drivers(tmp_path: Path) -> None:
    """Killed, stopped, hanging, spewing: its own keys' errors within 2 s, back within 3 s."""
    _run(faults(tmp_path, 4, slack=5.0))
