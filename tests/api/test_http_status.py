"""``/api/status`` and ``/api/health``."""

from __future__ import annotations

from tests.api.site import SiteTestCase


class Status(SiteTestCase):
    """Which server this is."""

    def test_for_everybody(self):
        self.clock.advance(90)
        self.assertEqual(
            self.client().get("/api/status").json,
            {
                "name": "rotoclear",
                "version": "1.2.3",
                "uptime": 90.0,
                "cameras": [],
                "recording": False,
            },
        )

    def test_cameras_and_recording(self):
        self.model.commit({"cam2-exists": True, "record": "pause"})
        status = self.client().get("/api/status").json
        self.assertEqual((status["cameras"], status["recording"]), ([2], "pause"))

    def test_more_for_those_who_may_see_the_system(self):
        self.status = {"drivers": [{"name": "simulated", "state": "running", "restarts": 2}]}
        for role in ("viewer", "operator", "administrator"):
            status = self.client(role).get("/api/status").json
            self.assertEqual((status["devices"], status["connections"]), (self.status, 3))
        self.assertNotIn("devices", self.client().get("/api/status").json)


class Health(SiteTestCase):
    """For whatever watches over the server."""

    def test_well(self):
        self.health["driver simulated"] = {"state": "starting"}
        response = self.client().get("/api/health")
        self.assertEqual(
            (response.status, response.json),
            (
                200,
                {
                    "state": "ok",
                    "parts": {
                        "database": {"state": "ok"},
                        "driver simulated": {"state": "starting"},
                    },
                },
            ),
        )

    def test_a_driver_that_fails_is_no_reason_to_end_the_server(self):
        for state in ("failed", "refused"):
            self.health["driver-v4l2"] = {"state": state, "vital": False, "reason": "no access"}
            response = self.client().get("/api/health")
            self.assertEqual((response.status, response.json["state"]), (200, "degraded"))
            self.assertEqual(response.json["parts"]["driver-v4l2"], {"state": state})
            part = self.client("viewer").get("/api/health").json["parts"]["driver-v4l2"]
            self.assertEqual(part, {"state": state, "vital": False, "reason": "no access"})

    def test_one_part_has_failed(self):
        self.health["driver-lamp"] = {"state": "failed", "vital": False}
        self.health["driver v4l2"] = {"state": "failed", "reason": "/dev/video0: no access"}
        for role in (None, "viewer"):
            response = self.client(role).get("/api/health")
            self.assertEqual((response.status, response.json["state"]), (503, "failed"))
            part = response.json["parts"]["driver v4l2"]
            self.assertEqual(part["state"], "failed")
            self.assertEqual("reason" in part, role is not None)
            self.assertEqual(response.json["parts"]["database"], {"state": "ok"})
