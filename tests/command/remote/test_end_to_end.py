"""The commands for the network and a whole server, over TLS: processes, pipes, terminals."""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from attrs import frozen

from tests.command.remote.terminal import Terminal
from tests.command.running import PROGRAM, Result, environment, run
from tests.harness import Script, Server


@frozen
class User:
    """
    Somebody at some machine, who has logged in as ``admin``.

    :ivar home: what is remembered there.
    """

    server: Server
    home: Path
    fingerprint: str

    def run(self, *words: str, stdin: str = "") -> Result:
        """Run a command."""
        return run(*words, stdin=stdin, HOME=str(self.home))

    def good(self, *words: str, stdin: str = "") -> str:
        """The same, and it has to succeed; return what it said."""
        result = self.run(*words, stdin=stdin)
        assert (result.code, result.err) == (0, "")
        return result.out

    def patiently(self, *words: str) -> None:
        """The same for what takes a camera two seconds at most, if nobody else is busy."""
        for _ in range(20):
            result = self.run(*words)
            if result.code == 0:
                return
        raise AssertionError(result)

    def terminal(self, *words: str, **options: object) -> Terminal:
        """Run it in a terminal."""
        return partial(Terminal, *words, **options)(HOME=str(self.home))

    def script(self, *words: str) -> Script:
        """Run it with its output in a pipe."""
        return Script([*PROGRAM, *words], env=environment(HOME=str(self.home)), limit=60.0)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A server with a certificate that it has signed itself, and its administrator."""
    folder = tmp_path_factory.mktemp("remote")
    told = run("cert", "--dir", str(folder)).out
    _, _, fingerprint = told.partition("fingerprint: ")
    key, certificate = folder / "server-key.pem", folder / "server-cert.pem"
    endpoint = f"ssl:{{port}}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"
    with Server(folder / "server", listen=[endpoint], certificate=certificate) as server:
        user = User(server, folder / "home", fingerprint.split()[0])
        user.home.mkdir()
        trust = ("--server", server.http, "--fingerprint", user.fingerprint)
        told = user.good("login", "admin", *trust, stdin=server.admin_password)
        assert f"logged in at {server.http} as admin (administrator)" in told
        yield user


def test_a_stranger_is_not_trusted(user: User, tmp_path: Path) -> None:
    server = ("--server", user.server.http)
    result = run("get", "brightness", *server, HOME=str(tmp_path))
    assert (result.code, result.out) == (3, "")
    assert user.fingerprint in result.err  # for those who can compare it
    wrong = ":".join(["AB"] * 32)
    result = run("get", "brightness", *server, "--fingerprint", wrong, HOME=str(tmp_path))
    assert (result.code, result.out) == (3, "")
    cafile = str(user.server.certificate)
    assert run("get", "fps", *server, "--cafile", cafile, HOME=str(tmp_path)).out == "30\n"


def test_keys(user: User) -> None:
    told = user.good("set", "jpeg-quality=61", "pip-mode=top-left", "gain=20")
    assert told == "jpeg-quality=61\npip-mode=top-left\ngain=20\n"
    assert user.good("get", "jpeg-quality") == "61\n"
    result = user.run("set", "brightness=150", "jpeg-quality=62", "shapness=1")
    assert (result.code, result.out) == (1, "jpeg-quality=62\n")
    assert "between 0 and 100" in result.err
    assert "did you mean sharpness?" in result.err
    keys = json.loads(user.good("keys", "--json", "resolution"))
    assert "1920x1080" in keys["resolution"]["choices"]


def test_status(user: User) -> None:
    told = user.good("status")
    assert told.startswith("rotoclear ")
    assert user.server.http in told
    assert "drivers:" in told


def test_films_and_pictures(user: User, tmp_path: Path) -> None:
    user.good("set", "resolution=640x480", "fps=10")  # what a machine that is busy can do
    user.patiently("record", "on")
    for action in ("pause", "resume", "off"):
        user.good("record", action)
    result = user.run("record", "pause")
    assert (result.code, result.out) == (1, "")
    film, *_ = json.loads(user.good("recordings", "--json"))
    path = tmp_path / "film.mp4"
    whole = user.good("download", "last-recording", "--output", str(path), "--json")
    assert json.loads(whole)["id"] == film["id"]
    content = path.read_bytes()
    assert len(content) == film["size"]

    # What an attempt that was cut off has left is gone on with.
    path.rename(tmp_path / "before")
    part = tmp_path / f"film.mp4.{film['id']}.part"
    part.write_bytes(content[: (len(content) + 1) // 2])
    with user.terminal("download", film["id"], "--output", str(path)) as terminal:
        terminal.until("50 %")
        terminal.until("100 %")
        assert terminal.wait() == 0
    assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert not part.exists()

    user.patiently("snap", "--output", str(tmp_path / "picture.jpg"))
    assert (tmp_path / "picture.jpg").read_bytes().startswith(b"\xff\xd8")
    newest = user.good("get", "last-snapshot").strip()
    assert user.good("snapshots").splitlines()[1].startswith(newest)


def test_lines_in_a_pipe(user: User) -> None:
    with user.server.client("admin") as client, user.script("watch", "gain", "fps") as script:
        script.until(lambda line: line.get("key") == "fps")
        client.ask({"gain": 11})
        line = script.until(lambda line: line.get("value") == 11)
        assert (line["key"], "stderr" in line) == ("gain", False)
        user.server.terminate()
        script.until(lambda line: "is lost; trying again" in line.get("stderr", ""))
        user.server.start()
        with user.server.client("admin") as other:
            other.ask({"gain": 12})
        assert script.until(lambda line: line.get("value") == 12)["key"] == "gain"
        assert {line.get("key") for line in script.seen if "key" in line} == {"gain", "fps"}


def test_table_in_a_terminal(user: User) -> None:
    with user.server.client("admin") as client, user.terminal("watch") as terminal:
        terminal.until("brightness")
        terminal.until("q ends")
        client.ask({"pip-mode": "side-by-side"})
        terminal.until("side-by-side")
        terminal.resize(60, 8)
        terminal.signal(signal.SIGWINCH)
        terminal.until("more below")
        terminal.type("q")
        assert terminal.wait() == 0


def test_interrupted_table_leaves_the_terminal_as_it_was(user: User) -> None:
    with user.terminal("watch", "fps") as terminal:
        terminal.until("q ends")
        terminal.signal(signal.SIGINT)
        terminal.until("\x1b[?1049l")  # xterm's rmcup
        assert terminal.wait() == 130
        assert "Traceback" not in terminal.seen


def test_password_is_not_shown(user: User, tmp_path: Path) -> None:
    words = ("login", "--server", user.server.http, "--fingerprint", user.fingerprint)
    with Terminal(*words, HOME=str(tmp_path)) as terminal:
        terminal.until("User: ")
        terminal.type("admin\n")
        terminal.until("Password of admin at ")
        terminal.type(user.server.admin_password + "\n")
        terminal.until("logged in")
        assert terminal.wait() == 0
        assert user.server.admin_password not in terminal.seen


def test_login_that_has_ended(user: User, tmp_path: Path) -> None:
    other = User(user.server, tmp_path, user.fingerprint)
    trust = ("--server", user.server.http, "--fingerprint", user.fingerprint)
    other.good("login", "admin", *trust, stdin=user.server.admin_password)
    (token,) = json.loads((tmp_path / ".local/state/rotoclear-logins/logins.json").read_text())[
        "servers"
    ].values()
    assert user.server.request("POST", "/api/logout", token=token["token"]).status == 204
    result = other.run("get", "fps")
    assert (result.code, result.out) == (4, "")
    assert "rotoclear login admin" in result.err
    result = other.run("login", "admin", *trust, stdin="wrong")
    assert (result.code, result.out) == (4, "")
    assert other.good("logout") == ""
