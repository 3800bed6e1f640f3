"""A ``twistd rotoclear`` inside the machine, and its clients outside."""

from __future__ import annotations

import contextlib
import http.client
import json
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from tests.harness import Client, holds
from tests.harness.server import COMPLAINTS, HOST, ROOT, ServerFailed
from tests.hil.machine import PORT, Machine

LIMIT: Final = 60.0
"""Seconds that anything may take that a client waits for."""

START: Final = 180.0
"""Seconds that a start or a stop may take."""


class GuestServer:
    """
    One server inside; a context manager that ends it in good order.

    :param config: the text of its configuration file.
    :param folder: inside: where its data is.
    """

    def __init__(self, machine: Machine, config: str = "", folder: str = "/run/rotoclear") -> None:
        self.machine = machine
        self.folder = folder
        self.config = config
        self.pid = 0
        self._password: str | None = None
        self._token: str | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.pid and self.machine.running:
            self.stop()
        if kind is None:
            self.check_log()

    def start(self) -> None:
        """
        Start it; return when it answers.

        :raises ServerFailed: it does not.
        """
        (self.machine.share / "rotoclear.toml").write_text(self.config)
        plugins = self.machine.share / "plugins.json"
        subprocess.run([sys.executable, "-m", "tests.hil.plugins", plugins], cwd=ROOT, check=True)
        self.machine.run(f"mkdir -pm 700 {self.folder}; cp /share/plugins.json {self.folder}")
        twistd = shlex.quote(str(Path(sys.executable).with_name("twistd")))
        self.pid = int(
            self.machine.run(
                f"export PYTHONPATH={shlex.quote(str(ROOT))} XDG_CACHE_HOME=/run/cache; cd /run;"
                f"setsid {twistd} -n --pidfile= rotoclear --config /share/rotoclear.toml"
                f" --data-dir {self.folder} --listen tcp:{PORT} >>/share/server.log 2>&1 & echo $!"
            )
        )
        deadline = time.monotonic() + START
        while not self._answers():
            if time.monotonic() > deadline or not self.running:
                raise ServerFailed(f"The server inside does not answer:\n{self.log()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """
        SIGTERM, then wait for the end of it and of all its children.

        :raises MachineFailed: something of it is still there after the limit.
        """
        self.machine.run(f"kill {self.pid}")
        self.machine.wait(f"! pgrep -s {self.pid}", limit=START)
        self.pid = 0

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.machine.try_run(f"kill -0 {self.pid}")[0] == 0

    def client(self, username: str | None = None, **options: Any) -> Client:
        """
        An open connection, logged in as ``admin`` if that is asked for; a context manager.

        :param options: for ``websockets.sync.client.connect``.
        """
        url = f"ws://{HOST}:{self.machine.port}/api/v1"
        client = Client(url, limit=LIMIT, open_timeout=LIMIT, **options)
        if username is not None:
            client.login(username, self.password)
        return client

    @property
    def password(self) -> str:
        """The password that ``admin`` was given by the first start."""
        if self._password is None:
            self._password = self.machine.run(f"cat {self.folder}/initial-admin-password")
        return self._password

    def get(self, path: str, token: str | None = None) -> Any:
        """What HTTP answers, decoded from JSON."""
        connection = http.client.HTTPConnection(HOST, self.machine.port, timeout=LIMIT)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", path, headers=headers)
            return json.loads(connection.getresponse().read())

    @property
    def token(self) -> str:
        """One of ``admin``'s."""
        if self._token is None:
            with self.client() as client:
                self._token = client.login("admin", self.password)["token"]
        return self._token

    def fetch(self, path: str) -> bytes:
        """
        A file, by HTTP, as ``admin``.

        :raises AssertionError: it is refused.
        """
        connection = http.client.HTTPConnection(HOST, self.machine.port, timeout=LIMIT)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            return content

    def devices(self) -> dict[str, Any]:
        """What the server tells of its drivers and devices."""
        devices: dict[str, Any] = self.get("/api/status", self.token)["devices"]
        return devices

    def driver(self, name: str) -> dict[str, Any]:
        """What it tells of one driver."""
        (driver,) = [row for row in self.devices()["drivers"] if row["name"] == name]
        return dict(driver)

    def descriptors(self, pid: int) -> list[str]:
        """What a process inside has open, each as the kernel names it, without numbers."""
        told = self.machine.run(f"ls -l /proc/{pid}/fd")
        names = [line.split(" -> ")[1] for line in told.splitlines() if " -> " in line]
        return sorted(name.rstrip("]0123456789") for name in names)

    def log(self) -> str:
        """What it has printed."""
        return (self.machine.share / "server.log").read_text(errors="backslashreplace")

    def check_log(self) -> None:
        """
        :raises ServerFailed: there is a traceback in the log.
        """
        text = self.log()
        if any(complaint in text for complaint in COMPLAINTS):
            raise ServerFailed(f"A traceback in the log of the server inside:\n{text}")

    def _answers(self) -> bool:
        """QEMU takes connections itself, and ends them if nobody inside does."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return "name" in self.get("/api/status")
        return False


class Viewer:
    """
    Somebody who looks at the live picture; a context manager that ends it.

    As long as there is one, the picture engine runs: to start it takes longer inside than a
    client of ``record`` waits.

    :ivar seen: how many pictures have come.
    """

    def __init__(self, server: GuestServer) -> None:
        self._server = server
        self._connection = socket.create_connection((HOST, server.machine.port), LIMIT)
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._look)
        self.seen = 0

    def __enter__(self) -> Self:
        self._connection.sendall(
            b"GET /api/stream HTTP/1.1\r\nHost: device\r\n"
            b"Authorization: Bearer %b\r\n\r\n" % self._server.token.encode()
        )
        assert b" 200 " in self._connection.recv(4096)
        self._connection.settimeout(None)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def sees(self, more: int) -> None:
        """
        Wait until so many more pictures have come.

        :raises AssertionError: they do not.
        """
        with self._news:
            wanted = self.seen + more
            assert self._news.wait_for(lambda: self.seen >= wanted, LIMIT), (self.seen, wanted)

    def stalls(self) -> None:
        """Wait until none has come for three seconds."""
        deadline = time.monotonic() + LIMIT
        with self._news:
            while self._news.wait_for(lambda seen=self.seen: self.seen > seen, 3.0):  # type: ignore[misc]
                assert time.monotonic() < deadline, self.seen

    def _look(self) -> None:
        with contextlib.suppress(OSError):
            while got := self._connection.recv(65_536):
                with self._news:
                    self.seen += got.count(b"Content-Type: image/jpeg")
                    self._news.notify_all()


def ask_until(client: Client, message: Mapping[str, object], wanted: str) -> None:
    """
    Ask again and again until an answer has that.

    Not too often: what makes films and pictures starts its processes ahead, which takes seconds
    here, and a client waits two.

    :raises AssertionError: none has.
    """
    deadline = time.monotonic() + LIMIT
    while wanted not in (answer := client.ask(message)):
        assert time.monotonic() < deadline, answer
        time.sleep(4)


def there(client: Client, wanted: Mapping[str, object]) -> None:
    """
    Wait until the state is so, by asking once and then by what is broadcast.

    :raises TimeoutError: it does not become so.
    """
    so = dict(client.get(*wanted))
    while not holds(so, wanted):
        so.update(client.receive())


def told(client: Client, wanted: Mapping[str, object]) -> None:
    """
    Wait until all that is wanted was broadcast, in whatever order.

    :raises TimeoutError: it was not.
    """
    left = dict(wanted)
    while left:
        news = client.receive()
        left = {key: value for key, value in left.items() if not holds(news, {key: value})}
