"""
Which driver plugins there are.

Each module of the package ``rotoclear.plugins`` is imported and verified in a
throw-away child process (:mod:`rotoclear.devices.scanner`) with a time limit:
the server itself imports none. What was found is remembered with the stamps of
the files that it depends on, outside of the package, which may be read-only.
"""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.machinery import FileFinder
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

import rotoclear.plugins
from rotoclear import __version__
from rotoclear.devices.cache import Cache
from rotoclear.devices.found import Result, decode
from rotoclear.devices.plugin import Plugin, judged
from rotoclear.processes.child import Child, environment
from rotoclear.processes.output import Output

OURS: Final = "rotoclear_"
"""How the names of the modules begin that come with the server."""

LIMIT: Final = 5.0
"""Seconds that a module has."""

TRUSTED: Final = 30.0
"""Seconds that each of our own has: they do end, if only late where much else is begun at once."""

_VERSION: Final = f"rotoclear {__version__}"

MAX_RESULT: Final = 1_048_576
"""Bytes that a child may say of a module."""


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
        return name.startswith(OURS) and Path(self.file).parent == Path(rotoclear.plugins.OWN)


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
        # All in one child: what they import they have in common, and we trust them to end.
        self._builtin = await self._found([module for module in self._modules if module.builtin])
        return self._builtin

    async def vendors(self) -> list[Plugin]:
        """All others, judged; after :meth:`builtin`."""
        found = list(self._hidden)
        for module in self._modules:
            if not module.builtin:
                found += await self._found([module])
        self._cache.save()
        return judged(self._builtin, found)

    def stop(self) -> None:
        """End the child that is at work; there will be no other."""
        self._stopped = True
        if self._look is not None:
            self._look.kill("was not awaited")

    async def _found(self, wanted: Sequence[Module]) -> list[Plugin]:
        """What is in some modules, of which none may harm the others."""
        results = {module: self._cache.get(module.name, module.file) for module in wanted}
        missing = [module for module, result in results.items() if result is None]
        while missing:
            said, ending = await self._run(missing)
            for result in said:
                module = missing.pop(0)
                results[module] = result
                if not result.reason:
                    self._cache.put(module.name, module.file, result)
            if missing and ending:  # it is the next one that has ended it
                module = missing.pop(0)
                results[module] = Result(distribution=module.file, reason=ending)
        return [
            plugin
            for module, result in results.items()
            if result is not None
            for plugin in _plugins(module, result)
        ]

    async def _run(self, wanted: Sequence[Module]) -> tuple[list[Result], str]:
        """Results of the first ones, and what keeps the next one from having any."""
        if self._stopped:
            return [], "The server is stopped"
        arguments = [
            self._executable,
            "-P",
            "-m",
            "rotoclear.devices.scanner",
            str(os.getpid()),
            *(part for module in wanted for part in (module.name, module.file)),
        ]
        try:
            self._look = _Look(self._reactor, arguments, self._environment, wanted)
        except OSError as error:
            return [], f"No process can be started: {error.strerror or error}"
        results, ending = await self._look.done
        self._look = None
        return results, f"Its process {ending}"


def _plugins(module: Module, result: Result) -> Iterator[Plugin]:
    about: dict[str, Any] = {
        "module": module.name,
        "file": module.file,
        "builtin": module.builtin,
        "distribution": _VERSION if module.builtin else result.distribution,
    }
    for found in result.plugins:
        yield Plugin(
            name=found.name,
            kind=found.kind,
            attribute=found.attribute,
            simulated=found.simulated,
            matches=found.matches,
            options=found.options,
            keys=found.keys,
            state="refused" if found.reason else "loaded",
            reason=found.reason,
            **about,
        )
    if result.reason:
        failed = Plugin(name=module.name.rpartition(".")[2], **about)
        yield failed.but("failed", result.reason)


class _Look:
    """
    One child at work.

    :ivar done: fires with the results of the modules, as far as it got, and how it ended.
    """

    def __init__(
        self,
        reactor: Any,
        arguments: Sequence[str],
        environment: dict[str, str],
        wanted: Sequence[Module],
    ) -> None:
        self.done: Deferred[tuple[list[Result], str]] = Deferred()
        self._wanted = len(wanted)
        self._results: list[Result] = []
        self._ending = ""
        self._exited = False
        self._channel = _Lines(self._said, self._hung_up)
        names = ", ".join(module.name.rpartition(".")[2] for module in wanted)
        self._output = Output(reactor, names)
        self._child = Child(
            reactor, arguments, environment, self._output, [self._channel], self._process_exited
        )
        self._seconds = TRUSTED if all(module.builtin for module in wanted) else LIMIT
        self._limit = reactor.callLater(
            self._seconds, self.kill, f"took longer than {self._seconds:g} seconds"
        )

    def kill(self, reason: str) -> None:
        """End it."""
        self._ending = self._ending or reason
        self._child.kill()
        self._finish()

    def _process_exited(self, ending: str) -> None:
        self._ending = self._ending or ending
        self._exited = True
        if self._channel.closed:
            self._finish()

    def _hung_up(self) -> None:
        # Either may be seen first: that it has ended, or the end of what it said.
        self._child.kill()
        if self._exited:
            self._finish()

    def _said(self, line: bytes) -> None:
        result = decode(line)
        if result is None:
            self.kill("says what makes no sense")
            return
        self._results.append(result)
        if len(self._results) == self._wanted:
            self._child.kill()
            self._finish()
        else:
            self._limit.reset(self._seconds)

    def _finish(self) -> None:
        if self._limit.active():
            self._limit.cancel()
        self._channel.close()
        self._output.close()
        if not self.done.called:
            self.done.callback((self._results, self._ending or "hung up"))


class _Lines(LineOnlyReceiver):
    """
    Takes what a child says, a line for each module.

    :param said: called with each.
    :param hung_up: called when nothing will come any more.
    """

    delimiter = b"\n"
    MAX_LENGTH = MAX_RESULT

    def __init__(self, said: Callable[[bytes], None], hung_up: Callable[[], None]) -> None:
        self._said = said
        self._hung_up = hung_up
        self.closed = False

    def lineReceived(self, line: bytes) -> None:
        if not self.closed:
            self._said(line)

    def close(self) -> None:
        """Listen no more."""
        self.closed = True
        if self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True
        self._hung_up()
