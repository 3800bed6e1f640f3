"""``rotoclear cert``: that the pair is a good one is tested where it is made."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import skipUnless

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from twisted.trial.unittest import SynchronousTestCase

from tests.command.running import Result, run

SOMEBODY = 65_534


class CertTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.key = self.folder / "server-key.pem"
        self.certificate = self.folder / "server-cert.pem"

    def cert(self, *words: str) -> Result:
        return run("cert", "--dir", str(self.folder), *words)

    def names(self) -> list[str]:
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return [str(name.value) for name in names]

    def test_made(self) -> None:
        result = self.cert("--name", "camera.example.com", "--name", "192.168.0.9")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertEqual(self.names()[:2], ["camera.example.com", "192.168.0.9"])
        self.assertEqual(stat.S_IMODE(self.key.stat().st_mode), 0o600)
        endpoint = f"ssl:8443:privateKey={self.key}:certKey={self.certificate}"
        self.assertIn(f"twistd rotoclear --listen {endpoint}\n", result.out)
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        self.assertIn(f"fingerprint: {fingerprint}\n", result.out)

    def test_not_twice(self) -> None:
        self.cert()
        before = self.key.read_bytes()
        result = self.cert()
        self.assertEqual((result.code, result.out), (1, ""))
        self.assertEqual(
            result.err, f"rotoclear: {self.key} is there already; --force replaces it\n"
        )
        self.assertEqual(self.key.read_bytes(), before)
        self.assertEqual(self.cert("--force").code, 0)
        self.assertNotEqual(self.key.read_bytes(), before)

    def test_no_name(self) -> None:
        result = self.cert("--name", "not a name")
        self.assertEqual((result.code, result.out), (1, ""))
        self.assertEqual(result.err.count("\n"), 1)

    def test_no_folder(self) -> None:
        self.folder /= "none"
        self.assertEqual(
            self.cert(), Result(3, "", f"rotoclear: there is no folder {self.folder}\n")
        )

    def test_in_the_data_folder(self) -> None:
        """Also before the first start."""
        folder = self.folder / "data"
        self.assertEqual(run("cert", "--data-dir", str(folder)).code, 0)
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        self.assertTrue((folder / "server-key.pem").exists())

    @skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_roots_belongs_to_the_owner(self) -> None:
        os.chown(self.folder, SOMEBODY, SOMEBODY)
        self.assertEqual(self.cert().code, 0)
        self.assertEqual(self.key.stat().st_uid, SOMEBODY)
