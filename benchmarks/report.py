"""The tables, and the same as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.cases import Fanout
from benchmarks.measuring import Figures

YARDSTICK = "C: one send() a client"
"""What the others are told as multiples of."""


def machine() -> dict[str, object]:
    """Where this is, and how busy."""
    info = Path("/proc/cpuinfo").read_text()
    models = [line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure; the worst of the maximum, the sum of what was lost."""
    figures = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    if "lost" in figures:
        figures["max_ms"] = max(run["max_ms"] for run in runs)
        figures["lost"] = sum(run["lost"] for run in runs)
    return figures


def fanout_table(results: Iterable[tuple[Fanout, Figures]]) -> str:
    """Changes, from their sending until the last client has them."""
    rows = [
        (
            case.name,
            case.clients,
            "flat out" if case.rate is None else f"{case.rate:g}/s",
            f"{figures['p50_ms']:.2f}",
            f"{figures['p99_ms']:.2f}",
            "" if case.wanted is None else f"{case.wanted:g}",
            f"{figures['max_ms']:.2f}",
            f"{figures['lost']:.0f}",
            f"{figures['deliveries_per_s']:,.0f}",
            f"{figures['bytes_per_client_per_s']:,.0f}",
            f"{figures['cpu_us_per_delivery']:.2f}",
            f"{figures['cpu_percent']:.1f}",
            f"{figures['waited_percent']:.1f}",
            f"{figures['growth_kib']:,.0f}",
        )
        for case, figures in results
    ]
    head = "fan-out,clients,changes,p50 ms,p99 ms,wanted,max ms,lost,deliveries/s,B/s client"
    return table(f"{head},CPU us each,CPU %,waited %,growth KiB".split(","), rows)


def idle_table(results: Iterable[tuple[str, Figures]]) -> str:
    """Connections and nothing else."""
    rows = [
        (
            name,
            f"{figures['clients']:.0f}",
            f"{figures['resident_mib']:.1f}",
            f"{figures['kib_per_client']:.1f}",
            f"{figures['cpu_percent']:.2f}",
            f"{figures['hosts']:.0f}",
            f"{figures['hosts_resident_mib']:.1f}",
            f"{figures['hosts_cpu_percent']:.2f}",
        )
        for name, figures in results
    ]
    head = "idle,clients,RSS MiB,KiB/client,CPU %,driver hosts,their RSS MiB,their CPU %"
    return table(head.split(","), rows)


def pixels_table(results: Iterable[tuple[str, Figures]]) -> str:
    """Pictures, and what they cost."""
    rows = [
        (
            name,
            f"{figures['fps']:.1f}",
            f"{figures['dropped']:.0f}",
            f"{figures['pictures']:.0f}",
            f"{figures['missing']:.0f}",
            f"{figures['viewer_fps']:.1f}",
            f"{figures['p50_ms']:.2f}",
            f"{figures['p99_ms']:.2f}",
            f"{figures['max_ms']:.2f}",
            *(
                f"{figures[part + '_percent']:.1f} / {figures[part + '_mib']:.0f}"
                for part in ("server", "engine", "writer", "heads")
            ),
        )
        for name, figures in results
    ]
    head = "pictures,fps,dropped,in film,missing,viewer fps,p50 ms,p99 ms,max ms,"
    head += "server CPU % / MiB,engine,writer,heads"
    return table(head.split(","), rows)


def latency_table(results: Iterable[tuple[str, Figures]]) -> str:
    """From the camera to the screen."""
    rows = [
        (
            name,
            f"{figures['fps']:.1f}",
            f"{figures['median_ms']:.0f}",
            f"{figures['p90_ms']:.0f}",
            f"{figures['max_ms']:.0f}",
        )
        for name, figures in results
    ]
    return table(["latency", "fps", "median ms", "p90 ms", "max ms"], rows)


def comparison_table(results: dict[str, Figures]) -> str:
    """All servers, the thriftiest first."""
    floor = results[YARDSTICK]["cpu_us_per_delivery"]
    rows = [
        (
            name,
            f"{figures['cpu_us_per_delivery']:.2f}",
            f"{figures['cpu_us_per_delivery'] / floor:.2f}",
            f"{figures['deliveries_per_s']:,.0f}",
            f"{figures['p50_ms']:.2f}",
            f"{figures['p99_ms']:.2f}",
        )
        for name, figures in sorted(
            results.items(), key=lambda item: item[1]["cpu_us_per_delivery"]
        )
    ]
    head = "server,CPU us each,x yardstick,deliveries/s,p50 ms,p99 ms"
    return table(head.split(","), rows)


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as they must be, the first one to the left."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
