"""The configuration: what it takes, and what it says about what it does not take."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.config import Configuration, ConfigurationError, load
from rotoclear.errors import StartError

EXAMPLE = Path(__file__).parent.parent / "etc" / "rotoclear.toml"


class Case(SynchronousTestCase):
    def setUp(self):
        self.path = Path(self.mktemp())

    def load(self, text):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text)
        return load(self.path)

    def refused(self, text):
        with self.assertRaises(ConfigurationError) as caught:
            self.load(text)
        said = str(caught.exception)
        self.assertTrue(said.startswith(f"{self.path}: "), said)
        self.assertEqual(len(said.splitlines()), 1, said)
        return said.removeprefix(f"{self.path}: ")


class LoadTests(Case):
    def test_empty(self):
        self.assertEqual(self.load(""), Configuration())

    def test_settings(self):
        found = self.load(
            """
            disabled-drivers = ["simulated-storage"]
            enabled-drivers = ["hardware", "acme"]
            [server]
            listen = ["tcp:80", "unix:/s"]
            data-dir = "/data"
            allowed-origins = ["https://panel.example", "http://10.0.0.1:3000"]
            [login]
            anonymous = false
            [limits]
            message-rate = 1000
            stall = 2.5
            [heads]
            camera-1 = "A1"
            light-2 = "usb-1.2"
            [storage]
            preferred = ["internal"]
            [drivers.acme]
            serials = ["a", 1, 2.5, true]
            mirror = true
            """
        )
        self.assertEqual(found.server.listen, ("tcp:80", "unix:/s"))
        self.assertEqual(found.server.data_dir, "/data")
        self.assertFalse(found.login.anonymous)
        self.assertEqual((found.limits.message_rate, found.limits.stall), (1000, 2.5))
        self.assertEqual(found.disabled_drivers, ("simulated-storage",))
        self.assertEqual(found.enabled_drivers, ("hardware", "acme"))
        self.assertEqual((found.heads.camera_1, found.heads.camera_2), ("A1", ""))
        self.assertEqual((found.heads.light_1, found.heads.light_2), ("", "usb-1.2"))
        self.assertEqual(found.storage.preferred, ("internal",))
        self.assertEqual(found.drivers, {"acme": {"serials": ["a", 1, 2.5, True], "mirror": True}})


class RefusedTests(Case):
    """Every refusal: one line with the file, the key, what is allowed, what is there."""

    def test_files(self):
        with self.assertRaises(StartError) as caught:
            load(self.path)
        self.assertEqual(
            str(caught.exception), f"{self.path}: cannot be read: No such file or directory"
        )
        self.assertIn("not valid TOML", self.refused("x ="))
        self.assertIn("line 2", self.refused("[login]\nx x\n"))
        self.path.write_bytes(b"\xff")
        self.assertIn("not UTF-8", str(self.assertRaises(ConfigurationError, load, self.path)))

    def test_unknown(self):
        self.assertEqual(
            self.refused("[metrics]\npubic = true"),
            "metrics.pubic: unknown setting (do you mean public?); there are: public",
        )
        self.assertEqual(
            self.refused("[lgoin]"),
            "lgoin: unknown section (do you mean login?); there are: "
            "disabled-drivers, discovery, drivers, enabled-drivers, heads, limits, live, log, "
            "login, metrics, publish, recording, retention, rtsp, server, storage",
        )
        self.assertIn("do you mean message-rate?", self.refused("[limits]\nmessage_rate = 5"))
        self.assertIn("'a\\nb': unknown setting", self.refused('"a\\nb" = 1'))

    def test_wrong(self):
        for text, said in (
            (
                "[limits]\nconnections = 5",
                "limits.connections: must be a whole number from 10 to 100000, not 5",
            ),
            (
                "[limits]\nconnections = 50.0",
                "limits.connections: must be a whole number from 10 to 100000, not 50.0",
            ),
            (
                "[limits]\nconnections = true",
                "limits.connections: must be a whole number from 10 to 100000, not true",
            ),
            ("[limits]\nstall = nan", "limits.stall: must be a number from 1 to 3600, not nan"),
            ("[limits]\nstall = inf", "limits.stall: must be a number from 1 to 3600, not inf"),
            ("[limits]\nstall = '5'", "limits.stall: must be a number from 1 to 3600, not '5'"),
            (
                "[server]\nhsts = -1",
                "server.hsts: must be a whole number from 0 to 63072000, not -1",
            ),
            ("[login]\nanonymous = 1", "login.anonymous: must be true or false, not 1"),
            (
                "[server]\nlisten = 'tcp:80'",
                "server.listen: must be a list of one or more, each text in quotes, not 'tcp:80'",
            ),
            (
                "[server]\nlisten = []",
                "server.listen: must be a list of one or more, each text in quotes, "
                "not an empty list",
            ),
            ("[server]\nlisten = [80]", "server.listen[0]: must be text in quotes, not 80"),
            (
                "[server]\nallowed-origins = ['https://a.example', 'b.example']",
                "server.allowed-origins[1]: must be an origin such as https://example.com, "
                "not 'b.example'",
            ),
            (
                "[server]\nallowed-origins = ['https://a.example/']",
                "server.allowed-origins[0]: must be an origin such as https://example.com, "
                "not 'https://a.example/'",
            ),
            (
                "[server]\ndata-dir = ''",
                "server.data-dir: must be text in quotes, not empty, not ''",
            ),
            (
                "[recording]\npreset = 'quick'",
                "recording.preset: must be one of fast, faster, medium, slow, slower, superfast, "
                "ultrafast, veryfast, not 'quick'",
            ),
            (
                "[recording]\nencoder = 'x264 -tune film'",
                "recording.encoder: must be FFmpeg's name of an encoder, not 'x264 -tune film'",
            ),
            (
                "[recording]\nquality = 52",
                "recording.quality: must be a whole number from 0 to 51, not 52",
            ),
            (
                "[live]\nquality = 0",
                "live.quality: must be a whole number from 1 to 100, not 0",
            ),
            ("login = 3", "login: must be a section, not 3"),
            (
                "disabled-drivers = 'x'",
                "disabled-drivers: must be a list, each text in quotes, not 'x'",
            ),
            ("[drivers]\nacme = 3", "drivers.acme: must be a section, not 3"),
            (
                "[drivers.acme]\nsince = 1979-05-27",
                "drivers.acme.since: must be true, false, a number, text in quotes, "
                "or a list of those, not 1979-05-27",
            ),
            (
                "[drivers.acme.deeper]\nx = 1",
                "drivers.acme.deeper: must be true, false, a number, text in quotes, "
                "or a list of those, not a section",
            ),
        ):
            self.assertEqual(self.refused(text), said)

    def test_long_values_are_cut(self):
        said = self.refused(f"[login]\nanonymous = '{'x' * 1000}'")
        self.assertLess(len(said), 120)

    def test_every_setting(self):
        """No setting takes a date: TOML's own types are not silently text."""
        for name, section in sections():
            for setting in section:
                head = f"[{name}]\n" if name else ""
                said = self.refused(f"{head}{setting} = 1979-05-27")
                self.assertIn(setting, said)
                self.assertIn("must be", said)


def sections():
    """Name and settings of each section; the top level is the section ""."""
    example = msgspec.to_builtins(Configuration())
    yield "", [name for name, value in example.items() if not isinstance(value, dict)]
    for name, value in example.items():
        if isinstance(value, dict):
            yield name, value


def bounds():
    """Section, name and limits of each setting that is a number."""
    for section in msgspec.structs.fields(Configuration):
        if isinstance(section.type, type) and issubclass(section.type, msgspec.Struct):
            for field in msgspec.structs.fields(section.type):
                for limits in getattr(field.type, "__metadata__", ()):
                    if limits.le is not None:
                        yield section.encode_name, field.encode_name, limits


class ExampleTests(SynchronousTestCase):
    """etc/rotoclear.toml explains every setting, and changes none."""

    def test_is_the_defaults(self):
        self.assertEqual(load(EXAMPLE), Configuration())

    def test_is_complete(self):
        """data-dir alone has no default that could be written down: it is commented out."""
        text = EXAMPLE.read_text().replace("#data-dir", "data-dir")
        found = tomllib.loads(text)
        for name, section in sections():
            part = found[name] if name else found
            for setting in section:
                self.assertIn(setting, part)

    def test_explains(self):
        """There is a comment right above each setting or the group that it belongs to."""
        groups = EXAMPLE.read_text().split("\n\n")
        for group in groups:
            lines = [line for line in group.splitlines() if line]
            if any("=" in line and not line.startswith("# ") for line in lines):
                first = next(line for line in lines if not line.startswith("["))
                self.assertTrue(first.startswith("# "), group)

    def test_tells_ranges(self):
        """As they are checked: the comment above a number has its bounds."""
        parts = re.split(r"^\[(\w+)\]$", EXAMPLE.read_text(), flags=re.M)
        told = dict(zip(parts[1::2], parts[2::2], strict=True))
        checked = 0
        for name, field, limits in bounds():
            groups = told[name].split("\n\n")
            (group,) = (group for group in groups if f"\n{field} = " in group)
            for bound in (limits.ge, limits.le):
                self.assertRegex(group, rf"\b{re.escape(str(bound))}\b", f"{name}.{field}")
            checked += 1
        self.assertGreater(checked, 20)

    def test_its_endpoints(self):
        """The endpoint strings in its comments can be used as they are."""
        from rotoclear.listening.descriptions import parse

        shown = [
            line.split('"')[1]
            for line in EXAMPLE.read_text().splitlines()
            if line.startswith('#   "')
        ]
        self.assertGreaterEqual(len(shown), 6)
        for endpoint in shown:
            parse(endpoint)


class StreamTests(Case):
    def test_an_address_to_push_to_that_is_none_is_not_repeated(self):
        said = self.refused('[publish]\nurl = "http://joe:secret@host/path"')
        self.assertIn("publish.url: must be", said)
        self.assertNotIn("secret", said)

    def test_udp_ports_in_the_wrong_order(self):
        self.assertIn("rtsp.udp-last", self.refused("[rtsp]\nudp-first = 7000\nudp-last = 6000"))

    def test_one_line_turns_it_on(self):
        self.assertEqual(Configuration().rtsp.listen, ())
        self.assertEqual(self.load('[rtsp]\nlisten = ["tcp:8554"]').rtsp.listen, ("tcp:8554",))
