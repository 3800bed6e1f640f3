"""Sockets that listen before there is a reactor."""

from __future__ import annotations

import os
import resource
import socket
import stat
from pathlib import Path
from unittest import skipIf

from twisted.python.systemd import ListenFDs
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.listening.descriptions import ListenError, Systemd, Tcp, Unix
from rotoclear.listening.limits import raise_open_files
from rotoclear.listening.sockets import (
    NOTSENT_LOWAT,
    bind_tcp,
    bind_unix,
    handed_over,
    take_systemd,
)
from tests.unprivileged import unprivileged

LOOPBACK = "127.0.0.1"


class Case(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        # A path of less than 108 bytes, wherever the tests run.
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(self.folder)

    def open(self, function, *arguments):
        listening = function(*arguments)
        self.addCleanup(listening.close)
        return listening

    def refused(self, function, *arguments):
        with self.assertRaises(ListenError) as caught:
            function(*arguments).close()
        return str(caught.exception)


class TcpTests(Case):
    def test_accepts(self):
        """It accepts at once; and Linux hands our options on to what it accepts."""
        listening = self.open(bind_tcp, Tcp(0, LOOPBACK))
        self.assertFalse(listening.getblocking())
        self.assertFalse(listening.get_inheritable())
        client = self.open(socket.create_connection, listening.getsockname())
        server, _ = listening.accept()
        self.addCleanup(server.close)
        self.assertEqual(client.getpeername(), server.getsockname())
        tcp = socket.IPPROTO_TCP
        self.assertEqual(server.getsockopt(tcp, socket.TCP_NODELAY), 1)
        self.assertEqual(server.getsockopt(tcp, socket.TCP_NOTSENT_LOWAT), NOTSENT_LOWAT)

    @skipIf(not Path("/proc/net/if_inet6").exists(), "no IPv6 here")
    def test_ipv6(self):
        listening = self.open(bind_tcp, Tcp(0, "::1"))
        self.assertEqual(listening.family, socket.AF_INET6)
        self.open(socket.create_connection, listening.getsockname()[:2])

    def test_busy(self):
        port = self.open(bind_tcp, Tcp(0, LOOPBACK)).getsockname()[1]
        said = self.refused(bind_tcp, Tcp(port, LOOPBACK))
        self.assertEqual(said, f"port {port} is in use already")

    def test_address_of_another_machine(self):
        said = self.refused(bind_tcp, Tcp(0, "192.0.2.1"))
        self.assertEqual(said, "this machine does not have the address 192.0.2.1")

    def test_backlog(self):
        listening = self.open(bind_tcp, Tcp(0, LOOPBACK, backlog=7))
        # tcp_info of a listening socket: tcpi_sacked is its backlog, tcp(7).
        info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        self.assertEqual(int.from_bytes(info[28:32], "little"), 7)


class UnixTests(Case):
    def test_accepts(self):
        where = Unix(Path("s"), mode=0o640)
        listening = self.open(bind_unix, where)
        self.assertEqual(stat.S_IMODE(where.path.stat().st_mode), 0o640)
        self.assertFalse(listening.getblocking())
        self.open(socket.socket, socket.AF_UNIX).connect("s")

    def test_dead(self):
        """What a server that was killed has left behind is replaced."""
        bind_unix(Unix(Path("s"))).close()
        self.assertTrue(Path("s").is_socket())
        self.open(bind_unix, Unix(Path("s")))
        self.open(socket.socket, socket.AF_UNIX).connect("s")

    def test_alive(self):
        """A server that is alive keeps its socket, even if its backlog is full."""
        self.open(bind_unix, Unix(Path("s"), backlog=1))
        for full in (False, True):
            said = self.refused(bind_unix, Unix(Path("s")))
            self.assertEqual(said, "another server is listening at s")
            if not full:
                self.fill("s")

    def fill(self, path):
        while True:
            client = self.open(socket.socket, socket.AF_UNIX)
            client.setblocking(False)
            try:
                client.connect(path)
            except BlockingIOError:
                return

    def test_no_socket(self):
        Path("s").write_text("precious")
        self.assertIn("is no socket", self.refused(bind_unix, Unix(Path("s"))))
        self.assertEqual(Path("s").read_text(), "precious")

    def test_no_folder(self):
        said = self.refused(bind_unix, Unix(Path("none/s")))
        self.assertEqual(said, "there is no folder none")

    def test_unwritable_folder(self):
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        with unprivileged():
            self.assertIn("cannot be written", self.refused(bind_unix, Unix(self.folder / "s")))


class SystemdTests(Case):
    def inherited(self, *listening):
        numbers = [os.dup(s.fileno()) for s in listening]
        return ListenFDs(numbers, [f"name{i}" for i in range(len(numbers))])

    def test_by_index_and_name(self):
        one, two = (self.open(socket.create_server, (LOOPBACK, 0)) for _ in range(2))
        inherited = self.inherited(one, two)
        for where in (Systemd(index=1), Systemd(name="name1")):
            inherited = self.inherited(one, two)
            taken = self.open(take_systemd, where, inherited)
            self.assertEqual(taken.getsockname(), two.getsockname())
            self.assertEqual(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)
            self.assertFalse(taken.getblocking())
            self.assertFalse(taken.get_inheritable())

    def test_unix(self):
        listening = self.open(bind_unix, Unix(Path("s")))
        taken = self.open(take_systemd, Systemd(index=0), self.inherited(listening))
        self.assertEqual(taken.getsockname(), "s")

    def test_handed_over(self):
        """From the environment, or from what the process was started with."""
        started = self.folder / "environ"
        record = f"LISTEN_PID={os.getpid()}\0LISTEN_FDS=2\0LISTEN_FDNAMES=a:b\0\0"
        started.write_text(record)
        environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "c"}
        self.assertEqual(handed_over(environ, started).inheritedNamedDescriptors(), {"c": 3})
        # It has taken them out, as Twisted does when its endpoints are imported.
        self.assertEqual(
            handed_over(environ, started).inheritedNamedDescriptors(), {"a": 3, "b": 4}
        )
        started.write_text(record.replace("PID=", "PID=1"))
        self.assertEqual(handed_over({}, started).inheritedDescriptors(), [])
        self.assertEqual(handed_over({}, self.folder / "none").inheritedDescriptors(), [])

    def test_nothing_there(self):
        self.assertIn("LISTEN_FDS", self.refused(take_systemd, Systemd(index=0), ListenFDs([])))

    def test_not_that_one(self):
        inherited = self.inherited(self.open(socket.create_server, (LOOPBACK, 0)))
        said = self.refused(take_systemd, Systemd(index=1), inherited)
        self.assertEqual(said, "systemd has handed over 1 sockets, numbered from 0")
        said = self.refused(take_systemd, Systemd(name="http"), inherited)
        self.assertEqual(said, "systemd has handed over no socket of that name, but name0")

    def test_no_listening_socket(self):
        connected, _ = pair = socket.socketpair()
        self.addCleanup(lambda: [s.close() for s in pair])
        said = self.refused(take_systemd, Systemd(index=0), self.inherited(connected))
        self.assertIn("does not listen", said)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        said = self.refused(take_systemd, Systemd(index=0), ListenFDs([reader], ["x"]))
        self.assertIn("is no socket", said)


class FakeLimits:
    RLIMIT_NOFILE = resource.RLIMIT_NOFILE

    def __init__(self, soft, hard, error=None):
        self.limits = soft, hard
        self._error = error

    def getrlimit(self, kind):
        return self.limits

    def setrlimit(self, kind, limits):
        if self._error:
            raise self._error
        self.limits = limits


class OpenFilesTests(SynchronousTestCase):
    """The soft limit of open files."""

    def test_raised_to_the_hard_one(self):
        limits = FakeLimits(1024, 4096)
        self.assertEqual(raise_open_files(limits), 4096)
        self.assertEqual(limits.limits, (4096, 4096))

    def test_bounded(self):
        for hard in (1 << 20, resource.RLIM_INFINITY):
            limits = FakeLimits(1024, hard)
            self.assertEqual(raise_open_files(limits), 65_536)
            self.assertEqual(limits.limits, (65_536, hard))

    def test_never_lowered(self):
        for soft in (100_000, 65_536):
            limits = FakeLimits(soft, 1 << 20)
            self.assertEqual(raise_open_files(limits), soft)
            self.assertEqual(limits.limits, (soft, 1 << 20))
        self.assertEqual(raise_open_files(FakeLimits(resource.RLIM_INFINITY, -1)), 65_536)

    def test_refused(self):
        limits = FakeLimits(1024, 4096, PermissionError())
        self.assertEqual(raise_open_files(limits), 1024)

    def test_here(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        self.assertGreaterEqual(raise_open_files(), before[0])
