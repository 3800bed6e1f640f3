"""The server's figures as Prometheus has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rotoclear.api.context import ApiContext

_COUNTERS: Final = (
    ("messages", "Messages that WebSocket clients have sent"),
    ("broadcasts", "Changes handed to WebSocket clients, one per client and message"),
    ("coalesced", "Values that slow clients were spared, because a newer one had come"),
    ("changes", "Keys that have changed"),
    ("connections_opened", "WebSocket connections accepted"),
    ("connections_refused", "WebSocket handshakes refused because the server was full"),
)


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
            context.connections.by_role(),
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
        yield from self._health()
        yield from self._drivers()

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
