"""The typed keys are those of the table, and the names they take are free."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotoclear.client import generate
from rotoclear.client.asyncio import Client as AsyncioClient
from rotoclear.client.asyncio.handles import Handles as AsyncioHandles
from rotoclear.client.twisted import Client as TwistedClient
from rotoclear.client.twisted.handles import Handles as TwistedHandles
from rotoclear.state.keys import KEYS
from tests.client.types import run_mypy


@pytest.mark.parametrize("face", generate.FACES)
def test_up_to_date(face: str) -> None:
    written = (generate.HERE / face / "keys.py").read_text("utf-8")
    assert written == generate.source(face), "scripts/client-keys writes it anew"


@pytest.mark.parametrize("handles", [AsyncioHandles, TwistedHandles])
def test_names_are_free(handles: type) -> None:
    """No key hides a method."""
    for key in KEYS:
        assert not hasattr(handles, generate.attribute(key)), key.name


@pytest.mark.parametrize("client", [AsyncioClient, TwistedClient])
def test_every_key_is_there(client: type) -> None:
    for key in KEYS:
        attribute = getattr(client, generate.attribute(key))
        assert key.doc.split()[0] in attribute.__doc__


def test_editors_and_checkers_know_the_types(tmp_path: Path) -> None:
    """What is right passes, each thing that is wrong is found."""
    assert run_mypy(tmp_path) == []
