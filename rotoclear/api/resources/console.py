"""The console: the page at ``/``, what it is made of, and the client that it is built upon."""

# mypy: allow-untyped-calls
# Twisted types its web server only in part, and mypy counts what is inherited as ours.

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twisted.web.resource import IResource

from rotoclear.api.context import ApiContext
from rotoclear.api.http_call import Call
from rotoclear.api.http_errors import Header
from rotoclear.api.http_origin import Origins
from rotoclear.api.http_range import names
from rotoclear.api.http_request import Request
from rotoclear.api.http_resource import Answer, ApiResource, Credentials, Missing
from rotoclear.console import Asset

PAGE: Final = "index.html"
CLIENT: Final = "rotoclear-client.js"
CLIENT_TYPES: Final = "rotoclear-client.d.ts"
FOLDER: Final = "app/"

_POLICY: Final = b"; ".join(
    (
        b"default-src 'none'",
        b"script-src 'self'",
        b"style-src 'self'",
        b"img-src 'self' blob:",
        b"media-src 'self'",
        b"connect-src 'self'",
        b"manifest-src 'self'",
        b"base-uri 'none'",
        b"form-action 'none'",
        b"frame-ancestors 'none'",
        b"require-trusted-types-for 'script'",
        b"trusted-types 'none'",
    )
)
"""
The page's Content-Security-Policy: everything comes from this server, no script or style stands
in the page, and text never becomes markup (Trusted Types).
"""

_CACHE: Final = (
    # Asked for again each time, which costs a 304: after an update of the server no browser
    # puts a new file beside an old one.
    (b"Cache-Control", b"no-cache"),
    (b"Vary", b"Origin, Accept-Encoding"),
)

_FOR_ALL: Final = (
    # The client is there to be used by pages from elsewhere, too; there is nothing secret in it.
    (b"Access-Control-Allow-Origin", b"*"),
    (b"Cross-Origin-Resource-Policy", b"cross-origin"),
)


class AssetResource(ApiResource):
    """
    One file, from memory.

    :param packs: it is sent compressed to who takes that.
    """

    credentials = Credentials.IGNORED

    def __init__(
        self,
        asset: Asset,
        context: ApiContext,
        origins: Origins,
        headers: tuple[Header, ...] = (),
        *,
        packs: bool = True,
    ) -> None:
        super().__init__(context, origins)
        self._asset = asset
        self._packs = packs
        self._headers = (*_CACHE, *headers)

    async def GET(self, call: Call) -> Answer:
        """It, or word that the browser has it already."""
        asset, request = self._asset, call.request
        # Which of the two it is, is part of the version (RFC 9110 8.8.3).
        packed = self._packs and _takes_gzip(request.getHeader(b"Accept-Encoding"))
        tag = asset.tag[:-1] + b'-gzip"' if packed else asset.tag
        headers: tuple[Header, ...] = (*self._headers, (b"ETag", tag))
        if names(request.getHeader(b"If-None-Match"), tag):
            return Answer(304, headers=headers)
        if packed:
            headers = (*headers, (b"Content-Encoding", b"gzip"))
        body = asset.packed if packed else asset.content
        return Answer(200, body, asset.content_type, headers)


class Folder(ApiResource):
    """``/app/``: the files that the page asks for."""

    def __init__(self, assets: Mapping[str, Asset], context: ApiContext, origins: Origins) -> None:
        super().__init__(context, origins)
        self._files = {
            name.encode("ascii"): AssetResource(asset, context, origins)
            for name, asset in assets.items()
        }

    def getChild(self, path: bytes, request: Request) -> IResource:
        """One of them."""
        return self._files.get(path) or Missing(self.context, self.origins)

    def render(self, request: Request) -> int:
        """There is no list of them."""
        return Missing(self.context, self.origins).render(request)


def mount(
    root: ApiResource, assets: Mapping[str, Asset], context: ApiContext, origins: Origins
) -> None:
    """Put the console where it belongs."""
    policy = ((b"Content-Security-Policy", _POLICY),)
    # There is no secret in it, so nothing for BREACH to guess. But scanners look at this address
    # only, and call it a weakness if it is compressed. It is small.
    root.putChild(b"", AssetResource(assets[PAGE], context, origins, policy, packs=False))
    for name in (CLIENT, CLIENT_TYPES):
        client = AssetResource(assets[name], context, origins, _FOR_ALL)
        root.putChild(name.encode("ascii"), client)
    files = {
        name.removeprefix(FOLDER): asset
        for name, asset in assets.items()
        if name.startswith(FOLDER)
    }
    root.putChild(FOLDER.rstrip("/").encode("ascii"), Folder(files, context, origins))


def _takes_gzip(accepted: bytes | None) -> bool:
    """Whether ``Accept-Encoding`` takes gzip (RFC 9110 12.5.3)."""
    for entry in (accepted or b"").lower().split(b","):
        coding, _, weight = entry.partition(b";")
        if coding.strip() in (b"gzip", b"x-gzip", b"*"):
            value = weight.replace(b" ", b"").removeprefix(b"q=")
            return value.strip(b"0.") != b"" or value == b""
    return False
