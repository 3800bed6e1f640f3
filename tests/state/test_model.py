"""The way of a change through the model."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.state.errors import (
    DEVICE_ERROR,
    INVALID_VALUE,
    NOT_AVAILABLE,
    PERMISSION_DENIED,
    UNKNOWN_KEY,
    DeviceError,
    NotAvailable,
    Refusal,
)
from rotoclear.state.keys import Key, KeyTable
from rotoclear.state.lanes import TIME_LIMIT, Judgement, Lane
from rotoclear.state.model import Model
from rotoclear.state.permissions import ADMINISTRATOR, ANONYMOUS, NOTHING, OPERATOR, ROLES, VIEWER
from rotoclear.state.queue import ASKER, Outcome
from rotoclear.values import Integer, Value

ALL = ROLES[ADMINISTRATOR]


class Hardware(Lane):
    """A lane whose hardware answers when the test says so."""

    def __init__(self, *keys: str, each_counts: bool = False) -> None:
        super().__init__(*keys)
        self.each_counts = each_counts
        self.steps: list[tuple[dict[str, Value], Deferred[None]]] = []

    def apply(self, values: Mapping[str, Value]) -> Deferred[None]:
        answer: Deferred[None] = Deferred()
        self.steps.append((dict(values), answer))
        return answer

    @property
    def asked(self) -> list[dict[str, Value]]:
        return [values for values, _ in self.steps]


class ModelTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.model = Model(self.clock, KeyTable())
        self.news: list[dict[str, Value]] = []
        self.model.observe(lambda values: self.news.append(dict(values)))

    def turn(self) -> list[dict[str, Value]]:
        """End the reactor's turn; what the observers were told in it."""
        self.clock.advance(0)
        told, self.news[:] = list(self.news), []
        return told

    def ask(self, changes: Mapping[str, object], permissions: frozenset[str] = ALL) -> Outcome:
        """Request something that needs no waiting."""
        return self.successResultOf(self.model.request(changes, permissions))

    def refusal(self, changes: Mapping[str, object], permissions: frozenset[str] = ALL) -> Refusal:
        (refusal,) = self.ask(changes, permissions).refused
        return refusal


class Requests(ModelTestCase):
    def test_applied(self) -> None:
        outcome = self.ask({"brightness": 75})
        self.assertEqual(outcome, Outcome({"brightness": 75}, []))
        self.assertEqual(self.model["brightness"], 75)
        self.assertEqual(self.turn(), [{"brightness": 75}])

    def test_canonical(self) -> None:
        """75.0 is the integer 75, here and for everyone else."""
        outcome = self.ask({"brightness": 75.0})
        self.assertIs(type(outcome.applied["brightness"]), int)

    def test_keys_stand_alone(self) -> None:
        """One refused key does not stop the others; the errors keep the message's order."""
        outcome = self.ask({"gain": 101, "brightness": 1, "nonsense": 1, "contrast": 2})
        self.assertEqual(outcome.applied, {"brightness": 1, "contrast": 2})
        self.assertEqual([r.key for r in outcome.refused], ["gain", "nonsense"])

    def test_unknown(self) -> None:
        self.assertEqual(self.refusal({"nonsense": 1}).error, UNKNOWN_KEY)

    def test_invalid(self) -> None:
        refusal = self.refusal({"brightness": 150})
        self.assertEqual(
            refusal, Refusal(INVALID_VALUE, "brightness", "Value must be between 0 and 100")
        )
        self.assertEqual(self.model["brightness"], 50)

    def test_no_permission(self) -> None:
        refusal = self.refusal({"brightness": 1}, ROLES[VIEWER])
        self.assertEqual(refusal.error, PERMISSION_DENIED)
        self.assertIn("Device_rw", refusal.message)

    def test_read_only(self) -> None:
        refusal = self.refusal({"cam1-exists": True})
        self.assertEqual(refusal.error, PERMISSION_DENIED)
        self.assertIn("read-only", refusal.message)

    def test_permission_before_value(self) -> None:
        """Who may not write a key learns nothing about its values."""
        self.assertEqual(self.refusal({"brightness": 150}, NOTHING).error, PERMISSION_DENIED)

    def test_same_value(self) -> None:
        """The value it has already is confirmed and not broadcast."""
        self.assertEqual(self.ask({"brightness": 50}).applied, {"brightness": 50})
        self.assertEqual(self.turn(), [])

    def test_one_is_not_true(self) -> None:
        """Python's 1 == True must not swallow a change."""
        self.model.commit({"auto-exposure": "on"})
        self.model.commit({"auto-exposure": True})
        self.assertEqual(self.turn(), [{"auto-exposure": True}])

    def test_turn(self) -> None:
        """Changes of one turn are told together, the newest value of each."""
        self.ask({"brightness": 1})
        self.ask({"brightness": 2, "contrast": 3})
        self.assertEqual(self.turn(), [{"brightness": 2, "contrast": 3}])
        self.assertEqual(self.turn(), [])

    def test_observer_fails(self) -> None:
        """An observer that fails does not keep the next one from its news."""

        def broken(values: Mapping[str, Value]) -> None:
            raise RuntimeError("broken")

        self.model._observers.insert(0, broken)
        self.ask({"brightness": 1})
        self.assertEqual(self.turn(), [{"brightness": 1}])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class Lanes(ModelTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.lane = Hardware("brightness")
        self.model.add_lane(self.lane)

    def test_confirmed_when_taken(self) -> None:
        """Nothing is confirmed, changed or told before the hardware has it."""
        request = self.model.request({"brightness": 10}, ALL)
        self.assertNoResult(request)
        self.assertEqual((self.model["brightness"], self.turn()), (50, []))
        self.lane.steps[0][1].callback(None)
        self.assertEqual(self.successResultOf(request).applied, {"brightness": 10})
        self.assertEqual(self.turn(), [{"brightness": 10}])

    def test_one_after_another(self) -> None:
        """A waiting value is replaced by a newer one, and its asker gets that."""
        first = self.model.request({"brightness": 1}, ALL)
        second = self.model.request({"brightness": 2}, ALL)
        third = self.model.request({"brightness": 3}, ALL)
        self.assertEqual(self.lane.asked, [{"brightness": 1}])
        self.lane.steps[0][1].callback(None)
        self.assertEqual(self.lane.asked, [{"brightness": 1}, {"brightness": 3}])
        self.lane.steps[1][1].callback(None)
        got = [self.successResultOf(d).applied["brightness"] for d in (first, second, third)]
        self.assertEqual(got, [1, 3, 3])

    def test_replaced_gets_the_error(self) -> None:
        requests = [self.model.request({"brightness": n}, ALL) for n in (1, 2, 3)]
        self.lane.steps[0][1].callback(None)
        self.lane.steps[1][1].errback(DeviceError("no"))
        outcomes = [self.successResultOf(d) for d in requests]
        self.assertEqual([len(o.refused) for o in outcomes], [0, 1, 1])
        self.assertEqual(self.model["brightness"], 1)

    def test_other_keys_do_not_wait(self) -> None:
        self.model.request({"brightness": 1}, ALL)
        self.assertEqual(self.ask({"contrast": 1}).applied, {"contrast": 1})

    def test_no_answer(self) -> None:
        """After two seconds it is a device error, and the next one has its turn."""
        first = self.model.request({"brightness": 1}, ALL)
        second = self.model.request({"brightness": 2}, ALL)
        self.clock.advance(TIME_LIMIT - 0.01)
        self.assertNoResult(first)
        self.clock.advance(0.02)
        (refusal,) = self.successResultOf(first).refused
        self.assertEqual(refusal.error, DEVICE_ERROR)
        self.assertEqual(self.model["brightness"], 50)
        self.lane.steps[1][1].callback(None)
        self.assertEqual(self.successResultOf(second).applied, {"brightness": 2})

    def test_not_available(self) -> None:
        request = self.model.request({"brightness": 1}, ALL)
        self.lane.steps[0][1].errback(NotAvailable("not now"))
        (refusal,) = self.successResultOf(request).refused
        self.assertEqual(refusal, Refusal(NOT_AVAILABLE, "brightness", "not now"))

    def test_fault_of_ours(self) -> None:
        """Even a bug is answered, and logged."""
        request = self.model.request({"brightness": 1}, ALL)
        self.lane.steps[0][1].errback(ZeroDivisionError())
        (refusal,) = self.successResultOf(request).refused
        self.assertEqual(refusal.error, DEVICE_ERROR)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_mixed(self) -> None:
        """One answer for the whole message, when the last of its keys is decided."""
        request = self.model.request({"contrast": 9, "brightness": 8, "gain": -1}, ALL)
        self.assertNoResult(request)
        self.lane.steps[0][1].callback(None)
        outcome = self.successResultOf(request)
        self.assertEqual(list(outcome.applied), ["contrast", "brightness"])
        self.assertEqual([r.key for r in outcome.refused], ["gain"])

    def test_two_lanes_for_a_key(self) -> None:
        with self.assertRaises(ValueError):
            self.model.add_lane(Lane("brightness"))


class Askers(ModelTestCase):
    def test_a_lane_knows_who_has_asked(self) -> None:
        """All along its way through the hardware, and whoever waits behind."""
        seen: list[str] = []
        answers: list[Deferred[None]] = []

        class Curious(Lane):
            each_counts = True

            async def apply(self, values: Mapping[str, Value]) -> None:  # type: ignore[override]
                answers.append(Deferred())
                await answers[-1]
                seen.append(ASKER.get())

        self.model.add_lane(Curious("brightness"))
        for by in ("anna", "", "bert"):
            self.model.request({"brightness": 1}, ALL, by)
        for number in range(3):
            answers[number].callback(None)
        self.assertEqual(seen, ["anna", "", "bert"])
        self.assertEqual(ASKER.get(), "")


class EachCounts(ModelTestCase):
    def test_no_step_is_lost(self) -> None:
        lane = Hardware("record", each_counts=True)
        self.model.add_lane(lane)
        requests = [self.model.request({"record": v}, ALL) for v in (True, False, True)]
        for number in range(3):
            lane.steps[number][1].callback(None)
        got = [self.successResultOf(d).applied["record"] for d in requests]
        self.assertEqual(got, [True, False, True])

    def test_every_step_is_told(self) -> None:
        """Even two in one turn."""
        self.model.add_lane(Hardware("snap", each_counts=True))
        self.model.commit({"snap": True})
        self.model.commit({"snap": False})
        self.assertEqual(self.turn(), [{"snap": True}, {"snap": False}])

    def test_every_step_is_told_after_its_turn(self) -> None:
        """Whoever changed something else along with it is answered first."""
        lane = Lane("record")
        lane.each_counts = True
        self.model.add_lane(lane)
        happened: list[object] = []
        self.model.observe(lambda news: happened.append(dict(news)))
        for changes in ({"record": True}, {"gain": 7, "record": False}):
            self.model.request(changes, ALL).addCallback(
                lambda outcome: happened.append(("answered", *outcome.applied))
            )
        self.turn()
        self.assertEqual(
            happened,
            [
                ("answered", "record"),
                ("answered", "gain", "record"),
                {"record": True, "gain": 7},
                {"record": False},
            ],
        )


class Judging(ModelTestCase):
    def test_consequences(self) -> None:
        """What follows from a change is told, but only what was asked for is confirmed."""

        class Falling(Lane):
            def judge(self, wanted: Mapping[str, Value]) -> Judgement:
                return Judgement({**wanted, "fps": 15})

        self.model.add_lane(Falling("resolution", "fps"))
        self.assertEqual(self.ask({"resolution": "640x480"}).applied, {"resolution": "640x480"})
        self.assertEqual(self.turn(), [{"resolution": "640x480", "fps": 15}])

    def test_partly_refused(self) -> None:
        class Picky(Lane):
            def judge(self, wanted: Mapping[str, Value]) -> Judgement:
                return Judgement(
                    {"resolution": wanted["resolution"]},
                    [Refusal(INVALID_VALUE, "fps", "too fast")],
                )

        self.model.add_lane(Picky("resolution", "fps"))
        outcome = self.ask({"fps": 60, "resolution": "640x480"})
        self.assertEqual(outcome.applied, {"resolution": "640x480"})
        self.assertEqual([r.key for r in outcome.refused], ["fps"])

    def test_judged_by_the_moment(self) -> None:
        """A wish is judged when its turn comes, not when it was made."""
        judged: list[Value] = []

        class Looking(Hardware):
            def judge(lane, wanted: Mapping[str, Value]) -> Judgement:  # noqa: N805
                judged.append(self.model["gain"])
                return Judgement(dict(wanted))

        lane = Looking("brightness")
        self.model.add_lane(lane)
        self.model.request({"brightness": 1}, ALL)
        self.model.request({"brightness": 2}, ALL)
        self.ask({"gain": 99})
        lane.steps[0][1].callback(None)
        self.assertEqual(judged, [50, 99])


class Reading(ModelTestCase):
    def test_values(self) -> None:
        values, refused = self.model.read(["fps", "fps", "brightness"], ROLES[ANONYMOUS])
        self.assertEqual((values, refused), ({"fps": 30, "brightness": 50}, []))

    def test_refused(self) -> None:
        values, refused = self.model.read(["storage-name", "nonsense"], ROLES[ANONYMOUS])
        self.assertEqual(values, {})
        self.assertEqual([r.error for r in refused], [PERMISSION_DENIED, UNKNOWN_KEY])

    def test_everything(self) -> None:
        """Everything that one may read, which depends on who one is."""
        anonymous, _ = self.model.read(None, ROLES[ANONYMOUS])
        operator, _ = self.model.read(None, ROLES[OPERATOR])
        self.assertIn("record", anonymous)
        self.assertNotIn("storage-free", anonymous)
        self.assertEqual(set(operator), set(self.model.keys))
        self.assertEqual(self.model.read(None, NOTHING), ({}, []))


class Types(ModelTestCase):
    def test_narrow(self) -> None:
        self.model.narrow("cam1-sensor", Integer(1, 2))
        self.assertEqual(self.refusal({"cam1-sensor": 3}).message, "Value must be between 1 and 2")

    def test_vendor_key(self) -> None:
        self.model.read(None, ALL)
        key = Key(
            name="vendor-acme-wiper",
            observable="acmeWiper",
            type=Integer(0, 9),
            default=0,
            read=frozenset({"Device_r"}),
            write=frozenset({"Device_rw"}),
            group="Acme",
            doc="Speed of the wiper.",
        )
        self.model.add_key(key)
        self.ask({"vendor-acme-wiper": 3})
        self.assertEqual(self.model.read(None, ALL)[0]["vendor-acme-wiper"], 3)


class Restoring(ModelTestCase):
    def test_restore(self) -> None:
        """Only what is saved, known and still allowed; nobody is told."""
        self.model.restore({"brightness": 7, "gain": 700, "gone": 1, "record": True})
        self.assertEqual(self.model["brightness"], 7)
        self.assertEqual(self.model["gain"], 50)
        self.assertIs(self.model["record"], False)
        self.assertEqual(self.turn(), [])

    def test_keys_of_drivers_that_are_added_later(self) -> None:
        self.model.restore({"vendor-acme-a": 3, "vendor-acme-b": 300, "vendor-acme-c": 3})
        for name, saved in (("a", True), ("b", True), ("c", False)):
            self.model.add_key(
                Key(
                    name=f"vendor-acme-{name}",
                    observable="acme",
                    type=Integer(0, 9),
                    default=7,
                    saved=saved,
                    read=ALL,
                    group="Vendor keys",
                    doc="It.",
                )
            )
        values = self.model.values_of(f"vendor-acme-{name}" for name in "abc")
        self.assertEqual(list(values.values()), [3, 7, 7])

    def test_mode_of_a_camera(self) -> None:
        """A mode's name comes back, though the camera that offers it is not there yet."""
        self.model.restore({"auto-exposure": "sports", "auto-white-balance": 1})
        self.assertEqual(self.model["auto-exposure"], "sports")
        self.assertIs(self.model["auto-white-balance"], True)
