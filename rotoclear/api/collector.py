"""The server's figures as Prometheus has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from rotoclear.api.context import ApiContext
from rotoclear.state.permissions import ROLES

_COUNTERS: Final = (
    ("messages", "Messages that WebSocket clients have sent"),
    ("broadcasts", "Changes handed to WebSocket clients, one per client and message"),
    ("coalesced", "Values that slow clients were spared, because a newer one had come"),
    ("changes", "Keys that have changed"),
    ("connections_opened", "WebSocket connections accepted"),
    ("connections_refused", "WebSocket handshakes refused because the server was full"),
    ("pictures_shown", "Live pictures handed to viewers"),
    ("pictures_skipped", "Live pictures that a viewer was too slow for"),
)

_ENGINE: Final = (
    ("restarts", "engine_restarts", "Times that the picture engine was started again"),
    ("frames", "frames", "Pictures that the engine has made"),
    ("dropped", "frames_dropped", "Frames that came and were not made into a picture or a film"),
    ("written", "recorded_bytes", "Bytes of film that were recorded"),
)
"""Counters of the engine, which begin anew with it: what it calls them, and we."""

_RECORDING: Final = {"off": False, "on": True, "paused": "pause"}


def registry(context: ApiContext) -> CollectorRegistry:
    """
    A registry of this server alone, not the process-wide one.

    It also has what the kernel knows of the process (memory, CPU, open files).
    """
    result = CollectorRegistry(auto_describe=True)
    result.register(ServerCollector(context))
    ProcessCollector(registry=result)
    return result


class ServerCollector(Collector):
    """Looks at everything at the moment of the scrape."""

    def __init__(self, context: ApiContext) -> None:
        self._context = context

    def describe(self) -> Iterator[Metric]:
        """Nothing is promised: what there is depends on the drivers."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """The figures."""
        context, metrics = self._context, self._context.metrics
        info = GaugeMetricFamily("rotoclear_info", "Which server this is", labels=["version"])
        info.add_metric([context.version], 1)
        yield info
        yield GaugeMetricFamily(
            "rotoclear_uptime_seconds",
            "Time since the server started",
            value=context.reactor.seconds() - context.started,
        )
        yield _family(
            GaugeMetricFamily(
                "rotoclear_connections", "Open WebSocket connections", labels=["role"]
            ),
            {**dict.fromkeys(ROLES, 0), **context.connections.by_role()},
        )
        for name, text in _COUNTERS:
            yield CounterMetricFamily(f"rotoclear_{name}", text, value=getattr(metrics, name))
        yield _family(
            CounterMetricFamily(
                "rotoclear_messages_refused", "Errors answered over WebSocket", labels=["error"]
            ),
            metrics.messages_refused,
        )
        yield _family(
            CounterMetricFamily(
                "rotoclear_connections_closed", "WebSocket connections ended", labels=["code"]
            ),
            {str(code): count for code, count in metrics.connections_closed.items()},
        )
        requests = CounterMetricFamily(
            "rotoclear_http_requests", "HTTP requests answered", labels=["method", "status"]
        )
        for (method, status), count in metrics.requests.items():
            requests.add_metric([method, str(status)], count)
        yield requests
        yield HistogramMetricFamily(
            "rotoclear_fanout_seconds",
            "Time from a change until every client has been handed it",
            buckets=metrics.fanout.buckets(),
            sum_value=metrics.fanout.sum,
        )
        yield from self._backlog()
        yield from self._people()
        yield from self._health()
        yield from self._drivers()
        yield from self._engine()
        yield from self._streams()
        yield from self._storage()
        yield _family(
            GaugeMetricFamily(
                "rotoclear_certificate_expiry_timestamp_seconds",
                "When the TLS certificate ends (seconds since 1970)",
                labels=["certificate"],
            ),
            context.certificates(),
        )

    def _backlog(self) -> Iterator[Metric]:
        backlog = self._context.connections.backlog()
        yield GaugeMetricFamily(
            "rotoclear_connections_blocked",
            "Connections that have not read what was sent",
            value=backlog.clients,
        )
        yield GaugeMetricFamily(
            "rotoclear_backlog_bytes", "Bytes that wait for them", value=backlog.total
        )
        yield GaugeMetricFamily(
            "rotoclear_backlog_largest_bytes",
            "Bytes that wait for one of them, at most",
            value=backlog.largest,
        )

    def _people(self) -> Iterator[Metric]:
        accounts = self._context.accounts
        yield GaugeMetricFamily(
            "rotoclear_password_queue",
            "Passwords that wait to be checked",
            value=accounts.passwords_waiting,
        )
        yield _family(
            CounterMetricFamily(
                "rotoclear_audit_events", "Logins, refusals, changes of users", labels=["event"]
            ),
            accounts.audited,
        )

    def _engine(self) -> Iterator[Metric]:
        engine = self._context.engine()
        for name, ours, text in _ENGINE:
            value = engine.get(name, 0)
            if isinstance(value, int):
                yield CounterMetricFamily(f"rotoclear_{ours}", text, value=value)
        viewers = self._context.pictures.count
        yield GaugeMetricFamily("rotoclear_viewers", "Who looks at the live picture", value=viewers)
        now = self._context.model["record"]
        yield _family(
            GaugeMetricFamily(
                "rotoclear_recording", "1 for what the recording does", labels=["state"]
            ),
            {name: int(value == now) for name, value in _RECORDING.items()},
        )

    def _streams(self) -> Iterator[Metric]:
        """RTSP and publishing, as far as they are turned on."""
        engine = self._context.engine()
        rtsp, publish = engine.get("rtsp"), engine.get("publish")
        if isinstance(rtsp, dict):
            yield GaugeMetricFamily(
                "rotoclear_rtsp_connections", "Open RTSP connections", value=rtsp["connections"]
            )
            yield _family(
                GaugeMetricFamily(
                    "rotoclear_rtsp_viewers", "Who is sent a stream over RTSP", labels=["stream"]
                ),
                rtsp["viewers"],
            )
        if isinstance(publish, dict):
            yield GaugeMetricFamily(
                "rotoclear_publish_running",
                "1 while another server takes the film",
                value=int(publish["state"] == "running"),
            )
            yield CounterMetricFamily(
                "rotoclear_published_frames",
                "Pictures that another server has taken",
                value=publish["frames"],
            )
            yield CounterMetricFamily(
                "rotoclear_publish_restarts",
                "Times that it was tried again to push the film",
                value=publish["restarts"],
            )

    def _storage(self) -> Iterator[Metric]:
        model = self._context.model
        there = bool(model["storage-exists"])
        yield GaugeMetricFamily(
            "rotoclear_storage_present", "1 if there is a volume that records", value=int(there)
        )
        free = GaugeMetricFamily(
            "rotoclear_storage_free_bytes", "Free space on that volume", labels=[]
        )
        if there:
            free.add_metric([], float(model["storage-free"]))
        yield free
        cameras = GaugeMetricFamily(
            "rotoclear_camera_present", "1 if the camera is plugged in", labels=["camera"]
        )
        for number in ("1", "2"):
            cameras.add_metric([number], int(bool(model[f"cam{number}-exists"])))
        yield cameras

    def _health(self) -> Iterator[Metric]:
        yield _family(
            GaugeMetricFamily(
                "rotoclear_part_healthy",
                "1 unless the part has failed or was refused",
                labels=["part"],
            ),
            {
                name: int(part["state"] not in ("failed", "refused"))
                for name, part in self._context.health().items()
            },
        )

    def _drivers(self) -> Iterator[Metric]:
        drivers = self._context.status().get("drivers")
        if isinstance(drivers, list):
            yield _family(
                CounterMetricFamily(
                    "rotoclear_driver_restarts",
                    "Times that a driver's process was started again",
                    labels=["driver"],
                ),
                {driver["name"]: driver.get("restarts", 0) for driver in drivers},
            )


def _family(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, float]) -> Metric:
    """Fill a family that has one label."""
    for label, value in values.items():
        family.add_metric([label], value)
    return family
