"""The console's and the client's JavaScript: its logic in Node, without a browser or a server."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from rotoclear.api.schemas import KINDS
from rotoclear.console import assets
from rotoclear.state.errors import (
    DEVICE_ERROR,
    INVALID_MESSAGE,
    INVALID_VALUE,
    NOT_AVAILABLE,
    PERMISSION_DENIED,
    UNKNOWN_KEY,
)
from rotoclear.state.keys import KEYS, PIP_MODES
from rotoclear.state.permissions import ROLES
from tests.clients.browser import tool

ROOT = Path(__file__).resolve().parent.parent.parent
SUITES = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))


def source(name: str) -> str:
    return assets()[name].content.decode()


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.name.partition(".")[0])
def test_suite(suite: Path) -> None:
    done = subprocess.run(
        [tool("node"), "--test", "--test-reporter=tap", str(suite)],
        cwd=ROOT,
        env={**os.environ, "TZ": "UTC", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr
    assert int(re.findall(r"^# pass (\d+)$", done.stdout, re.M)[-1]) >= 1


def test_there_are_suites() -> None:
    assert [path.name for path in SUITES] == ["client.test.mjs", "logic.test.mjs"]


# What the page knows of the server


def words() -> set[str]:
    return set(re.findall(r'^  "([^"]+)":', source("app/words-en.js"), re.M))


def test_every_key_that_can_be_set_has_a_name() -> None:
    for key in KEYS:
        if key.write:
            assert f"key.{key.name}" in words()


def test_every_choice_role_and_error_has_its_words() -> None:
    for mode in PIP_MODES:
        assert f"choice.pip-mode.{mode}" in words()
    for role in ROLES:
        assert f"role.{role}" in words()
    for error in (
        DEVICE_ERROR,
        INVALID_MESSAGE,
        INVALID_VALUE,
        NOT_AVAILABLE,
        PERMISSION_DENIED,
        UNKNOWN_KEY,
    ):
        assert f"error.{error}" in words()


def test_every_kind_of_value_is_known() -> None:
    text = source("app/keys.js")
    for kind in KINDS:
        assert kind in ("text", "recording") or f'case "{kind}":' in text


def test_every_word_that_is_used_is_there() -> None:
    used: set[str] = set()
    for name in assets():
        text = source(name)
        used |= set(re.findall(r'\bt\(\s*"([^"]+)"', text))
        used |= set(re.findall(r'data-t(?:-\w+)?="([^"]+)"', text))
        used |= set(re.findall(r'\bword: "([^"]+)"', text))
    assert len(used) > 100
    assert used - words() == set()


# The client's types


def test_the_types_have_every_key() -> None:
    types = source("rotoclear-client.d.ts")
    state = types[types.index("interface State {") : types.index("[vendor:")]
    shown = set(re.findall(r'^  (?:readonly )?"?([\w-]+)"?\?:', state, re.M))
    assert shown == {key.name for key in KEYS}
    readonly = set(re.findall(r'^  readonly "?([\w-]+)"?\?:', state, re.M))
    assert readonly == {key.name for key in KEYS if not key.write}


def test_the_types_have_every_member() -> None:
    text = source("rotoclear-client.js")
    body = text[text.index("export class RotoclearClient") : text.index("\nfunction anonymous")]
    there = set(re.findall(r"^  (?:async |get )?([a-z]\w*)\(", body, re.M))
    types = source("rotoclear-client.d.ts")
    declared = types[types.index("export class RotoclearClient") :]
    shown = set(re.findall(r"^  (?:readonly )?(\w+)[(<:]", declared, re.M))
    assert there == shown


def test_the_types_have_every_option() -> None:
    text = source("rotoclear-client.js")
    defaults = text[text.index("const DEFAULTS") : text.index("\n};", text.index("const DEFAULTS"))]
    types = source("rotoclear-client.d.ts")
    options = types[types.index("interface Options") : types.index("interface Identity")]
    assert set(re.findall(r"^  (\w+):", defaults, re.M)) == set(
        re.findall(r"^  (\w+)\?:", options, re.M)
    )
