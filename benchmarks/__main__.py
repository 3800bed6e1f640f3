"""``scripts/bench``: measure, and print tables."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from attrs import frozen

from benchmarks import report
from benchmarks.cases import COMPARISON, FANOUT, IDLE, LATENCY, PIXELS, WHOLE_PATH, Fanout
from benchmarks.latency import measure_latency
from benchmarks.measuring import BUILD, Figures, build, measure_fanout, measure_idle
from benchmarks.pixels import measure_pixels
from benchmarks.servers import Running, peers, rotoclear, started, unpinned
from tests.harness import ServerFailed

COMPARISON_SECONDS = 3.0
"""Flat out, that is tens of thousands of deliveries."""


@frozen
class Measurement:
    """A case, a server to put through it, and how."""

    kind: str
    name: str
    server: Callable[[], AbstractContextManager[Running]]
    measure: Callable[[Running], Figures]


def main() -> int:
    """Measure; the status that the process ends with."""
    options = _arguments()
    try:
        alone = _only_one()
        if options.priority:
            # Not nice(): where the kernel groups processes by session, it does nothing.
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        tls = build()
        wanted = list(_measurements(options, tls))
    except (RuntimeError, PermissionError) as error:
        print(error, file=sys.stderr)
        return 1
    if not tls:
        print("TLS is left out; on Debian: apt-get install libssl-dev", file=sys.stderr)
    machine = report.machine()
    with alone:
        results = _measure(wanted, options.rounds)
    _print(machine, options.rounds, results)
    if options.json:
        everything = {"machine": machine, "rounds": options.rounds, **results}
        Path(options.json).write_text(json.dumps(everything, indent=2) + "\n")
    return 0 if results else 1


def _only_one() -> socket.socket:
    """
    What two of us cannot have at the same time (unix(7), abstract sockets).

    :raises RuntimeError: another one has it.
    """
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind("\0rotoclear-bench")
    except OSError:
        name.close()
        raise RuntimeError("Another scripts/bench is running on this machine.") from None
    return name


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure how fast a change of one client reaches all others, "
        "and what it costs the server. The server gets one core, its clients another.",
    )
    names = [case.name for case in (*FANOUT, *IDLE, *PIXELS, *LATENCY)]
    parser.add_argument(
        "cases",
        nargs="*",
        metavar="CASE",
        help=f"which, instead of all: {', '.join(names)}",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="compare with other WebSocket servers; alone, only that",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="measure all so often, tell medians (3)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10, help="how long one measurement takes (10)"
    )
    parser.add_argument(
        "--priority",
        action="store_true",
        help="put what is measured before all else that runs here; takes root",
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    unknown = set(options.cases) - set(names)
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    return options


def _measurements(options: argparse.Namespace, tls: bool) -> Iterator[Measurement]:
    everything = not options.cases and not options.peers
    for case in FANOUT:
        if (everything or case.name in options.cases) and (tls or not case.tls):
            yield Measurement(
                "fanout",
                case.name,
                partial(rotoclear, case.rate is None, case.tls),
                partial(measure_fanout, case, options.seconds),
            )
    for idle in IDLE:
        if (everything or idle.name in options.cases) and (tls or not idle.tls):
            yield Measurement(
                "idle",
                idle.name,
                partial(rotoclear, False, idle.tls),
                partial(measure_idle, idle, options.seconds),
            )
    for pixels in PIXELS:
        if everything or pixels.name in options.cases:
            yield Measurement(
                "pixels", pixels.name, unpinned, partial(measure_pixels, pixels, options.seconds)
            )
    for latency in LATENCY:
        if everything or latency.name in options.cases:
            yield Measurement(
                "latency",
                latency.name,
                unpinned,
                partial(measure_latency, latency, options.seconds),
            )
    if options.peers:
        yield from _comparison()


def _comparison() -> Iterator[Measurement]:
    def measurement(
        name: str, server: Callable[[], AbstractContextManager[Running]], case: Fanout = COMPARISON
    ) -> Measurement:
        return Measurement(
            "comparison", name, server, partial(measure_fanout, case, COMPARISON_SECONDS)
        )

    yield measurement("rotoclear", partial(rotoclear, True))
    yield measurement("rotoclear, through two heads", partial(rotoclear, True), WHOLE_PATH)
    for name, command in {report.YARDSTICK: [str(BUILD / "floor")], **peers()}.items():
        yield measurement(name, partial(started, command))


def _measure(measurements: list[Measurement], rounds: int) -> dict[str, dict[str, Figures]]:
    """Go through all of them, again and again: what else goes on here hits them alike."""
    runs: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for measurement in measurements:
            print(f"round {number}: {measurement.name}", file=sys.stderr)
            try:
                with measurement.server() as server:
                    figures = measurement.measure(server)
            except (RuntimeError, ServerFailed) as error:
                print(f"{measurement.name}: {error}", file=sys.stderr)
            else:
                runs[measurement.kind, measurement.name].append(figures)
    results: dict[str, dict[str, Figures]] = {}
    for (kind, name), figures_of_runs in runs.items():
        results.setdefault(kind, {})[name] = report.medians(figures_of_runs)
    return results


def _print(machine: dict[str, object], rounds: int, results: dict[str, dict[str, Figures]]) -> None:
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(f"medians of {rounds} rounds, but the worst maximum\n")
    if fanout := results.get("fanout"):
        cases = {case.name: case for case in FANOUT}
        print(report.fanout_table((cases[name], figures) for name, figures in fanout.items()))
        print()
    if idle := results.get("idle"):
        print(report.idle_table(idle.items()))
        print()
    if pixels := results.get("pixels"):
        print(report.pixels_table(pixels.items()))
        print()
    if latency := results.get("latency"):
        print(report.latency_table(latency.items()))
        print()
    if comparison := results.get("comparison"):
        print(report.comparison_table(comparison))


if __name__ == "__main__":
    sys.exit(main())
