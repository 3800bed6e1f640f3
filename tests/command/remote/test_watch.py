"""Following keys: lines for programs, the table for people."""

from __future__ import annotations

import asyncio
import json

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.client import Change, ConnectionState, LoginRefused
from rotoclear.command.remote.board import FRESH, Board, Style
from rotoclear.command.remote.together import until_first
from tests.command.remote.played import PlayedTestCase


class LinesTests(PlayedTestCase):
    def lines(self, *words: str) -> list[tuple[str, object]]:
        """What it printed."""
        told = [json.loads(line) for line in self.good("watch", *words).splitlines()]
        for line in told:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        return [(line["key"], line["value"]) for line in told]

    def test_values_then_changes(self) -> None:
        self.server.changes = [Change("fps", 25), Change("record", "pause")]
        lines = self.lines("fps", "record")
        self.assertEqual(lines, [("fps", 30), ("record", False), ("fps", 25), ("record", "pause")])

    def test_all(self) -> None:
        self.assertEqual(dict(self.lines("--json")), self.server.values)

    def test_unknown(self) -> None:
        self.assertIn("did you mean fps?", self.refused(1, "watch", "fsp"))

    def test_connection(self) -> None:
        """The notes stay out of the lines."""
        states = ConnectionState
        self.server.states = [
            states.READY, states.WAITING, states.CONNECTING, states.WAITING, states.READY,
            states.READY,
        ]  # fmt: skip
        result = self.run_command("watch", "fps")
        self.assertEqual(len(result.out.splitlines()), 1)
        lost, again = result.err.splitlines()
        self.assertIn("is lost; trying again", lost)
        self.assertIn("again", again)

    def test_login_ends(self) -> None:
        self.login()
        self.server.end_of_watch = LoginRefused("The session has ended")
        result = self.run_command("watch", "fps")
        self.assertEqual(result.code, 4)
        self.assertIn("rotoclear login anna", result.err)


class TogetherTests(SynchronousTestCase):
    def test_first_decides(self) -> None:
        ended: list[str] = []

        async def forever(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)

        async def short() -> None:
            pass

        asyncio.run(until_first([short(), forever("decisive")], [forever("beside"), short()]))
        self.assertEqual(sorted(ended), ["beside", "decisive"])

    def test_beside_does_not_decide(self) -> None:
        async def run() -> list[str]:
            told: list[str] = []
            begun = asyncio.Event()

            async def beside() -> None:
                begun.set()

            async def decisive() -> None:
                await begun.wait()
                await asyncio.sleep(0)
                told.append("done")

            await until_first([decisive()], [beside()])
            return told

        self.assertEqual(asyncio.run(run()), ["done"])

    def test_failure_is_raised_as_it_is(self) -> None:
        async def fail() -> None:
            raise LoginRefused("ended")

        async def forever() -> None:
            await asyncio.Event().wait()

        with self.assertRaises(LoginRefused):
            asyncio.run(until_first([forever(), fail()], [forever()]))


class BoardTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.board = Board("http://localhost:8080", "connected")
        for number in range(10):
            self.board.tell(f"key-{number}", number, 0.0, "09:30:00")

    def texts(self, width: int = 60, height: int = 24, now: float = 100.0) -> list[str]:
        """The lines."""
        return [line.text for line in self.board.lines(width, height, now)]

    def test_rows(self) -> None:
        texts = self.texts()
        self.assertEqual(texts[0], "rotoclear at http://localhost:8080: connected")
        self.assertEqual(texts[1].split(), ["KEY", "VALUE", "CHANGED"])
        self.assertEqual(texts[2].split(), ["key-0", "0"])
        self.assertEqual(len(texts), 13)
        self.assertEqual(texts[-1], "q ends")

    def test_change_stands_out_for_a_while(self) -> None:
        self.board.tell("key-3", 7, 100.0, "09:30:05")
        self.board.tell("key-4", 4, 100.0, "09:30:05")  # as it was
        line = self.board.lines(60, 24, 101.0)[5]
        self.assertEqual(line.text.split(), ["key-3", "7", "09:30:05"])
        self.assertIs(line.style, Style.FRESH)
        self.assertIs(self.board.lines(60, 24, 101.0)[6].style, Style.PLAIN)
        self.assertTrue(self.board.fresh(101.0))
        self.assertIs(self.board.lines(60, 24, 100.0 + FRESH)[5].style, Style.PLAIN)
        self.assertFalse(self.board.fresh(100.0 + FRESH))

    def test_scrolling_stops_at_the_ends(self) -> None:
        self.assertEqual(
            [text.split()[0] for text in self.texts(height=6)[2:5]], ["key-0", "key-1", "key-2"]
        )
        self.assertEqual(self.texts(height=6)[-1], "q ends  7 more below")
        self.board.scroll(-5)
        self.assertTrue(self.texts(height=6)[2].startswith("key-0"))
        self.board.scroll(99)
        self.assertTrue(self.texts(height=6)[2].startswith("key-7"))
        self.assertEqual(self.texts(height=6)[-1], "q ends")
        self.board.scroll(-1)
        self.assertTrue(self.texts(height=6)[2].startswith("key-6"))

    def test_fits_any_terminal(self) -> None:
        self.board.tell("storage-name", "x" * 300, 0.0, "")
        for width in (1, 5, 20, 79, 400):
            for height in (1, 2, 3, 4, 24):
                texts = self.texts(width, height)
                self.assertLessEqual(len(texts), height)
                self.assertLessEqual(max(map(len, texts)), width)

    def test_nothing_that_a_terminal_would_obey(self) -> None:
        self.board.tell("storage-name", "a\x1b[2J", 0.0, "")
        self.assertNotIn("\x1b", "".join(self.texts()))
