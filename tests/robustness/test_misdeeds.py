"""
Drivers that do what no driver should, each in a server of its own.

While they do it, others' changes are answered, the other camera records and
takes pictures, and it is told who is to blame: :mod:`tests.robustness.misdeeds`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.robustness.misdeeds import MISDEEDS, imports, misdeeds


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_misdeed(tmp_path: Path, misdeed: str) -> None:
    for line in misdeeds(tmp_path, [misdeed]):
        print(line)


def test_modules_that_misbehave_when_they_are_imported(tmp_path: Path) -> None:
    for line in imports(tmp_path):
        print(line)
