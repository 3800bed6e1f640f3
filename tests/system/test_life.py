"""
The life of a device, in its order: each test goes on where the one before has left it.

From the first installation over records, crashes, reboots and updates to the end.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from rotoclear import __version__
from tests.system.conftest import NEWER
from tests.system.machine import COMMAND, Machine

PASSWORD = "/var/lib/rotoclear/initial-admin-password"
MEDIA = "/var/lib/rotoclear/media"
CONFIG = "/etc/rotoclear/rotoclear.toml"
INSTALL = ("apt-get", "-qq", "-y", "--no-install-recommends", "--allow-downgrades", "install")
KEEP = ("-o", "Dpkg::Options::=--force-confold")

WITHIN = 90.0
"""Seconds after which an installed server has to answer, on a machine that is busy."""


class Device:
    """What the tests leave each other."""

    password = ""
    token = ""
    newest_recording = ""


def status(machine: Machine) -> dict[str, object]:
    code, _, body = machine.get("/api/status", Device.token)
    assert code == 200, body
    found: dict[str, object] = json.loads(body)
    return found


def answers(machine: Machine) -> dict[str, object]:
    """The status, as soon as there is one: at most :data:`WITHIN` later."""
    deadline = time.monotonic() + WITHIN
    while True:
        try:
            return status(machine)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def recordings(machine: Machine) -> list[dict[str, Any]]:
    """All films, the newest first."""
    code, _, body = machine.get("/api/recordings", Device.token)
    assert code == 200, body
    found: list[dict[str, Any]] = json.loads(body)["recordings"]
    return found


def closed(machine: Machine, port: int) -> bool:
    try:
        machine.socket(port).close()
    except ConnectionRefusedError:
        return True
    return False


def test_install(machine: Machine) -> None:
    """It serves at once, and who installs it is told where the first password is."""
    said = machine.run(*INSTALL, "/packages/old.deb")
    log = machine.output("journalctl", "-u", "rotoclear", "--no-pager")
    assert PASSWORD in said, said + log
    assert answers(machine)["version"] == __version__
    Device.password = machine.path(PASSWORD).read_text().strip()
    assert Device.password not in said + machine.output("journalctl")
    with machine.client(Device.password) as client:
        assert client.ask({"brightness": 77}) == {"brightness": 77, "info": ["brightness"]}
    with machine.client(secure=False) as client:
        assert client.get("brightness") == {"brightness": 77}


def test_all_parts_work(machine: Machine) -> None:
    """None of them needs what it is not allowed."""
    deadline = time.monotonic() + WITHIN
    while True:
        _, _, body = machine.get("/api/health")
        bad = {
            name: part["state"]
            for name, part in json.loads(body)["parts"].items()
            # There is no udev in a container.
            if part["state"] not in ("ok", "idle", "running") and name != "udev"
        }
        if not bad:
            break
        assert time.monotonic() < deadline, (bad, machine.output("journalctl", "-u", "rotoclear"))
        time.sleep(0.2)
    log = machine.output("journalctl", "-u", "rotoclear", "--no-pager")
    assert "not permitted" not in log
    assert "Traceback" not in log


def test_both_kinds_of_addresses(machine: Machine) -> None:
    for port in (80, 443):
        machine.socket(port, "::1").close()
        machine.socket(port, "127.0.0.1").close()


def test_nobody_special(machine: Machine) -> None:
    """An ordinary user without a privilege; so are its children."""
    user = machine.output("id", "-u", "rotoclear")
    pids = machine.path("/sys/fs/cgroup/system.slice/rotoclear.service/cgroup.procs").read_text()
    assert len(pids.split()) > 2
    for pid in machine.output(
        "cat", "/sys/fs/cgroup/system.slice/rotoclear.service/cgroup.procs"
    ).split():
        lines = machine.path(f"/proc/{pid}/status").read_text().splitlines()
        told = dict(line.split(":", 1) for line in lines)
        assert told["Uid"].split() == [user] * 4
        assert {int(told[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
        assert told["NoNewPrivs"].strip() == "1"
        assert told["Seccomp"].strip() == "2"


def test_sandbox(machine: Machine) -> None:
    """systemd's own judgement, 0 (best) to 10."""
    for unit in ("rotoclear.service", "rotoclear-certificate.service"):
        machine.run("systemd-analyze", "security", "--no-pager", "--threshold=30", unit)
    machine.run("systemd-analyze", "verify", "--man=no", "rotoclear.service")


def test_devices(machine: Machine) -> None:
    """Cameras and GPIO may be opened, disks and memory may not."""
    devices = machine.path("/proc/devices").read_text().split()
    gpio = devices[devices.index("gpiochip") - 1] if "gpiochip" in devices else ""
    allowed = {"81": True, "8": False, "1": False, **({gpio: True} if gpio else {})}
    kinds = {"8": "b"}
    for major, may in allowed.items():
        node = f"/dev/test-{major}"
        machine.run("mknod", node, kinds.get(major, "c"), major, "1" if major == "1" else "63")
        inside = (
            "echo $$ >/sys/fs/cgroup/system.slice/rotoclear.service/cgroup.procs;"
            f"exec head -c 0 {node}"
        )
        said = machine.try_run("sh", "-c", inside).stderr
        # There is no such device behind it; who may not does not get as far as that.
        assert ("Operation not permitted" not in said) == may, (major, said)


def test_sticks(machine: Machine) -> None:
    """What is mounted while it runs is there, and can be written; after a restart as well."""
    stick = "/media/rotoclear/STICK"
    owner = f"uid={machine.output('id', '-u', 'rotoclear')}"
    machine.run("mkdir", "-p", stick)
    machine.run("mount", "-t", "tmpfs", "-o", owner, "stick", stick)
    for again in (False, True):
        if again:
            machine.run("systemctl", "restart", "rotoclear")
        pid = machine.property("MainPID")
        write = ("setpriv", "--reuid=rotoclear", "--regid=rotoclear", "--clear-groups", "touch")
        machine.run("nsenter", "-t", pid, "-m", *write, f"{stick}/{again}")
        assert machine.status("test", "-e", f"{stick}/{again}") == 0
        done = machine.try_run("nsenter", "-t", pid, "-m", *write, "/opt/rotoclear/x")
        assert "Read-only file system" in done.stderr
    machine.run("umount", stick)


def test_reload(machine: Machine) -> None:
    """A certificate that is replaced is taken over."""
    before = machine.property("MainPID")
    machine.run("rotoclear", "cert", "--force", "--name", "rotoclear-device.local")
    machine.run("systemctl", "reload", "rotoclear")
    machine.wait("sh", "-c", "journalctl -u rotoclear | grep -q 'taken over'")
    answers(machine)
    assert machine.property("MainPID") == before
    assert machine.property("ActiveState") == "active"


def test_watchdog(machine: Machine) -> None:
    """A server that is stuck is started again, and what it recorded is not lost."""
    text = machine.path(CONFIG).read_text()
    for setting, value in (
        ("\nenabled-drivers = ", '["simulated", "hardware"]'),
        ("\ndisabled-drivers = ", '["simulated-storage"]'),
    ):
        before, _, after = text.partition(setting)
        text = f"{before}{setting}{value}\n{after.partition(chr(10))[2]}"
    machine.path(CONFIG).write_text(text)
    override = machine.path("/run/systemd/system/rotoclear.service.d")
    override.mkdir(parents=True)
    # Sooner than in life; not so soon that a busy machine is taken for one that hangs.
    (override / "soon.conf").write_text("[Service]\nWatchdogSec=12\nTimeoutAbortSec=2\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "rotoclear")
    stuck = machine.property("MainPID")
    answers(machine)
    with machine.client(Device.password) as client:
        Device.token = client.ask({"username": "admin", "password": Device.password})["token"]
        deadline = time.monotonic() + WITHIN
        while "error" in (answer := client.ask({"record": True})):
            # Cameras and storage of a slow machine may not have been waited for.
            assert time.monotonic() < deadline, (answer, machine.output("journalctl", "-n", "40"))
            time.sleep(0.2)
        # So much of the film is on the disk.
        machine.wait("sh", "-c", f"find {MEDIA} -name '*.part' -size +200k | grep -q .")
        begun = [film["id"] for film in recordings(machine)]
        # It has run all the time until now, and gave signs of life.
        assert (machine.property("MainPID"), machine.property("NRestarts")) == (stuck, "0"), (
            machine.output("journalctl", "-u", "rotoclear", "--no-pager")
        )
        machine.run("sh", "-c", f"kill -STOP {stuck}")  # no kill(1) there
    machine.wait("sh", "-c", f"! systemctl show -p MainPID rotoclear | grep -qE '={stuck}$|=0$'")
    machine.wait("systemctl", "--quiet", "is-active", "rotoclear")
    log = machine.output("journalctl", "-u", "rotoclear", "--no-pager")
    assert (machine.property("NRestarts"), log.count("Watchdog timeout")) == ("1", 1), log
    answers(machine)
    deadline = time.monotonic() + COMMAND
    while True:
        films = recordings(machine)
        # None twice. A start that came too late for its answer has left one of its own.
        assert [film["id"] for film in films] == begun, films
        film = films[0]
        if film["available"]:
            break
        assert time.monotonic() < deadline, film
        time.sleep(0.2)
    code, headers, content = machine.get(f"/api/recordings/{film['id']}", Device.token)
    assert (code, headers["Content-Type"]) == (200, "video/mp4")
    assert content[4:8] == b"ftyp"
    assert film["duration"] >= 1
    assert film["state"] in ("complete", "recovered"), film
    Device.newest_recording = film["id"]


def test_reboot(machine: Machine) -> None:
    """It is there again by itself, with what was set."""
    machine.reboot()
    assert answers(machine)["version"] == __version__
    with machine.client() as client:
        assert client.get("brightness") == {"brightness": 77}


def test_update(machine: Machine) -> None:
    """Data and configuration stay; the schema is brought up to date, and a copy kept."""
    changed = machine.path(CONFIG).read_text()
    machine.run(*INSTALL, *KEEP, "/packages/new.deb")
    assert answers(machine)["version"] == NEWER
    assert machine.path(CONFIG).read_text() == changed
    with machine.client(Device.password) as client:
        assert client.get("brightness") == {"brightness": 77}
    assert list(machine.path("/var/lib/rotoclear").glob("rotoclear.db.schema-*"))
    code, _, _ = machine.get(f"/api/recordings/{Device.newest_recording}", Device.token)
    assert code == 200


@pytest.mark.thorough
def test_only_https(machine: Machine) -> None:
    """Port 80 can be closed for good."""
    text = machine.path(CONFIG).read_text()
    assert '    "systemd:name=http",\n' in text
    machine.path(CONFIG).write_text(text.replace('    "systemd:name=http",\n', ""))
    machine.run("systemctl", "mask", "--now", "rotoclear-http.socket")
    machine.run("systemctl", "restart", "rotoclear")
    answers(machine)
    assert closed(machine, 80)
    machine.path(CONFIG).write_text(text)
    machine.run("systemctl", "unmask", "rotoclear-http.socket")
    machine.run("systemctl", "enable", "rotoclear-http.socket")
    machine.run("systemctl", "restart", "rotoclear")
    answers(machine)
    assert not closed(machine, 80)


@pytest.mark.thorough
def test_way_back(machine: Machine) -> None:
    """The version before opens what the newer one has left."""
    machine.run(*INSTALL, *KEEP, "/packages/old.deb")
    assert answers(machine)["version"] == __version__
    with machine.client(Device.password) as client:
        assert client.get("brightness") == {"brightness": 77}
        assert client.ask({"brightness": 78})["brightness"] == 78


@pytest.mark.thorough
def test_no_way_back(machine: Machine) -> None:
    """If it cannot, it says which version is needed and where the copy is, and waits."""
    machine.run("systemctl", "stop", "rotoclear-http.socket", "rotoclear-https.socket", "rotoclear")
    sql = "UPDATE meta SET value = 99 WHERE key = 'schema-readable-from'"
    code = f"import sqlite3; c = sqlite3.connect('{DATABASE}'); c.execute({sql!r}); c.commit()"
    machine.run("setpriv", "--reuid=rotoclear", "--clear-groups", "python3.11", "-c", code)
    said = machine.run("sh", "-c", "dpkg-reconfigure rotoclear 2>&1")
    assert f"written by rotoclear {NEWER}" in said, said
    assert f"this is {__version__}" in said
    assert "rotoclear.db.schema-" in said
    machine.run("sh", "-c", f"mv {DATABASE}.schema-* {DATABASE}; rm -f {DATABASE}-*")
    machine.run("systemctl", "restart", "rotoclear")
    assert answers(machine)["version"] == __version__


DATABASE = "/var/lib/rotoclear/rotoclear.db"


def test_remove(machine: Machine) -> None:
    """The server is gone, the data and the configuration are not."""
    machine.run("apt-get", "-qq", "-y", "remove", "rotoclear")
    assert closed(machine, 80)
    assert closed(machine, 443)
    assert machine.status("test", "-e", "/opt/rotoclear") != 0
    assert machine.status("test", "-e", CONFIG) == 0
    assert machine.status("test", "-e", DATABASE) == 0
    assert machine.output("systemctl", "--failed", "--plain", "--no-legend") == ""


def test_purge(machine: Machine) -> None:
    """Nothing is left, and a disk that is mounted for films is not touched."""
    machine.run("mount", "-t", "tmpfs", "films", MEDIA)
    machine.run("touch", f"{MEDIA}/precious")
    machine.run("apt-get", "-qq", "-y", "purge", "rotoclear")
    assert machine.status("test", "-e", f"{MEDIA}/precious") == 0
    assert machine.status("test", "-e", DATABASE) != 0
    machine.run("umount", MEDIA)
    machine.run("rm", "-r", "/var/lib/rotoclear")
    left = machine.output(
        "sh", "-c", "find /etc /lib/systemd /usr /opt /run/systemd/system -name '*rotoclear*'"
    )
    assert left == "/run/systemd/system/rotoclear.service.d" or left == "", left


@pytest.mark.thorough
def test_image(machine: Machine) -> None:
    """Installed where nothing runs: each copy makes its own key and password when it starts."""
    machine.off()
    said = machine.install_switched_off("old.deb")
    assert "first start" in said
    assert not (machine.root / "var/lib/rotoclear").exists()
    machine.boot()
    Device.token = ""  # it knew the user that is gone
    answers(machine)
    assert machine.path(PASSWORD).exists()


@pytest.mark.thorough
def test_closed_ports_stay_open(machine: Machine) -> None:
    """Who connects while it restarts waits, and is not refused."""
    machine.run("systemctl", "stop", "rotoclear.service")
    with machine.socket(80) as waiting:
        waiting.settimeout(WITHIN)
        waiting.sendall(b"GET /api/status HTTP/1.0\r\n\r\n")
        assert waiting.recv(4, socket.MSG_WAITALL) == b"HTTP"
