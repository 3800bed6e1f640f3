"""What is deleted, in which order, and by which clock."""

from __future__ import annotations

from pathlib import Path

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock as Reactor
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.interfaces import VolumeUsage
from rotoclear.media import clock as clocks
from rotoclear.media.catalogue import Entry
from rotoclear.media.clock import Clock
from rotoclear.media.engine import wire
from rotoclear.media.files.shelf import FileError
from rotoclear.media.films import Films, Place, Take
from rotoclear.media.retention import DAY, PAUSE, PERIOD, Retention, Rules
from rotoclear.state.errors import DeviceError
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from tests.media.stored import Shelf, Shelves, catalogue, entry

NOW = 1_800_000_000.0


@define
class Time:
    """A machine's clocks."""

    wall: float = NOW
    monotonic: float = 100.0
    synced: bool = True

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def clock(self, *, own: bool = False) -> Clock:
        return Clock(
            own=own,
            wall=lambda: self.wall,
            monotonic=lambda: self.monotonic,
            synced=lambda: self.synced,
        )


class ClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.time = Time()

    def test_synchronised(self) -> None:
        clock = self.time.clock()
        self.assertEqual(clock.objection(0), "")
        self.assertEqual(clock.objection(NOW), "")
        self.assertEqual(clock.now(), NOW)

    def test_not_synchronised(self) -> None:
        self.time.synced = False
        self.assertIn("synchronised", self.time.clock().objection(0))
        self.assertEqual(self.time.clock(own=True).objection(0), "")

    def test_synchronised_later(self) -> None:
        """It jumps then, which is well."""
        self.time.synced = False
        clock = self.time.clock()
        self.assertTrue(clock.objection(0))
        self.time.wall += 30 * DAY
        self.time.synced = True
        self.assertEqual(clock.objection(0), "")

    def test_set_by_hand(self) -> None:
        self.time.synced = False
        clock = self.time.clock(own=True)
        self.time.pass_by(DAY)
        self.assertEqual(clock.objection(0), "")
        self.time.wall += 61
        self.assertIn("set", clock.objection(0))
        self.time.wall -= 122
        self.assertIn("set", clock.objection(0))
        self.time.wall += 61
        self.assertEqual(clock.objection(0), "")

    def test_earlier_than_before(self) -> None:
        clock = self.time.clock()
        self.assertEqual(clock.objection(NOW + 59), "")
        self.assertIn("later", clock.objection(NOW + 61))

    def test_asks_the_kernel(self) -> None:
        """What it says here is not known; that it is asked, and answers, is."""
        asked = []

        class Kernel:
            def __init__(self, state: int) -> None:
                self.state = state

            def adjtimex(self, timex: object) -> int:
                asked.append(timex)
                return self.state

        self.patch(clocks, "SYNCHRONIZED", Path("/nonexistent"))
        self.assertIsInstance(clocks.synchronized(), bool)
        for state, expected in ((0, True), (1, True), (5, False), (-1, False)):
            self.patch(clocks.ctypes, "CDLL", lambda name, state=state: Kernel(state))
            self.assertIs(clocks.synchronized(), expected, state)
        self.patch(clocks, "SYNCHRONIZED", Path("/proc/self"))
        self.assertTrue(clocks.synchronized())
        self.assertEqual(len(asked), 5)


@define(eq=False)
class Device:
    """A volume of 1000 bytes, full of the files on its shelf."""

    shelf: Shelf
    driver: str = "dir"
    identity: str = "one"
    trouble: bool = False
    asked: int = 0

    def call(self, method: str) -> Deferred[object]:
        assert method == "usage"
        self.asked += 1
        if self.trouble:
            return fail(DeviceError("The volume does not answer"))
        used = sum(len(content) for content in self.shelf.files.values())
        return succeed(VolumeUsage(total=1000, free=1000 - used))


@define
class Volumes:
    device: Device | None = field()

    def current(self) -> Device | None:
        return self.device


class RetentionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.time = Time()
        self.reactor = Reactor()
        self.catalogue = catalogue()
        self.model = Model(self.reactor, KeyTable())
        self.films = Films(self.model, self.catalogue)
        self.shelf, self.other = Shelf(), Shelf()
        self.shelves = Shelves({"dir/one": self.shelf, "dir/two": self.other})
        self.volumes = Volumes(Device(self.shelf))

    def put(self, id_: str, size: int = 100, **more: object) -> Entry:
        one = entry(id_, size=size, **more)
        shelf = self.shelves.there.get(one.volume)
        if shelf is not None:
            shelf.files[one.file] = b"x" * size
        self.successResultOf(self.catalogue.put(one))
        return one

    def start(self, rules: Rules, *, own: bool = False) -> Retention:
        retention = Retention(
            self.reactor,
            rules,
            self.catalogue,
            self.films,
            self.shelves,
            self.volumes,
            self.time.clock(own=own),
        )
        retention.startService()
        self.addCleanup(retention.stopService)
        return retention

    def pass_by(self, seconds: float) -> None:
        """Both clocks go on, and the reactor's, in steps."""
        step = PERIOD / 2
        for _ in range(round(seconds / step)):
            self.time.pass_by(step)
            self.reactor.advance(step)

    def days(self, days: float) -> None:
        """So many days without a look in between, and then enough of them."""
        self.time.pass_by(days * DAY)
        self.pass_by(PERIOD * 4)

    def ids(self) -> list[str]:
        found = self.successResultOf(self.catalogue.page("recording", 99))
        return [one.id for one in reversed(found)]

    def removed(self) -> list[str]:
        return [name for what, name in self.shelf.did if what == "remove"]

    def test_without_rules_nothing_is_looked_at(self) -> None:
        self.put("a")
        self.start(Rules())
        self.assertEqual(
            [call for call in self.reactor.getDelayedCalls() if "notify" not in repr(call)], []
        )

    def test_age(self) -> None:
        self.start(Rules(days=10))
        self.put("a")
        self.days(0)
        self.days(5)
        self.put("b")
        self.put("elsewhere", volume="dir/two")
        self.days(4.9)
        self.assertEqual(self.ids(), ["a", "b", "elsewhere"])
        self.days(0.2)
        self.assertEqual(self.ids(), ["b", "elsewhere"])
        self.assertEqual(self.removed(), [entry("a").file])
        self.days(10)
        self.assertEqual(self.ids(), [])
        self.assertEqual(self.other.files, {})

    def test_age_counts_from_when_a_trusted_clock_saw_it(self) -> None:
        """A film of 1970, made before the clock was set, is not old."""
        self.time.synced = False
        self.time.wall = 100.0
        self.start(Rules(days=10))
        self.put("a", began=50.0, ended=60.0)
        self.days(20)
        self.assertEqual(self.ids(), ["a"])
        self.time.wall, self.time.synced = NOW, True
        self.days(0)
        self.assertEqual(self.ids(), ["a"])
        self.days(9.9)
        self.assertEqual(self.ids(), ["a"])
        self.days(0.2)
        self.assertEqual(self.ids(), [])

    def test_untrusted_clock(self) -> None:
        for own in (False, True):
            self.time = Time()
            self.put(f"a{own}", known=NOW - 100 * DAY)
            self.put(f"b{own}", size=950, known=NOW - 1)
            self.time.synced = False
            retention = self.start(Rules(days=1, free=500), own=own)
            self.time.wall += 90  # somebody sets it
            self.pass_by(PERIOD * 3)
            self.assertTrue(retention.objection)
            self.assertEqual(self.removed(), [])
            retention.stopService()
            self.time = Time(wall=NOW - 1000)  # after a start, it is earlier than before
            retention = self.start(Rules(days=1, free=500), own=own)
            self.pass_by(PERIOD * 3)
            self.assertTrue(retention.objection)
            self.assertEqual(self.removed(), [])
            retention.stopService()

    def test_room(self) -> None:
        """The oldest first, until there is enough, whatever their times say."""
        for number, began in enumerate((9e9, 5.0, 7e8, 1e9)):
            self.put(f"{number}", 200, began=began)
        self.put("other", volume="dir/two")
        self.put("picture", 100, kind="snapshot")
        self.start(Rules(free=450))
        self.pass_by(PERIOD * 4)
        self.assertEqual(self.ids(), ["2", "3", "other"])
        self.assertEqual(self.removed(), [entry("0").file, entry("1").file])

    def test_share(self) -> None:
        for number in range(4):
            self.put(f"{number}", 200)
        self.start(Rules(share=30))
        self.pass_by(PERIOD * 4)
        self.assertEqual(self.ids(), ["1", "2", "3"])

    def test_enough_room(self) -> None:
        self.put("a", 500)
        self.start(Rules(free=500))
        self.pass_by(PERIOD * 4)
        self.assertEqual(self.ids(), ["a"])

    def test_one_at_a_time(self) -> None:
        for number in range(3):
            self.put(f"{number}", 300)
        self.start(Rules(free=1000))
        self.reactor.advance(PERIOD)
        self.assertEqual(len(self.removed()), 1)
        self.reactor.advance(PAUSE * 0.9)
        self.assertEqual(len(self.removed()), 1)
        self.reactor.advance(PAUSE * 0.2)
        self.assertEqual(len(self.removed()), 2)

    def test_never_what_is_open(self) -> None:
        """The closed segments of the same recording may go, its beginning first."""
        self.films.begin(Take(Place("dir/one", "One", "/mnt"), 1))
        for file in ("1.mp4", "2.mp4", "3.mp4"):
            self.films.event(wire.Opened(file, 1000.0, 64, 48, 25))
            self.shelf.files[file] = b"x" * 300
        self.put("cut", state="interrupted")
        for file in ("1.mp4", "2.mp4"):
            self.films.event(wire.Closed(file, 1.0, 300, 25))
        self.films.event(wire.Hashed("1.mp4", "12"))
        self.start(Rules(free=1000, days=1))
        self.days(0)
        self.assertEqual(self.removed(), ["1.mp4"], "the second is still being summed")
        self.films.event(wire.Hashed("2.mp4", "34"))
        self.days(10)
        self.assertEqual(self.removed(), ["1.mp4", "2.mp4"])

    def test_last_recording_follows(self) -> None:
        self.put("a", 900)
        self.model.commit({"last-recording": "a"})
        self.start(Rules(free=500))
        self.pass_by(PERIOD * 2)
        self.assertEqual(self.model["last-recording"], "")

    def test_volume_fails(self) -> None:
        self.put("a", 900)
        assert self.volumes.device is not None
        self.volumes.device.trouble = True
        self.start(Rules(free=500))
        self.pass_by(PERIOD * 2)
        self.assertEqual(self.ids(), ["a"])
        self.volumes.device.trouble = False
        self.shelf.trouble = FileError("The volume does not answer")
        self.pass_by(PERIOD * 2)
        self.assertEqual(self.ids(), ["a"], "as long as the file is there, so is its entry")
        self.shelf.trouble = None
        self.pass_by(PERIOD * 2)
        self.assertEqual(self.ids(), [])

    def test_no_volume(self) -> None:
        self.volumes.device = None
        self.put("a", 900)
        self.start(Rules(free=500))
        self.pass_by(PERIOD * 2)
        self.assertEqual(self.ids(), ["a"])

    def test_entry_whose_file_is_gone(self) -> None:
        self.put("a", missing=True, known=NOW - 20 * DAY)
        self.shelf.files.clear()
        self.start(Rules(days=10))
        self.days(0)
        self.assertEqual(self.ids(), [])

    def test_entry_whose_file_is_back(self) -> None:
        """That has not been noticed yet; it must not stay without an entry."""
        self.put("a", missing=True, known=NOW - 20 * DAY)
        self.start(Rules(days=10))
        self.days(0)
        self.assertEqual(self.ids(), [])
        self.assertEqual(self.shelf.files, {})
