"""That large blocks are used again: a process of its own, for it holds for all of one."""

from __future__ import annotations

import subprocess
import sys

FAULTS = """
import resource
from rotoclear.processes.allocator import keep_large_blocks
if {keep}:
    keep_large_blocks()
def use():
    # Two kinds of pictures, and none of them for long.
    for size in (4_000_000, 3_000_000, 16_000_000):
        block = bytearray(size)
        del block
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, keep: bool) -> int:
    """How many pages the system has had to hand out."""
    command = [sys.executable, "-c", FAULTS.format(keep=keep)]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def test_large_blocks_are_used_again() -> None:
    assert faults(keep=True) < faults(keep=False) / 10
