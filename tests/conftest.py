"""
How the tests are run: one scheme for all of them.

=========================  ====================================================
what is tested             how
=========================  ====================================================
logic without a reactor    ``twisted.trial.unittest.SynchronousTestCase`` with
                           ``Clock``, ``MemoryReactor``, ``StringTransport``;
                           ``successResultOf`` and its kin
logic that needs a turn    ``twisted.trial.unittest.TestCase``; its tests and
of the reactor, a thread   ``setUp`` may be ``async def`` or return a
or a child process         ``Deferred``; trial checks that nothing is left over
a running server, seen     plain functions with :class:`tests.harness.Server`,
from outside               synchronous or with ``asyncio.run``
Twisted's own clients,     functions ``@pytest_twisted.ensureDeferred async
pytest fixtures            def``
=========================  ====================================================

Trial starts and stops the reactor for each of its tests. pytest-twisted starts
it once, at the first test that is a plain function, and leaves it running; an
asynchronous trial test after that fails ("Reactor was unclean"). So the trial
classes are run first, all of them, and then the functions. With several workers
(``-n 3 --dist loadfile --no-loadscope-reorder``) it is the same in each of them.

Plain functions are called from inside pytest-twisted's reactor: one that blocks
holds it up, which harms nobody but tests that use it too.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import provider

ASYNC_LIMIT = 60.0
"""Seconds that a test on pytest-twisted's reactor may take."""


def pytest_configure() -> None:
    """A shell in the background has SIGINT ignored, in all its children: not here."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Trial's tests first; a limit of time for those on pytest-twisted's reactor.

    With several workers (``-n``) a whole file goes to one of them, in the order of
    their first tests. So files with asynchronous trial tests come before all others.
    """
    asynchronous: set[Path] = set()
    functions: set[Path] = set()
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if _is_trial(item):
            if issubclass(item.cls, TestCase):
                asynchronous.add(item.path)
            elif inspect.iscoroutinefunction(item.obj):
                raise pytest.UsageError(f"{item.nodeid}: a SynchronousTestCase cannot await")
            continue
        functions.add(item.path)
        if getattr(item.obj, "_pytest_twisted_mark", None) == "async_test":
            item.obj = _limited(item.obj)
    if mixed := asynchronous & functions:
        names = ", ".join(sorted(str(path) for path in mixed))
        raise pytest.UsageError(f"{names}: trial's TestCase and functions need files of their own")
    items.sort(key=lambda item: (item.path not in asynchronous, not _is_trial(item)))


def _is_trial(item: pytest.Item) -> bool:
    return issubclass(getattr(item, "cls", None) or object, SynchronousTestCase)


_AsyncTest = Callable[..., Coroutine[Deferred[Any], Any, None]]


def _limited(test: _AsyncTest) -> _AsyncTest:
    @functools.wraps(test)
    async def limited(*args: Any, **kwargs: Any) -> None:
        from twisted.internet import reactor

        await Deferred.fromCoroutine(test(*args, **kwargs)).addTimeout(ASYNC_LIMIT, reactor)

    return limited


@pytest.fixture
def logged_failures() -> Iterator[list[LogEvent]]:
    """The failures that were logged in this process; clear the list if they were meant."""
    failures: list[LogEvent] = []

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)


@pytest.fixture(autouse=True)
def _temporary_folders(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``mktemp`` of trial's classes: a name that does not exist, but not in the checkout."""
    if _is_trial(request.node):
        names = (str(tmp_path / f"temp{number}") for number in itertools.count())
        monkeypatch.setattr(request.node.cls, "mktemp", lambda _self: next(names))


@pytest.fixture(autouse=True)
def _no_failure_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """What trial does for its classes, for functions: a logged failure fails the test."""
    if _is_trial(request.node):
        yield
        return
    failures: list[LogEvent] = request.getfixturevalue("logged_failures")
    yield
    assert not failures, "\n".join(str(event["log_failure"]) for event in failures)
