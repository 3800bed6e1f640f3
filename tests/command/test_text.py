"""How a command writes for people."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.command.text import fields, printable, records, table


class TextTests(SynchronousTestCase):
    def test_nothing_for_the_terminal_to_obey(self) -> None:
        self.assertEqual(printable("a\x1b[31mb\n c\x9b"), "a\ufffd[31mb c\ufffd")
        self.assertNotIn("\x1b", table(["N"], [["\x1b]0;x\x07"]]))

    def test_table(self) -> None:
        self.assertEqual(
            table(["NAME", "AGE"], [["Jürgen", 7], ["Al", None]]),
            "NAME    AGE\nJürgen  7\nAl      -",
        )

    def test_records(self) -> None:
        rows = [
            {"name": "a", "on": True, "modes": ["x", "y"]},
            {"name": "b", "on": False, "modes": [], "usage": {"total": 2}},
        ]
        self.assertEqual(
            records(rows),
            "NAME  ON   MODES  USAGE\na     yes  x, y   -\nb     no   -      total=2",
        )

    def test_fields(self) -> None:
        record = {
            "plugged": True,
            "holds": {},
            "faults": {"latency": {"milliseconds": 300}},
            "possible": {"error": ["control", "times"], "hang": []},
            "devices": [{"identity": "a", "reason": ""}, {"identity": "b\x1b"}],
        }
        self.assertEqual(
            fields(record),
            "plugged: yes\n"
            "holds: -\n"
            "faults: latency (milliseconds=300)\n"
            "possible: error (control, times), hang\n"
            "devices: identity=a, reason=-; identity=b\ufffd",
        )
