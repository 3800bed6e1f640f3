"""Autobahn on Twisted: ``sendMessage()`` to each client."""

from __future__ import annotations

import json
import sys

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import reactor

clients: set[Protocol] = set()


class Protocol(WebSocketServerProtocol):
    """A connection."""

    def onOpen(self) -> None:
        clients.add(self)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        clients.discard(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        change = json.loads(payload)
        if all(type(value) is int and 0 <= value <= 100 for value in change.values()):
            self.sendMessage(json.dumps({**change, "info": list(change)}).encode())
            text = json.dumps(change).encode()
            for client in clients:
                client.sendMessage(text)


factory = WebSocketServerFactory()
factory.protocol = Protocol
reactor.listenTCP(int(sys.argv[1]), factory, backlog=4096, interface="127.0.0.1")
reactor.run()
