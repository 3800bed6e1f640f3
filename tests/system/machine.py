"""A system in a container: boots, runs commands, has connections made to it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Final

from tests.harness.client import Client

BOOT: Final = 120.0
"""Seconds that a start or a stop of the system may take."""

COMMAND: Final = 120.0
"""Seconds that one command may take."""

_CLONE_NEWNET: Final = 0x40000000
"""setns(2)."""


class MachineFailed(AssertionError):
    """It did not do what a system does; the text has what it said."""


class Machine:
    """
    A system whose root is ``base`` with a layer above it, in which everything can be changed.

    :param base: is not changed.
    :param folder: for the layer; on a file system that overlayfs can write on.
    :param packages: a folder that is ``/packages`` inside.
    """

    def __init__(self, base: Path, folder: Path, packages: Path) -> None:
        self.root = folder / "root"
        self._console = folder / "console"
        self._packages = packages
        self._container: subprocess.Popen[bytes] | None = None
        for name in ("root", "layer", "work"):
            (folder / name).mkdir()
        options = f"lowerdir={base},upperdir={folder}/layer,workdir={folder}/work"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(self.root)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            raise MachineFailed(f"No layer can be put over the system: {done.stderr.strip()}")

    def close(self) -> None:
        """Switch it off, and forget all that was changed."""
        if self._container is not None:
            with contextlib.suppress(OSError):
                os.kill(self._leader, signal.SIGKILL)
            self._container.wait(BOOT)
        subprocess.run(["umount", "-l", str(self.root)], check=True)

    # On and off

    def boot(self) -> None:
        """Switch it on; return when all units have been started."""
        Path("/run/systemd").mkdir(exist_ok=True)  # on a host without
        command = ["systemd-nspawn", "--quiet", "--register=no", "--private-network"]
        if not Path("/run/systemd/system").exists():
            command.append("--keep-unit")
        # A system that is thrown away need not wait for a disk.
        command.append("--suppress-sync=yes")
        # By which systemd keeps services from devices.
        command += ["--capability=CAP_BPF,CAP_PERFMON", "--system-call-filter=bpf"]
        command += [f"--bind-ro={self._packages}:/packages", f"--directory={self.root}", "--boot"]
        with self._console.open("ab") as console:
            self._container = subprocess.Popen(
                command,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + BOOT
        while self.status("ip", "link", "set", "lo", "up") != 0 or not self._is_up():
            if time.monotonic() > deadline or self._container.poll() is not None:
                raise MachineFailed(
                    "systemd-nspawn does not boot a system here: it takes root, cgroups, namespaces"
                    f" and systemd 250 or newer. It said:\n{self.console()}"
                )
            time.sleep(0.1)

    def _is_up(self) -> bool:
        return self.output("systemctl", "is-system-running") in ("running", "degraded")

    def off(self, command: str = "poweroff") -> None:
        """Have it switch itself off, in good order."""
        assert self._container is not None
        self.status("systemctl", command)
        try:
            self._container.wait(BOOT)
        except subprocess.TimeoutExpired:
            raise MachineFailed(f"It does not stop:\n{self.console()}") from None
        self._container = None

    def reboot(self) -> None:
        """Off, in good order, and on again."""
        self.off("reboot")
        self.boot()

    def install_switched_off(self, package: str) -> str:
        """Install a package while it is off, as whoever makes an image does."""
        inside = self.root / "packages"
        subprocess.run(["mount", "--bind", str(self._packages), str(inside)], check=True)
        try:
            done = subprocess.run(
                ["chroot", str(self.root), "dpkg", "-i", f"/packages/{package}"],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            subprocess.run(["umount", str(inside)], check=True)
        if done.returncode:
            raise MachineFailed(done.stdout + done.stderr)
        return done.stdout + done.stderr

    def console(self) -> str:
        """What it has printed, the end of it."""
        return self._console.read_text(errors="replace")[-5000:]

    @property
    def _leader(self) -> int:
        """Its process 1, as it is called here."""
        assert self._container is not None
        pid = self._container.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            raise ProcessLookupError
        return int(children[0])

    # Inside

    def try_run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root; it may fail."""
        try:
            leader = str(self._leader)
        except (OSError, ValueError):
            return subprocess.CompletedProcess(command, 255, "", "it is off")
        return subprocess.run(
            [
                *("nsenter", "-t", leader, "-m", "-u", "-i", "-n", "-p", "-C"),
                *("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"),
                *("DEBIAN_FRONTEND=noninteractive", *command),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND,
            check=False,
        )

    def status(self, *command: str) -> int:
        """The exit status of a command."""
        return self.try_run(*command).returncode

    def output(self, *command: str) -> str:
        """What a command prints, whatever its status."""
        return self.try_run(*command).stdout.strip()

    def run(self, *command: str) -> str:
        """
        What a command prints, with its errors.

        :raises MachineFailed: its status is not 0.
        """
        done = self.try_run(*command)
        told = (done.stdout + done.stderr).strip()
        if done.returncode:
            raise MachineFailed(
                f"{shlex.join(command)}\nended with {done.returncode}:\n{told}\n"
                f"{self.output('journalctl', '--no-pager', '-n', '50')}"
            )
        return told

    def wait(self, *command: str, limit: float = COMMAND) -> None:
        """
        Run a command again and again until its status is 0.

        :raises MachineFailed: it never is.
        """
        deadline = time.monotonic() + limit
        while self.status(*command) != 0:
            if time.monotonic() > deadline:
                self.run(*command)
            time.sleep(0.2)

    def path(self, name: str) -> Path:
        """A file inside, seen from here."""
        return Path(f"/proc/{self._leader}/root{name}")

    def property(self, name: str, unit: str = "rotoclear.service") -> str:
        """What systemd knows of a unit."""
        return self.output("systemctl", "show", "--value", "-p", name, unit)

    # Over the network

    def socket(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        """A connection to it."""
        # Only the thread that asks changes its network; what it opens there stays there.
        libc = ctypes.CDLL(None, use_errno=True)
        with (
            Path("/proc/thread-self/ns/net").open("rb") as ours,
            Path(f"/proc/{self._leader}/ns/net").open("rb") as theirs,
        ):
            if libc.setns(theirs.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                return socket.create_connection((host, port), 10)
            finally:
                if libc.setns(ours.fileno(), _CLONE_NEWNET):
                    os.abort()

    def trust(self) -> ssl.SSLContext:
        """What trusts the certificate that it has signed itself."""
        pem = self.path("/var/lib/rotoclear/server-cert.pem").read_text()
        return ssl.create_default_context(cadata=pem)

    def get(self, path: str, token: str = "") -> tuple[int, dict[str, str], bytes]:
        """One GET over https: status, headers, body."""
        with self.trust().wrap_socket(
            self.socket(443), server_hostname="rotoclear-device.local"
        ) as tls:
            lines = [f"GET {path} HTTP/1.1", "Host: rotoclear-device.local", "Connection: close"]
            if token:
                lines.append(f"Authorization: Bearer {token}")
            tls.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = HTTPResponse(tls)
            answer.begin()
            return answer.status, dict(answer.getheaders()), answer.read()

    @contextlib.contextmanager
    def client(self, password: str = "", *, secure: bool = True) -> Iterator[Client]:
        """A WebSocket, logged in as ``admin`` if there is a password."""
        options: dict[str, Any] = {"sock": self.socket(443 if secure else 80)}
        if secure:
            options["ssl"] = self.trust()
        scheme = "wss" if secure else "ws"
        with Client(f"{scheme}://rotoclear-device.local/api/v1", **options) as client:
            if password:
                client.login("admin", password)
            yield client
