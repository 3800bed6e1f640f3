"""Follow the brightness and the recording, and change one of them."""

import asyncio
import sys
from pathlib import Path

from rotoclear.client.asyncio import Client

URL = "ws://localhost:8080"
PASSWORD_FILE = Path.home() / ".local/state/rotoclear/initial-admin-password"


async def follow(client: Client) -> None:
    async for change in client.watch("brightness", "record"):
        print(change.key, "is", change.value)


async def main(url: str, password: str) -> None:
    async with Client(url, username="admin", password=password) as client:
        print("logged in as", client.username, "the", client.role)
        following = asyncio.create_task(follow(client))
        for value in (40, 60):
            await client.brightness.set(value)
    await following  # it ends with the client


if __name__ == "__main__":
    url, password_file = sys.argv[1:] or (URL, PASSWORD_FILE)
    asyncio.run(main(url, Path(password_file).read_text().strip()))
