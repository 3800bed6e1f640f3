"""Runs the command: as a process of its own, as people do, or faster."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from attrs import frozen

from rotoclear.command.main import main

PROGRAM = (
    sys.executable,
    "-c",
    "from rotoclear.command.main import main; raise SystemExit(main())",
)

ROOT = Path(__file__).parents[2]


@frozen
class Result:
    """How it ended, and what it said."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """What it finds around it: nothing that would lead it to a real data folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "TZ": "UTC", **more}


def run(*arguments: str, stdin: bytes | str = b"", **environ: str) -> Result:
    """Run it to its end; blocks, a minute at most."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=60,
        env=environment(**environ),
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_here(*arguments: str, **environ: str) -> Result:
    """Run it in this process: for what does not get as far as changing anything."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.dict(os.environ, environment(**environ), clear=True),
    ):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Result(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]
