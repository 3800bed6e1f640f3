"""
Which driver plugins there are.

Each module of the package ``rotoclear.plugins`` is imported and verified in a
throw-away child process (:mod:`rotoclear.devices.scanner`) with a time limit,
one at a time: the server itself imports none. What was found is remembered
with the module file's stamp, outside of the package, which may be read-only.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from importlib.machinery import FileFinder
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

import rotoclear.plugins
from rotoclear import __version__
from rotoclear.devices.cache import Cache, Entry, Result, decode
from rotoclear.devices.child import Child, environment
from rotoclear.devices.output import Output
from rotoclear.devices.plugin import Plugin, judged

OURS: Final = "rotoclear_"
"""How the names of the modules begin that come with the server."""

LIMIT: Final = 5.0
"""Seconds that a module has."""

_OURS: Final = f"rotoclear {__version__}"

MAX_RESULT: Final = 65_536
"""Bytes that a child may say."""


@frozen
class Module:
    """
    One module of the package.

    :ivar name: dotted.
    :ivar file: where it is.
    """

    name: str
    file: str

    @property
    def builtin(self) -> bool:
        """It comes with the server: it is named ``rotoclear_...`` and lies in our own folder."""
        name = self.name.rpartition(".")[2]
        return name.startswith(OURS) and os.path.dirname(self.file) == rotoclear.plugins.OWN


def modules(paths: Iterable[str]) -> tuple[list[Module], list[Plugin]]:
    """
    The modules along some paths, and those that another one hides, refused.

    Names that begin with an underscore are no plugins.
    """
    found: dict[str, Module] = {}
    hidden = []
    for path in paths:
        for info in pkgutil.iter_modules([path]):
            if info.name.startswith("_") or not isinstance(info.module_finder, FileFinder):
                continue
            spec = info.module_finder.find_spec(info.name)
            if spec is None or spec.origin is None:
                continue
            name = f"{rotoclear.plugins.__name__}.{info.name}"
            other = found.setdefault(name, Module(name, spec.origin))
            if other.file != spec.origin:
                reason = f"{spec.origin} is hidden by {other.file}: rename one of them"
                hidden.append(Plugin(name=info.name, module=name, state="refused", reason=reason))
    return list(found.values()), hidden


class Scan:
    """
    Looks for plugins.

    :param cache_file: remembers what was found; need not exist.
    :param executable: the Python that runs the children.
    :param path: where modules are looked for.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        cache_file: Path,
        executable: str,
        path: Sequence[str],
    ) -> None:
        self._reactor = reactor
        self._cache = Cache(cache_file)
        self._executable = executable
        self._environment = environment(path)
        self._paths = (rotoclear.plugins.OWN, *rotoclear.plugins.folders(path))
        self._look: _Look | None = None
        self._stopped = False
        self._modules: list[Module] = []
        self._hidden: list[Plugin] = []
        self._builtin: list[Plugin] = []

    async def builtin(self) -> list[Plugin]:
        """Those that come with the server; first, for they wait for nobody's."""
        self._modules, self._hidden = modules(self._paths)
        for module in self._modules:
            if module.builtin:
                self._builtin += await self._module(module)
        return self._builtin

    async def vendors(self) -> list[Plugin]:
        """All others, judged; after :meth:`builtin`."""
        found = list(self._hidden)
        for module in self._modules:
            if not module.builtin:
                found += await self._module(module)
        self._cache.save()
        return judged(self._builtin, found)

    def stop(self) -> None:
        """End the child that is at work; there will be no other."""
        self._stopped = True
        if self._look is not None:
            self._look.kill("was not awaited")

    async def _module(self, module: Module) -> list[Plugin]:
        stamp = _stamp(module.file)
        result = self._cache.get(module.name, module.file, stamp)
        if result is None:
            result = await self._run(module)
            if not result.reason:
                self._cache.put(module.name, Entry(module.file, stamp, result))
        distribution = _OURS if module.builtin else result.distribution
        plugins = [
            Plugin(
                name=found.name,
                kind=found.kind,
                module=module.name,
                attribute=found.attribute,
                file=module.file,
                distribution=distribution,
                builtin=module.builtin,
                simulated=found.simulated,
                state="refused" if found.reason else "loaded",
                reason=found.reason,
            )
            for found in result.plugins
        ]
        if result.reason:
            name = module.name.rpartition(".")[2]
            failed = Plugin(
                name=name,
                module=module.name,
                file=module.file,
                distribution=distribution,
                builtin=module.builtin,
            )
            plugins.append(failed.but("failed", result.reason))
        return plugins

    async def _run(self, module: Module) -> Result:
        if self._stopped:
            return Result(distribution=module.file, reason="The server is stopped")
        arguments = [
            self._executable,
            "-P",
            "-m",
            "rotoclear.devices.scanner",
            module.name,
            module.file,
            str(os.getpid()),
        ]
        try:
            self._look = _Look(self._reactor, arguments, self._environment, module.name)
        except OSError as error:
            return Result(
                distribution=module.file,
                reason=f"No process can be started: {error.strerror or error}",
            )
        data, ending = await self._look.done
        self._look = None
        result = decode(data)
        if result is None:
            return Result(distribution=module.file, reason=f"Its process {ending}")
        return result


def _stamp(file: str) -> tuple[int, int]:
    """Changes when the file does."""
    try:
        status = os.stat(file)  # noqa: PTH116
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


class _Look:
    """
    One child at work.

    :ivar done: fires with what it said and how it ended.
    """

    def __init__(
        self, reactor: Any, arguments: Sequence[str], environment: dict[str, str], name: str
    ) -> None:
        self.done: Deferred[tuple[bytes, str]] = Deferred()
        self._ending = ""
        self._exited = False
        self._channel = _Collector(self._said)
        self._output = Output(reactor, name)
        self._child = Child(
            reactor, arguments, environment, self._output, self._channel, self._process_exited
        )
        self._limit = reactor.callLater(LIMIT, self.kill, "took longer than 5 seconds")

    def kill(self, reason: str) -> None:
        """End it."""
        self._ending = self._ending or reason
        self._child.kill()
        self._finish()

    def _process_exited(self, ending: str) -> None:
        self._ending = self._ending or ending
        self._exited = True
        self._said()

    def _said(self) -> None:
        """It has said everything, or ended, or both: what happens first need not be all."""
        if self._channel.complete or (self._channel.closed and self._exited):
            self._child.kill()
            self._finish()
        elif self._channel.closed:
            self._child.kill()

    def _finish(self) -> None:
        if self._limit.active():
            self._limit.cancel()
        self._channel.close()
        self._output.close()
        if not self.done.called:
            self.done.callback((bytes(self._channel.data), self._ending or "hung up"))


class _Collector(Protocol):
    """
    Takes what a child says: one line.

    :param news: called when it is there, and when nothing will come any more.
    """

    def __init__(self, news: Callable[[], None]) -> None:
        self._news = news
        self.data = bytearray()
        self.complete = False
        self.closed = False

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        if self.data.endswith(b"\n"):
            self.complete = True
            self._news()
        elif len(self.data) > MAX_RESULT:
            self.close()

    def close(self) -> None:
        """Listen no more."""
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True
        self._news()
