"""wss.py URL CA-FILE USER PASSWORD-FILE: log in over TLS, and change something."""

import asyncio
import json
import ssl
import sys
from pathlib import Path

import websockets


async def main(url: str, authority: str, user: str, password: str) -> None:
    trust = ssl.create_default_context(cafile=authority)
    async with websockets.connect(url, ssl=trust) as ws:
        await ws.send(json.dumps({"username": user, "password": password}))
        answer = json.loads(await ws.recv())
        if not answer["authenticated"]:
            sys.exit(answer["error"])
        print("logged in as", answer["role"])
        await ws.send(json.dumps({"brightness": 60, "id": "mine"}))
        while answer.get("id") != "mine":  # what others change comes in between
            answer = json.loads(await ws.recv())
        print(answer)


url, authority, user, file = sys.argv[1:]
asyncio.run(main(url, authority, user, Path(file).read_text().strip()))
