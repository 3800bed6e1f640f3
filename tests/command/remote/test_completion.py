"""What words go on with: as bash asks for it, and in a real bash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.command.completion import changes, readable, stored
from rotoclear.command.remote.options import SHELLS
from rotoclear.state.keys import KEYS
from tests.command.running import PROGRAM, environment, run_here

_ASK = """\
source "$1"
line=$2
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9
read -r -a COMP_WORDS <<< "$line"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_python_argcomplete rotoclear
printf '%s\\n' "${COMPREPLY[@]}"
"""


class CompletionTests(SynchronousTestCase):
    def test_scripts(self) -> None:
        for shell in SHELLS:
            result = run_here("completion", shell)
            self.assertEqual((result.code, result.err), (0, ""))
            self.assertIn("rotoclear", result.out)
        self.assertEqual(run_here("completion", "cmd").code, 2)

    def test_words(self) -> None:
        self.assertEqual(readable(), [key.name for key in KEYS])
        self.assertIn("brightness=", changes("br"))
        self.assertNotIn("cam1-exists=", changes("cam1"))
        self.assertEqual(changes("cam1-light="), ["cam1-light=on", "cam1-light=off"])
        self.assertIn("pip-mode=side-by-side", changes("pip-mode=s"))
        self.assertEqual(changes("brightness=7"), [])
        self.assertEqual(changes("nothing="), [])
        self.assertIn("last-recording", stored())

    def test_in_bash(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name)
        program = path / "rotoclear"
        program.write_text(f"#!{sys.executable}\n{PROGRAM[2].replace('; ', chr(10))}\n")
        program.chmod(0o755)
        script = path / "script"
        script.write_text(run_here("completion", "bash").out)
        for line, expected in (
            ("rotoclear rec", {"record", "recordings"}),
            ("rotoclear get bri", {"brightness"}),
            ("rotoclear set cam1-li", {"cam1-light="}),
            ("rotoclear set pip-mode=to", {"top-left", "top-right"}),
            ("rotoclear record pa", {"pause"}),
            ("rotoclear user ad", {"add"}),
            ("rotoclear get --js", {"--json"}),
        ):
            done = subprocess.run(
                ["bash", "-c", _ASK, "bash", script, line],
                env={**environment(), "PATH": f"{path}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            self.assertEqual({word.strip() for word in done.stdout.split()}, expected, done.stderr)
