"""What runs in a driver's process, without one."""

from __future__ import annotations

import logging
import threading
from queue import Queue
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices import wire
from rotoclear.devices.host import Asked, Finder, settings
from rotoclear.devices.hostdevices import Opened
from rotoclear.devices.hostio import LOG_BURST, RecordSender, refusal
from rotoclear.interfaces import DeviceFailure, DeviceGone, Option

SECONDS = 10
"""For what happens at once."""


class Sent:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: Queue[Any] = Queue()

    def send(self, message: Any) -> None:
        wire.frame(message)
        self.messages.put(message)

    def next(self) -> Any:
        return self.messages.get(timeout=SECONDS)


class Refusals(SynchronousTestCase):
    def test_what_the_hardware_refuses_is_for_people(self) -> None:
        self.assertEqual(
            refusal(1, DeviceFailure("too hot")), wire.Refused(1, "failure", "too hot")
        )
        self.assertEqual(refusal(1, DeviceGone("pulled")), wire.Refused(1, "gone", "pulled"))

    def test_anything_else_is_a_fault_with_a_traceback(self) -> None:
        try:
            {}["gain"]  # type: ignore[index]
        except KeyError as error:
            refused = refusal(1, error)
        self.assertEqual((refused.reason, refused.message), ("fault", "KeyError: 'gain'"))
        self.assertIn("test_host.py", refused.traceback)

    def test_an_exception_that_cannot_be_shown(self) -> None:
        class Odd(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        self.assertEqual(refusal(1, Odd()).message, "Odd")

    def test_long_texts_are_cut(self) -> None:
        self.assertEqual(len(refusal(1, DeviceFailure("x" * 10**6)).message), wire.MAX_TEXT)
        refused = refusal(1, ValueError("x" * 10**6))
        self.assertEqual(len(refused.message), wire.MAX_TEXT)
        self.assertEqual(len(refused.traceback), wire.MAX_TRACEBACK)


class Finding(SynchronousTestCase):
    """The thread outlives the test: it is a daemon and waits for ever."""

    def finder(self, find: Any) -> tuple[Sent, threading.Event]:
        class Driver:
            pass

        driver: Any = Driver()
        driver.find = find
        sent, changed = Sent(), threading.Event()
        calls = iter([*range(1, 4)])

        class Once(Finder):
            def _find(self) -> Any:
                if next(calls, None) is None:
                    threading.Event().wait()
                return super()._find()

        Once(driver, sent, changed).start()  # type: ignore[arg-type]
        return sent, changed

    def test_it_says_what_there_is(self) -> None:
        sent, _ = self.finder(lambda: ["a", "b"])
        self.assertEqual(sent.next(), wire.Found(("a", "b")))

    def test_it_goes_on(self) -> None:
        sent, changed = self.finder(lambda: [])
        for _ in range(3):
            changed.set()
            self.assertEqual(sent.next(), wire.Found(()))

    def test_a_failure_is_told(self) -> None:
        def fail() -> None:
            raise DeviceFailure("no bus")

        self.assertEqual(self.finder(fail)[0].next(), wire.Lost("no bus"))

    def test_names_that_cannot_be_sent_are_a_fault(self) -> None:
        self.assertIn("cannot be sent", self.finder(lambda: ["\udcff"])[0].next().message)

    def test_a_failure_whose_text_cannot_be_sent_or_had(self) -> None:
        class Odd(DeviceFailure):
            def __str__(self) -> str:
                raise RuntimeError

        for error, text in ((DeviceFailure("\udcff"), "?"), (Odd(), "")):

            def fail(error: Exception = error) -> None:
                raise error

            self.assertEqual(self.finder(fail)[0].next(), wire.Lost(text))

    def test_an_exit_is_a_fault(self) -> None:
        def leave() -> None:
            raise SystemExit(3)

        lost = self.finder(leave)[0].next()
        self.assertEqual(lost.message, "SystemExit: 3")
        self.assertIn("Traceback", lost.traceback)

    def test_nonsense_is_a_fault(self) -> None:
        for nonsense in ("abc", None, 5, [1], ["a", None], {"a"}):
            lost = self.finder(lambda nonsense=nonsense: nonsense)[0].next()
            self.assertIsInstance(lost, wire.Lost)
            self.assertIn("TypeError", lost.message)


class Calls(SynchronousTestCase):
    def opened(self, device: Any) -> tuple[Opened, Sent]:
        class Driver:
            def open(self, identity: str) -> Any:
                if isinstance(device, Exception):
                    raise device
                return device

        sent = Sent()
        opened = Opened(Driver(), wire.Open(1, 1, "a"), sent, lambda: None)  # type: ignore[arg-type]
        opened.start()
        self.addCleanup(opened.join, SECONDS)
        self.addCleanup(opened.ask, wire.Close(99, 1))
        return opened, sent

    class Device:
        closed = False
        threads: list[int]

        def __init__(self) -> None:
            self.threads = []

        def describe(self) -> Any:
            return {"identity": "a"}

        def set(self, control: str, value: Any) -> Any:
            self.threads.append(threading.get_ident())
            if control == "bad":
                raise DeviceFailure("no")
            if control == "exit":
                raise SystemExit
            return object()

        def usage(self) -> Any:
            return object()

        def close(self) -> None:
            self.closed = True

    def test_open_answers_with_the_description(self) -> None:
        _, sent = self.opened(self.Device())
        self.assertEqual(sent.next(), wire.Answer(1, {"identity": "a"}))

    def test_calls_come_from_one_thread_and_their_results_do_not_matter(self) -> None:
        device = self.Device()
        opened, sent = self.opened(device)
        sent.next()
        for number in range(2, 5):
            opened.ask(wire.Call(number, 1, "set", ("gain", number)))
            self.assertEqual(sent.next(), wire.Answer(number, None))
        self.assertEqual(len(set(device.threads)), 1)
        self.assertNotIn(threading.get_ident(), device.threads)

    def test_exceptions_are_answers(self) -> None:
        opened, sent = self.opened(self.Device())
        sent.next()
        opened.ask(wire.Call(2, 1, "set", ("bad", 1)))
        opened.ask(wire.Call(3, 1, "set", ("exit", 1)))
        opened.ask(wire.Call(4, 1, "usage"))
        opened.ask(wire.Call(5, 1, "set", ("gain", 1)))
        self.assertEqual(sent.next().reason, "failure")
        self.assertEqual(sent.next().reason, "fault")
        unsendable = sent.next()
        self.assertEqual(unsendable.reason, "fault")
        self.assertIn("cannot be sent", unsendable.message)
        self.assertEqual(sent.next(), wire.Answer(5, None))

    def test_close_ends_the_thread(self) -> None:
        device = self.Device()
        opened, sent = self.opened(device)
        sent.next()
        opened.ask(wire.Close(2, 1))
        self.assertEqual(sent.next(), wire.Answer(2, None))
        opened.join(SECONDS)
        self.assertFalse(opened.is_alive())
        self.assertTrue(device.closed)

    def test_one_that_cannot_be_opened_can_be_closed(self) -> None:
        opened, sent = self.opened(DeviceGone("pulled"))
        self.assertEqual(sent.next(), wire.Refused(1, "gone", "pulled"))
        opened.ask(wire.Call(2, 1, "set", ("gain", 1)))
        self.assertEqual(sent.next().reason, "gone")
        opened.ask(wire.Close(3, 1))
        self.assertEqual(sent.next(), wire.Answer(3, None))


class Options(SynchronousTestCase):
    options = (
        Option(name="gain", default=1.5, doc="Gain"),
        Option(name="names", default=("a",), doc="Names"),
        Option(name="wide", default=True, doc="Wide"),
    )

    def test_defaults_fill_up(self) -> None:
        self.assertEqual(settings(self.options, {}), {"gain": 1.5, "names": ("a",), "wide": True})

    def test_what_is_given_gets_the_type_that_the_driver_reckons_with(self) -> None:
        given = settings(self.options, {"gain": 2, "names": ["b", "c"], "wide": False})
        self.assertEqual(given, {"gain": 2.0, "names": ("b", "c"), "wide": False})
        self.assertIsInstance(given["gain"], float)


class OfTheDriver(SynchronousTestCase):
    class Driver:
        held: tuple[str, object] | None = None

        def set_key(self, name: str, value: object) -> None:
            if value == "bad":
                raise DeviceFailure("no")
            self.held = (name, value)

        def simulate(self, action: str, identity: str, arguments: object) -> object:
            if action == "warp":
                raise ValueError("There is no warp")
            return {"action": action}

    def setUp(self) -> None:
        self.sent = Sent()
        self.driver = self.Driver()
        self.asked = Asked(self.driver, self.sent)  # type: ignore[arg-type]
        self.asked.start()

    def test_keys_are_set(self) -> None:
        self.asked.ask(wire.SetKey(1, "vendor-acme", 5))
        self.assertEqual(self.sent.next(), wire.Answer(1, None))
        self.assertEqual(self.driver.held, ("vendor-acme", 5))

    def test_a_key_that_is_refused(self) -> None:
        self.asked.ask(wire.SetKey(1, "vendor-acme", "bad"))
        self.assertEqual(self.sent.next(), wire.Refused(1, "failure", "no"))

    def test_rehearsals(self) -> None:
        self.asked.ask(wire.Simulate(1, "show", "a", {}))
        self.assertEqual(self.sent.next(), wire.Answer(1, {"action": "show"}))
        self.asked.ask(wire.Simulate(2, "warp", "a", {}))
        self.assertEqual(self.sent.next(), wire.Refused(2, "value", "There is no warp"))


class Records(SynchronousTestCase):
    def setUp(self) -> None:
        self.sent = Sent()
        self.now = 0.0
        handler = RecordSender(self.sent, lambda: self.now)  # type: ignore[arg-type]
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.logger = logging.Logger("acme")
        self.logger.addHandler(handler)

    def count(self) -> int:
        return self.sent.messages.qsize()

    def test_a_record_is_sent(self) -> None:
        self.logger.warning("%d degrees", 90)
        self.assertEqual(self.sent.next(), wire.Record(30, "acme: 90 degrees"))

    def test_an_exception_comes_with_its_traceback(self) -> None:
        try:
            {}["x"]  # type: ignore[index]
        except KeyError:
            self.logger.exception("oh")
        self.assertIn("KeyError", self.sent.next().text)

    def test_a_record_that_cannot_be_formatted_is_sent_as_it_is(self) -> None:
        self.logger.warning("%d degrees", "hot")
        self.assertIn("%d degrees", self.sent.next().text)

    def test_a_flood_is_counted(self) -> None:
        for _ in range(LOG_BURST + 7):
            self.logger.info("noise")
        self.assertEqual(self.count(), LOG_BURST)
        self.now = 1.0
        self.logger.info("again")
        last = [self.sent.next() for _ in range(self.count())]
        self.assertEqual(
            last[-2:],
            [
                wire.Record(30, "7 log records were dropped"),
                wire.Record(20, "acme: again"),
            ],
        )
