"""One run: a server on one core, its clients on another."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cases import Fanout, Idle
from benchmarks.process import children, cores, pinned, resident, usage
from benchmarks.servers import Running

HERE = Path(__file__).parent
BUILD = HERE / ".build"

Figures = dict[str, float]
"""What was measured, by name; the names say the units."""

WARM_UP = 10
"""Clients that come and go first: what every first one costs is not what one more costs."""


class Generator:
    """The clients: a ``fanload`` process, see ``native/fanload.c``."""

    def __init__(self, server: Running, clients: int, *options: str) -> None:
        command = [*pinned(cores()[1]), str(BUILD / "fanload"), "-p", str(server.port)]
        command += ["-n", str(clients), *options]
        if server.login is not None:
            command += ["-l", server.login]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def connect(self) -> None:
        """Wait until all are connected."""
        self._line()

    def prepare(self) -> None:
        """Let the deaf ones fall behind."""
        self._go_on()
        self._line()

    def run(self) -> Figures:
        """Make the changes."""
        self._go_on()
        figures: Figures = json.loads(self._line())
        return figures

    def _go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go on\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        """
        What it says next.

        :raises RuntimeError: it has given up.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self._process.communicate()[1].strip())
        return line

    def end(self) -> None:
        """Let go of the server."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def generator(server: Running, clients: int, *options: str) -> Iterator[Generator]:
    """Clients that are connected."""
    made = Generator(server, clients, *options)
    try:
        made.connect()
        yield made
    finally:
        made.end()


def build() -> bool:
    """
    Compile what is in C.

    :return: whether the clients can speak TLS: that takes OpenSSL's headers.
    :raises RuntimeError: there is no compiler, or it has given up.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("There is no C compiler; on Debian: apt-get install gcc libc6-dev")
    BUILD.mkdir(exist_ok=True)
    if not _compiled(compiler, "floor") or not (
        (tls := _compiled(compiler, "fanload", "-DWITH_TLS", "-lssl", "-lcrypto"))
        or _compiled(compiler, "fanload")
    ):
        raise RuntimeError(f"{compiler} could not compile {HERE / 'native'}")
    return tls


def _compiled(compiler: str, name: str, *options: str) -> bool:
    source, target = HERE / "native" / f"{name}.c", BUILD / name
    command = [compiler, "-O2", "-o", str(target), str(source), *options]
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def measure_fanout(case: Fanout, seconds: float, server: Running) -> Figures:
    """Put a running server through a case."""
    options = ["-t", str(seconds), "-d", str(case.deaf), "-k", case.key]
    options += ["-c"] if case.rate is None else ["-r", str(case.rate)]
    options += ["-s"] if case.tls else []
    with generator(server, WARM_UP, *options):
        pass
    with generator(server, case.clients, *options) as load:
        memory = resident(server.pid)
        load.prepare()
        before = usage(server.pid)
        figures = load.run()
        spent = usage(server.pid) - before
        growth = resident(server.pid) - memory
    took = figures["seconds"]
    return {
        **figures,
        "deliveries_per_s": figures["deliveries"] / took,
        "bytes_per_client_per_s": figures["bytes_per_client"] / took,
        "cpu_us_per_delivery": spent.running * 1e6 / max(1, figures["deliveries"]),
        "cpu_percent": spent.running / took * 100,
        "waited_percent": spent.waiting / took * 100,
        "growth_kib": growth,
    }


def measure_idle(case: Idle, seconds: float, server: Running) -> Figures:
    """See what a server takes that has nothing to do."""
    options = ["-s"] if case.tls else []
    with generator(server, WARM_UP, *options):
        pass
    memory = resident(server.pid)
    if not case.clients:
        return _watch(server, memory, 0, seconds)
    with generator(server, case.clients, *options):
        return _watch(server, memory, case.clients, seconds)


def _watch(server: Running, memory: int, clients: int, seconds: float) -> Figures:
    connected = resident(server.pid)
    hosts = children(server.pid)
    before = [usage(pid) for pid in (server.pid, *hosts)]
    time.sleep(seconds)
    spent = [usage(pid) - old for pid, old in zip((server.pid, *hosts), before, strict=True)]
    return {
        "clients": clients,
        "resident_mib": connected / 1024,
        "kib_per_client": (connected - memory) / clients if clients else 0,
        "cpu_percent": spent[0].running / seconds * 100,
        "hosts": len(hosts),
        "hosts_resident_mib": sum(map(resident, hosts)) / 1024,
        "hosts_cpu_percent": sum(host.running for host in spent[1:]) / seconds * 100,
    }
