"""websockets: its own ``broadcast()``."""

from __future__ import annotations

import asyncio
import json
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

clients: set[ServerConnection] = set()


async def handle(client: ServerConnection) -> None:
    """Serve a connection until its end."""
    clients.add(client)
    try:
        async for message in client:
            change = json.loads(message)
            if all(type(value) is int and 0 <= value <= 100 for value in change.values()):
                await client.send(json.dumps({**change, "info": list(change)}))
                broadcast(clients, json.dumps(change))
    finally:
        clients.discard(client)


async def main(port: int) -> None:
    """Serve."""
    async with serve(handle, "127.0.0.1", port, compression=None, backlog=4096) as server:
        await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
