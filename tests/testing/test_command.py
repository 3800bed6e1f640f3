"""``python -m rotoclear.testing``: the report, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def report(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rotoclear.testing", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_good_driver(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    done = report(
        *("tests.testing.wrong:good_camera", "--seconds", "0.1", "--rounds", "5"),
        *("--json", str(file)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout
    assert "64x48 at 10, 100" in done.stdout
    told = json.loads(file.read_text())
    assert told["passed"] is True
    assert told["driver"]["driver"] == "good"
    assert told["machine"].keys() == {"rotoclear", "python", "kernel"}
    outcomes = {check["name"]: check["outcome"] for check in told["checks"]}
    assert outcomes["test_read_timeout"] == "pass"
    assert outcomes["test_pictures_in_its_process"] == "pass"
    assert outcomes["test_keys_in_its_process"] == "not exercised"
    assert told["figures"]["one"].keys() >= {"probe, ms", "set, ms", "select, ms", "capture, ms"}


def test_a_wrong_driver() -> None:
    done = report("tests.testing.wrong:writes_to_the_server", "--rounds", "2")
    assert done.returncode == 1
    assert "FAIL  a lamp is switched on and off" in done.stdout
    assert "descriptor 3" in done.stdout
    assert "pass  devices are found" in done.stdout
    assert "FAILED" in done.stdout


def test_no_driver() -> None:
    done = report("tests.testing.wrong:there_is_none")
    assert done.returncode == 1
    assert "FAIL  it can be loaded" in done.stdout


def test_an_option_that_it_does_not_have() -> None:
    done = report("tests.testing.wrong:good_lamp", "--option", "colour=red")
    assert done.returncode == 2
    assert "There is no option colour" in done.stderr


def test_what_takes_devices_away(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = report(
        *("tests.testing.wrong:good_lamp", "--rounds", "2"),
        *("--unplug", f"echo unplug $IDENTITY >> {log}", "--plug", f"echo plug $IDENTITY >> {log}"),
    )
    assert done.returncode == 1  # nothing really happens to it
    assert "find() does still name one" in done.stdout
    assert log.read_text().splitlines()[:2] == ["unplug one", "plug one"]
