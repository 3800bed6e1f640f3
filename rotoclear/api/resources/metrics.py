"""``/metrics``: the figures for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from rotoclear.api.collector import registry
from rotoclear.api.context import ApiContext
from rotoclear.api.http_call import Call
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_resource import Answer, ApiResource
from rotoclear.state.permissions import SYSTEM_R, SYSTEM_RW


class MetricsResource(ApiResource):
    """``/metrics``, in the format that the scraper prefers."""

    def __init__(self, context: ApiContext, origins: Origins) -> None:
        super().__init__(context, origins)
        self._registry: CollectorRegistry = registry(context)

    async def GET(self, call: Call) -> Answer:
        """The figures of this moment."""
        if not self.context.configuration.metrics.public:
            call.need(SYSTEM_R, SYSTEM_RW)
        accept = call.request.getHeader(b"Accept") or b""
        encoder, content_type = choose_encoder(accept.decode("latin-1"))
        return Answer(200, encoder(self._registry), content_type.encode("ascii"))
