"""The whole server pushes its film to another one: GStreamer's, which asks for a login."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.harness import Server
from tests.harness.process import Script
from tests.media.rtsp.test_served import free_port, until

CONFIG = """
[publish]
url = "rtsp://joe:s3cret@127.0.0.1:{target}/machine"
[recording]
preset = "ultrafast"
[metrics]
public = true
"""

TARGET = Path(__file__).with_name("target.py")


@contextmanager
def target(port: int, password: str = "s3cret") -> Iterator[Script]:
    """The other server, until it is killed."""
    with Script(["/usr/bin/python3", str(TARGET), str(port), "joe", password], limit=40) as script:
        script.until(lambda said: said == "ready")
        yield script


def test_publish(tmp_path: Path) -> None:
    port = free_port()
    with Server(tmp_path, CONFIG.replace("{target}", str(port))) as server:
        token = server.login()

        def told(path: str, part: str) -> dict[str, Any]:
            answer = server.request("GET", path, token=token).json()
            return dict((answer.get("parts") or answer["engine"])[part])

        def becomes(state: str, reason: str = "") -> dict[str, Any]:
            def found() -> dict[str, Any] | None:
                status = told("/api/status", "publish")
                fits = status["state"] == state and reason in status["reason"]
                return status if fits else None

            return dict(until(found))

        with server.client("admin") as admin:
            admin.ask({"resolution": "640x480", "fps": 15})
        failed = becomes("failed", "Connection refused")
        assert failed["url"] == f"rtsp://127.0.0.1:{port}/machine"
        health = server.request("GET", "/api/health", token=token)
        assert (health.status, health.json()["state"]) == (200, "degraded")
        assert "Connection refused" in health.json()["parts"]["publish"]["reason"]
        with target(port) as other:
            other.until(lambda said: said == "picture 640 480")
            becomes("running")
            assert told("/api/health", "publish")["state"] == "ok"
            with server.client("admin") as admin:
                admin.ask({"resolution": "1280x720"})
            other.until(lambda said: said == "picture 1280 720")
        becomes("failed")
        with target(port, "another one"):
            becomes("failed", "401")
        with target(port) as other:
            other.until(lambda said: said == "picture 1280 720")
            status = becomes("running")
            assert status["restarts"] >= 3
            metrics = server.request("GET", "/metrics").text()
            assert "rotoclear_publish_running 1.0" in metrics
            processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True)
            everything = (
                *(server.log_text(), metrics, processes.stdout, json.dumps(status)),
                server.request("GET", "/api/health", token=token).text(),
            )
            for text in everything:
                assert "s3cret" not in text.replace(" joe s3cret", "")  # the other one's arguments
