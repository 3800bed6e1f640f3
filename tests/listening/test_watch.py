"""When certificates are looked at, and what is logged; SIGHUP."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from pathlib import Path

from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.listening.hangup import HangupHandler
from rotoclear.listening.tls import ServerCertificate
from rotoclear.listening.watch import INTERVAL, CertificateWatch
from tests.listening.pairs import NOW, make_pair, serial


class Logged:
    """What our loggers say while a test runs."""

    def __init__(self, case):
        self.events = []
        globalLogPublisher.addObserver(self._take)
        case.addCleanup(globalLogPublisher.removeObserver, self._take)

    def _take(self, event):
        if event["log_namespace"].startswith("rotoclear."):
            self.events.append(event)

    def levels(self):
        found = [event["log_level"].name for event in self.events]
        self.events.clear()
        return found


class WatchTests(SynchronousTestCase):
    def setUp(self):
        self.folder = Path(self.mktemp())
        self.files = make_pair(self.folder, NOW)
        self.certificate = ServerCertificate.open(self.files)
        self.clock = Clock()
        self.now = NOW
        self.in_thread = execute
        self.logged = Logged(self)
        self.watch = CertificateWatch(
            self.clock,
            [self.certificate],
            in_thread=lambda look: self.in_thread(look),
            wall_clock=lambda: self.now,
        )
        self.watch.startService()

    def tearDown(self):
        if self.watch.running:
            self.watch.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def renew(self):
        make_pair(self.folder, NOW, force=True)
        return self.certificate.loaded

    def test_looks_now_and_then(self):
        old = self.renew()
        self.clock.advance(INTERVAL / 2)
        self.assertIs(self.certificate.loaded, old)
        self.clock.advance(INTERVAL / 2)
        self.assertIsNot(self.certificate.loaded, old)
        self.assertEqual(self.logged.levels(), ["info"])
        self.clock.pump([INTERVAL] * 3)
        self.assertEqual(self.logged.levels(), [])

    def test_verdict(self):
        """Two weeks before the end it is time."""
        ends = self.certificate.loaded.ends
        for left, state in ((20, "ok"), (13, "degraded"), (-1, "failed")):
            self.now = ends - timedelta(days=left)
            found, reason = self.watch.verdict()
            self.assertEqual(found, state)
            self.assertEqual(bool(reason), state != "ok")
        self.now = NOW
        self.files.key.write_bytes(b"broken")
        self.clock.pump([INTERVAL] * 2)
        self.assertEqual(self.watch.verdict()[0], "failed")

    def test_broken(self):
        self.files.key.write_bytes(b"broken")
        self.clock.pump([INTERVAL] * 3)
        self.assertEqual([e["log_level"].name for e in self.logged.events], ["error"])
        self.assertIn(str(self.files.key), self.logged.events[0]["reason"])
        self.logged.events.clear()
        self.renew()
        self.clock.advance(INTERVAL)
        self.assertEqual(self.logged.levels(), ["info"])

    def test_expired(self):
        """A warning at the start, and when one like that is taken over."""
        self.assertEqual(self.logged.levels(), [])
        self.now += timedelta(days=2000)
        self.renew()
        self.clock.advance(INTERVAL)
        self.assertEqual(self.logged.levels(), ["info", "warn"])
        self.watch.stopService()
        self.watch.startService()
        self.assertEqual(self.logged.levels(), ["warn"])

    def test_one_look_at_a_time(self):
        """A slow disk is not asked again before it has answered; a look on demand waits."""
        answers = []

        def slow(look):
            answers.append((look, Deferred()))
            return answers[-1][1]

        self.in_thread = slow
        self.clock.pump([INTERVAL] * 3)
        done = self.watch.look(force=True)
        self.assertEqual(len(answers), 1)
        self.assertNoResult(done)
        for _ in range(2):
            look, answer = answers.pop(0)
            answer.callback(look())
        self.successResultOf(done)
        self.assertIsNot(self.certificate.loaded, None)
        self.assertEqual(answers, [])

    def test_survives_a_bug(self):
        def broken(look):
            raise RuntimeError("no thread")

        self.in_thread = broken
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.in_thread = execute
        old = self.renew()
        self.clock.advance(INTERVAL)
        self.assertIsNot(self.certificate.loaded, old)

    def test_force(self):
        old = self.certificate.loaded
        self.successResultOf(self.watch.look(force=True))
        self.assertIsNot(self.certificate.loaded, old)
        self.assertGreater(serial(self.files), 0)

    def test_nothing_to_watch(self):
        watch = CertificateWatch(self.clock, [])
        before = self.clock.getDelayedCalls()
        watch.startService()
        self.assertEqual(self.clock.getDelayedCalls(), before)
        watch.stopService()


class FromThread:
    """The one thing of a reactor that a signal handler may touch."""

    def __init__(self):
        self.calls = []

    def callFromThread(self, function):
        self.calls.append(function)


class HangupTests(SynchronousTestCase):
    def setUp(self):
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.reactor = FromThread()
        self.handler = HangupHandler(self.reactor, self.reload)

    def reload(self):
        pass

    def test_calls_in_the_reactor(self):
        self.handler.install()
        os.kill(os.getpid(), signal.SIGHUP)
        self.assertEqual(self.reactor.calls, [self.reload])

    def test_restores(self):
        for before in (signal.SIG_DFL, signal.SIG_IGN, lambda number, frame: None):
            signal.signal(signal.SIGHUP, before)
            self.handler.install()
            self.handler.remove()
            self.handler.remove()
            self.assertEqual(signal.getsignal(signal.SIGHUP), before)

    def test_chain(self):
        seen = []
        signal.signal(signal.SIGHUP, lambda number, frame: seen.append(number))
        self.handler.install()
        os.kill(os.getpid(), signal.SIGHUP)
        self.assertEqual(seen, [signal.SIGHUP])
        self.assertEqual(len(self.reactor.calls), 1)

    def test_somebody_after_us(self):
        """Who came after us, and may chain to us, stays."""

        def later(number, frame):
            pass

        self.handler.install()
        signal.signal(signal.SIGHUP, later)
        self.handler.remove()
        self.assertEqual(signal.getsignal(signal.SIGHUP), later)

    def test_other_thread(self):
        """Only the main thread may; elsewhere it is left."""
        logged = Logged(self)
        thread = threading.Thread(target=self.handler.install)
        thread.start()
        thread.join()
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_DFL)
        self.handler.remove()
        self.assertEqual(logged.levels(), ["warn"])
