"""
``scripts/autobahn``: the Autobahn test suite against the echo.

The suite (https://github.com/crossbario/autobahn-testsuite) is a program for
Python 2.7, installed into an environment of its own. A case is passed if the
suite calls it OK, NON-STRICT (right, but noticed later than could be) or
INFORMATIONAL (no right or wrong).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SUITE = "autobahntestsuite==25.10.1"

MESSAGE_SIZE = 16 * 2**20
"""Bytes of the largest message in the suite (9.1.6, 9.2.6)."""

PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}

HERE = Path(__file__).parent
WORK = HERE / ".autobahn"


def main() -> int:
    """Run it; the status that the process ends with."""
    parser = argparse.ArgumentParser(prog="scripts/autobahn", description="Run the Autobahn suite.")
    parser.add_argument(
        "cases",
        nargs="*",
        default=["*"],
        metavar="CASE",
        help="such as '9.*'; all, if there is none",
    )
    cases = parser.parse_args().cases
    try:
        suite = installed()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 2
    with echo() as port:
        results = run(suite, port, cases)
    return report(results)


def installed() -> Path:
    """
    The suite's program.

    :raises RuntimeError: there is no Python 2.7.
    """
    program = WORK / "suite" / "bin" / "wstest"
    if not program.exists():
        old = python2()
        print(f"Installing {SUITE} ...", file=sys.stderr)
        # The last virtualenv that can make an environment for Python 2.7.
        tools, suite = WORK / "tools", WORK / "suite"
        for command in (
            [sys.executable, "-m", "venv", tools],
            [tools / "bin" / "python", "-m", "pip", "install", "--quiet", "virtualenv<20.22"],
            [tools / "bin" / "python", "-m", "virtualenv", "--quiet", "-p", old, suite],
            [suite / "bin" / "pip", "install", "--quiet", SUITE],
        ):
            subprocess.run([str(word) for word in command], check=True)
    return program


def python2() -> str:
    """
    A Python 2.7: ``$PYTHON2``, the path's, or one that pyenv has made.

    :raises RuntimeError: there is none.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = (
        os.environ.get("PYTHON2"),
        shutil.which("python2.7"),
        *map(str, pyenv.glob("versions/2.7.*/bin/python")),
    )
    for program in filter(None, found):
        # One in the path may be pyenv's, which does not run unless it is told to.
        check = [program, "-c", "import sys; sys.exit(sys.version_info[:2] != (2, 7))"]
        if subprocess.run(check, capture_output=True).returncode == 0:
            return program
    raise RuntimeError(
        "The Autobahn test suite is a program for Python 2.7, and there is none here. Name one\n"
        "in PYTHON2; pyenv (https://github.com/pyenv/pyenv) makes one: pyenv install 2.7.18"
    )


@contextlib.contextmanager
def echo(message_size: int = MESSAGE_SIZE) -> Iterator[int]:
    """The port of an echo that runs meanwhile."""
    command = [sys.executable, "-m", "tests.conformance.echo", "--message-size", str(message_size)]
    with subprocess.Popen(
        command, cwd=HERE.parent.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def run(suite: Path, port: int, cases: list[str]) -> dict[str, dict[str, str]]:
    """The suite's verdicts by the number of the case."""
    folder, log = WORK / "report", WORK / "wstest.log"
    shutil.rmtree(folder, ignore_errors=True)
    specification = WORK / "fuzzingclient.json"
    specification.write_text(
        json.dumps(
            {
                "outdir": str(folder),
                "servers": [{"agent": "rotoclear", "url": f"ws://127.0.0.1:{port}/api/v1"}],
                "cases": cases,
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
        )
    )
    print(f"Running; {log} tells how far it is ...", file=sys.stderr)
    with log.open("wb") as output:
        subprocess.run(
            [suite, "-m", "fuzzingclient", "-s", specification],
            cwd=WORK,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )
    results: dict[str, dict[str, str]] = json.loads((folder / "index.json").read_text())[
        "rotoclear"
    ]
    return results


def report(results: dict[str, dict[str, str]]) -> int:
    """Say how it went; 0 if every case has passed."""
    counts = Counter(result["behavior"] for result in results.values())
    failed = [
        f"{case}: {result['behavior']}, its close {result['behaviorClose']}"
        for case, result in sorted(results.items())
        if not {result["behavior"], result["behaviorClose"]} <= PASSED
    ]
    print(f"{len(results)} cases:", ", ".join(f"{n} {name}" for name, n in counts.most_common()))
    print(f"The full report: {WORK / 'report' / 'index.html'}")
    for line in failed:
        print(line)
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
