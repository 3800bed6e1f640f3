"""``rotoclear driver``: without a server, and with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rotoclear.command.drivers import listed
from rotoclear.command.pictures import encoded
from rotoclear.command.status import described
from rotoclear.devices.ring import Picture
from tests.command.running import run
from tests.harness import Server


def picture(data: bytes, format_: str, stride: int = 0) -> Picture:
    return Picture(
        data=data, format=format_, width=2, height=2, stride=stride, timestamp=0, sequence=0
    )


def test_a_list_without_a_server(tmp_path: Path) -> None:
    config = tmp_path / "rotoclear.toml"
    config.write_text(
        'disabled-drivers = ["simulated-lights"]\n[drivers.simulated-storage]\nsize = 5\n'
    )
    words = ("driver", "list", "--data-dir", str(tmp_path), "--config", str(config))
    result = run(*words)
    assert result.code == 0, result.err
    head, *lines = result.out.splitlines()
    assert head.split() == ["NAME", "KIND", "GROUP", "STATE", "DEVICES", "FROM"]
    states = {line.split()[0]: line.split()[3] for line in lines if "simulated  " in line}
    assert states == {
        "simulated-head-1": "stopped",
        "simulated-head-2": "stopped",
        "simulated-lights": "disabled",
        "simulated-storage": "refused",
    }
    assert "simulated-storage: [drivers.simulated-storage] size: there is no such" in result.out
    assert "No server is running" in result.out
    said = json.loads(run(*words, "--json").out)
    assert said["running"] is False
    assert len(said["drivers"]) == sum("rotoclear " in line for line in lines)


def test_a_driver_that_works(tmp_path: Path) -> None:
    file = tmp_path / "p.pgm"
    words = ("--data-dir", str(tmp_path), "--frame", str(file))
    result = run("driver", "check", "simulated-head-1", *words)
    assert result.code == 0, result.out + result.err
    assert all(line.startswith("ok ") for line in result.out.splitlines())
    for step in ("module rotoclear.plugins", "configuration", "finds", "described", "a picture"):
        assert step in result.out
    assert file.stat().st_size > 100_000
    assert file.read_bytes()[:2] in (b"P5", b"P6", b"\xff\xd8")


def test_a_configuration_that_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "rotoclear.toml"
    config.write_text("[drivers.simulated-head-1]\nspeed = 5\n")
    words = ("--data-dir", str(tmp_path), "--config", str(config))
    result = run("driver", "check", "simulated-head-1", *words)
    assert result.code == 1
    assert "FAILED  configuration: [drivers.simulated-head-1] speed: there is" in result.out


def test_a_driver_that_there_is_not(tmp_path: Path) -> None:
    result = run("driver", "check", "simulated-heat-1", "--data-dir", str(tmp_path))
    assert result.code == 2
    assert "there is no driver 'simulated-heat-1'; did you mean simulated-head-1?" in result.err


def test_a_running_server_is_asked(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        words = ("--data-dir", str(server.data_dir))
        said = json.loads(run("driver", "list", "--json", *words).out)
        assert said["running"] is True
        states = {driver["name"]: driver["state"] for driver in said["drivers"]}
        assert states["simulated-head-1"] == "running"
        result = run("driver", "check", "simulated-head-1", *words)
        assert result.code == 0, result.out + result.err
        assert "A server runs this driver" in result.out
        assert "head-1: ok" in result.out


def test_reasons_are_told_under_the_table() -> None:
    common: dict[str, object] = {
        "kind": None,
        "group": "vendors",
        "devices": [],
        "distribution": "acme 1",
    }
    text = listed(
        [
            {"name": "bad", "state": "failed", "reason": "It\x1braises", **common},
            {"name": "off", "state": "disabled", "reason": "it says so", **common},
        ]
    )
    assert text.splitlines()[-2:] == ["", "bad: It\ufffdraises"]


@pytest.mark.parametrize(
    ("given", "file"),
    [
        (picture(b"\xff\xd8jpeg", "mjpeg"), b"\xff\xd8jpeg"),
        (picture(b"abcdefghijkl", "rgb24"), b"P6\n2 2\n255\nabcdefghijkl"),
        (picture(b"abcdefghijkl", "bgr24"), b"P6\n2 2\n255\ncbafedihglkj"),
        (picture(b"1.2.3.4.", "yuyv"), b"P5\n2 2\n255\n1234"),
        (picture(b".1.2.3.4", "uyvy"), b"P5\n2 2\n255\n1234"),
        (picture(b"1234uv", "nv12"), b"P5\n2 2\n255\n1234"),
        (picture(b"12..34..", "grey", 4), b"P5\n2 2\n255\n1234"),
    ],
)
def test_pictures(given: Picture, file: bytes) -> None:
    assert encoded(given) == file


def test_status_tells_of_drivers_in_short() -> None:
    driver = {"name": "acme", "state": "running", "file": "/f", "options": {"a": 1}, "matches": []}
    text = described({"devices": {"drivers": [driver, {"name": "off", "state": "disabled"}]}})
    assert text.splitlines()[-2:] == ["NAME  STATE", "acme  running"]
