"""aiohttp: ``send_str()`` to each client."""

from __future__ import annotations

import json
import sys

from aiohttp import web

clients: set[web.WebSocketResponse] = set()


async def handle(request: web.Request) -> web.WebSocketResponse:
    """Serve a connection until its end."""
    client = web.WebSocketResponse(compress=False)
    await client.prepare(request)
    clients.add(client)
    try:
        async for message in client:
            change = json.loads(message.data)
            if all(type(value) is int and 0 <= value <= 100 for value in change.values()):
                await client.send_str(json.dumps({**change, "info": list(change)}))
                text = json.dumps(change)
                for other in list(clients):
                    await other.send_str(text)
    finally:
        clients.discard(client)
    return client


application = web.Application()
application.router.add_get("/api/v1", handle)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None, backlog=4096)
