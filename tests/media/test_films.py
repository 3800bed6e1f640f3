"""What the engine does with files, in the catalogue; and what a crash has left."""

from __future__ import annotations

import time

from attrs import evolve
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.adoption import AGAIN, CRASHED, GONE, SOON, Adoption
from rotoclear.media.catalogue import Entry
from rotoclear.media.engine import wire
from rotoclear.media.files.shelf import FileBusy, FileDamaged, FileError, ShelfFailed
from rotoclear.media.films import EMPTY, Films, Place, Take
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from tests.media.stored import Shelf, Shelves, adopted, catalogue, entry

HERE = Place("dir/one", "One", "/mnt/one")


def opened(file: str, began: float = 1000.0) -> wire.Opened:
    return wire.Opened(file, began, 1920, 1080, 30)


def closed(file: str, size: int = 5000, ended: str = "") -> wire.Closed:
    return wire.Closed(file, 12.5, size, 375, ended)


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.model = Model(self.clock, KeyTable())
        self.catalogue = catalogue()
        self.films = Films(self.model, self.catalogue, lambda: 2000.0)

    def put(self, *entries: Entry) -> None:
        for one in entries:
            self.successResultOf(self.catalogue.put(one))

    def rows(self, kind: str = "recording") -> list[Entry]:
        found = self.successResultOf(self.catalogue.page(kind, 99))  # type: ignore[arg-type]
        return list(reversed(found))

    @property
    def last(self) -> object:
        return self.model["last-recording"]


class FilmsTests(Case):
    def test_a_film(self) -> None:
        self.films.begin(Take(HERE, 2, "anna"))
        self.films.event(opened("a.mp4"))
        (film,) = self.rows()
        self.assertEqual(film.state, "recording")
        self.assertEqual((film.volume, film.volume_name, film.file), ("dir/one", "One", "a.mp4"))
        self.assertEqual((film.began, film.width, film.height), (1000.0, 1920, 1080))
        self.assertEqual((film.camera, film.user, film.rate), (2, "anna", 30))
        self.assertEqual(self.last, "", "not before it can be played")
        self.assertTrue(self.films.has(film))
        self.films.event(closed("a.mp4"))
        (done,) = self.rows()
        self.assertEqual(
            done,
            evolve(film, state="complete", ended=2000.0, duration=12.5, size=5000, frames=375),
        )
        self.assertEqual(self.last, film.id)
        self.assertTrue(self.films.has(film), "its sum is being made")
        self.films.event(wire.Hashed("a.mp4", "12ab"))
        self.assertEqual(self.rows()[0].sha256, "12ab")
        self.assertFalse(self.films.has(film))

    def test_how_far_one_has_come(self) -> None:
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("a.mp4"))
        (film,) = self.rows()
        self.assertEqual(self.films.so_far(film), film)
        self.films.event(wire.Progress("a.mp4", 3.5, 1000))
        self.films.event(wire.Progress("other.mp4", 7, 7))
        self.assertEqual(self.films.so_far(film), evolve(film, duration=3.5, size=1000))
        older = evolve(film, id="of the same name")
        self.assertEqual(self.films.so_far(older), older)
        self.films.event(closed("a.mp4"))
        self.films.event(wire.Progress("a.mp4", 3.75, 1100))
        (done,) = self.rows()
        self.assertEqual(self.films.so_far(done), done)

    def test_segments_continue_each_other(self) -> None:
        self.films.begin(Take(HERE, 1, "anna"))
        self.films.event(opened("a.mp4"))
        self.films.event(opened("b.mp4"))
        self.films.event(closed("a.mp4"))
        self.films.event(opened("c.mp4"))
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("d.mp4"))
        a, b, c, d = self.rows()
        self.assertEqual([f.continues for f in (a, b, c, d)], ["", a.id, b.id, ""])
        self.assertEqual([f.user for f in (a, b, c, d)], ["anna", "anna", "anna", ""])
        self.assertEqual(a.state, "complete")
        self.assertEqual(b.state, "recording")

    def test_one_that_ended_by_itself(self) -> None:
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("a.mp4"))
        self.films.event(closed("a.mp4", ended="The volume is full"))
        (film,) = self.rows()
        self.assertEqual((film.state, film.reason), ("complete", "The volume is full"))

    def test_one_without_a_picture(self) -> None:
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("a.mp4"))
        self.films.event(closed("a.mp4", size=0))
        (film,) = self.rows()
        self.assertEqual((film.state, film.reason, film.missing), ("damaged", EMPTY, True))
        self.assertEqual(self.last, "")

    def test_nobody_has_asked_for_it(self) -> None:
        self.films.event(opened("a.mp4"))
        self.assertEqual(self.rows(), [])
        self.films.event(closed("b.mp4"))
        self.films.event(wire.Hashed("c.mp4", "12"))
        self.assertEqual(self.rows(), [])

    def test_what_fails_does_not_stop_what_follows(self) -> None:
        broken = [True]
        put = self.catalogue.put

        def failing(one: Entry) -> Deferred[Entry]:
            if broken.pop():
                raise OSError("the disk is full")
            return put(one)

        self.catalogue.put = failing  # type: ignore[method-assign]
        broken.insert(0, False)
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("a.mp4"))
        self.films.event(opened("b.mp4"))
        self.assertEqual([film.file for film in self.rows()], ["b.mp4"])
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_a_snapshot_is_listed_though_nobody_waits_any_more(self) -> None:
        written: Deferred[None] = Deferred()
        put = self.catalogue.put

        async def slowly(one: Entry) -> Entry:
            await written
            return await put(one)

        self.catalogue.put = lambda one: Deferred.fromCoroutine(slowly(one))  # type: ignore[method-assign]
        stored = wire.Stored("a.jpg", 1500.0, 640, 480, 777, "12ab")
        waiting = self.films.snapshot(HERE, stored, 2, "anna")
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        written.callback(None)
        (entry,) = self.rows("snapshot")
        self.assertEqual(self.model["last-snapshot"], entry.id)

    def test_snapshot(self) -> None:
        stored = wire.Stored("a.jpg", 1500.0, 640, 480, 777, "12ab")
        id_ = self.successResultOf(self.films.snapshot(HERE, stored, 2, "anna"))
        (picture,) = self.rows("snapshot")
        self.assertEqual(picture.id, id_)
        self.assertEqual(
            (picture.kind, picture.state, picture.user), ("snapshot", "complete", "anna")
        )
        self.assertEqual((picture.size, picture.sha256, picture.camera), (777, "12ab", 2))
        self.assertEqual(self.model["last-snapshot"], id_)
        self.assertEqual(self.last, "")

    def test_restore(self) -> None:
        self.put(entry("a"), entry("b"), entry("c", state="recording"))
        self.put(entry("p", kind="snapshot"))
        self.successResultOf(Deferred.fromCoroutine(self.films.restore()))
        self.assertEqual(self.last, "b")
        self.assertEqual(self.model["last-snapshot"], "p")
        self.assertEqual(self.rows()[2].state, "interrupted")

    def test_engine_lost(self) -> None:
        """What was open is looked after, what was closed is as it was."""
        told: list[str] = []
        self.films.on_lost(lambda film: told.append(film.file))
        self.films.begin(Take(HERE, 1, "anna"))
        self.films.event(opened("a.mp4"))
        self.films.event(opened("b.mp4"))
        self.films.event(closed("a.mp4"))
        continues = self.films.lost()
        a, b = self.rows()
        self.assertEqual(continues, b.id)
        self.assertEqual((a.state, b.state), ("complete", "interrupted"))
        self.assertEqual(told, ["b.mp4"])
        self.assertFalse(self.films.has(b))
        self.films.begin(Take(HERE, 1, continues=continues))
        self.films.event(opened("c.mp4"))
        c = self.rows()[2]
        self.assertEqual((c.continues, c.user), (b.id, "anna"))
        self.assertEqual(self.films.lost(), c.id)
        self.assertEqual(self.films.lost(), "")

    def test_its_writer_has_died(self) -> None:
        told: list[str] = []
        self.films.on_lost(lambda film: told.append(film.file))
        self.films.begin(Take(HERE, 1, "anna"))
        self.films.event(opened("a.mp4"))
        self.films.event(wire.Torn("a.mp4"))
        self.assertEqual([film.state for film in self.rows()], ["interrupted"])
        self.assertEqual(told, ["a.mp4"])
        self.films.event(wire.Torn("a.mp4"))
        self.assertEqual(told, ["a.mp4"])

    def test_settled(self) -> None:
        slow: Deferred[Entry] = Deferred()
        self.catalogue.put = lambda _: slow  # type: ignore[method-assign]
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("a.mp4"))
        settled = self.films.settled()
        self.assertNoResult(settled)
        slow.callback(entry("a"))
        self.successResultOf(settled)


class AdoptionTests(Case):
    def setUp(self) -> None:
        super().setUp()
        self.shelf = Shelf()
        self.shelves = Shelves({"dir/one": self.shelf})
        self.adoption = Adoption(self.clock, self.catalogue, self.films, self.shelves)

    def arrive(self) -> None:
        self.adoption.arrived("dir/one")

    def test_cut_off(self) -> None:
        self.put(entry("a", state="interrupted", sha256=""))
        file = entry("a").file
        self.shelf.left[file] = adopted(duration=8.0)
        self.arrive()
        (film,) = self.rows()
        self.assertEqual(
            (film.state, film.reason, film.duration, film.ended, film.size, film.frames),
            ("recovered", CRASHED, 8.0, 1008.0, 4000, 200),
        )
        self.assertEqual(film.sha256, f"sum of {file}")
        self.assertEqual(self.last, "a")

    def test_closed_by_its_writer(self) -> None:
        """The writer outlives the engine, and closes the film."""
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("x.mp4"))
        self.shelf.left["x.mp4"] = adopted(cut=False)
        self.films.lost()
        (film,) = self.rows()
        self.assertEqual((film.state, film.reason), ("complete", ""))
        self.assertEqual(self.last, film.id)

    def test_nothing_to_play(self) -> None:
        self.put(*(entry(name, state="interrupted") for name in "abc"))
        self.shelf.left[entry("a").file] = None
        self.shelf.left[entry("b").file] = FileDamaged("Its index is damaged")
        self.arrive()
        a, b, c = self.rows()
        self.assertEqual((a.state, a.reason, a.missing), ("damaged", EMPTY, True))
        self.assertEqual((b.state, b.reason, b.missing), ("damaged", "Its index is damaged", False))
        self.assertEqual((c.state, c.reason, c.missing), ("damaged", GONE, True))
        self.assertEqual(self.last, "")

    def test_unknown(self) -> None:
        """A film of another device, or one that never got into the catalogue."""
        file = "2026/11/24/rotoclear-20261124-093005.mp4"
        self.shelf.left[file] = adopted(duration=8.0)
        self.shelf.left["2026/11/24/holiday.mp4"] = adopted(duration=4.0)
        self.arrive()
        holiday, film = self.rows()
        self.assertEqual(film.state, "recovered")
        self.assertEqual(time.localtime(film.began)[:6], (2026, 11, 24, 9, 30, 5))
        self.assertEqual((film.volume, film.volume_name, film.file), ("dir/one", "One", file))
        self.assertEqual((film.rate, film.camera, film.duration), (25, 0, 8.0))
        self.assertEqual(holiday.began, 1996.0)
        self.assertEqual(self.last, film.id)

    def test_unknown_but_closed(self) -> None:
        """The server was killed before it knew of the film; its writer has closed it."""
        self.shelf.left["2026/11/24/rotoclear-20261124-093005.mp4"] = adopted(cut=False)
        self.arrive()
        (film,) = self.rows()
        self.assertEqual((film.state, film.reason), ("complete", ""))

    def test_known_by_then(self) -> None:
        """It was begun, and ended, while it was looked at: there is one entry of it."""
        self.shelf.left["x.mp4"] = adopted(cut=False)
        self.shelf.slow = True
        self.arrive()
        self.shelf.waiting.pop(0).callback(None)
        self.put(entry("a", file="x.mp4"))
        self.shelf.slow = False
        self.shelf.waiting.pop(0).callback(None)
        self.assertEqual([film.id for film in self.rows()], ["a"])

    def test_unknown_ones_that_are_no_films(self) -> None:
        self.shelf.left.update({"a.mp4": None, "b.mp4": FileDamaged("no film")})
        self.arrive()
        self.assertEqual(self.rows(), [])

    def test_still_being_written(self) -> None:
        self.put(entry("a", state="interrupted"))
        file = entry("a").file
        self.shelf.left.update({file: FileBusy("busy"), "other.mp4": FileBusy("busy")})
        self.arrive()
        self.assertEqual([film.state for film in self.rows()], ["interrupted"])
        self.shelf.left.update({file: adopted(cut=False), "other.mp4": None})
        self.clock.advance(AGAIN)
        self.assertEqual([film.state for film in self.rows()], ["complete"])
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_film_that_the_engine_had_not_told_of(self) -> None:
        """It died, and the film's writer has yet to make the file."""
        self.arrive()
        self.adoption.engine_lost()
        self.shelf.left["x.mp4"] = FileBusy("busy")
        self.clock.advance(SOON)
        self.assertEqual(self.rows(), [])
        self.shelf.left["x.mp4"] = adopted(cut=False)
        self.clock.advance(SOON)
        (film,) = self.rows()
        self.assertEqual((film.file, film.state), ("x.mp4", "complete"))
        self.adoption.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_late_film_that_the_engine_had_not_told_of(self) -> None:
        self.arrive()
        self.adoption.engine_lost()
        self.clock.advance(SOON)
        self.shelf.left["x.mp4"] = adopted()
        self.clock.advance(AGAIN - SOON)
        self.assertEqual([film.state for film in self.rows()], ["recovered"])

    def test_volume_fails(self) -> None:
        self.put(entry("a", state="interrupted"))
        self.shelf.left[entry("a").file] = adopted()
        self.shelf.trouble = FileError("The volume does not answer")
        self.arrive()
        self.assertEqual(self.rows()[0].state, "interrupted")
        self.shelf.trouble = None
        self.clock.advance(AGAIN)
        self.assertEqual(self.rows()[0].state, "recovered")

    def test_one_that_cannot_be_read(self) -> None:
        """All others are looked at and summed, and it is tried again; the log tells of it once."""
        bad, good, sick = (entry(name).file for name in ("bad", "good", "sick"))
        self.put(
            entry("bad", state="interrupted", sha256=""),
            entry("good", state="interrupted", sha256=""),
            entry("sick", sha256=""),
            entry("well", sha256=""),
        )
        self.shelf.left[bad] = FileError("Input/output error")
        self.shelf.left[good] = adopted()
        self.shelf.left["a.mp4"] = FileError("Permission denied")
        self.shelf.left["b.mp4"] = adopted()
        self.shelf.files.update({entry(name).file: b"1" for name in ("sick", "well")})
        self.shelf.sums[sick] = FileError("Input/output error")
        with capturedLogs() as events:
            self.arrive()
            self.clock.advance(AGAIN)
        films = {film.file: (film.state, bool(film.sha256)) for film in self.rows()}
        self.assertEqual(
            films,
            {
                bad: ("interrupted", False),
                good: ("recovered", True),
                "b.mp4": ("recovered", True),
                sick: ("complete", False),
                entry("well").file: ("complete", True),
            },
        )
        for file in (bad, "a.mp4", sick):
            told = [event for event in events if event.get("file") == file]
            self.assertEqual(len(told), 1, file)
        self.shelf.left.update({bad: adopted(), "a.mp4": adopted()})
        self.shelf.sums.clear()
        self.clock.advance(AGAIN)
        self.assertEqual(len(self.rows()), 6)
        for film in self.rows():
            self.assertTrue(film.sha256, film.file)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_shelf_fails_in_the_middle(self) -> None:
        """Nothing else on it is tried in vain."""
        self.put(entry("a", state="interrupted"), entry("b", state="interrupted"))
        self.shelf.left[entry("a").file] = ShelfFailed("The volume does not answer")
        self.shelf.left[entry("b").file] = adopted()
        self.arrive()
        self.assertEqual(self.shelf.did, [("adopt", entry("a").file)])
        self.shelf.left[entry("a").file] = adopted()
        self.clock.advance(AGAIN)
        self.assertEqual([film.state for film in self.rows()], ["recovered", "recovered"])

    def test_other_volumes_wait(self) -> None:
        self.put(entry("a", state="interrupted", volume="dir/two"))
        self.arrive()
        self.assertEqual(self.rows()[0].state, "interrupted")
        self.shelves.there["dir/two"] = Shelf(left={entry("a").file: adopted()})
        self.adoption.arrived("dir/two")
        self.assertEqual(self.rows()[0].state, "recovered")

    def test_volume_goes_in_the_middle(self) -> None:
        """What was written on it is looked at when it is back."""
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("x.mp4"))
        del self.shelves.there["dir/one"]
        self.adoption.left("dir/one")
        (film,) = self.rows()
        self.assertEqual(film.state, "interrupted")
        self.shelves.there["dir/one"] = self.shelf
        self.shelf.left["x.mp4"] = adopted()
        self.arrive()
        self.assertEqual(self.rows()[0].state, "recovered")
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_volume_goes_while_it_is_looked_at(self) -> None:
        self.put(entry("a", state="interrupted"))
        self.shelf.slow = True
        self.arrive()
        self.adoption.left("dir/one")
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.shelves.there["dir/one"] = Shelf(left={entry("a").file: adopted()})
        self.arrive()
        self.assertEqual(self.rows()[0].state, "recovered")

    def test_one_being_recorded_is_left_alone(self) -> None:
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("x.mp4"))
        self.shelf.left["x.mp4"] = FileBusy("busy")
        self.adoption.look("dir/one")
        self.assertEqual(self.rows()[0].state, "recording")
        self.assertEqual(self.shelf.did, [])

    def test_files_that_are_gone_and_back(self) -> None:
        self.put(entry("a"), entry("b"), entry("c", missing=True))
        self.shelf.files.update({entry("a").file: b"1", entry("c").file: b"1"})
        self.arrive()
        self.assertEqual([film.missing for film in self.rows()], [False, True, False])

    def test_files_that_could_not_be_counted(self) -> None:
        """The volume did not answer, or what reads it has failed: they are counted later."""
        self.put(entry("a"), entry("b", missing=True), entry("c", state="interrupted"))
        self.shelf.files[entry("b").file] = b"1"
        self.shelf.left[entry("c").file] = adopted()
        self.shelf.uncounted = ShelfFailed("The volume does not answer")
        self.arrive()
        found = [(film.missing, film.state) for film in self.rows()]
        self.assertEqual(found, [(False, "complete"), (True, "complete"), (False, "recovered")])
        self.shelf.uncounted = None
        self.shelf.files[entry("c").file] = b"1"
        self.clock.advance(AGAIN)
        self.assertEqual([film.missing for film in self.rows()], [True, False, False])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_of_which_the_volume_does_not_tell(self) -> None:
        """All others are counted, and it is asked for again."""
        self.put(entry("a"), entry("b"))
        self.shelf.untold.add(entry("a").file)
        self.arrive()
        self.assertEqual([film.missing for film in self.rows()], [False, True])
        self.shelf.untold.clear()
        self.clock.advance(AGAIN)
        self.assertEqual([film.missing for film in self.rows()], [True, True])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_entries_that_a_backup_has_brought(self) -> None:
        """While something is recorded, which goes on."""
        self.arrive()
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("x.mp4"))
        self.put(entry("a"), entry("b", state="interrupted"), entry("c", volume="dir/two"))
        self.shelf.left[entry("b").file] = adopted()
        self.shelf.files[entry("b").file] = b"1"
        self.adoption.reread()
        self.assertEqual(
            [(film.state, film.missing) for film in self.rows()],
            [("recording", False), ("complete", True), ("recovered", False), ("complete", False)],
        )

    def test_entries_that_come_while_others_are_counted(self) -> None:
        """They may come before those that have been counted already."""
        self.put(entry("a"))
        self.shelf.files[entry("a").file] = b"1"
        self.shelf.slow = True
        self.arrive()
        self.put(entry("b"))
        self.adoption.reread()
        self.shelf.slow = False
        self.shelf.waiting.pop(0).callback(None)
        self.assertEqual([film.missing for film in self.rows()], [False, True])

    def test_sums_that_are_missing(self) -> None:
        self.put(entry("a", sha256=""), entry("b"), entry("c", sha256="", missing=True))
        self.shelf.files.update({entry(name).file: b"1" for name in "ab"})
        self.arrive()
        self.assertEqual(
            [film.sha256 for film in self.rows()], [f"sum of {entry('a').file}", "ab" * 32, ""]
        )

    def test_recording_does_not_wait_for_it(self) -> None:
        self.put(entry("a", state="interrupted"))
        self.shelf.slow = True
        self.arrive()
        self.films.begin(Take(HERE, 1))
        self.films.event(opened("x.mp4"))
        self.successResultOf(self.films.settled())
        self.assertEqual([film.state for film in self.rows()], ["interrupted", "recording"])
