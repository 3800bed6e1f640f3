"""TLS: which files make a certificate, and what is agreed on with whom."""

from __future__ import annotations

import contextlib
import os
import ssl
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.listening.descriptions import CertificateFiles
from rotoclear.listening.tls import CertificateError, ServerCertificate, load
from tests.listening.pairs import NOW, Authority, make_pair, serial
from tests.unprivileged import unprivileged


class Case(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp())
        self.files = make_pair(self.folder)


def client_context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    return context


def shake(server: SSL.Connection, client: SSL.Connection) -> None:
    """A handshake in memory; raises what the server or the client raises."""
    server.set_accept_state()
    client.set_connect_state()
    for _ in range(6):
        for end, other in ((client, server), (server, client)):
            try:
                end.do_handshake()
            except SSL.WantReadError:
                pass
            pump(end, other)


def pump(source: SSL.Connection, target: SSL.Connection) -> None:
    try:
        while True:
            target.bio_write(source.bio_read(65536))
    except SSL.WantReadError:
        pass


class LoadTests(Case):
    def refused(self, files):
        with self.assertRaises(CertificateError) as caught:
            load(files)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    def test_missing(self):
        files = CertificateFiles(self.folder / "none", self.files.certificate)
        self.assertEqual(
            self.refused(files),
            f"cannot read the private key {self.folder / 'none'}: No such file or directory",
        )
        files = CertificateFiles(self.files.key, self.folder / "none")
        self.assertIn("cannot read the certificate", self.refused(files))

    def test_unreadable(self):
        self.files.key.chmod(0)
        with unprivileged():
            self.assertIn("Permission denied", self.refused(self.files))

    def test_garbage(self):
        for content in (b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n"):
            self.files.certificate.write_bytes(content)
            self.assertIn("no certificate in PEM form", self.refused(self.files))
        self.files.key.write_bytes(b"garbage")
        self.assertIn("no private key in PEM form", self.refused(self.files))

    def test_other_pair(self):
        other = make_pair(self.folder / "other")
        said = self.refused(CertificateFiles(other.key, self.files.certificate))
        self.assertIn("does not belong to", said)

    def test_passphrase(self):
        key = load_pem_private_key(self.files.key.read_bytes(), None)
        self.files.key.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
        )
        self.assertIn("has a passphrase", self.refused(self.files))

    def test_one_file(self):
        """Key and certificate in one file, in either order."""
        pieces = [path.read_bytes() for path in (self.files.key, self.files.certificate)]
        both = self.folder / "both.pem"
        for order in (pieces, pieces[::-1]):
            both.write_bytes(b"".join(order))
            load(CertificateFiles(both, both))

    def test_dates(self):
        """A certificate that has expired is served all the same, with a remark."""
        loaded = load(make_pair(self.folder / "old", NOW))
        self.assertIsNone(loaded.remark(NOW))
        self.assertEqual(loaded.remark(NOW + timedelta(days=1000)), "expired on 2028-09-02")
        self.assertEqual(loaded.remark(NOW - timedelta(days=10)), "is valid from 2026-05-31 only")


class HandshakeTests(Case):
    """What the server agrees to."""

    def setUp(self):
        super().setUp()
        self.certificate = ServerCertificate.open(self.files)

    def connect(self, context=None, protocols=None):
        client = SSL.Connection(context or client_context(), None)
        if protocols:
            client.set_alpn_protos(protocols)
        server = self.certificate.serverConnectionForTLS(None)
        shake(server, client)
        return server, client

    def test_newest(self):
        _, client = self.connect()
        self.assertEqual(client.get_protocol_version_name(), "TLSv1.3")
        self.assertEqual(client.get_peer_certificate().get_serial_number(), serial(self.files))

    def test_versions(self):
        for version in (SSL.TLS1_VERSION, SSL.TLS1_1_VERSION):
            context = client_context()
            context.set_min_proto_version(version)
            context.set_max_proto_version(version)
            self.assertRaises(SSL.Error, self.connect, context)

    def suites(self, context):
        client = SSL.Connection(context, None)
        return client.get_cipher_list()

    def test_ciphers_of_tls_1_2(self):
        """Every suite that OpenSSL knows is tried: those with ECDHE and AEAD alone are taken."""
        everything = [name for name in self.suites(client_context()) if not name.startswith("TLS_")]
        self.assertGreater(len(everything), 30)
        taken = set()
        for name in everything:
            context = SSL.Context(SSL.TLS_METHOD)
            context.set_max_proto_version(SSL.TLS1_2_VERSION)
            context.set_cipher_list(f"{name}:@SECLEVEL=0".encode())
            try:
                server, _ = self.connect(context)
            except SSL.Error:
                continue
            taken.add(server.get_cipher_name())
        self.assertEqual(
            taken,
            {
                "ECDHE-ECDSA-AES128-GCM-SHA256",
                "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-CHACHA20-POLY1305",
            },
        )

    def test_http_1_1_alone(self):
        server, client = self.connect(protocols=[b"h2", b"http/1.1"])
        self.assertEqual(client.get_alpn_proto_negotiated(), b"http/1.1")
        server, client = self.connect(protocols=[b"h2"])
        self.assertEqual(server.get_alpn_proto_negotiated(), b"")

    def test_no_renegotiation(self):
        context = client_context()
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        server, client = self.connect(context)
        self.assertTrue(client.renegotiate())
        with self.assertRaises(SSL.Error) as caught:
            shake_again(server, client)
        self.assertIn("no renegotiation", str(caught.exception))

    def test_no_resumption(self):
        """Neither by session nor by ticket: a stolen ticket key would open all of them."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cafile=self.files.certificate)
            context.minimum_version = context.maximum_version = version
            session = self.converse(context, None).session
            again = self.converse(context, session)
            self.assertEqual(again.version(), version.name.replace("_", "."))
            self.assertFalse(again.session_reused)

    def converse(self, context, session):
        """Python's own client gets one byte, and with it any tickets."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname="localhost", session=session)
        server = self.certificate.serverConnectionForTLS(None)
        server.set_accept_state()
        for _ in range(4):
            with contextlib.suppress(ssl.SSLWantReadError):
                client.do_handshake()
            if outgoing.pending:
                server.bio_write(outgoing.read())
            with contextlib.suppress(SSL.WantReadError):
                server.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                incoming.write(server.bio_read(65536))
        server.send(b"x")
        incoming.write(server.bio_read(65536))
        self.assertEqual(client.read(1), b"x")
        return client

    def test_chain(self):
        """The whole chain is sent, whichever file it stands in."""
        authority = Authority()
        for chain_in_file in (True, False):
            files = authority.issue(self.folder / str(chain_in_file), chain_in_file=chain_in_file)
            self.certificate = ServerCertificate.open(files)
            context = client_context()
            context.load_verify_locations(str(files.key.parent / "root.pem"))
            context.set_verify(SSL.VERIFY_PEER)
            _, client = self.connect(context)
            self.assertEqual(len(client.get_peer_cert_chain()), 2)


def shake_again(server: SSL.Connection, client: SSL.Connection) -> None:
    for _ in range(3):
        for end, other in ((client, server), (server, client)):
            try:
                end.do_handshake()
            except SSL.WantReadError:
                pass
            try:
                end.recv(1)
            except SSL.WantReadError:
                pass
            pump(end, other)


class ReloadTests(Case):
    """Files that change."""

    def setUp(self):
        super().setUp()
        self.certificate = ServerCertificate.open(self.files)

    def look(self, **options):
        found = self.certificate.look(**options)
        if found is not None:
            self.certificate.take(found)
        return found

    def served(self):
        client = SSL.Connection(client_context(), None)
        shake(self.certificate.serverConnectionForTLS(None), client)
        return client.get_peer_certificate().get_serial_number()

    def test_unchanged(self):
        self.assertIsNone(self.look())
        self.assertIsNotNone(self.look(force=True))

    def test_changed(self):
        make_pair(self.folder, force=True)
        self.assertIsNotNone(self.look())
        self.assertEqual(self.served(), serial(self.files))
        self.assertIsNone(self.look())

    def test_same_time_and_size(self):
        """A file that was moved into place with its old time is a new one all the same."""
        stat = self.files.certificate.stat()
        make_pair(self.folder, force=True)
        os.utime(self.files.certificate, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.assertIsNotNone(self.look())

    def test_behind_a_symlink(self):
        """How certbot changes them."""
        link = self.folder / "live"
        make_pair(self.folder / "a")
        new = make_pair(self.folder / "b")
        link.symlink_to("a")
        files = CertificateFiles(link / new.key.name, link / new.certificate.name)
        self.certificate = ServerCertificate.open(files)
        link.unlink()
        link.symlink_to("b")
        self.assertIsNotNone(self.look())
        self.assertEqual(self.served(), serial(new))

    def test_broken(self):
        """The old one stays until there is a good new one; each state is judged once."""
        before = serial(self.files)
        good = self.files.certificate.read_bytes()
        for breaks in (
            lambda: self.files.certificate.write_bytes(b"half"),
            lambda: self.files.certificate.unlink(),
            lambda: make_pair(self.folder / "x").certificate.rename(self.files.certificate),
        ):
            breaks()
            self.assertIsInstance(self.look(), CertificateError)
            self.assertIsNone(self.look())
            self.assertIsNotNone(self.certificate.problem)
            self.assertEqual(self.served(), before)
        self.files.certificate.write_bytes(good)
        self.look()
        self.assertIsNone(self.certificate.problem)
