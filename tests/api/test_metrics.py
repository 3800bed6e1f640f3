"""``/metrics``."""

from __future__ import annotations

import msgspec
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from rotoclear.config import Configuration
from rotoclear.config import Metrics as MetricsSection
from tests.api.site import SiteTestCase


class Figures(SiteTestCase):
    """What Prometheus is told."""

    def scrape(self, parse=prometheus, **headers: str) -> dict:
        response = self.client("viewer").get("/metrics", **headers)
        self.assertEqual(response.status, 200)
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in parse(response.body.decode())
            for sample in family.samples
        }

    def test_server(self):
        self.clock.advance(12)
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_info", "1.2.3"], 1)
        self.assertEqual(figures["rotoclear_uptime_seconds",], 12)
        self.assertGreater(figures["process_resident_memory_bytes",], 0)

    def test_connections_by_role(self):
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_connections", "anonymous"], 2)
        self.assertEqual(figures["rotoclear_connections", "viewer"], 1)

    def test_counters(self):
        self.metrics.messages += 5
        self.metrics.broadcasts += 4
        self.metrics.changes += 3
        self.metrics.connections_refused += 2
        self.metrics.refused("Invalid value")
        self.metrics.closed(1009)
        self.metrics.closed(1009)
        self.client().get("/nothing")
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_messages_total",], 5)
        self.assertEqual(figures["rotoclear_broadcasts_total",], 4)
        self.assertEqual(figures["rotoclear_changes_total",], 3)
        self.assertEqual(figures["rotoclear_connections_refused_total",], 2)
        self.assertEqual(figures["rotoclear_messages_refused_total", "Invalid value"], 1)
        self.assertEqual(figures["rotoclear_connections_closed_total", "1009"], 2)
        self.assertEqual(figures["rotoclear_http_requests_total", "404", "GET"], 1)

    def test_streams_that_are_turned_on(self):
        self.assertNotIn("rtsp", self.client("viewer").get("/metrics").body.decode())
        self.engine = {
            "rtsp": {"connections": 3, "viewers": {"live": 2, "cam1": 0}},
            "publish": {"state": "failed", "frames": 7, "restarts": 4},
        }
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_rtsp_connections",], 3)
        self.assertEqual(figures["rotoclear_rtsp_viewers", "live"], 2)
        self.assertEqual(figures["rotoclear_rtsp_viewers", "cam1"], 0)
        self.assertEqual(figures["rotoclear_publish_running",], 0)
        self.assertEqual(figures["rotoclear_published_frames_total",], 7)
        self.assertEqual(figures["rotoclear_publish_restarts_total",], 4)
        self.engine["publish"] = {"state": "running", "frames": 7, "restarts": 4}
        self.assertEqual(self.scrape()["rotoclear_publish_running",], 1)

    def test_drivers_and_parts(self):
        self.status = {"drivers": [{"name": "simulated", "state": "running", "restarts": 2}]}
        self.health["driver v4l2"] = {"state": "failed"}
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_driver_restarts_total", "simulated"], 2)
        self.assertEqual(figures["rotoclear_part_healthy", "database"], 1)
        self.assertEqual(figures["rotoclear_part_healthy", "driver v4l2"], 0)

    def test_fanout(self):
        """From the change until everybody has been handed it: cumulative buckets."""
        for seconds in (0.0001, 0.004, 0.004, 5.0):
            self.metrics.fanout.observe(seconds)
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_fanout_seconds_bucket", "0.0005"], 1)
        self.assertEqual(figures["rotoclear_fanout_seconds_bucket", "0.005"], 3)
        self.assertEqual(figures["rotoclear_fanout_seconds_bucket", "+Inf"], 4)
        self.assertEqual(figures["rotoclear_fanout_seconds_count",], 4)
        self.assertAlmostEqual(figures["rotoclear_fanout_seconds_sum",], 5.0081)

    def test_slow_clients(self):
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_connections_blocked",], 2)
        self.assertEqual(figures["rotoclear_backlog_bytes",], 300)
        self.assertEqual(figures["rotoclear_backlog_largest_bytes",], 200)

    def test_people(self):
        self.accounts.passwords_waiting = 7
        self.accounts.audited = {"login-refused": 3}
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_password_queue",], 7)
        self.assertEqual(figures["rotoclear_audit_events_total", "login-refused"], 3)

    def test_pictures_and_films(self):
        self.engine = {"restarts": 1, "frames": 900, "dropped": 4, "written": 10**9, "rate": 30.0}
        self.model.commit({"record": "pause"})
        self.metrics.pictures_skipped += 6
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_engine_restarts_total",], 1)
        self.assertEqual(figures["rotoclear_frames_total",], 900)
        self.assertEqual(figures["rotoclear_frames_dropped_total",], 4)
        self.assertEqual(figures["rotoclear_recorded_bytes_total",], 10**9)
        self.assertEqual(figures["rotoclear_pictures_skipped_total",], 6)
        states = {name: figures["rotoclear_recording", name] for name in ("off", "on", "paused")}
        self.assertEqual(states, {"off": 0, "on": 0, "paused": 1})

    def test_storage_and_cameras(self):
        self.assertNotIn(("rotoclear_storage_free_bytes",), self.scrape())
        self.model.commit({"storage-exists": True, "storage-free": 123, "cam2-exists": True})
        figures = self.scrape()
        self.assertEqual(figures["rotoclear_storage_free_bytes",], 123)
        self.assertEqual(figures["rotoclear_storage_present",], 1)
        self.assertEqual(figures["rotoclear_camera_present", "1"], 0)
        self.assertEqual(figures["rotoclear_camera_present", "2"], 1)

    def test_certificate(self):
        self.certificates = {"/etc/server.pem": 2e9}
        figures = self.scrape()
        name = "rotoclear_certificate_expiry_timestamp_seconds"
        self.assertEqual(figures[name, "/etc/server.pem"], 2e9)

    def test_formats(self):
        response = self.client("viewer").get("/metrics")
        self.assertIn("text/plain", response.headers["content-type"])
        accept = "application/openmetrics-text; version=1.0.0"
        self.assertIn(("rotoclear_messages_total",), self.scrape(openmetrics, Accept=accept))

    def test_two_servers_in_one_process_do_not_meet(self):
        self.make_site()
        self.scrape()


class Public(SiteTestCase):
    """If the configuration opens it to everybody."""

    configuration = msgspec.structs.replace(Configuration(), metrics=MetricsSection(public=True))

    def test_nobody_needs_to_log_in(self):
        self.assertEqual(self.client().get("/metrics").status, 200)

    def test_a_bad_token_is_refused_all_the_same(self):
        client = self.client()
        client.token = "stale"
        self.assertEqual(client.get("/metrics").status, 401)
