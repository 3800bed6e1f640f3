"""What describes the server: the OpenAPI and AsyncAPI documents, and the page at ``/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rotoclear.api.context import ApiContext
from rotoclear.api.http_call import Call
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_resource import Answer, ApiResource, Credentials
from rotoclear.api.strict_json import encode
from rotoclear.state.keys import KeyTable


class Document(ApiResource):
    """
    A document that is made from the key table.

    It is made once, and again when a driver has added keys.
    """

    credentials = Credentials.IGNORED

    def __init__(
        self,
        document: Callable[[KeyTable], Mapping[str, object]],
        context: ApiContext,
        origins: Origins,
    ) -> None:
        super().__init__(context, origins)
        self._document = document
        self._content = b""
        self._keys = -1

    async def GET(self, call: Call) -> Answer:
        """The document."""
        keys = self.context.model.keys
        if len(keys) != self._keys:
            self._content = encode(self._document(keys))
            self._keys = len(keys)
        return Answer(200, self._content)


_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>rotoclear</title>
<h1>rotoclear</h1>
<p>The control server for machine-tool cameras is running.</p>
<ul>
<li>WebSocket: <code>/api/v1</code>, described in <a href="/api/asyncapi.json">AsyncAPI</a></li>
<li>HTTP: <code>/api/</code>, described in <a href="/api/openapi.json">OpenAPI</a></li>
<li><a href="/api/status">Status</a>, <a href="/api/health">health</a>,
<a href="/api/keys">keys</a>, <a href="/api/state">state</a></li>
</ul>
</html>
"""

_PAGE_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Page(ApiResource):
    """``/``: for who comes with a browser."""

    credentials = Credentials.IGNORED

    async def GET(self, call: Call) -> Answer:
        """A few lines that lead on."""
        return Answer(
            200,
            _PAGE,
            b"text/html; charset=utf-8",
            ((b"Content-Security-Policy", _PAGE_POLICY), (b"Cache-Control", b"no-cache")),
        )
