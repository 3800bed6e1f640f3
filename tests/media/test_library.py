"""What is stored, for those who ask for it; and which volumes are there."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.interfaces import VolumeDescription
from rotoclear.media.catalogue import Entry
from rotoclear.media.engine import wire
from rotoclear.media.files.shelf import FileBusy, FileError
from rotoclear.media.films import Films, Place, Take
from rotoclear.media.library import Library
from rotoclear.media.shelves import Shelves as RealShelves
from rotoclear.state.errors import DeviceError, NotAvailable
from rotoclear.state.keys import KeyTable
from rotoclear.state.model import Model
from tests.media.stored import Shelf, Shelves, catalogue, entry


class LibraryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = Model(Clock(), KeyTable())
        self.catalogue = catalogue()
        self.films = Films(self.model, self.catalogue)
        self.shelf = Shelf()
        self.shelves = Shelves({"dir/one": self.shelf})
        self.library = Library(self.catalogue, self.films, self.shelves)

    def put(self, *entries: Entry) -> None:
        for one in entries:
            self.shelf.files[one.file] = b"content"
            self.successResultOf(self.catalogue.put(one))

    def do(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def refused(self, coroutine, kind: type[Exception] = NotAvailable) -> str:
        failure = self.failureResultOf(Deferred.fromCoroutine(coroutine), kind)
        return failure.getErrorMessage()

    def test_page(self) -> None:
        self.put(
            entry("a"),
            entry("b", volume="dir/away"),
            entry("c", missing=True),
            entry("d", state="damaged"),
            entry("e", state="recovered"),
            entry("f", state="recording"),
        )
        rows = self.do(self.library.page("recording", 9))
        self.assertEqual(
            {one.id: available for one, available in rows},
            {"a": True, "b": False, "c": False, "d": False, "e": True, "f": False},
        )
        self.assertEqual([one.id for one, _ in rows], list("fedcba"))
        self.assertIsNone(self.do(self.library.page("recording", 9, "x")))
        self.assertEqual(self.do(self.library.page("snapshot", 9)), [])
        self.assertEqual(self.do(self.library.count("recording")), 6)

    def test_how_far_one_has_come(self) -> None:
        self.films.begin(Take(Place("dir/one", "One", "/mnt/one"), 1))
        self.films.event(wire.Opened("a.mp4", 1000.0, 640, 480, 30))
        self.films.event(wire.Progress("a.mp4", 3.5, 1000))
        ((film, _),) = self.do(self.library.page("recording", 9))
        self.assertEqual((film.state, film.duration, film.size), ("recording", 3.5, 1000))

    def test_open(self) -> None:
        self.put(entry("a"))
        found, file = self.do(self.library.open("recording", "a"))
        self.assertEqual((found, file.content), (entry("a"), b"content"))
        self.assertIsNone(self.do(self.library.open("snapshot", "a")))
        self.assertIsNone(self.do(self.library.open("recording", "b")))

    def test_why_it_cannot_be_opened(self) -> None:
        for state, words in (
            ("recording", "being recorded"),
            ("interrupted", "being looked at"),
            ("damaged", "The volume was full"),
        ):
            self.put(entry(state, state=state, reason="The volume was full"))
            self.assertIn(words, self.refused(self.library.open("recording", state)))
        self.put(entry("away", volume="dir/away", volume_name="Stick"))
        self.assertIn("Stick", self.refused(self.library.open("recording", "away")))
        self.assertEqual(self.shelf.opened, [])

    def test_file_is_gone(self) -> None:
        self.put(entry("a"))
        self.shelf.files.clear()
        self.assertIn("not on One", self.refused(self.library.open("recording", "a")))
        self.assertTrue(self.successResultOf(self.catalogue.get("recording", "a")).missing)

    def test_volume_fails(self) -> None:
        self.put(entry("a"))
        self.shelf.trouble = FileError("The volume does not answer")
        for asked in (
            self.library.open("recording", "a"),
            self.library.remove("recording", "a", "anna"),
        ):
            self.assertIn("does not answer", self.refused(asked, DeviceError))
        found = self.successResultOf(self.catalogue.get("recording", "a"))
        self.assertFalse(found.missing)

    def test_remove(self) -> None:
        self.put(entry("a"), entry("b"))
        self.model.commit({"last-recording": "b"})
        self.assertTrue(self.do(self.library.remove("recording", "b", "anna")))
        self.assertEqual(list(self.shelf.files), [entry("a").file])
        self.assertIsNone(self.successResultOf(self.catalogue.get("recording", "b")))
        self.assertEqual(self.model["last-recording"], "a")
        self.assertFalse(self.do(self.library.remove("recording", "b", "anna")))
        self.assertFalse(self.do(self.library.remove("snapshot", "a", "anna")))

    def test_what_cannot_be_removed(self) -> None:
        self.put(
            entry("a", state="recording"),
            entry("b", state="interrupted"),
            entry("c", volume="dir/away"),
        )
        self.shelf.left[entry("b").file] = FileBusy("The film is still being written")
        for name in "abc":
            self.refused(self.library.remove("recording", name, "anna"))
        self.assertEqual(self.shelf.did, [])
        self.assertEqual(self.do(self.library.count("recording")), 3)

    def test_what_cannot_be_looked_at_can_be_removed(self) -> None:
        """With what there is of it under the name that it has until it is closed."""
        self.put(entry("a", state="interrupted"))
        self.shelf.left[entry("a").file] = FileError("Input/output error")
        self.assertTrue(self.do(self.library.remove("recording", "a", "anna")))
        self.assertEqual((self.shelf.files, self.shelf.left), ({}, {}))
        self.assertEqual(self.do(self.library.count("recording")), 0)

    def test_what_is_on_a_lost_volume_can_be_forgotten(self) -> None:
        self.put(
            entry("a", volume="dir/away", volume_name="Stick"),
            entry("b", volume="dir/away", state="interrupted"),
            entry("c", volume="dir/away", state="recording"),
            entry("d"),
        )
        self.model.commit({"last-recording": "d"})
        message = self.refused(self.library.remove("recording", "a", "anna"))
        self.assertIn("Stick; it can be forgotten, with forget=true", message)
        for name in "ab":
            self.assertTrue(self.do(self.library.remove("recording", name, "anna", forget=True)))
        message = self.refused(self.library.remove("recording", "c", "anna", forget=True))
        self.assertNotIn("forget", message)
        self.assertEqual(self.shelf.did, [])
        # One whose volume is there is removed with its file, as always.
        self.assertTrue(self.do(self.library.remove("recording", "d", "anna", forget=True)))
        self.assertEqual(self.shelf.did, [("remove", entry("d").file)])
        self.assertEqual(self.do(self.library.count("recording")), 1)
        self.assertEqual(self.model["last-recording"], "")

    def test_what_is_damaged_or_gone_can_be_removed(self) -> None:
        self.put(entry("a", state="damaged"), entry("b", missing=True))
        for name in "ab":
            self.assertTrue(self.do(self.library.remove("recording", name, "anna")))
        self.assertEqual(self.do(self.library.count("recording")), 0)


@define(eq=False)
class Volume:
    identity: str
    path: str
    driver: str = "dir"

    @property
    def description(self) -> VolumeDescription:
        return VolumeDescription(identity=self.identity, name=self.identity.title(), path=self.path)


@define(eq=False)
class Volumes:
    there: list[Volume] = field(factory=list)
    observer: object = None

    def present(self) -> list[Volume]:
        return self.there

    def watch(self, observer: object) -> None:
        self.observer = observer

    def change(self, *there: Volume) -> None:
        self.there = list(there)
        self.observer()  # type: ignore[operator]


class ShelvesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.volumes = Volumes()
        self.made: list[tuple[str, Shelf]] = []
        self.shelves = RealShelves(Clock(), self.volumes, self.make)  # type: ignore[arg-type]
        self.news: list[tuple[str, str]] = []
        self.watch()

    def make(self, reactor: object, path: str) -> Shelf:
        self.made.append((path, Shelf()))
        return self.made[-1][1]

    def watch(self) -> None:
        self.shelves.watch(
            lambda volume: self.news.append(("arrived", volume)),
            lambda volume: self.news.append(("left", volume)),
        )

    def test_come_and_go(self) -> None:
        self.assertIsNone(self.shelves.shelf("dir/one"))
        self.volumes.change(Volume("one", "/1"), Volume("two", "/2"))
        self.assertEqual(self.shelves.volumes(), ["dir/one", "dir/two"])
        self.assertIs(self.shelves.shelf("dir/one"), self.made[0][1])
        self.assertEqual([path for path, _ in self.made], ["/1", "/2"])
        self.assertEqual(self.shelves.name("dir/two"), "Two")
        self.volumes.change(Volume("two", "/2"))
        self.assertIsNone(self.shelves.shelf("dir/one"))
        self.assertEqual(self.shelves.name("dir/one"), "")
        self.assertEqual([shelf.stopped for _, shelf in self.made], [True, False])
        self.assertEqual(
            self.news, [("arrived", "dir/one"), ("arrived", "dir/two"), ("left", "dir/one")]
        )

    def test_back_at_once_is_not_away(self) -> None:
        """As when the driver's process was started anew."""
        self.volumes.change(Volume("one", "/1"))
        self.volumes.change(Volume("one", "/1"))
        self.assertEqual(self.news, [("arrived", "dir/one")])
        self.assertEqual(len(self.made), 1)

    def test_elsewhere(self) -> None:
        self.volumes.change(Volume("one", "/1"))
        self.volumes.change(Volume("one", "/other"))
        self.assertEqual([path for path, _ in self.made], ["/1", "/other"])
        self.assertTrue(self.made[0][1].stopped)
        self.assertEqual([what for what, _ in self.news], ["arrived", "left", "arrived"])

    def test_those_that_are_there_are_told_at_once(self) -> None:
        self.volumes.change(Volume("one", "/1"))
        self.news.clear()
        self.watch()
        self.assertEqual(self.news, [("arrived", "dir/one")])

    def test_stop(self) -> None:
        self.volumes.change(Volume("one", "/1"))
        self.shelves.stop()
        self.assertTrue(self.made[0][1].stopped)
        self.volumes.change(Volume("two", "/2"))
        self.assertEqual(len(self.made), 1)
