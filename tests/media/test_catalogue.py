"""What the catalogue remembers, and in which order."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from tests.media.stored import catalogue, entry


class CatalogueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.catalogue = catalogue()

    def put(self, *ids: str, **more: object) -> None:
        for id_ in ids:
            self.successResultOf(self.catalogue.put(entry(id_, **more)))

    def ids(self, found: object) -> list[str]:
        return [one.id for one in self.successResultOf(found)]  # type: ignore[arg-type]

    def test_gives_back_what_it_was_given(self) -> None:
        whole = entry(
            "a",
            ended=1012.5,
            duration=12.0,
            size=99,
            rate=30,
            frames=360,
            user="anna",
            continues="z",
            reason="The volume is full",
            missing=True,
            known=5000.0,
        )
        self.successResultOf(self.catalogue.put(whole))
        found = self.successResultOf(self.catalogue.get("recording", "a"))
        self.assertEqual(found, whole)
        self.assertIs(found.missing, True)
        self.assertIsNone(self.successResultOf(self.catalogue.get("snapshot", "a")))
        self.assertIsNone(self.successResultOf(self.catalogue.get("recording", "b")))

    def test_order_is_that_of_making_whatever_the_clock_said(self) -> None:
        self.put("first", began=9000.0)
        self.put("second", began=10.0)
        self.put("third", began=5000.0)
        self.put("picture", kind="snapshot")
        page = self.catalogue.page
        self.assertEqual(self.ids(page("recording", 10)), ["third", "second", "first"])
        self.assertEqual(self.ids(page("recording", 2)), ["third", "second"])
        self.assertEqual(self.ids(page("recording", 2, "second")), ["first"])
        self.assertEqual(self.ids(page("recording", 2, "first")), [])
        self.assertEqual(self.ids(page("snapshot", 2)), ["picture"])
        self.assertEqual(self.successResultOf(self.catalogue.count("recording")), 3)

    def test_page_before_an_entry_that_is_not_there(self) -> None:
        self.put("a")
        self.put("picture", kind="snapshot")
        for before in ("b", "picture"):
            self.assertIsNone(self.successResultOf(self.catalogue.page("recording", 1, before)))

    def test_change(self) -> None:
        self.put("a", "b")
        changed = self.successResultOf(self.catalogue.change("a", size=7, state="damaged"))
        self.assertEqual(changed, evolve(entry("a"), size=7, state="damaged"))
        self.assertEqual(self.successResultOf(self.catalogue.get("recording", "a")), changed)
        self.assertEqual(self.successResultOf(self.catalogue.get("recording", "b")), entry("b"))
        self.assertIsNone(self.successResultOf(self.catalogue.change("c", size=7)))
        with self.assertRaises(ValueError):
            self.catalogue.change("a", **{"id = 'x' --": 1})

    def test_newest_is_one_that_can_be_played(self) -> None:
        self.assertIsNone(self.successResultOf(self.catalogue.newest("recording")))
        self.put("a", "b")
        self.put("open", state="recording")
        self.put("bad", state="damaged")
        self.put("cut", state="interrupted")
        self.assertEqual(self.successResultOf(self.catalogue.newest("recording")).id, "b")
        self.successResultOf(self.catalogue.remove("b"))
        self.assertEqual(self.successResultOf(self.catalogue.newest("recording")).id, "a")

    def test_interrupt(self) -> None:
        self.put("a", state="recording")
        self.put("b")
        self.successResultOf(self.catalogue.interrupt())
        states = [e.state for e in self.successResultOf(self.catalogue.page("recording", 9))]
        self.assertEqual(states, ["complete", "interrupted"])

    def test_what_is_left_to_do_on_a_volume(self) -> None:
        self.put("a", state="recording")
        self.put("b", state="interrupted")
        self.put("c", sha256="")
        self.put("d", sha256="", state="recovered")
        self.put("e", sha256="", missing=True)
        self.put("f", sha256="", state="damaged")
        self.put("g", sha256="", volume="dir/two", state="interrupted")
        self.put("h")
        self.assertEqual(self.ids(self.catalogue.unfinished("dir/one")), ["a", "b"])
        self.assertEqual(self.ids(self.catalogue.unsummed("dir/one")), ["c", "d"])
        closed = self.catalogue.closed
        self.assertEqual(self.ids(closed("dir/one", 9)), ["c", "d", "e", "f", "h"])
        self.assertEqual(self.ids(closed("dir/one", 2)), ["c", "d"])
        self.assertEqual(self.ids(closed("dir/one", 2, "d")), ["e", "f"])
        self.assertEqual(self.ids(closed("dir/one", 2, "h")), [])

    def test_missing(self) -> None:
        self.put("a", "b")
        self.successResultOf(self.catalogue.mark_missing([("a", True)]))
        found = self.successResultOf(self.catalogue.page("recording", 9))
        self.assertEqual({e.id: e.missing for e in found}, {"a": True, "b": False})

    def test_date(self) -> None:
        """Only what is closed, and only once."""
        self.assertEqual(self.successResultOf(self.catalogue.latest()), 0)
        self.put("a")
        self.put("open", state="recording")
        self.successResultOf(self.catalogue.date(5000.0))
        self.put("b")
        self.successResultOf(self.catalogue.date(6000.0))
        found = self.successResultOf(self.catalogue.page("recording", 9))
        self.assertEqual({e.id: e.known for e in found}, {"a": 5000.0, "open": None, "b": 6000.0})
        self.assertEqual(self.successResultOf(self.catalogue.latest()), 6000.0)

    def test_by_file(self) -> None:
        self.put("a")
        file = entry("a").file
        self.assertEqual(self.successResultOf(self.catalogue.by_file("dir/one", file)).id, "a")
        self.assertIsNone(self.successResultOf(self.catalogue.by_file("dir/two", file)))

    def test_an_id_is_not_used_twice(self) -> None:
        self.put("a")
        self.failureResultOf(self.catalogue.put(entry("a")))
