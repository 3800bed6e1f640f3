"""The programs of the documentation do what they say; the client loads no more than it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.harness import Server
from tests.harness.server import ROOT


def run(*command: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_asyncio(server: Server) -> None:
    with server.client("admin") as admin:
        admin.ask({"brightness": 50})
    password = server.data_dir / "initial-admin-password"
    printed = run(ROOT / "docs/examples/client_asyncio.py", server.url, password)
    first, *initial, then, last = printed.splitlines()
    assert first == "logged in as admin the administrator"
    assert sorted(initial) == ["brightness is 50", "record is False"]
    assert [then, last] == ["brightness is 40", "brightness is 60"]


def test_twisted(server: Server, pictures: None, tmp_path: Path) -> None:
    password = server.data_dir / "initial-admin-password"
    printed = run(ROOT / "docs/examples/client_twisted.py", server.url, password, tmp_path)
    (file,) = tmp_path.iterdir()
    size = file.stat().st_size
    assert f"{size} of {size} bytes\nthere it is: {file}\n" in printed
    assert file.read_bytes().startswith(b"\xff\xd8")


def test_neither_face_loads_the_other() -> None:
    run(
        "-c",
        "import sys, rotoclear.client.asyncio\n"
        "assert not {'twisted', 'autobahn', 'cv2', 'av', 'numpy'} & set(sys.modules)",
    )
    run(
        "-c",
        "import sys, rotoclear.client.twisted\n"
        "assert not {'aiohttp', 'cv2', 'av', 'numpy'} & set(sys.modules)\n"
        "assert 'twisted.internet.reactor' not in sys.modules",
    )
