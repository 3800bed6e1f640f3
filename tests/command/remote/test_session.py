"""The client that a command makes, of the real library, before it connects."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.command.errors import CommandError
from rotoclear.command.remote.address import address
from rotoclear.command.remote.choosing import Target
from rotoclear.command.remote.session import new_client


class NewClientTests(SynchronousTestCase):
    def make(self, server: str, cafile: str = "", fingerprint: str = "") -> None:
        """Whether the library takes it."""
        target = Target(
            address=address(server), login=None, cafile=cafile, fingerprint=fingerprint, timeout=10
        )
        new_client(target, reconnect=False)

    def test_made(self) -> None:
        self.make("http://localhost:8080")  # where there is no certificate to be trusted
        self.make("https://camera.example.com")
        self.make("https://camera.example.com", fingerprint=":".join(["AB"] * 32))

    def test_no_certificate(self) -> None:
        with self.assertRaises(CommandError) as caught:
            self.make("https://camera.example.com", cafile="/dev/null")
        self.assertIn("no certificate in /dev/null", str(caught.exception))
