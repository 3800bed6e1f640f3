"""All the storms with their full counts: what ``scripts/soak`` runs."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.robustness.crowds import comings_and_goings, floods, silent_readers
from tests.robustness.endurance import endurance
from tests.robustness.engines import engines
from tests.robustness.films import cuts
from tests.robustness.fuzz import bad_input
from tests.robustness.hosts import faults
from tests.robustness.kill9 import kills, restarts
from tests.robustness.misdeeds import storm
from tests.robustness.network import garbage, slow_loris
from tests.robustness.web import bad_requests


@frozen
class Part:
    """
    One storm.

    :ivar run: takes a folder, a count and a seed; yields lines for people.
    """

    what: str
    count: int
    run: Callable[[Path, int, int], Iterator[str]]
    alone: bool = False
    """Only if it is asked for: it takes hours."""


PARTS: Final = {
    "messages": Part("bad messages over WebSocket", 100_000, bad_input),
    "requests": Part("bad HTTP requests", 10_000, bad_requests),
    "garbage": Part("connections with garbage", 5_000, garbage),
    "slow": Part(
        "requests that never end",
        500,
        lambda folder, count, seed: slow_loris(folder, count, to_the_end=True),
    ),
    "floods": Part(
        "clients that send too much", 200, lambda folder, count, seed: floods(folder, count)
    ),
    "connects": Part("connections that come and go", 1_000, comings_and_goings),
    "silent": Part(
        "clients that read nothing",
        100,
        lambda folder, count, seed: silent_readers(folder, count, changes=20_000),
    ),
    "kill": Part("kill -9 in a storm of updates", 50, kills),
    "restart": Part("SIGTERM in a storm of updates", 20, restarts),
    "films": Part("recordings cut off by kill -9, of each of four", 30, cuts),
    "engines": Part(
        "faults of the picture engine",
        20,
        lambda folder, count, seed: engines(folder, count, seed, slack=0.5),
    ),
    "drivers": Part(
        "faults of drivers",
        100,
        lambda folder, count, seed: faults(folder, count, seed, slack=0.5),
    ),
    "misdeeds": Part("drivers that do what no driver should", 55, storm),
    "endurance": Part("minutes of everything at once; resumable", 240, endurance, alone=True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts that were asked for; 1 if one of them failed."""
    parser = argparse.ArgumentParser(
        prog="scripts/soak",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Put servers through all that they must survive, and print figures.",
        epilog="parts:\n"
        + "\n".join(f"  {name:10}{part.what}, {part.count}" for name, part in PARTS.items()),
    )
    parser.add_argument(
        "parts",
        nargs="*",
        type=_part,
        metavar="PART[=COUNT]",
        help="all of them but endurance, with their full counts, if none is named",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep the files here; endurance goes on in the same one where it was interrupted",
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn at random (1)")
    options = parser.parse_args(arguments)
    chosen = options.parts or [(name, part.count) for name, part in PARTS.items() if not part.alone]
    failed = [name for name, count in chosen if not _run(name, count, options.seed, options.folder)]
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


def _part(text: str) -> tuple[str, int]:
    name, equals, count = text.partition("=")
    if name not in PARTS or (equals and not (count.isdecimal() and int(count) > 0)):
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(PARTS)}, or no count")
    return name, int(count) if equals else PARTS[name].count


def _run(name: str, count: int, seed: int, kept: Path | None) -> bool:
    part = PARTS[name]
    folder = kept / name if kept else Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"== {name}: {part.what}, {count}", flush=True)
    began = time.monotonic()
    try:
        for line in part.run(folder, count, seed):
            print(f"   {line}", flush=True)
    except Exception:  # noqa: BLE001 - the other parts are run all the same
        traceback.print_exc()
        print(f"   FAILED; its files are in {folder}", flush=True)
        return False
    print(f"   {time.monotonic() - began:.0f} s", flush=True)
    if not kept:
        shutil.rmtree(folder)
    return True


if __name__ == "__main__":
    raise SystemExit(main())
