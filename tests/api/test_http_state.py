"""``/api/state`` and ``/api/keys``."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from rotoclear.state.errors import DeviceError, NotAvailable
from rotoclear.state.lanes import Lane
from tests.api.site import SiteTestCase, dumps


class Slow(Lane):
    """Its hardware answers when the test says so."""

    def __init__(self, *keys: str) -> None:
        super().__init__(*keys)
        self.answer: Deferred[None] = Deferred()

    def apply(self, values):
        return self.answer


class Read(SiteTestCase):
    """As the WebSocket query."""

    def test_some(self):
        response = self.client().get("/api/state?keys=fps,brightness")
        self.assertEqual((response.status, response.json), (200, {"fps": 30, "brightness": 50}))

    def test_all_readable(self):
        for role, hidden in ((None, {"last-recording", "storage-free"}), ("viewer", set())):
            for path in ("/api/state", "/api/state?keys=*"):
                values = self.client(role).get(path).json
                self.assertLessEqual({"fps", "record", "cam1-exists"}, set(values))
                self.assertEqual(hidden & set(values), set())
        self.assertEqual(set(self.client("viewer").get("/api/state").json), set(self.model.keys))

    def test_ways_to_write_the_list(self):
        for query in ("keys=fps&keys=gain", "keys=fps%2Cgain", "keys=,fps,,gain,fps&other=1"):
            values = self.client().get(f"/api/state?{query}").json
            self.assertEqual(values, {"fps": 30, "gain": 50})
        self.assertEqual(self.client().get("/api/state?keys=").json, {})

    def test_unknown_and_unreadable_ones_are_errors(self):
        response = self.client().get("/api/state?keys=fps,nonsense,storage-free")
        self.assertEqual(response.status, 200)
        errors = response.json["errors"]
        self.assertEqual(response.json, {"fps": 30, "errors": errors})
        self.assertEqual(
            [(e["error"], e["key"]) for e in errors],
            [("Unknown key", "nonsense"), ("Permission denied", "storage-free")],
        )
        self.assertIn("Storage_r", errors[1]["message"])

    def test_everything_refused(self):
        response = self.client().get("/api/state?keys=nonsense")
        self.assert_error(response, 400, "Unknown key", "nonsense")
        self.assertEqual(len(response.json["errors"]), 1)
        response = self.client().get("/api/state?keys=storage-free")
        self.assert_error(response, 401, "Permission denied", "Storage_r")

    def test_keys_are_cut(self):
        response = self.client().get(f"/api/state?keys={'x' * 5000}")
        self.assertEqual(response.json["errors"][0]["key"], "x" * 64)
        self.assertLess(len(response.body), 600)

    def test_nonsense(self):
        too_many = ",".join(str(n) for n in range(129))
        for query, error in (
            ("keys=%ff", "Invalid request"),
            (f"keys={too_many}", "Invalid message"),
        ):
            self.assert_error(self.client().get(f"/api/state?{query}"), 400, error)


class Change(SiteTestCase):
    """As the WebSocket update, answered in one object."""

    def post(self, changes: object, role: str | None = "operator"):
        return self.client(role).post("/api/state", changes)

    def test_confirmed(self):
        response = self.post({"fps": 25.0, "brightness": 75})
        self.assertEqual(response.status, 200)
        self.assertEqual(
            response.json,
            {"fps": 25, "brightness": 75, "info": ["fps", "brightness"], "errors": []},
        )
        self.assertEqual((self.model["fps"], self.model["brightness"]), (25, 75))

    def test_keys_stand_alone(self):
        response = self.post({"fps": 4, "gain": 10, "nonsense": 1, "cam1-exists": True})
        self.assertEqual(response.status, 200)
        self.assertEqual((response.json["gain"], response.json["info"]), (10, ["gain"]))
        self.assertEqual(
            [(e["error"], e["key"]) for e in response.json["errors"]],
            [
                ("Invalid value", "fps"),
                ("Unknown key", "nonsense"),
                ("Permission denied", "cam1-exists"),
            ],
        )
        self.assertIn("5 and 60", response.json["errors"][0]["message"])

    def test_everything_refused(self):
        for changes, role, status, error in (
            ({"fps": 4}, "operator", 400, "Invalid value"),
            ({"nonsense": 4}, "operator", 400, "Unknown key"),
            ({"cam1-exists": True}, "administrator", 403, "Permission denied"),
            ({"fps": 25}, "viewer", 403, "Permission denied"),
            ({"fps": 25}, None, 401, "Permission denied"),
            ({"cam1-exists": True, "fps": 4}, "operator", 400, "Permission denied"),
        ):
            with self.subTest(changes=changes, role=role):
                response = self.post(changes, role)
                self.assert_error(response, status, error)
                self.assertEqual(response.json["info"], [])
                self.assertEqual(len(response.json["errors"]), len(changes))
                self.assertEqual("www-authenticate" in response.headers, status == 401)
        self.assertEqual(self.model["fps"], 30)

    def test_hardware_is_waited_for(self):
        lane = Slow("gain")
        self.model.add_lane(lane)
        client = self.client("operator")
        client.ask("POST", "/api/state", {"gain": 1})
        self.assertEqual(client.responses(), [])
        lane.answer.callback(None)
        self.assertEqual(client.responses()[0].json["gain"], 1)

    def test_hardware_refuses(self):
        for error, status, name in (
            (NotAvailable("No camera 2"), 409, "Not available"),
            (DeviceError("It smokes"), 502, "Device error"),
        ):
            self.setUp()
            lane = Slow("gain")
            self.model.add_lane(lane)
            lane.answer.errback(error)
            self.assert_error(self.post({"gain": 1}), status, name, str(error))

    def test_hardware_does_not_answer(self):
        self.model.add_lane(Slow("gain"))
        client = self.client("operator")
        client.ask("POST", "/api/state", {"gain": 1})
        self.clock.advance(2)
        self.assert_error(client.responses()[0], 502, "Device error", "2 seconds")

    def test_hanging_up_does_not_stop_the_change(self):
        lane = Slow("gain")
        self.model.add_lane(lane)
        client = self.client("operator")
        client.ask("POST", "/api/state", {"gain": 1})
        client.hang_up()
        lane.answer.callback(None)
        self.assertEqual(self.model["gain"], 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_id_comes_back(self):
        for id_ in (7, "seven"):
            self.assertEqual(self.post({"fps": 25, "id": id_}).json["id"], id_)
            self.assertEqual(self.post({"fps": 1, "id": id_}).json["id"], id_)
        self.assertEqual(self.post({"fps": 25, "id": 75.0}).json["id"], 75)
        for id_ in (True, 1.5, None, []):
            self.assert_error(self.post({"fps": 25, "id": id_}), 400, "Invalid message", "id")

    def test_no_messages_of_other_kinds(self):
        for changes in ({"get": ["fps"]}, {"username": "a", "password": "b", "fps": 25}, {}):
            self.assert_error(self.post(changes), 400, "Invalid message")
        self.assertEqual(self.model["fps"], 30)

    def test_strict_types(self):
        for body in (b'{"fps": true}', b'{"fps": "25"}', b'{"cam1-light": 1}', b'{"fps": 25.5}'):
            self.assert_error(self.post(body), 400, "Invalid value")

    def test_observers_hear_of_it(self):
        heard = []
        self.model.observe(heard.append)
        self.post(dumps({"fps": 25}))
        self.clock.advance(0)
        self.assertEqual(heard, [{"fps": 25}])


class Keys(SiteTestCase):
    """``/api/keys``."""

    def test_those_that_may_be_read(self):
        self.assertEqual(set(self.client("viewer").get("/api/keys").json), set(self.model.keys))
        self.assertNotIn("storage-free", self.client().get("/api/keys").json)

    def test_whether_i_may_write(self):
        for role, writable in ((None, False), ("viewer", False), ("operator", True)):
            key = self.client(role).get("/api/keys").json["fps"]
            self.assertIs(key["writable"], writable)
            self.assertEqual((key["minimum"], key["maximum"]), (5, 60))
