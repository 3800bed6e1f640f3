"""Take a picture, fetch it, and show how far it is."""

import sys
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from rotoclear.client import Progress
from rotoclear.client.twisted import Client

URL = "ws://localhost:8080"
PASSWORD_FILE = Path.home() / ".local/state/rotoclear/initial-admin-password"


def show(progress: Progress) -> None:
    print(f"{progress.received} of {progress.total} bytes")


async def main(reactor, url: str, password: str, folder: str) -> None:
    async with Client(reactor, url, username="admin", password=password) as client:
        await client.snap.set(True)
        newest = (await client.page("snapshots", limit=1)).entries[0]
        path = await client.download(newest, folder, progress=show)
        print("there it is:", path)


if __name__ == "__main__":
    url, password_file, folder = sys.argv[1:] or (URL, PASSWORD_FILE, ".")
    password = Path(password_file).read_text().strip()
    react(lambda reactor: Deferred.fromCoroutine(main(reactor, url, password, folder)))
