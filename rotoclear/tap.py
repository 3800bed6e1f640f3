"""
``twistd rotoclear``: its options, and the service that they ask for.

Whatever can go wrong goes wrong here, before twistd becomes a daemon: with one
line on stderr, a non-zero exit, no usage text and no traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import IService, MultiService
from twisted.python import usage

from rotoclear import __version__, logs
from rotoclear.config import Configuration, Log, load
from rotoclear.errors import StartError
from rotoclear.listening.endpoints import Listener, check_listeners, open_listeners
from rotoclear.listening.limits import raise_open_files
from rotoclear.paths import DataFolderLock, check_data_folder, data_folder, prepare_data_folder
from rotoclear.plugincache import keep_quiet

MakeService = Callable[[Any, Configuration, Path, Sequence[Listener]], IService]


class Options(usage.Options):
    """The command line after ``twistd rotoclear``."""

    synopsis = "[options]"
    longdesc = (
        "The control server for machine-tool cameras. Without options it listens at "
        "127.0.0.1:8080 and keeps its data in the user's state folder."
    )
    optParameters = [
        ["config", "c", None, "Read the settings from this TOML file."],
        ["data-dir", "d", None, "Keep users, settings and the control socket in this folder."],
    ]
    optFlags = [
        ["check", None, "Say whether the configuration is good, and exit; nothing is started."],
    ]
    compData = usage.Completions(
        optActions={
            "config": usage.CompleteFiles("*.toml"),
            "data-dir": usage.CompleteDirs(),
        }
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["listen"] = []

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Mistakes are told in one line; twistd prints all it knows, and older ones exit with 0."""
        with one_line():
            try:
                super().parseOptions(options)  # type: ignore[no-untyped-call]
            except usage.UsageError as error:
                raise StartError(f"{error}; --help lists the options") from None

    def opt_listen(self, endpoint: str) -> None:
        """Listen at this endpoint, and not where the configuration says (repeatable)."""
        # Twisted's endpoint strings: tcp:8080, tcp:8080:interface=192.168.0.2,
        # ssl:443:privateKey=key.pem:certKey=cert.pem, unix:/run/rotoclear.sock,
        # systemd:index=0, haproxy:tcp:8080.
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def opt_version(self) -> None:
        """Display the version and exit."""
        sys.stdout.write(f"rotoclear {__version__}\n")
        raise SystemExit(0)

    def postOptions(self) -> None:
        """``--check`` is done before twistd looks for another server's PID file."""
        if self["check"]:
            sys.stdout.write(check(settle(self, os.environ)) + "\n")
            raise SystemExit(0)


@frozen
class Settled:
    """What options, configuration and environment come to."""

    configuration: Configuration
    listen: tuple[str, ...]
    listen_source: str
    """Who said where to listen, for errors."""
    data_dir: Path
    source: str
    """The configuration's file, for people."""


def settle(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settled:
    """
    Work out what is to be done.

    :raises StartError: the configuration is not good.
    """
    path = options["config"]
    configuration = Configuration() if path is None else load(Path(path))
    if options["listen"]:
        listen, source = tuple(options["listen"]), "--listen"
    else:
        listen, source = configuration.server.listen, f"{path}: server.listen" if path else ""
    chosen = options["data-dir"] or configuration.server.data_dir
    return Settled(
        configuration,
        listen,
        source,
        data_folder(chosen, environ),
        "the configuration" if path is None else str(path),
    )


def check(settled: Settled) -> str:
    """
    Say whether a server could start so, and change nothing.

    Ports are not tried: a server that runs already has them.

    :return: one line.
    :raises StartError: it could not.
    """
    with _listening(settled):
        remarks = check_listeners(settled.listen)
    try:
        remarks += check_listeners(settled.configuration.rtsp.listen)
    except StartError as error:
        raise type(error)(f"{settled.source}: rtsp.listen: {error}") from None
    check_data_folder(settled.data_dir)
    line = (
        f"rotoclear: {settled.source} is good: listens at {', '.join(settled.listen)}; "
        f"data in {settled.data_dir}"
    )
    return "; but ".join([line, *remarks])


class Server(MultiService):
    """
    The parent of all services; it keeps the data folder locked as long as the process lives.

    :param options: twistd's own.
    :param log: how the log is wished for.
    """

    def __init__(self, lock: DataFolderLock, options: Mapping[str, Any], log: Log) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lock = lock
        self._options = options
        self._log = log

    def setServiceParent(self, parent: Any) -> None:
        """What twistd calls with its application, before it begins its log."""
        keep_quiet(parent, self._options, logs.observer(self._log, self._options))
        super().setServiceParent(parent)  # type: ignore[no-untyped-call]


def makeService(options: Options) -> IService:
    """What twistd calls."""
    from twisted.internet import reactor

    from rotoclear.service import make_service

    with one_line():
        return make(reactor, options, os.environ, make_service)


def make(
    reactor: Any, options: Options, environ: Mapping[str, str], make_service: MakeService
) -> Server:
    """
    Take the data folder and the ports, then make the service for them.

    :raises StartError: something is not to be had; then nothing is held.
    """
    _refuse_to_change_user(options)
    settled = settle(options, environ)
    raise_open_files()
    prepare_data_folder(settled.data_dir)
    lock = DataFolderLock.take(settled.data_dir)
    listeners: list[Listener] = []
    try:
        with _listening(settled):
            listeners = open_listeners(reactor, settled.listen)
        server = Server(lock, options.parent or {}, settled.configuration.log)
        service = make_service(reactor, settled.configuration, settled.data_dir, listeners)
        service.setServiceParent(server)
    except BaseException:
        for listener in listeners:
            listener.close()
        lock.release()
        raise
    return server


def _refuse_to_change_user(options: Options) -> None:
    """twistd changes its user later: the files that are made before would not be that user's."""
    parent: Mapping[str, Any] = options.parent or {}
    for name in ("uid", "gid", "chroot"):
        if parent.get(name) is not None:
            raise StartError(
                f"twistd's --{name} is not supported: start it as the user that the data "
                "belongs to (systemd: User= and AmbientCapabilities=CAP_NET_BIND_SERVICE)"
            )


@contextmanager
def _listening(settled: Settled) -> Iterator[None]:
    """Errors say where the endpoint string came from."""
    try:
        yield
    except StartError as error:
        source = settled.listen_source
        raise type(error)(f"{source}: {error}" if source else str(error)) from None


@contextmanager
def one_line() -> Iterator[None]:
    """Exit with one line on stderr if the server cannot start."""
    try:
        yield
    except StartError as error:
        line = " ".join(str(error).split("\n"))
        raise SystemExit(f"rotoclear: {line}") from None
