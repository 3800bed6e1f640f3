"""One machine with one server in it for all tests, and the times at the end."""

from __future__ import annotations

import compileall
import faulthandler
from collections.abc import Iterator

import pytest

from tests.harness import Client
from tests.harness.server import ROOT
from tests.hil.guest import GuestServer
from tests.hil.image import HERE, Image, image
from tests.hil.machine import Machine
from tests.hil.times import note, table, timed

CONFIG = """
enabled-drivers = ["hardware"]
"""
"""Of the server that most tests share."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those with machines of their own first: the shared one need not stand by meanwhile."""
    mine = [index for index, item in enumerate(items) if HERE in item.path.parents]
    ordered = sorted((items[index] for index in mine), key=_shares)
    for index, item in zip(mine, ordered, strict=True):
        items[index] = item


def _shares(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and "machine" in item.fixturenames


def pytest_runtest_setup() -> None:
    """Making the parts may take longer than other tests; all that waits here has a limit."""
    faulthandler.cancel_dump_traceback_later()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the times."""
    lines = table()
    if lines:
        terminalreporter.section("times inside the virtual machine")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="package")
def parts() -> Image:
    """What machines are made of."""
    with timed("make the machine's parts, or find them"):
        made = image()
    # Python in there is slow: spare it compiling.
    for folder in ("rotoclear", "twisted", "tests/harness", "tests/hil"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    return made


@pytest.fixture(scope="package")
def machine(parts: Image) -> Iterator[Machine]:
    """A machine that is up."""
    with Machine(parts) as machine:
        note("boot", machine.booted)
        yield machine


@pytest.fixture(scope="package")
def server(machine: Machine) -> Iterator[GuestServer]:
    """A server in it that has answered."""
    server = GuestServer(machine, CONFIG)
    with timed("server: start until it answers"):
        server.start()
    yield server
    with timed("server: stop"):
        server.stop()
    server.check_log()


@pytest.fixture(scope="package")
def admin(server: GuestServer) -> Iterator[Client]:
    """Somebody outside who may change everything."""
    with server.client("admin") as client:
        yield client


@pytest.fixture
def observer(server: GuestServer) -> Iterator[Client]:
    """Somebody else outside: anonymous, sees what is broadcast."""
    with server.client() as client:
        yield client
