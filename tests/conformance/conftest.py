"""The echo that all the tests in here talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.autobahn import echo

MESSAGE_SIZE = 262_144
"""Bytes of a message, for these tests."""


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    """Where the echo listens."""
    with echo(MESSAGE_SIZE) as number:
        yield number
