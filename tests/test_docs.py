"""
The documentation is true: it builds, it is complete, and what it shows happens.

What is played here is taken from the pages themselves.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import msgspec
import pytest
from packaging.requirements import Requirement
from prometheus_client import generate_latest

from rotoclear.api.collector import registry
from rotoclear.api.openapi import document
from rotoclear.api.schemas import ERRORS, SERVER_ERROR
from rotoclear.config import Configuration
from rotoclear.errors import StartError
from rotoclear.state.keys import KEYS, KeyTable
from rotoclear.state.permissions import ROLES
from rotoclear.testing import command as testing_command
from tests.api.site import SiteTestCase
from tests.clients.browser import Browser, run_chromium
from tests.harness import Client, Server

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.rst"), ROOT / "README.rst", ROOT / "CHANGES.rst"])
EXAMPLES = DOCS / "examples"
URL = "ws://localhost:8080/api/v1"
"""Where the examples connect to."""


def blocks(page: Path, directive: str) -> Iterator[tuple[dict[str, str], str]]:
    """The options and the content of each of a page's directives of that name."""
    lines = page.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if line != f".. {directive}":
            continue
        options: dict[str, str] = {}
        content: list[str] = []
        for below in lines[number + 1 :]:
            if below and not below.startswith("   "):
                break
            option = re.fullmatch(r"   :(\w+): *(.*)", below)
            if option and not content:
                options[option[1]] = option[2]
            elif below or content:
                content.append(below)
        yield options, textwrap.dedent("\n".join(content)).strip()


def page(name: str) -> str:
    """A page's text."""
    return (DOCS / f"{name}.rst").read_text("utf-8")


# What is built


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built with warnings for errors."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    result = subprocess.run(
        [*command, "-d", folder / "doctrees", DOCS, folder / "html"],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return folder / "html"


def test_every_key_has_its_section(html: Path) -> None:
    text = (html / "keys.html").read_text("utf-8")
    for key in KEYS:
        assert f'id="key-{key.name}"' in text
        assert f"<h3>{key.name}<" in text


def test_the_matrix_has_every_key_and_role(html: Path) -> None:
    text = (html / "permissions.html").read_text("utf-8")
    for key in KEYS:
        assert f'href="keys.html#key-{key.name}"' in text
    for role in ROLES:
        assert role.capitalize() in text


def test_every_setting_is_documented(html: Path) -> None:
    text = (html / "configuration.html").read_text("utf-8")
    names = []
    for field in msgspec.structs.fields(Configuration):
        inner = isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        below = msgspec.structs.fields(field.type) if inner else ()
        names += [f"{field.encode_name}.{f.encode_name}" for f in below] or [field.encode_name]
    assert len(names) > 15
    for name in names:
        anchor = re.sub(r"[^a-z0-9]+", "-", f"setting-{name}")
        assert f'id="{anchor}"' in text, name


def test_every_command_is_shown(html: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import command_reference

    for command in command_reference.commands():
        assert f".. rotoclear-help:: {command}\n" in page("command-line")
    text = (html / "command-line.html").read_text("utf-8")
    for option in ("--config", "--listen", "--data-dir", "--check"):
        assert option in text


def test_every_page_is_in_the_contents(html: Path) -> None:
    text = (html / "index.html").read_text("utf-8")
    for path in DOCS.glob("*.rst"):
        assert f"{path.stem}.html" in text or path.stem == "index"


# What is shown


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_json_is_json(path: Path) -> None:
    for _, content in blocks(path, "code-block:: json"):
        try:
            json.loads(content)
        except ValueError:  # one after another
            for line in content.splitlines():
                json.loads(line)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_settings_are_settings(path: Path) -> None:
    for _, content in blocks(path, "code-block:: toml"):
        msgspec.convert(tomllib.loads(content), Configuration)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_python_is_python(path: Path) -> None:
    for _, content in blocks(path, "code-block:: python"):
        body = textwrap.indent(content, "    ")
        compile(f"async def page():\n{body}", str(path), "exec")


def test_the_readmes_commands_are_there() -> None:
    text = (ROOT / "README.rst").read_text("utf-8")
    commands = re.findall(r"^    (scripts/\w+)$", text, re.MULTILINE)
    assert commands == ["scripts/run", "scripts/test"]
    for command in commands:
        assert os.access(ROOT / command, os.X_OK)


def test_every_request_is_in_the_table() -> None:
    shown = set(re.findall(r"^``(?:GET|POST|PATCH|DELETE) /\S*?(?:``|\?)", page("http"), re.M))
    paths = document(KeyTable())["paths"]
    described = {
        f"``{method.upper()} {path.replace('{name}', 'NAME').replace('{id}', 'ID')}``"
        for path, item in paths.items()
        for method in item
        if method != "parameters"
    }
    assert {entry.replace("?", "``") for entry in shown} == described


def test_every_dependency_has_its_reason() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].split("\n")
    for extra in setup["options.extras_require"].values():
        lines += extra.split("\n")
    needed = {Requirement(line).name.lower() for line in lines if line and line[0] != "#"}
    shown = {
        match[1].lower()
        for match in re.finditer(
            r"^(\S+) +[A-Z]\S+(?: or \S+|, \S+)?  +\S", page("dependencies"), re.M
        )
    }
    assert shown - {"package"} == needed


GPL: Final = ("x264", "x265", "xvidcore", "rubberband", "vidstab", "postproc", "cdio")
"""Libraries that FFmpeg can be built with, and that make the whole GPL."""


def test_what_is_gpl_is_named() -> None:
    """By licence in the table of dependencies; and what wheels bring along unasked."""
    text = page("licences")
    for name in re.findall(r"^(\S+) +L?GPL-\S+  ", page("dependencies"), re.M):
        assert name in text, name
    libraries = Path(av.__file__).parent.with_name("av.libs")
    bundled = {path.name.removeprefix("lib").split("-")[0] for path in libraries.glob("*.so*")}
    for name in bundled.intersection(GPL):
        assert name in text, name


class Figures(SiteTestCase):
    """The table of metrics."""

    def test_every_figure_is_in_the_table(self):
        self.status["drivers"] = [{"name": "a", "state": "running", "restarts": 0}]
        self.engine["rtsp"] = {"connections": 0, "viewers": {"live": 0}}
        self.engine["publish"] = {"state": "failed", "frames": 0, "restarts": 0}
        found = set(
            re.findall(
                r"^# TYPE (rotoclear_\w+)", generate_latest(registry(self.context)).decode(), re.M
            )
        )
        shown = set(re.findall(r"^``(rotoclear_\w+)``", page("http"), re.M))
        self.assertEqual(shown, found)


# What is played


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("docs-server")) as server:
        token = server.login()
        for role in ("operator", "viewer"):
            new = {"name": role, "role": role, "password": f"password of {role}"}
            assert server.request("POST", "/api/users", new, token=token).status == 201
        yield server


CONVERSATIONS = [
    pytest.param(options.get("as"), content, id=f"{path.stem}-{number}")
    for path in PAGES
    for number, (options, content) in enumerate(blocks(path, "conversation::"), 1)
]


def test_there_are_conversations() -> None:
    assert len(CONVERSATIONS) > 8


@pytest.mark.parametrize(("role", "content"), CONVERSATIONS)
def test_conversation(server: Server, role: str | None, content: str) -> None:
    """Each begins with what the first start finds, but for what those before it on the page did."""
    with server.client(role, role and f"password of {role}") as client:
        for line in content.splitlines():
            mark, text = line[:3], line[3:]
            if mark == ">> ":
                client.send(text)
            else:
                assert mark == "<< ", line
                printed = json.loads(text)
                received = client.until({"id": printed["id"]} if "id" in printed else {})
                assert shown(received, printed), (line, received)
        assert client.ask_all({"get": []}) == [{}], "more came than is shown"


def shown(received: object, printed: object) -> bool:
    """Whether it is what is printed, in which ``…`` stands for anything."""
    if isinstance(received, dict) and isinstance(printed, dict):
        return received.keys() == printed.keys() and all(
            shown(received[name], printed[name]) for name in printed
        )
    return printed == "…" or (type(received), received) == (type(printed), printed)


def test_quick_start_in_python(server: Server) -> None:
    for wanted in (50, 75):
        with server.client("admin") as admin:
            admin.ask({"brightness": 125 - wanted})
        result = subprocess.run(
            [
                sys.executable,
                EXAMPLES / "quickstart.py",
                server.url,
                server.data_dir / "initial-admin-password",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        value = 75 if wanted == 75 else 50
        assert result.stdout.splitlines()[1:] == [
            f"confirmation: {{'brightness': {value}, 'info': ['brightness']}}",
            f"broadcast:    {{'brightness': {value}}}",
            f"watcher sees: {{'brightness': {value}}}",
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with run_chromium() as script:
        script.until(lambda line: isinstance(line, dict) and "ready" in line)
        yield Browser(script)


def test_quick_start_in_a_browser(server: Server, browser: Browser) -> None:
    head, _, rest = (EXAMPLES / "quickstart.html").read_text("utf-8").partition("<script>")
    script = rest.partition("</script>")[0]
    assert URL in script
    program = f"document.body.innerHTML = {json.dumps(head)};" + script.replace(URL, server.url)
    with browser.page(program) as opened, server.client() as watcher:
        before = watcher.get("brightness")["brightness"]
        opened.wait(f"document.getElementById('brightness').value == '{before}'")
        assert opened.evaluate("document.getElementById('brightness').disabled")
        password = json.dumps(server.admin_password)
        opened.evaluate(f"document.forms.login.password.value = {password}")
        opened.evaluate("document.forms.login.requestSubmit()")
        opened.wait("!document.getElementById('brightness').disabled")
        value = 31 if before != 31 else 32
        slider = "document.getElementById('brightness')"
        opened.evaluate(f"{slider}.value = {value}")
        opened.evaluate(f"{slider}.dispatchEvent(new Event('input'))")
        assert watcher.until({"brightness": value}) == {"brightness": value}
        opened.wait("document.getElementById('log').textContent.includes('info')")
        assert "token" not in opened.evaluate("document.getElementById('log').textContent")


def test_first_steps_of_the_readme(server: Server, tmp_path: Path) -> None:
    (content,) = (text for _, text in blocks(ROOT / "README.rst", "code-block:: python"))
    assert URL in content
    program = tmp_path / "readme.py"
    program.write_text(content.replace(URL, server.url))
    (first, second) = (text for _, text in blocks(ROOT / "README.rst", "code-block:: json"))
    with server.client("admin") as admin:
        admin.ask({"brightness": 50})
    command = [sys.executable, "-u", str(program)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(server.admin_password + "\n")
        process.stdin.flush()
        assert '"authenticated":true' in process.stdout.readline()
        for line in first.splitlines():
            assert json.loads(process.stdout.readline()) == json.loads(line)
        simulate(server, "unplug", "2")
        assert json.loads(process.stdout.readline()) == json.loads(second)
    finally:
        process.kill()
        process.communicate()
        simulate(server, "plug", "2")
        with server.client() as client:
            while not client.get("cam2-exists")["cam2-exists"]:
                client.receive()


def simulate(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``rotoclear simulate ...`` on this server."""
    command = [sys.executable, "-c", "from rotoclear.command.main import main; exit(main())"]
    return subprocess.run(
        [*command, "--data-dir", str(server.data_dir), "simulate", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )


@pytest.fixture
def rehearsed(server: Server) -> Iterator[Server]:
    """Afterwards nothing is broken any more."""
    yield server
    for target in ("1", "2", "light1", "storage"):
        simulate(server, "clear", target)


def test_commands_of_the_simulator_page(rehearsed: Server) -> None:
    lines = [
        line.removeprefix("$ rotoclear simulate ").split()
        for _, content in blocks(DOCS / "simulator.rst", "code-block:: console")
        for line in content.splitlines()
    ]
    assert len(lines) > 5
    for arguments in lines:
        simulate(rehearsed, *arguments)


def test_what_a_client_should_see(rehearsed: Server) -> None:
    def client() -> Client:
        return rehearsed.client("operator", "password of operator")

    with client() as operator:
        operator.ask({"brightness": 40})
        simulate(rehearsed, "fault", "1", "error", "control=brightness", "times=1")
        answer = operator.ask({"brightness": 41})
        assert answer["error"] == "Device error", answer
        assert operator.get("brightness") == {"brightness": 40}
        simulate(rehearsed, "unplug", "2")
        operator.until({"cam2-exists": False})
        assert operator.ask({"cam2-light": True})["error"] == "Not available"
        simulate(rehearsed, "plug", "2")
        operator.until({"cam2-exists": True})


# A driver


def test_the_drivers_page_shows_all_of_the_example() -> None:
    example = ROOT / "examples" / "acme-vendor"
    shown = re.findall(
        r"^\.\. literalinclude:: \.\./examples/acme-vendor/(.+)$", page("drivers"), re.M
    )
    there = [
        file.relative_to(example).as_posix()
        for file in example.rglob("*")
        if file.is_file() and file.suffix in (".py", ".cfg", ".toml", ".rst")
    ]
    assert sorted(shown) == sorted(there)


def test_the_checks_page_names_all_options() -> None:
    for action in testing_command.arguments()._actions:
        if action.help != argparse.SUPPRESS and action.option_strings != ["-h", "--help"]:
            for option in action.option_strings:
                assert f"``{option} " in page("testing-drivers")


# What is said when something is wrong


def quoted_reasons() -> list[str]:
    """What the page says that a server or a command that does not start may say."""
    lines = page("troubleshooting").split("Nobody can connect")[0].splitlines()
    return re.findall(r"``([^`]+)``", "\n".join(line for line in lines if line.startswith("``")))


def test_the_reasons_for_not_starting() -> None:
    quoted = quoted_reasons()
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "rotoclear").rglob("*.py"))
    spoken = [text for text in quoted if " " in text and "=" not in text and "-" not in text]
    assert len(spoken) > 5
    for text in spoken:
        for piece in text.split("..."):
            assert piece.strip(" ?)") in sources, text


def start_errors() -> Iterator[str]:
    """What a server or a command that does not start may say, with dots for what varies."""
    for path in sorted((ROOT / "rotoclear").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Raise(exc=ast.Call(func=ast.Name(id=name), args=[text])):
                    kind = getattr(module, name, None)
                    if isinstance(kind, type) and issubclass(kind, StartError):
                        yield spoken(text)
                case ast.FunctionDef(name=("_tcp_reason" | "_unix_reason"), body=body):
                    for part in ast.walk(ast.Module(body, [])):
                        if isinstance(part, ast.Return) and part.value is not None:
                            yield spoken(part.value)


def spoken(text: ast.expr) -> str:
    match text:
        case ast.Constant(value=str(words)):
            return words
        case ast.JoinedStr(values=values):
            return "".join(map(spoken, values))
    return "..."


def test_every_reason_for_not_starting_is_explained() -> None:
    quoted = quoted_reasons()
    patterns = [
        re.compile(".*".join(re.escape(piece.strip()) for piece in text.split("...")))
        for text in quoted
        if " " in text
    ]
    said = {text for text in start_errors() if re.search("[a-z]{2}", text)}
    assert len(said) > 40
    assert [text for text in said if not any(pattern.search(text) for pattern in patterns)] == []


def test_the_log_and_discovery() -> None:
    """What the page quotes of them is what they say."""
    text = page("troubleshooting")
    parts = text.split("It is not found in the network")[1].split("The connection closes")[0]
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "rotoclear").rglob("*.py"))
    sources = re.sub(r"\{\w+\}", "...", sources)
    quoted = re.findall(r"^``([^`]+)``$", parts, re.M)
    assert len(quoted) > 6
    for words in quoted:
        for piece in words.split("..."):
            assert piece.strip() in sources, words


def test_every_error_is_explained() -> None:
    for name in {*ERRORS} - {SERVER_ERROR}:
        assert f"\n``{name}``\n" in page("troubleshooting")
