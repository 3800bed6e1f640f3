"""Reading, changing and listing keys."""

from __future__ import annotations

import json

from rotoclear.state.keys import IMAGE, Key
from rotoclear.state.permissions import DEVICE_R, DEVICE_RW
from rotoclear.values import Integer, Text
from tests.command.remote.played import PlayedTestCase


def _vendor(name: str, kind: Integer | Text) -> Key:
    return Key(
        name=name,
        observable=name,
        type=kind,
        default=0 if isinstance(kind, Integer) else "",
        read=frozenset({DEVICE_R}),
        write=frozenset({DEVICE_RW}),
        group=IMAGE,
        doc="A vendor's.",
    )


class GetTests(PlayedTestCase):
    def test_one_is_bare(self) -> None:
        self.assertEqual(self.good("get", "brightness"), "50\n")
        self.assertEqual(self.good("get", "resolution"), "1920x1080\n")
        self.assertEqual(self.good("get", "cam1-light"), "false\n")

    def test_several_can_be_set_again(self) -> None:
        told = self.good("get", "pip-mode", "cam1-light", "fps", "pip-mode")
        self.assertEqual(told, "pip-mode=off\ncam1-light=false\nfps=30\n")
        self.login()
        self.assertEqual(self.good("set", *told.splitlines()), told)

    def test_all(self) -> None:
        lines = self.good("get").splitlines()
        self.assertEqual(len(lines), len(self.server.values))
        self.assertIn("brightness=50", lines)

    def test_json(self) -> None:
        told = json.loads(self.good("get", "--json", "brightness"))
        self.assertEqual(told, {"brightness": 50})
        self.assertEqual(json.loads(self.good("get", "--json")), self.server.values)

    def test_unknown(self) -> None:
        text = self.refused(1, "get", "britness", "fps")
        self.assertIn("'britness'; did you mean brightness?", text)
        self.assertNotIn("did you mean", self.refused(1, "get", "xyzzy"))

    def test_nothing_that_a_terminal_would_obey(self) -> None:
        self.server.values["storage-name"] = "a\x1b[2Jb"
        self.assertEqual(self.good("get", "storage-name"), "a\ufffd[2Jb\n")
        self.assertNotIn("\x1b", self.good("get"))
        self.assertNotIn("\x1b", self.good("get", "--json"))


class SetTests(PlayedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.login()

    def test_types(self) -> None:
        self.good(
            "set", "brightness=75", "cam1-light=on", "cam2-light=No", "pip-mode=off",
            "auto-exposure=TRUE", "resolution=1280x720",
        )  # fmt: skip
        self.assertEqual(
            self.server.told,
            [
                {
                    "brightness": 75,
                    "cam1-light": True,
                    "cam2-light": False,
                    "pip-mode": "off",
                    "auto-exposure": True,
                    "resolution": "1280x720",
                }
            ],
        )

    def test_what_it_prints(self) -> None:
        self.assertEqual(self.good("set", "brightness=75", "cam1-light=on").split(), [
            "brightness=75", "cam1-light=true",
        ])  # fmt: skip
        self.assertEqual(json.loads(self.good("set", "fps=30", "--json")), {"fps": 30})

    def test_the_server_says_what_is_allowed(self) -> None:
        for word in ("brightness=150", "brightness=bright", "brightness=", "brightness=1.5"):
            self.assertIn("between 0 and 100", self.refused(1, "set", word))
        self.assertIn("true or false", self.refused(1, "set", "cam1-light=dim"))
        self.assertIn("side-by-side", self.refused(1, "set", "pip-mode=middle"))

    def test_others_are_set_all_the_same(self) -> None:
        result = self.run_command("set", "brightness=150", "contrast=60", "sharpnes=1")
        self.assertEqual((result.code, result.out), (1, "contrast=60\n"))
        first, second = result.err.splitlines()
        self.assertIn("brightness", first)
        self.assertIn("did you mean sharpness?", second)

    def test_vendors_keys(self) -> None:
        self.server.keys.add(_vendor("vendor-acme-purge", Integer(0, 9)))
        self.server.keys.add(_vendor("vendor-acme-name", Text(9)))
        self.good("set", "vendor-acme-purge=7", "vendor-acme-name=7", "brightness=7")
        self.assertEqual(
            self.server.told,
            [{"vendor-acme-purge": 7, "vendor-acme-name": "7", "brightness": 7}],
        )

    def test_wrong_usage(self) -> None:
        self.assertIn("brightness=75", self.refused(2, "set", "brightness", "75"))
        for words in (("brightness",), ("=75",), ("fps=30", "brightness")):
            self.assertIn("KEY=VALUE", self.refused(2, "set", *words))
        self.assertIn("two values for fps", self.refused(2, "set", "fps=30", "fps=25"))
        self.assertEqual(self.server.told, [])

    def test_value_with_equals(self) -> None:
        self.server.keys.add(_vendor("vendor-acme-name", Text(9)))
        self.good("set", "vendor-acme-name=a=b")
        self.assertEqual(self.server.told, [{"vendor-acme-name": "a=b"}])

    def test_missing_permission(self) -> None:
        self.good("logout")
        text = self.refused(4, "set", "brightness=75")
        self.assertIn("Device_rw", text)
        self.assertIn("rotoclear login", text)


class KeysTests(PlayedTestCase):
    def test_table(self) -> None:
        told = self.good("keys")
        self.assertRegex(told, r"(?m)^brightness +0-100 +yes +Image brightness; 50 is neutral\.$")
        self.assertRegex(told, r"(?m)^cam1-exists +true, false +no ")
        self.assertRegex(told, r"(?m)^storage-free +0-\d+ bytes|^storage-free +0-")

    def test_some(self) -> None:
        self.assertEqual(len(self.good("keys", "fps", "gain").splitlines()), 3)
        self.assertIn("did you mean fps?", self.refused(1, "keys", "fp"))

    def test_json(self) -> None:
        self.assertEqual(list(json.loads(self.good("keys", "fps", "--json"))), ["fps"])


class RecordTests(PlayedTestCase):
    def test_actions(self) -> None:
        self.login()
        for action in ("on", "pause", "resume", "off"):
            self.assertEqual(self.good("record", action), "")
        self.assertEqual(
            [told["record"] for told in self.server.told], [True, "pause", "pause_release", False]
        )
        self.assertEqual(json.loads(self.good("record", "on", "--json")), {"record": True})

    def test_wrong_usage(self) -> None:
        for words in ((), ("start",)):
            self.assertEqual(self.run_command("record", *words).code, 2)
