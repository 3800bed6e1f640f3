"""Log in, change the brightness, and see who is told."""

import asyncio
import json
import sys
from pathlib import Path

import websockets

URL = "ws://localhost:8080/api/v1"
PASSWORD_FILE = Path.home() / ".local/state/rotoclear/initial-admin-password"


async def main(url: str, password: str) -> None:
    async with websockets.connect(url) as camera, websockets.connect(url) as watcher:

        async def ask(message: dict) -> dict:
            await camera.send(json.dumps(message))
            return json.loads(await camera.recv())

        login = await ask({"username": "admin", "password": password})
        print("permissions: ", login["permissions"])

        state = await ask({"get": ["brightness"]})
        wanted = 75 if state["brightness"] != 75 else 50
        print("confirmation:", await ask({"brightness": wanted}))
        print("broadcast:   ", json.loads(await camera.recv()))
        print("watcher sees:", json.loads(await watcher.recv()))


if __name__ == "__main__":
    url, password_file = sys.argv[1:] or (URL, PASSWORD_FILE)
    asyncio.run(main(url, Path(password_file).read_text().strip()))
