"""Endpoint strings: what they come to, and what is said about those that are wrong."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.endpoints import quoteStringArgument
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.listening.descriptions import (
    CertificateFiles,
    Description,
    ListenError,
    Systemd,
    Tcp,
    Unix,
    parse,
)

HERE = Path("/here")
ALL = "0.0.0.0"


class ParseTests(SynchronousTestCase):
    """The strings that we take."""

    def where(self, text):
        return parse(text, HERE).where

    def test_tcp(self):
        self.assertEqual(
            parse("tcp:8080:interface=127.0.0.1", HERE),
            Description("tcp:8080:interface=127.0.0.1", Tcp(8080, "127.0.0.1")),
        )
        self.assertEqual(self.where("tcp:80"), Tcp(80, ALL, 1024))
        self.assertEqual(self.where("tcp:port=80:backlog=5"), Tcp(80, ALL, 5))
        self.assertEqual(self.where("tcp:80:interface=localhost"), Tcp(80, "127.0.0.1"))

    def test_ipv6(self):
        """The colons of an address may be escaped, as Twisted wants it, or not."""
        for text in (
            r"tcp:80:interface=\:\:1",
            "tcp:80:interface=::1",
            "tcp:80:interface=[::1]",
            "tcp6:80:interface=::1",
        ):
            self.assertEqual(self.where(text), Tcp(80, "::1"), text)
        self.assertEqual(self.where("tcp6:80"), Tcp(80, "::"))
        self.assertEqual(self.where("tcp:80:interface=::"), Tcp(80, "::"))
        self.assertEqual(self.where("tcp:80:interface=fe80::1:backlog=9"), Tcp(80, "fe80::1", 9))

    def test_ssl(self):
        self.assertEqual(
            self.where("ssl:443:privateKey=k.pem:certKey=/etc/c.pem:extraCertChain=i.pem"),
            Tcp(
                443,
                ALL,
                tls=CertificateFiles(HERE / "k.pem", Path("/etc/c.pem"), HERE / "i.pem"),
            ),
        )

    def test_ssl_one_file(self):
        """A certificate may stand in the key's file, as with Twisted."""
        both = CertificateFiles(HERE / "both.pem", HERE / "both.pem")
        self.assertEqual(self.where("ssl:443:both.pem"), Tcp(443, ALL, tls=both))

    def test_unix(self):
        self.assertEqual(self.where("unix:run/s"), Unix(HERE / "run/s"))
        self.assertEqual(self.where("unix:/s:mode=660:lockfile=0"), Unix(Path("/s"), 0o660))
        self.assertEqual(self.where("unix:~/s"), Unix(Path.home() / "s"))

    def test_systemd(self):
        self.assertEqual(self.where("systemd:domain=INET:index=0"), Systemd(index=0))
        self.assertEqual(self.where("systemd:name=http"), Systemd(name="http"))

    def test_systemd_tls(self):
        """Files of a certificate make it TLS; Twisted has no way to say so."""
        self.assertEqual(
            self.where("systemd:name=https:privateKey=k.pem:certKey=c.pem:extraCertChain=i.pem"),
            Systemd(
                name="https",
                tls=CertificateFiles(HERE / "k.pem", HERE / "c.pem", HERE / "i.pem"),
            ),
        )
        both = CertificateFiles(HERE / "both.pem", HERE / "both.pem")
        self.assertEqual(
            self.where("systemd:index=1:privateKey=both.pem"), Systemd(index=1, tls=both)
        )

    def test_haproxy(self):
        text = "haproxy:tcp:8080:interface=127.0.0.1"
        self.assertEqual(parse(text), Description(text, Tcp(8080, "127.0.0.1"), proxied=True))
        self.assertTrue(parse("haproxy:ssl:443:k.pem").proxied)

    def test_escapes(self):
        """Twisted's own quoting is understood."""
        name = "/odd:na\\me"
        self.assertEqual(self.where(f"unix:{quoteStringArgument(name)}"), Unix(Path(name)))
        name += "=x"
        self.assertEqual(self.where(f"unix:address={quoteStringArgument(name)}"), Unix(Path(name)))


class RefusedTests(SynchronousTestCase):
    """The strings that we refuse, each with what is allowed instead."""

    def assert_refused(self, text, *words):
        with self.assertRaises(ListenError) as caught:
            parse(text, HERE)
        said = str(caught.exception)
        self.assertTrue(said.startswith(text or "an empty endpoint"), said)
        self.assertNotIn("\n", said)
        for word in words:
            self.assertIn(word, said)

    def test_kind(self):
        kinds = ("tcp", "tcp6", "ssl", "unix", "systemd", "haproxy")
        for text in (
            "",
            "8080",
            "http:80",
            "tcp=80",
            "TCP:80",
            "haproxy:",
            "haproxy:haproxy:tcp:1",
        ):
            self.assert_refused(text, *kinds)

    def test_port(self):
        for port in ("", "x", "-1", "65536", "8o", "80 ", "²"):
            self.assert_refused(f"tcp:{port}", "port must be a number from 0 to 65535")
        self.assert_refused("tcp", "port is missing")

    def test_parameters(self):
        self.assert_refused("tcp:80:intreface=::", "unknown parameter intreface", "interface")
        self.assert_refused("tcp:80:81", "'81' is one too many")
        self.assert_refused("tcp:80:port=81", "port is given twice")
        self.assert_refused("tcp:80:backlog=1:backlog=2", "backlog is given twice")
        self.assert_refused("tcp:backlog=1:80", "'80' must stand before backlog=")
        self.assert_refused("tcp:80:backlog=0", "backlog must be a number from 1 to 65535")
        self.assert_refused("ssl:443:k.pem:sslmethod=SSLv3_METHOD", "unknown parameter sslmethod")
        self.assert_refused("ssl:443", "privateKey is missing")
        self.assert_refused("ssl:443:privateKey=", "a file name is missing")
        self.assert_refused("tcp:80\\", "ends in a backslash")

    def test_interface(self):
        self.assert_refused("tcp:80:interface=eth0", "an IP address of this machine, not 'eth0'")
        self.assert_refused("tcp:80:interface=::zz", "not '::zz'")
        self.assert_refused("tcp6:80:interface=127.0.0.1", "no IPv6 address")

    def test_unix(self):
        self.assert_refused("unix", "address is missing")
        self.assert_refused("unix:/s:mode=999", "octal number from 000 to 777")
        self.assert_refused("unix:/s:mode=7777", "octal number from 000 to 777")
        self.assert_refused(f"unix:/{'x' * 107}", "107 bytes")

    def test_systemd(self):
        self.assert_refused("systemd", "either index=NUMBER or name=NAME")
        self.assert_refused("systemd:index=0:name=x", "either index=NUMBER or name=NAME")
        self.assert_refused("systemd:index=x", "index must be a number")
        self.assert_refused("systemd:index=0:certKey=c.pem", "privateKey is missing")
        self.assert_refused(
            "systemd:name=x:key=k.pem", "there are: domain, index, name, privateKey"
        )
