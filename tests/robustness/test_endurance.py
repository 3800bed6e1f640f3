"""The short form of ``scripts/soak endurance``, and how it judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.robustness.endurance import judge, soak
from tests.robustness.vitals import MIB


def test_a_little_of_everything(tmp_path: Path) -> None:
    """It can be interrupted: what was begun in one go is ended in another."""
    for seconds in (5.0, 14.0):
        for line in soak(tmp_path, seconds, 3.0, slack=4.0):
            print(line)
    samples = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert {sample["run"] for sample in samples} == {1, 2}
    assert sum(sample["done"].get("films", 0) for sample in samples) > 0
    assert sum(sample["done"].get("faults", 0) for sample in samples) > 0


def sample(number: int, memory: float, run: int = 1, pid: int = 7) -> dict[str, Any]:
    server = {"pid": pid, "memory": memory, "descriptors": 30, "threads": 4}
    return {
        "run": run, "took": 30.0, "p50": 1.0, "p99": 5.0, "database": MIB, "done": {},
        "processes": {"server": server},
    }  # fmt: skip


class TestJudge:
    def test_flat(self) -> None:
        samples = [sample(n, (90 + n % 3) * MIB) for n in range(60)]
        assert any(line.startswith("server: memory +0.00 MiB/h") for line in judge(samples))

    def test_leak(self) -> None:
        """Half a megabyte in half a minute."""
        samples = [sample(n, (90 + n / 2) * MIB) for n in range(60)]
        with pytest.raises(AssertionError, match=r"server: memory \+60.00 MiB/h"):
            list(judge(samples))

    def test_leak_behind_restarts(self) -> None:
        """Each process has its own beginning; the slope is that of all."""
        samples = [sample(n, (90 + n % 10) * MIB, run=1 + n // 10) for n in range(60)]
        assert any("memory +120.00 MiB/h" in line for line in judge(samples))

    def test_warming_up_is_no_leak(self) -> None:
        samples = [sample(n, (90 + min(n, 10)) * MIB) for n in range(60)]
        assert any("(100.0 -> 100.0" in line for line in judge(samples))
