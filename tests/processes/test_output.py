"""What drivers print."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.processes.output import BURST, MAX_BYTES, MAX_LINE, RATE, REPORT, Output


class Printing(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.clock = Clock()
        self.transport = StringTransport()
        self.output = Output(self.clock, "acme")
        self.output.makeConnection(self.transport)

    def logged(self) -> list[str]:
        texts = [formatEvent(event) for event in self.events]
        self.events.clear()
        return texts

    def test_lines_are_logged_with_the_drivers_name(self) -> None:
        self.output.dataReceived(b"hot\nvery h")
        self.output.dataReceived(b"ot \xff\n\n")
        self.assertEqual(
            self.logged(),
            ["acme printed: hot", "acme printed: very hot \N{REPLACEMENT CHARACTER}"],
        )

    def test_what_comes_last_needs_no_end(self) -> None:
        self.output.dataReceived(b"Segmentation fault")
        self.output.connectionLost()
        self.assertEqual(self.logged(), ["acme printed: Segmentation fault"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_long_line_is_cut(self) -> None:
        self.output.dataReceived(b"x" * 10 * MAX_LINE + b"\n")
        self.assertEqual(self.logged(), [f"acme printed: {'x' * MAX_LINE} ..."])

    def test_a_line_without_an_end_takes_no_memory(self) -> None:
        for _ in range(100):
            self.output.dataReceived(b"x" * 10_000)
        self.assertLessEqual(len(self.output._rest), MAX_LINE + 1)

    def test_a_flood_is_counted(self) -> None:
        self.output.dataReceived(b"noise\n" * (BURST + 7))
        self.output.dataReceived(b"noise\n" * 10)
        self.assertEqual(self.logged(), ["acme printed: noise"] * BURST)
        self.clock.pump([1] * REPORT)
        self.assertEqual(self.logged(), ["acme printed too much: 17 lines are not logged"])

    def test_in_the_long_run_only_a_few_are_logged(self) -> None:
        lines = 0
        for _ in range(1000):
            self.output.dataReceived(b"noise\n" * 1000)
            self.clock.advance(1)
            lines += sum("printed:" in text for text in self.logged())
        self.assertLessEqual(lines, BURST + 1000 * RATE)

    def test_the_rest_of_a_skipped_line_is_skipped(self) -> None:
        self.output.dataReceived(b"noise\n" * BURST)
        self.output.dataReceived(b"half of a ")
        self.clock.advance(1)
        self.logged()
        self.output.dataReceived(b"line\nwhole\n")
        self.assertEqual(self.logged(), ["acme printed: whole"])

    def test_beyond_a_rate_nothing_is_read_until_the_next_second(self) -> None:
        self.output.dataReceived(b"x" * MAX_BYTES)
        self.assertEqual(self.transport.producerState, "paused")
        self.clock.advance(1)
        self.assertEqual(self.transport.producerState, "producing")

    def test_the_clock_rests_when_nothing_is_printed(self) -> None:
        self.output.dataReceived(b"noise\n" * BURST)
        self.clock.pump([1] * (BURST // RATE))
        self.assertEqual(self.clock.getDelayedCalls(), [])
