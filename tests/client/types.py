"""A file that only the type checker reads: each line with ``# wrong`` must be found, no other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = """
from rotoclear.client import asyncio, twisted


async def with_asyncio(client: asyncio.Client) -> None:
    number: int = await client.brightness.set(75)
    light: bool = client.cam1_light.value
    await client.record.set("pause_release")
    await client.pip_mode.set("top-left")
    async for text in client.resolution.watch():
        text.split("x")
    await client.brightness.set("75")  # wrong
    await client.pip_mode.set("nowhere")  # wrong
    await client.cam1_exists.set(True)  # wrong
    await client.no_such_key.get()  # wrong
    print(number, light)


def with_twisted(client: twisted.Client) -> None:
    client.brightness.set(75).addCallback(lambda value: print(value + 1))
    client.brightness.set(75).addCallback(lambda value: print(value + "1"))  # wrong
    client.storage_free.set(1)  # wrong
"""


def run_mypy(folder: Path) -> list[str]:
    """Lines that were found and should not have been, or the other way round."""
    file = folder / "program.py"
    file.write_text(PROGRAM)
    root = Path(__file__).parent.parent.parent
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(root / "mypy.ini"),
        "--no-error-summary",
        str(file),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    # A cached result names the folder of an earlier run.
    found = {int(number) for number in re.findall(r"program\.py:(\d+): error", done.stdout)}
    wanted = {
        number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")
    }
    complaints = [done.stderr] if done.stderr else []
    return complaints + [f"line {number}: {done.stdout}" for number in sorted(found ^ wanted)]
