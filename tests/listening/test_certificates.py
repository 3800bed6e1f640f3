"""The certificate that the server signs itself."""

from __future__ import annotations

import ipaddress
import socket
import stat
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.errors import StartError
from rotoclear.listening.certificates import CertificateExists, make_self_signed
from rotoclear.listening.descriptions import CertificateFiles
from rotoclear.listening.tls import load
from tests.listening.pairs import NOW
from tests.unprivileged import unprivileged


class SelfSignedTests(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)

    def make(self, *names, force=False):
        key, certificate = make_self_signed(self.folder, names, force, NOW)
        self.key = load_pem_private_key(key.read_bytes(), None)
        self.certificate = x509.load_pem_x509_certificate(certificate.read_bytes())
        return key, certificate

    def names(self):
        found = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return (
            found.value.get_values_for_type(x509.DNSName),
            found.value.get_values_for_type(x509.IPAddress),
        )

    def test_pair(self):
        key, certificate = self.make()
        self.assertIsInstance(self.key.curve, ec.SECP256R1)
        self.assertEqual(self.certificate.public_key(), self.key.public_key())
        self.certificate.verify_directly_issued_by(self.certificate)
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(certificate.stat().st_mode), 0o644)
        self.assertEqual(set(self.folder.iterdir()), {key, certificate})
        load(CertificateFiles(key, certificate))

    def test_dates(self):
        self.make()
        self.assertLess(self.certificate.not_valid_before_utc, NOW)
        lifetime = self.certificate.not_valid_after_utc - self.certificate.not_valid_before_utc
        self.assertLessEqual(lifetime, timedelta(days=825))
        self.assertGreater(self.certificate.not_valid_after_utc, NOW + timedelta(days=800))

    def test_names(self):
        self.patch(socket, "gethostname", lambda: "mill-3")
        self.make("Camera.example", "192.168.0.7", "büro.example", "*.plant.example")
        hosts, addresses = self.names()
        self.assertEqual(
            hosts,
            [
                "camera.example",
                "xn--bro-hoa.example",
                "*.plant.example",
                "mill-3",
                "mill-3.local",
                "localhost",
            ],
        )
        self.assertEqual(
            addresses, [ipaddress.ip_address(a) for a in ("192.168.0.7", "127.0.0.1", "::1")]
        )

    def test_names_once(self):
        self.patch(socket, "gethostname", lambda: "localhost")
        self.make("LOCALHOST", "::1", "0:0:0:0:0:0:0:1")
        hosts, addresses = self.names()
        self.assertEqual(hosts, ["localhost", "localhost.local"])
        self.assertEqual(len(addresses), 2)

    def test_name_of_mdns(self):
        """It is announced by the first part of its name."""
        self.patch(socket, "gethostname", lambda: "mill-3.plant.example")
        self.make()
        hosts, _ = self.names()
        self.assertEqual(hosts, ["mill-3.plant.example", "mill-3.local", "localhost"])

    def test_odd_host_name(self):
        """A machine's own name that no certificate can carry is left out."""
        for name in ("under_score", "", "x" * 64):
            self.patch(socket, "gethostname", lambda name=name: name)
            self.make(force=True)
            self.assertEqual(self.names()[0], ["localhost"])

    def test_bad_names(self):
        for name in ("", "a b", "-x", "http://camera", "camera:443", "a..b", "10.0.0.0/8"):
            with self.assertRaises(StartError) as caught:
                self.make(name)
            self.assertIn(repr(name), str(caught.exception))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_never_overwrites(self):
        key, certificate = self.make()
        before = key.read_bytes(), certificate.read_bytes()
        for missing in (None, certificate):
            if missing:
                missing.unlink()
            with self.assertRaises(CertificateExists) as caught:
                self.make()
            self.assertIn("is there already", str(caught.exception))
        self.assertEqual(key.read_bytes(), before[0])
        self.assertFalse(certificate.exists())

    def test_force(self):
        key, _ = self.make()
        key.chmod(0o644)
        before = self.certificate.serial_number
        self.make(force=True)
        self.assertNotEqual(self.certificate.serial_number, before)
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)

    def test_no_folder(self):
        with self.assertRaises(StartError) as caught:
            make_self_signed(self.folder / "none", [], False, NOW)
        self.assertIn("cannot write to", str(caught.exception))

    def test_unwritable(self):
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        with unprivileged():
            self.assertRaises(StartError, make_self_signed, self.folder, [], False, NOW)
