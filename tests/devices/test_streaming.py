"""When a camera takes pictures, with cameras that do as they like."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices import streaming
from rotoclear.devices.ring import NoPictures, Reader, ViewEnded
from rotoclear.devices.streaming import Streaming
from rotoclear.interfaces import DeviceFailure, DeviceGone, Frame

SECONDS = 10.0
"""For what happens at once."""

PICTURE = Frame(data=b"x" * 48, format="grey", width=8, height=6, timestamp=5, sequence=1)


class Camera:
    """Does what the test says; keeps what it was asked and by whom."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.threads: dict[str, int] = {}
        self.returns: Callable[[], Any] = lambda: PICTURE
        self.starts: Callable[[], None] = lambda: None
        self.stops: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._note("start")
        self.starts()

    def read(self, timeout: float) -> Any:
        self.threads["read"] = threading.get_ident()
        time.sleep(0.001)
        return self.returns()

    def stop(self) -> None:
        self._note("stop")
        self.stops()

    def _note(self, what: str) -> None:
        self.did.append(what)
        self.threads[what] = threading.get_ident()


def raises(error: BaseException) -> Callable[[], Any]:
    def call() -> Any:
        raise error

    return call


class StreamingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(streaming, "RETRY", (0.0, 0.0))
        self.woken = threading.Event()
        self.records: list[logging.LogRecord] = []
        log = logging.Logger("test")
        handler = logging.Handler()
        handler.emit = self.records.append  # type: ignore[method-assign]
        log.addHandler(handler)
        self.camera = Camera()
        self.streaming = Streaming("head", self.camera, self.woken.set, log)
        self.addCleanup(self.streaming.close)

    def view(self) -> Reader:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reader = Reader(ours)
        self.addCleanup(reader.close)
        self.streaming.add(theirs)
        self.streaming.settle()
        return reader

    def settle(self) -> None:
        """As the camera's thread does when it is woken."""
        self.assertTrue(self.woken.wait(SECONDS))
        self.woken.clear()
        self.streaming.settle()


class Running(StreamingCase):
    def test_it_runs_while_somebody_looks(self) -> None:
        reader = self.view()
        self.assertEqual(reader.next(SECONDS).data, b"x" * 48)
        self.assertEqual(self.camera.did, ["start"])
        reader.close()
        self.settle()
        self.assertEqual(self.camera.did, ["start", "stop"])

    def test_only_reading_has_a_thread_of_its_own(self) -> None:
        self.view().next(SECONDS)
        self.streaming.close()
        here = threading.get_ident()
        self.assertEqual((self.camera.threads["start"], self.camera.threads["stop"]), (here, here))
        self.assertNotEqual(self.camera.threads["read"], here)

    def test_it_does_not_run_while_something_is_chosen(self) -> None:
        reader = self.view()
        self.streaming.halt()
        self.assertEqual(self.camera.did, ["start", "stop"])
        self.streaming.settle()
        self.assertEqual(self.camera.did, ["start", "stop", "start"])
        reader.next(SECONDS)

    def test_one_picture(self) -> None:
        self.assertEqual(self.streaming.capture().length, 48)
        self.streaming.settle()
        self.assertEqual(self.camera.did, ["start", "stop"])

    def test_no_picture(self) -> None:
        self.patch(streaming, "CAPTURE", 0.05)
        self.camera.returns = lambda: None
        with self.assertRaisesRegex(DeviceFailure, "No picture came"):
            self.streaming.capture()

    def test_a_picture_that_fails_says_why(self) -> None:
        for error in (DeviceFailure("too hot"), SystemExit(3), DeviceGone("pulled")):
            self.camera.returns = raises(error)
            with self.assertRaises(type(error)):
                self.streaming.capture()
        self.assertEqual(self.camera.did[-1], "start")


class Failing(StreamingCase):
    def next(self, reader: Reader, wanted: type[Exception] | None) -> str:
        """Settle until a picture, or an exception of that kind, comes; return its text."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.streaming.settle()
            try:
                reader.next(0.05)
            except (NoPictures, TimeoutError) as error:
                if wanted is not None and isinstance(error, wanted):
                    return str(error)
            else:
                if wanted is None:
                    return ""
        raise AssertionError("it did not come")

    def test_a_start_that_fails_is_told_and_tried_again(self) -> None:
        self.camera.starts = raises(DeviceFailure("too hot"))
        reader = self.view()
        with self.assertRaisesRegex(NoPictures, "too hot"):
            reader.next(SECONDS)
        self.assertIsNotNone(self.streaming.patience())
        self.camera.starts = lambda: None
        self.streaming.settle()
        reader.next(SECONDS)

    def test_it_is_logged_once(self) -> None:
        self.camera.starts = raises(DeviceFailure("too hot"))
        self.view()
        for _ in range(5):
            self.streaming.settle()
        self.assertEqual(
            [r.getMessage() for r in self.records], ["head gives no pictures: too hot"]
        )

    def test_nonsense_of_any_kind_is_survived(self) -> None:
        for wrong in (
            lambda: 5,
            lambda: b"bytes",
            lambda: Frame(data=b"x", format="grey", width=8, height=6, timestamp=5, sequence=1),
            raises(SystemExit(1)),
            raises(KeyError("x")),
            raises(MemoryError()),
        ):
            self.camera.returns = wrong
            reader = self.view()
            self.assertIn("The driver is at fault", self.next(reader, NoPictures))
            self.camera.returns = lambda: PICTURE
            self.next(reader, None)
            reader.close()
        self.assertTrue(any(r.exc_info for r in self.records))

    def test_a_stop_that_fails_is_survived(self) -> None:
        self.camera.stops = raises(SystemExit(1))
        reader = self.view()
        reader.next(SECONDS)
        reader.close()
        self.settle()
        self.view().next(SECONDS)
        self.assertEqual(self.camera.did, ["start", "stop", "start"])

    def test_one_that_is_gone_ends_all_views(self) -> None:
        reader = self.view()
        self.camera.returns = raises(DeviceGone("pulled"))
        self.settle()
        with self.assertRaises(ViewEnded):
            while True:
                reader.next(SECONDS)
        self.assertEqual(self.streaming.gone, "pulled")
        self.assertEqual(self.camera.did, ["start", "stop"])
        self.streaming.settle()
        self.assertEqual(self.camera.did, ["start", "stop"])
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, self.assertRaises(DeviceGone):
            self.streaming.add(theirs)

    def test_a_driver_that_does_not_wait_is_held_back(self) -> None:
        reads = []
        self.camera.returns = lambda: reads.append(1)
        self.view()
        enough = threading.Event()
        enough.wait(0.2)
        self.assertLess(len(reads), 50)
