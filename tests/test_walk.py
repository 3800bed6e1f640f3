"""``docs/own-certificate.rst``: a stranger copies each command as it stands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import textwrap
from contextlib import suppress
from pathlib import Path

from tests.harness.server import ROOT

PAGE = ROOT / "docs" / "own-certificate.rst"

LOOPBACK = (
    "import fcntl, os, socket, struct, sys; "
    "s = socket.socket(); "
    "fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', 1)); "  # SIOCSIFFLAGS, IFF_UP
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def commands() -> str:
    """All of the page's, in their order."""
    found = re.findall(
        r"^\.\. code-block:: bash\n\n((?:   .*\n|\n)+)", PAGE.read_text("utf-8"), re.M
    )
    assert len(found) > 6
    return "\n".join(textwrap.dedent(block) for block in found)


def reuse_venv() -> None:
    """What is installed for the tests is more than the walk needs: say that it is there."""
    stamp = ROOT / ".venv" / "installed-none"
    command = ["sh", "-c", "cat setup.cfg pyproject.toml | cksum; pwd"]
    fingerprint = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    if any(path.name.startswith("installed-test") for path in stamp.parent.glob("installed-*")):
        stamp.write_bytes(fingerprint.stdout)


def test_each_command_works(tmp_path: Path) -> None:
    """In a network of its own, where port 8443 is free and nobody else is."""
    reuse_venv()
    script = tmp_path / "walk.sh"
    script.write_text(f"set -eux\n{commands()}")
    user = [] if os.geteuid() == 0 else ["-r"]
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        # Nothing is fetched: it is there.
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    pid = tmp_path / "rotoclear-walk" / "rotoclear.pid"
    try:
        done = subprocess.run(
            ["unshare", *user, "-n", "python3", "-c", LOOPBACK, "bash", str(script)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    finally:
        with suppress(OSError, ValueError):  # it is gone, if all went well
            os.kill(int(pid.read_text()), signal.SIGKILL)
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert "device.pem: OK" in done.stdout
    assert '"name":"rotoclear"' in done.stdout
    assert "logged in as operator" in done.stdout
    assert "{'brightness': 60, 'info': ['brightness'], 'id': 'mine'}" in done.stdout
    assert '"tls":{"state":"ok"' in done.stdout
    for password in (tmp_path / "rotoclear-walk").glob("*-password"):
        assert password.read_text().strip() not in said
