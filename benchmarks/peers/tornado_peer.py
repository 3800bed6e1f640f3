"""tornado: ``write_message()`` to each client."""

from __future__ import annotations

import asyncio
import json
import sys

from tornado.web import Application
from tornado.websocket import WebSocketHandler

clients: set[Handler] = set()


class Handler(WebSocketHandler):
    """A connection."""

    def open(self) -> None:
        self.set_nodelay(True)
        clients.add(self)

    def on_close(self) -> None:
        clients.discard(self)

    def on_message(self, message: str | bytes) -> None:
        change = json.loads(message)
        if all(type(value) is int and 0 <= value <= 100 for value in change.values()):
            self.write_message(json.dumps({**change, "info": list(change)}))
            text = json.dumps(change)
            for client in clients:
                client.write_message(text)


async def main(port: int) -> None:
    """Serve."""
    Application([("/api/v1", Handler)]).listen(port, "127.0.0.1", backlog=4096)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
