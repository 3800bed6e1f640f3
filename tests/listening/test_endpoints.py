"""From endpoint strings to ports: in memory, and with real sockets."""

# ruff: noqa: ASYNC240 - a look at a file in a test's own folder holds nobody up

from __future__ import annotations

import os
import signal
import socket
import ssl
import stat
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread
from twisted.python.systemd import ListenFDs
from twisted.trial.unittest import SynchronousTestCase, TestCase

from rotoclear.listening.descriptions import ListenError
from rotoclear.listening.endpoints import (
    ListenerService,
    check_listeners,
    open_listeners,
)
from tests.listening.pairs import NOW, make_pair, serial

LOOPBACK = "tcp:0:interface=127.0.0.1"


def ssl_endpoint(files, port=0):
    return f"ssl:{port}:privateKey={files.key}:certKey={files.certificate}:interface=127.0.0.1"


class OpenTests(SynchronousTestCase):
    """Listening, all or nothing."""

    def setUp(self):
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.addCleanup(os.chdir, Path.cwd())
        os.chdir(self.folder)

    def open(self, *descriptions, **options):
        listeners = open_listeners(None, descriptions, **options)
        for listener in listeners:
            self.addCleanup(listener.close)
        return listeners

    def refused(self, *descriptions, **options):
        with self.assertRaises(ListenError) as caught:
            self.open(*descriptions, **options)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    def test_all(self):
        tcp, unix = self.open(LOOPBACK, "unix:s")
        self.assertRegex(tcp.address, r"^127\.0\.0\.1:\d+$")
        self.assertEqual(unix.address, str(self.folder / "s"))
        unix.close()
        self.assertFalse(Path("s").exists())

    def test_or_nothing(self):
        """When one fails, those before it are closed, and the line names the one."""
        busy = self.open(LOOPBACK)[0].address.split(":")[1]
        said = self.refused("unix:s", f"tcp:{busy}:interface=127.0.0.1")
        self.assertEqual(said, f"tcp:{busy}:interface=127.0.0.1: port {busy} is in use already")
        self.assertFalse(Path("s").exists())

    def test_certificate(self):
        files = make_pair(self.folder)
        one, two, _ = self.open(ssl_endpoint(files), f"haproxy:{ssl_endpoint(files)}", LOOPBACK)
        self.assertIs(one.certificate, two.certificate)
        files.key.write_text("x")
        said = self.refused(ssl_endpoint(files, 1))
        self.assertTrue(said.startswith("ssl:1:"), said)
        self.assertIn("holds no private key", said)

    def test_twice(self):
        self.assertIn("another server is listening", self.refused("unix:s", "unix:s"))

    def test_systemd(self):
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        inherited = ListenFDs([os.dup(listening.fileno())], ["http"])
        said = self.refused("systemd:name=http", "systemd:index=0", inherited=inherited)
        self.assertIn("systemd:index=0: systemd's socket is there twice", said)
        inherited = ListenFDs([os.dup(listening.fileno())], ["http"])
        (taken,) = self.open("systemd:name=http", inherited=inherited)
        self.assertEqual(taken.address, f"127.0.0.1:{listening.getsockname()[1]}")
        self.assertIn("LISTEN_FDS", self.refused("systemd:index=0"))

    def test_check(self):
        """A check opens nothing, so that it is good while a server runs."""
        files = make_pair(self.folder, NOW.replace(year=2001))
        busy = self.open(LOOPBACK)[0].address.split(":")[1]
        remarks = check_listeners(
            [f"tcp:{busy}:interface=127.0.0.1", "unix:s", "systemd:index=0", ssl_endpoint(files)]
        )
        self.assertEqual(len(remarks), 1)
        self.assertIn("expired on 2003", remarks[0])
        self.assertFalse(Path("s").exists())
        self.assertRaises(ListenError, check_listeners, ["tcp:x"])
        files.key.unlink()
        self.assertRaises(ListenError, check_listeners, [ssl_endpoint(files)])


class Greeter(Protocol):
    """Says who it is talking with, as soon as it is told anything."""

    def connectionMade(self):
        self.factory.connections.append(self)

    def dataReceived(self, data):
        peer = self.transport.getPeer()
        where = getattr(peer, "host", None) or type(peer).__name__
        self.transport.write(f"{where} said {data.decode()}".encode())

    def connectionLost(self, reason):
        self.factory.connections.remove(self)
        if not self.factory.connections and self.factory.emptied is not None:
            self.factory.emptied.callback(None)


class GreeterFactory(Factory):
    protocol = Greeter
    noisy = False

    def __init__(self):
        self.connections = []
        self.emptied = None

    def all_gone(self):
        self.emptied = Deferred()
        if not self.connections:
            self.emptied.callback(None)
        return self.emptied


class MemoryTests(SynchronousTestCase):
    """What the reactor is asked for."""

    def test_adopts_when_started(self):
        memory = MemoryReactorClock()
        listeners = open_listeners(memory, [LOOPBACK])
        descriptor = listeners[0].socket.fileno()
        service = ListenerService(memory, listeners, GreeterFactory())
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.assertEqual(service.ports, [])
        service.startService()
        self.assertEqual([adopted[0] for adopted in memory.adoptedPorts], [descriptor])
        self.assertEqual(len(service.ports), 1)
        self.assertEqual(listeners[0].socket.fileno(), -1)
        self.assertEqual(service.health(), {})
        self.successResultOf(service.stopService())
        self.assertEqual(service.ports, [])

    def test_in_clear(self):
        """What goes over a network without TLS is warned of, and nothing else."""
        folder = Path(self.mktemp())
        files = make_pair(folder)
        unix = f"unix:{folder / 'http.sock'}"
        for endpoint, warned in (
            ("tcp:0", True),
            ("tcp:0:interface=0.0.0.0", True),
            (LOOPBACK, False),
            ("haproxy:tcp:0", False),
            (ssl_endpoint(files).replace(":interface=127.0.0.1", ""), False),
            (unix, False),
        ):
            listeners = open_listeners(MemoryReactorClock(), [endpoint])
            self.addCleanup(listeners[0].close)
            self.assertEqual(listeners[0].in_clear, warned, endpoint)

    def test_health(self):
        """A broken certificate shows, although the server runs on with the old one."""
        folder = Path(self.mktemp())
        files = make_pair(folder)
        memory = MemoryReactorClock()
        listeners = open_listeners(memory, [ssl_endpoint(files)])
        self.addCleanup(listeners[0].close)
        service = ListenerService(memory, listeners, GreeterFactory())
        self.assertEqual(service.health(), {"tls": {"state": "ok", "vital": False}})
        ends = listeners[0].certificate.loaded.ends.timestamp()
        self.assertEqual(service.certificates(), {str(files.certificate): ends})
        files.key.write_text("x")
        certificate = listeners[0].certificate
        certificate.take(certificate.look())
        health = service.health()["tls"]
        self.assertEqual(health["state"], "failed")
        self.assertIn(str(files.key), health["reason"])


class ServingTests(TestCase):
    """Real connections."""

    def setUp(self):
        self.folder = Path(self.mktemp()).absolute()
        self.files = make_pair(self.folder)
        self.factory = GreeterFactory()
        self.before = Path.cwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, self.before)

    def serve(self, *descriptions, **options):
        listeners = open_listeners(reactor, descriptions, **options)
        self.addresses = [listener.socket.getsockname() for listener in listeners]
        self.service = ListenerService(reactor, listeners, self.factory)
        self.service.startService()
        self.addCleanup(self.end)
        return self.service

    def end(self):
        waits = [self.factory.all_gone()]
        if self.service.running:
            waits.append(self.service.stopService())
        return gatherResults(waits)

    def talk(self, index=0, before=b"", tls=None):
        """What is answered to "hello", by a client in a thread."""
        address = self.addresses[index]

        def conversation():
            family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
            with socket.socket(family) as client:
                client.settimeout(20)
                client.connect(address)
                client.sendall(before)
                if tls is None:
                    client.sendall(b"hello")
                    return client.recv(100).decode()
                with tls.wrap_socket(client, server_hostname="localhost") as wrapped:
                    wrapped.sendall(b"hello")
                    return wrapped.recv(100).decode()

        return deferToThread(conversation)

    def trusting(self, files=None):
        context = ssl.create_default_context(cafile=(files or self.files).certificate)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    async def test_tcp(self):
        self.serve(LOOPBACK)
        self.assertEqual(await self.talk(), "127.0.0.1 said hello")

    async def test_connection_before_the_start(self):
        """Who connects between listening and the start has to wait, not to try again."""
        listeners = open_listeners(reactor, [LOOPBACK])
        client = socket.create_connection(listeners[0].socket.getsockname(), 20)
        self.addCleanup(client.close)
        client.sendall(b"hello")
        self.service = ListenerService(reactor, listeners, self.factory)
        self.service.startService()
        self.addCleanup(self.end)
        answer = await deferToThread(client.recv, 100)
        self.assertEqual(answer, b"127.0.0.1 said hello")
        client.close()

    async def test_tls(self):
        self.serve(ssl_endpoint(self.files))
        self.assertEqual(await self.talk(tls=self.trusting()), "127.0.0.1 said hello")

    async def test_systemd_tls(self):
        """A port under 1024 without a privilege, and TLS all the same."""
        with socket.create_server(("127.0.0.1", 0)) as theirs:
            inherited = ListenFDs([os.dup(theirs.fileno())], ["https"])
            text = (
                f"systemd:name=https:privateKey={self.files.key}:certKey={self.files.certificate}"
            )
            self.serve(text, inherited=inherited)
            self.assertEqual(await self.talk(tls=self.trusting()), "127.0.0.1 said hello")
            self.assertEqual(self.service.health()["tls"]["state"], "ok")

    async def test_unix(self):
        """The mode is the one asked for, from the first to the last moment; then the file goes."""
        self.serve("unix:s:mode=600")
        self.assertEqual(stat.S_IMODE(Path("s").stat().st_mode), 0o600)
        self.assertEqual(await self.talk(), "UNIXAddress said hello")
        await self.service.stopService()
        self.assertFalse(Path("s").exists())

    async def test_unix_of_another(self):
        """A file that another server has put in the place of ours stays."""
        self.serve("unix:s")
        Path("s").unlink()
        Path("s").write_text("theirs")
        await self.service.stopService()
        self.assertEqual(Path("s").read_text(), "theirs")

    async def test_systemd_unix(self):
        """systemd's socket keeps its mode, its file, and goes on listening after us."""
        with socket.socket(socket.AF_UNIX) as theirs:
            theirs.bind("s")
            Path("s").chmod(0o620)
            theirs.listen()
            listeners = open_listeners(
                reactor, ["systemd:index=0"], ListenFDs([os.dup(theirs.fileno())], ["s"])
            )
            self.addresses = ["s"]
            self.service = ListenerService(reactor, listeners, self.factory)
            self.service.startService()
            self.addCleanup(self.end)
            self.assertEqual(await self.talk(), "UNIXAddress said hello")
            self.assertEqual(stat.S_IMODE(Path("s").stat().st_mode), 0o620)
            await self.service.stopService()
            with socket.socket(socket.AF_UNIX) as client:
                client.connect("s")

    async def test_proxy(self):
        """The address that the proxy names, in both versions of its protocol."""
        self.serve(f"haproxy:{LOOPBACK}")
        one = b"PROXY TCP4 203.0.113.9 127.0.0.1 56324 80\r\n"
        two = (
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"
            + bytes([203, 0, 113, 7, 127, 0, 0, 1])
            + b"\xdc\x04\x00\x50"
        )
        self.assertEqual(await self.talk(before=one), "203.0.113.9 said hello")
        self.assertEqual(await self.talk(before=two), "203.0.113.7 said hello")

    async def test_proxy_forgery(self):
        """Without haproxy: the header is nothing but data; with it, it has to be there."""
        self.serve(LOOPBACK, f"haproxy:{LOOPBACK}")
        said = await self.talk(before=b"PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n")
        self.assertTrue(said.startswith("127.0.0.1 said PROXY"), said)
        try:
            said = await self.talk(1)
        except ConnectionError:
            said = ""
        self.assertEqual(said, "")

    async def test_proxy_before_tls(self):
        """A proxy that hands TLS on sends its header in clear, before."""
        self.serve(f"haproxy:{ssl_endpoint(self.files)}")
        header = b"PROXY TCP4 203.0.113.9 127.0.0.1 56324 443\r\n"
        said = await self.talk(before=header, tls=self.trusting())
        self.assertEqual(said, "203.0.113.9 said hello")

    async def test_stop(self):
        """No new connections; those that there are stay."""
        self.serve(LOOPBACK)
        client = socket.create_connection(self.addresses[0], 20)
        client.sendall(b"one")
        self.assertIn(b"one", await deferToThread(client.recv, 100))
        await self.service.stopService()
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(self.addresses[0], 20)
        client.sendall(b"two")
        self.assertIn(b"two", await deferToThread(client.recv, 100))
        client.close()

    async def test_renewal(self):
        """SIGHUP: new connections get the new certificate, open ones keep theirs."""
        self.serve(ssl_endpoint(self.files))
        old = self.trusting()

        def connect(context):
            raw = socket.create_connection(self.addresses[0], 20)
            return context.wrap_socket(raw, server_hostname="localhost")

        first = await deferToThread(connect, old)
        before = serial(self.files)
        make_pair(self.folder, force=True)
        self.assertNotEqual(serial(self.files), before)
        renewed = Deferred()
        look = self.service.watch.look
        self.service.watch.look = lambda **options: look(**options).chainDeferred(renewed)
        os.kill(os.getpid(), signal.SIGHUP)
        await renewed
        second = await deferToThread(connect, self.trusting())
        for client in (first, second):
            await deferToThread(client.sendall, b"hello")
            self.assertIn(b"hello", await deferToThread(client.recv, 100))
            await deferToThread(client.close)
        with self.assertRaises(ssl.SSLCertVerificationError):
            await deferToThread(connect, old)
