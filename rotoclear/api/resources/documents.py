"""What describes the server: the OpenAPI and AsyncAPI documents."""

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
