"""
What the end-to-end tests stand on: a real server process and clients that wait for it.

::

    def test_light(tmp_path):
        with Server(tmp_path) as server, server.client("admin") as client:
            answer = client.ask({"cam1-light": True})
            assert answer == {"cam1-light": True, "info": ["cam1-light"]}

Everything here is synchronous and bounded: what does not happen in time fails
with the server's log in the message.
"""

from tests.harness.client import Client, holds
from tests.harness.process import Script, ScriptEnded, TimedOut
from tests.harness.server import Response, Server, ServerFailed

__all__ = [
    "Client",
    "Response",
    "Script",
    "ScriptEnded",
    "Server",
    "ServerFailed",
    "TimedOut",
    "holds",
]
