"""A virtual machine that is told what to do: commands inside, plugs outside."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Self

from tests.hil.image import HERE, Image

PORT: Final = 9000
"""What a server inside listens on; :attr:`Machine.port` leads there."""

BOOT: Final = 120.0
"""Seconds that booting may take; five to twenty are usual."""

COMMAND: Final = 120.0
"""Seconds that a command may take."""

PRIORITY: Final = -10
"""Of :manpage:`nice(2)`."""

MEMORY: Final = 1536
"""MiB. What is written inside is in memory too."""


class MachineFailed(AssertionError):
    """The machine, or a command in it, did not do what it was told."""


class Machine:
    """
    A running machine; a context manager that ends it.

    :ivar share: a folder that is ``/share`` inside, for both to write to.
    :ivar port: on 127.0.0.1, leads to :data:`PORT` inside.
    :ivar booted: seconds that booting took.

    :param disk: a file that is the disk ``/dev/vda`` inside. What has been
        written to it is in the file although the machine be killed; what the
        machine has not flushed may be, too.
    """

    def __init__(self, image: Image, *, disk: Path | None = None) -> None:
        began = time.monotonic()
        self._folder = tempfile.TemporaryDirectory(prefix="hil-")
        self.folder = Path(self._folder.name)
        self.share = self.folder / "share"
        self.share.mkdir()
        self.port = _free_port()
        with contextlib.ExitStack() as stack:
            stack.callback(self._folder.cleanup)
            self._process = subprocess.Popen(
                self._command(image, disk), stdin=subprocess.DEVNULL, start_new_session=True
            )
            stack.callback(self.kill)
            _put_first(self._process.pid)
            self._qmp = stack.enter_context(self._connected("qmp"))
            self._told = stack.enter_context(self._qmp.makefile("rb"))
            self._agent = stack.enter_context(self._connected("agent"))
            self._heard = stack.enter_context(self._agent.makefile("rb"))
            self._told.readline()  # its greeting
            self.qmp("qmp_capabilities")
            self._agent.settimeout(BOOT)
            if self._line() != b"READY\n":
                raise MachineFailed(f"it does not boot:\n{self.console()}")
            self._closing = stack.pop_all()
        self.booted = time.monotonic() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def running(self) -> bool:
        """Whether QEMU's process is there."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Take its power away."""
        self._process.kill()
        self._process.wait()

    def run(self, command: str, *, limit: float = COMMAND) -> str:
        """
        Run a shell command inside, as root; return what it printed.

        What it leaves running must not keep its stdout or stderr.

        :param limit: seconds that it may take.
        :raises MachineFailed: its status is not 0, or it takes too long.
        """
        status, output = self.try_run(command, limit=limit)
        if status:
            raise MachineFailed(f"{command}\nended with {status}:\n{output}")
        return output

    def try_run(self, command: str, *, limit: float = COMMAND) -> tuple[int, str]:
        """As :meth:`run`; the status and what it printed."""
        self._agent.settimeout(limit)
        self._agent.sendall(base64.b64encode(command.encode()) + b"\n")
        output = b""
        try:
            while not (line := self._line()).startswith(b"\4"):
                output += line
        except TimeoutError:
            raise MachineFailed(
                f"{command}\nhas not ended after {limit} s; so far:\n{output.decode()}\n"
                f"the console:\n{self.console()}"
            ) from None
        return int(line[1:]), output.decode(errors="replace").strip()

    def wait(self, command: str, *, limit: float = COMMAND) -> None:
        """
        Run a shell command inside again and again until its status is 0.

        :raises MachineFailed: it never is.
        """
        quoted = shlex.quote(f"until {{ {command}; }}; do sleep 0.1; done >/dev/null 2>&1")
        self.run(f"timeout {limit:.0f} bash -c {quoted}", limit=limit + 30)

    def qmp(self, command: str, **arguments: object) -> Any:
        """
        Tell QEMU something; return its answer.

        :raises MachineFailed: it refuses.
        """
        request = {"execute": command, "arguments": arguments}
        self._qmp.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self._told.readline())
            if "error" in answer:
                raise MachineFailed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def console(self) -> str:
        """What the kernel has printed."""
        return (self.folder / "console").read_text(errors="replace")

    # Inside

    def _command(self, image: Image, disk: Path | None) -> list[str]:
        share = f"local,id=share,path={self.share},security_model=none"
        root = "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
        append = (
            "console=ttyS0 quiet panic=-1 mitigations=off "
            f"hil.init={HERE / 'guest-init'} hil.modules={image.modules}"
        )
        # It is in a session of its own, and ends with us all the same.
        command = ["setpriv", "--pdeathsig", "KILL"]
        command += ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem"]
        command += ["-smp", str(min(4, os.cpu_count() or 1)), "-m", str(MEMORY), "-no-reboot"]
        command += ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", append]
        command += ["-serial", f"file:{self.folder / 'console'}"]
        command += ["-fsdev", root, "-device", "virtio-9p-pci,fsdev=root,mount_tag=root"]
        command += ["-fsdev", share, "-device", "virtio-9p-pci,fsdev=share,mount_tag=share"]
        command += ["-chardev", f"socket,path={self.folder / 'agent'},server=on,wait=off,id=agent"]
        command += ["-device", "virtio-serial-pci"]
        command += ["-device", "virtserialport,chardev=agent,name=agent"]
        # No network but this port: restrict=on.
        forward = f"hostfwd=tcp:127.0.0.1:{self.port}-:{PORT}"
        command += ["-netdev", f"user,id=net,restrict=on,{forward}"]
        command += ["-device", "virtio-net-pci,netdev=net", "-device", "qemu-xhci,id=usb"]
        command += ["-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off"]
        if disk is not None:
            # writethrough: the machine is not told that it is written before it is.
            command += ["-drive", f"if=virtio,format=raw,cache=writethrough,file={disk}"]
        return command

    def _connected(self, name: str) -> socket.socket:
        deadline = time.monotonic() + 20
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.folder / name))
                return connection
            except OSError:
                connection.close()
                if not self.running or time.monotonic() > deadline:
                    raise MachineFailed("QEMU does not start") from None
                time.sleep(0.02)

    def _line(self) -> bytes:
        line = self._heard.readline()
        if not line:
            raise MachineFailed(f"the machine has ended:\n{self.console()}")
        return line


def _put_first(pid: int) -> None:
    """
    Let a session come before what else this machine does, if we may.

    What is inside is slow, and has the time limits of what is not: beside a busy
    machine's other work a camera would not answer in time, and be taken for lost.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, PRIORITY)
    with contextlib.suppress(OSError):
        # Among sessions that is what counts (sched(7), the autogroup feature).
        Path(f"/proc/{pid}/autogroup").write_text(str(PRIORITY))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
