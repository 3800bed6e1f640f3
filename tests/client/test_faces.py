"""Both faces against a real server: what they do, and what they do when it goes wrong."""

from __future__ import annotations

import os
import signal
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from rotoclear.client import (
    Change,
    Closed,
    ConnectionFailed,
    ConnectionState,
    Disconnected,
    InvalidValue,
    LoginRefused,
    NotFound,
    PermissionDenied,
    Progress,
    SomeRefused,
    TimedOut,
    UnknownKey,
)
from tests.client.faces import Face, impatient, patient
from tests.client.proxy import Proxy
from tests.harness import Server


def admin(server: Server) -> dict[str, str]:
    return {"username": "admin", "password": server.admin_password}


def through(proxy: Proxy) -> str:
    return f"ws://127.0.0.1:{proxy.port}"


async def until(client: Any, state: ConnectionState) -> None:
    async with aclosing(client.states()) as states:
        async for now in states:
            if now is state:
                return


# -- what they do --------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_get_and_set(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        async with face.client(server.url, **admin(server)) as client:
            assert client.connection is ConnectionState.READY
            assert (client.username, client.role) == ("admin", "administrator")
            assert "User_rw" in client.permissions
            assert await client.set("brightness", 74) == 74
            assert client.values["brightness"] == 74
            assert await client.get("brightness") == 74
            assert await client.set_all({"contrast": 61, "gain": 62}) == {
                "contrast": 61,
                "gain": 62,
            }
            assert await client.get_all("contrast", "gain") == {"contrast": 61, "gain": 62}
            assert (await client.get_all()).keys() >= {"brightness", "fps", "storage-free"}
            assert await client.brightness.set(75) == 75
            assert await client.brightness.get() == client.brightness.value == 75
            assert client.cam1_exists.doc.startswith("Camera 1")
            assert "75" not in repr(client.brightness)
        assert client.connection is ConnectionState.CLOSED
        assert client.token is None
        with pytest.raises(Closed):
            await client.get("brightness")

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_refusals(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        async with face.client(server.url, **admin(server)) as client:
            with pytest.raises(InvalidValue, match="Value must be between 0 and 100") as caught:
                await client.set("brightness", 150)
            assert caught.value.key == "brightness"
            with pytest.raises(UnknownKey):
                await client.get("no-such-key")
            with pytest.raises(UnknownKey):
                async for _ in client.watch("no-such-key"):
                    pass
            with pytest.raises(PermissionDenied, match="read-only"):
                await client.set("cam1-exists", True)
            with pytest.raises(SomeRefused) as some:
                await client.set_all({"contrast": 12, "saturation": "a"})
            assert some.value.values == {"contrast": 12}
        async with face.client(server.url) as nobody:
            with pytest.raises(PermissionDenied):
                await nobody.set("brightness", 1)

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_watching(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        async with (
            face.client(server.url, **admin(server)) as client,
            face.client(server.url) as watcher,
        ):
            await client.set("saturation", 1)
            seen = []
            async with aclosing(watcher.watch("saturation")) as changes:
                async for change in changes:
                    seen.append(change)
                    if change.value == 3:
                        break
                    await client.set("saturation", {1: 2, 2: 3}.get(change.value, 1))
            assert seen[-2:] == [Change("saturation", 2), Change("saturation", 3)]
            assert seen[0].initial
            async with aclosing(watcher.saturation.watch()) as values:
                async for value in values:
                    assert value == 3
                    break
            reading = face.spawn(collect(watcher.watch("saturation", initial=False)))
            await client.set("saturation", 4)
            while watcher.values["saturation"] != 4:
                await face.sleep(0.01)
            await watcher.close()
            assert await reading == [Change("saturation", 4)]

    await face.run(scenario)


async def collect(changes: Any) -> list[Any]:
    return [change async for change in changes]


@pytest_twisted.ensureDeferred
async def test_logging_in_and_out(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        with pytest.raises(LoginRefused):
            await face.client(server.url, username="nobody", password="wrong").connect()
        async with face.client(server.url) as client:
            assert client.role == "anonymous"
            with pytest.raises(LoginRefused):
                await client.login("nobody", "wrong")
            assert client.role == "anonymous"
            login = await client.login("admin", server.admin_password)
            assert login.role == client.role == "administrator"
            token = client.token
            async with face.client(server.url, token=token) as second:
                assert second.username == "admin"
            await client.logout()
            while client.role != "anonymous":
                await face.sleep(0.01)
            with pytest.raises(LoginRefused):
                await face.client(server.url, token=token).connect()
            with pytest.raises(LoginRefused):
                await client.login_token(token)

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_giving_up_withdraws(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        client = face.client("ws://127.0.0.1:9", **admin(server))
        client.start()
        waiting = face.spawn(wait(client.set("brightness", 1)))
        await until(client, ConnectionState.WAITING)
        assert isinstance(client.failure, ConnectionFailed)
        waiting.cancel()
        with pytest.raises(face.cancelled):
            await waiting
        assert client._core._updates._waiting == []
        await client.close()

    await face.run(scenario)


# -- when it goes wrong --------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_nobody_answers(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        for url, reason in (
            ("ws://127.0.0.1:9", "does not answer"),
            ("ws://host.invalid", "does not answer"),
        ):
            client = face.client(url, **admin(server))
            with pytest.raises(ConnectionFailed, match=reason):
                await client.connect()
            with pytest.raises(ConnectionFailed, match=reason):
                await client.status()
            await client.close()

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_somebody_else_answers(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        client = face.client(f"{server.http}/elsewhere", **admin(server))
        with pytest.raises(ConnectionFailed, match="404"):
            await client.connect()
        await client.close()

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_server_killed_and_restarted(face: Face, server: Server) -> None:
    """It comes back by itself, by token; what waited is done, what was missed is told."""

    async def scenario(face: Face) -> None:
        asked = []

        def password() -> str:
            asked.append(True)
            return server.admin_password

        options = {"username": "admin", "password": password, "timeout": 50.0}
        async with face.client(server.url, **options) as client:
            await client.set_all({"brightness": 10, "contrast": 10})
            seen: list[Change] = []
            watching = face.spawn(follow(client, seen))
            await face.in_thread(server.kill)
            await until(client, ConnectionState.WAITING)
            for step in ("record", "snap"):
                with pytest.raises(Disconnected):
                    await client.set(step, True)
            waiting = [face.spawn(wait(client.set("brightness", n))) for n in (20, 30, 40)]
            asking = face.spawn(wait(client.get("fps")))
            await face.in_thread(server.start)
            async with face.client(server.url, **admin(server)) as other:
                await other.set("contrast", 11)
            assert [await one for one in waiting] == [40, 40, 40]
            assert await asking == 5
            assert client.role == "administrator"
            assert len(asked) == 1
            while (
                seen[-2:].count(Change("contrast", 11)) + seen.count(Change("brightness", 40)) < 2
            ):
                await face.sleep(0.01)
            assert not any(change.value in (20, 30) for change in seen)
        await watching

    await face.run(scenario)


async def follow(client: Any, seen: list[Change]) -> None:
    async for change in client.watch("brightness", "contrast"):
        seen.append(change)


async def wait(awaitable: Any) -> Any:
    return await awaitable


@pytest_twisted.ensureDeferred
async def test_network_stalls(face: Face, server: Server, proxy: Proxy) -> None:
    """Nothing comes and nothing breaks: it is noticed, and what was asked for is done later."""

    async def scenario(face: Face) -> None:
        client = face.client(through(proxy), **admin(server), timeout=50.0)
        async with impatient(client):
            proxy.stall()
            waiting = face.spawn(wait(client.set("sharpness", 33)))
            await until(client, ConnectionState.WAITING)
            assert "sign of life" in str(client.failure)
            patient(client)
            proxy.resume()
            assert await waiting == 33
            assert client.connection is ConnectionState.READY
            assert await client.get("sharpness") == 33

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_server_is_slow(face: Face, server: Server) -> None:
    """A request ends in time, and what comes later does no harm."""

    async def scenario(face: Face) -> None:
        async with face.client(server.url, **admin(server), timeout=0.5) as client:
            server.signal(signal.SIGSTOP)
            try:
                with pytest.raises(TimedOut, match=r"No answer within 0\.5 s"):
                    await client.set("sharpness", 41)
                with pytest.raises(TimedOut):
                    await client.get("sharpness")
                hasty = face.client(server.url)
                hasty._core._options.connect_timeout = 0.3
                with pytest.raises(ConnectionFailed, match="did not answer within"):
                    await hasty.connect()
                await hasty.close()
            finally:
                server.signal(signal.SIGCONT)
            while client.values["sharpness"] != 41:
                await face.sleep(0.01)
            client._core._options.timeout = 10.0
            assert await client.set("sharpness", 42) == 42

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_token_is_revoked(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        def revoke(token: str) -> None:
            assert server.request("POST", "/api/logout", token=token).status == 204

        async with face.client(server.url, **admin(server)) as client:
            token = client.token
            await face.in_thread(revoke, token)
            while client.token in (None, token):
                await face.sleep(0.01)
            assert await client.set("gain", 13) == 13
            second = face.client(server.url, token=client.token)
            await second.connect()
            watching = face.spawn(collect(second.watch()))
            await face.in_thread(revoke, client.token)
            with pytest.raises(LoginRefused, match="ended the session"):
                await watching
            assert second.connection is ConnectionState.CLOSED
            with pytest.raises(LoginRefused):
                await second.get("gain")
            await second.close()

    await face.run(scenario)


# -- films and pictures --------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_pictures(
    face: Face, server: Server, pictures: None, proxy: Proxy, tmp_path: Path
) -> None:
    """A snapshot is taken, found, and fetched over a line that breaks; then there is live."""

    async def scenario(face: Face) -> None:
        async with face.client(through(proxy), **admin(server), timeout=20.0) as client:
            assert (await client.snapshot(camera=1, quality=50)).startswith(b"\xff\xd8")
            assert await client.set("snap", True) is True
            page = await client.page("snapshots", limit=1)
            entry = page.entries[0]
            assert page.total >= 1
            assert (await client.entry("snapshots", entry.id)).began.utcoffset() is not None
            told: list[Progress] = []
            before = proxy.connections
            proxy.cut_after(entry.size // 2)
            path = await client.download(entry, tmp_path, progress=told.append)
            assert proxy.connections > before + 1
            assert path == tmp_path / entry.name
            assert path.stat().st_size == entry.size
            assert told[-1] == Progress(entry.size, entry.size)
            assert [one.received for one in told] == sorted(one.received for one in told)
            assert await face.in_thread(os.listdir, tmp_path) == [entry.name]
            with pytest.raises(FileExistsError):
                await client.download(entry, path)
            await client.until_ready()
            await client.delete(entry)
            with pytest.raises(NotFound):
                await client.download(entry, tmp_path / "again.jpg")
            numbers = []
            async with aclosing(client.live()) as frames:
                async for frame in frames:
                    assert frame.jpeg.endswith(b"\xff\xd9")
                    assert frame.taken > 0
                    numbers.append(frame.number)
                    if len(numbers) == 2:
                        proxy.cut()
                    if len(numbers) == 4:
                        break
            assert numbers == sorted(set(numbers))

    await face.run(scenario)


@pytest_twisted.ensureDeferred
async def test_a_slider(face: Face, server: Server) -> None:
    """A hundred moves of a finger: the first and the last are seen, the server is spared."""

    async def scenario(face: Face) -> None:
        async with (
            face.client(server.url, **admin(server)) as client,
            face.client(server.url) as watcher,
        ):
            await client.set("red-gain", 100)
            seen: list[int] = []
            while watcher.values["red-gain"] != 100:
                await face.sleep(0.01)
            watching = face.spawn(note(watcher.red_gain.watch(initial=False), seen))
            moves = []
            for value in range(100):
                moves.append(face.spawn(wait(client.set("red-gain", value))))
                if value % 10 == 0:
                    await face.sleep(0.01)
            told = [await move for move in moves]
            while seen[-1:] != [99]:
                await face.sleep(0.01)
            assert told[-1] == 99
            assert told == sorted(told)
            assert seen == sorted(seen)
            assert len(seen) < 50
        await watching

    await face.run(scenario)


async def note(values: Any, seen: list[int]) -> None:
    async for value in values:
        seen.append(value)


@pytest_twisted.ensureDeferred
async def test_other_requests(face: Face, server: Server) -> None:
    async def scenario(face: Face) -> None:
        async with face.client(server.url, **admin(server)) as client:
            assert (await client.status())["name"] == "rotoclear"
            assert (await client.health())["state"] in ("ok", "degraded")
            assert (await client.keys())["brightness"]["maximum"] == 100
            with pytest.raises(NotFound):
                await client.request("GET", "/api/no-such-thing")
            with pytest.raises(ValueError, match="must begin with /"):
                await client.request("GET", "http://other.example/")
            with pytest.raises(PermissionDenied):
                await client.change_password("wrong", "another password")
        async with face.client(server.url) as nobody:
            with pytest.raises(LoginRefused):
                await nobody.snapshot()
            with pytest.raises(LoginRefused):
                async for _ in nobody.live():
                    pass

    await face.run(scenario)
