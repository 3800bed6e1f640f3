"""A real ``twistd rotoclear`` process, and plain HTTP to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from attrs import field, frozen

from tests.harness.client import Client

ROOT = Path(__file__).resolve().parent.parent.parent
"""The checkout."""

HOST = "127.0.0.1"

PORTS = range(20_000, 32_000)
"""Below the ports that the kernel gives to outgoing connections."""

COMPLAINTS = ("Traceback (most recent call last)", "Unhandled error", "Unhandled Error")
"""What no server's log may hold, whatever it was put through."""


class ServerFailed(AssertionError):
    """The server did not do what every server must: start, stop, keep a clean log."""


@frozen
class Response:
    """
    An HTTP answer.

    :ivar headers: names in small letters.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=lambda body: repr(body[:500]))

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Server:
    """
    One server with a data folder of its own; a context manager.

    It listens on a loopback port that nobody else has. On leaving, it is ended
    with SIGTERM (if it still runs), no child process may be left, and its log
    may hold no traceback.

    :param folder: an empty folder for everything: ``data``, the configuration,
        the log.
    :param config: the text of the configuration file; ``""``: without one.
    :param listen: endpoint descriptions in which ``{port}`` stands for the port.
    :param arguments: more options for ``twistd rotoclear``.
    :param env: variables that are added to the environment; ``None`` takes one away.
    :param certificate: the server's, if ``listen`` asks for TLS: the clients
        made here trust it, and the addresses begin with ``https`` and ``wss``.
    :param limit: seconds that a start or a stop may take.
    :param clean_log: whether the log is searched for tracebacks in the end.
    """

    def __init__(
        self,
        folder: Path,
        config: str = "",
        *,
        listen: Sequence[str] = ("tcp:{port}:interface=127.0.0.1",),
        arguments: Sequence[str] = (),
        env: Mapping[str, str | None] | None = None,
        certificate: Path | None = None,
        limit: float = 20.0,
        clean_log: bool = True,
    ) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.log_file = folder / "server.log"
        self.config_file = folder / "rotoclear.toml"
        self.port = 0
        self.certificate = certificate
        self.limit = limit
        self.clean_log = clean_log
        self.process: subprocess.Popen[bytes] | None = None
        self._config = config
        self._listen = tuple(listen)
        self._arguments = tuple(arguments)
        self._env = dict(env or {})
        self._admin_password: str | None = None

    # Starting and stopping

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self.running:
                self.terminate()
        finally:
            self._end_group()
        if kind is None and self.clean_log:
            self.check_log()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """
        Start it; return when it takes connections. A later start keeps the port.

        :raises ServerFailed: it ended, or took too long.
        """
        assert not self.running, "it is running already"
        first = not self.port
        for attempt in range(5):
            if first:
                self.port = _free_port()
            self._spawn()
            try:
                self._await_port()
            except ServerFailed as error:
                # Someone took the port between our look and the server's.
                if first and attempt < 4 and "in use" in str(error):
                    continue
                raise
            break
        password = self.data_dir / "initial-admin-password"
        if self._admin_password is None and password.exists():
            self._admin_password = password.read_text().strip()

    def terminate(self) -> int:
        """
        SIGTERM, then wait for the end of it and of all its children.

        :return: the exit status, negative for a signal.
        :raises ServerFailed: something of it is still there after the limit.
        """
        assert self.process is not None
        self.process.terminate()
        try:
            status = self.process.wait(self.limit)
        except subprocess.TimeoutExpired:
            self._end_group()
            raise ServerFailed(f"Still running after SIGTERM.\n{self.log_text()}") from None
        self._await_orphans()
        return status

    def kill(self) -> None:
        """``kill -9`` the server alone, then wait until its children have noticed."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._await_orphans()

    def restart(self) -> None:
        """Terminate it if it is running, then start it on the same port and data."""
        if self.running:
            self.terminate()
        self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    # What is known of it

    @property
    def address(self) -> str:
        """``HOST:PORT``."""
        return f"{HOST}:{self.port}"

    @property
    def http(self) -> str:
        """The address of the site, without a slash at the end."""
        return f"{'https' if self.certificate else 'http'}://{self.address}"

    @property
    def url(self) -> str:
        """The address of the WebSocket API."""
        return f"{'wss' if self.certificate else 'ws'}://{self.address}/api/v1"

    @property
    def admin_password(self) -> str:
        """The password that ``admin`` was given by the first start."""
        assert self._admin_password is not None, f"No first password.\n{self.log_text()}"
        return self._admin_password

    def log_text(self) -> str:
        """All that it has printed so far, over all its starts."""
        if not self.log_file.exists():
            return ""
        return self.log_file.read_text(errors="backslashreplace")

    def check_log(self) -> None:
        """
        :raises ServerFailed: there is a traceback in the log.
        """
        text = self.log_text()
        if any(complaint in text for complaint in COMPLAINTS):
            raise ServerFailed(f"A traceback in the server's log:\n{text}")

    # Talking to it

    def client(
        self, username: str | None = None, password: str | None = None, **options: Any
    ) -> Client:
        """
        An open WebSocket connection; a context manager.

        :param username: logs in as that; ``None`` stays anonymous.
        :param password: ``None``: the one that ``admin`` was given.
        :param options: for ``websockets.sync.client.connect``.
        """
        if self.certificate:
            options.setdefault("ssl", self._trust())
        client = Client(self.url, **options)
        if username is not None:
            client.login(username, self.admin_password if password is None else password)
        return client

    def request(
        self,
        method: str,
        path: str,
        json_body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """
        One HTTP request on a connection of its own.

        :param json_body: sent as JSON, unless ``None``.
        :param token: sent as ``Authorization: Bearer``.
        """
        sent = dict(headers or {})
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("Content-Type", "application/json")
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        connection = (
            http.client.HTTPSConnection(HOST, self.port, timeout=self.limit, context=self._trust())
            if self.certificate
            else http.client.HTTPConnection(HOST, self.port, timeout=self.limit)
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, names, answer.read())

    def login(self, username: str = "admin", password: str | None = None) -> str:
        """Log in over HTTP; return the token."""
        credentials = {
            "username": username,
            "password": self.admin_password if password is None else password,
        }
        answer = self.request("POST", "/api/login", credentials)
        assert answer.status == 200, answer
        token: str = answer.json()["token"]
        return token

    # Inside

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def command(self) -> list[str]:
        """The command line that starts it."""
        command = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "rotoclear"]
        if self._config:
            self.config_file.write_text(self._config.replace("{port}", str(self.port)))
            command += ["--config", str(self.config_file)]
        command += ["--data-dir", str(self.data_dir)]
        for description in self._listen:
            command += ["--listen", description.replace("{port}", str(self.port))]
        return [*command, *self._arguments]

    def environment(self) -> dict[str, str]:
        """The environment that it is started in: the code under test comes first."""
        environment: dict[str, str | None] = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])
            ),
            "PYTHONUNBUFFERED": "1",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "STATE_DIRECTORY": None,
            **self._env,
        }
        return {name: value for name, value in environment.items() if value is not None}

    def _spawn(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _await_port(self) -> None:
        deadline = time.monotonic() + self.limit
        while True:
            if not self.running:
                text = self.log_file.read_bytes()[self._log_start :].decode(errors="replace")
                raise ServerFailed(f"It ended at once:\n{text}")
            with contextlib.suppress(OSError):
                if self._answers():
                    return
            if time.monotonic() > deadline:
                self._end_group()
                raise ServerFailed(f"No answer in {self.limit} s:\n{self.log_text()}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        """
        Whether somebody reacts to a connection, with whatever.

        The kernel takes connections as soon as the port is open, which is long
        before there is a server behind it. A TLS or proxied port reacts to plain
        HTTP too, if only by hanging up.
        """
        with socket.create_connection((HOST, self.port), self.limit) as probe:
            probe.settimeout(1)
            probe.sendall(b"GET /api/status HTTP/1.0\r\n\r\n")
            probe.recv(1)
        return self.running

    def _await_orphans(self) -> None:
        """Its children were started in its group and must end with it."""
        deadline = time.monotonic() + 10
        while _group_exists(self.pid):
            if time.monotonic() > deadline:
                self._end_group()
                raise ServerFailed(f"It left child processes behind.\n{self.log_text()}")
            time.sleep(0.02)

    def _end_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _group_exists(group: int) -> bool:
    """Whether a process of it is alive; one that waits to be reaped does not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            # As the server binds: what lingers in TIME_WAIT does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
