"""Real players and raw sockets, to a server of its own that plays a film with numbers."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.media.rtsp.played import number_in
from tests.media.rtsp.viewer import LIMIT, Viewer, sender_report

ROOT = Path(__file__).resolve().parent.parent.parent.parent

LOGIN = ("joe", "correct horse")


@contextmanager
def played(*arguments: str) -> Iterator[int]:
    """A server; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.media.rtsp.played", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        _, log = process.communicate()
    assert "Traceback" not in log, log


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with played("both", "320x240", "") as port:
        yield port


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def ffprobe(url: str, transport: str) -> subprocess.CompletedProcess[str]:
    """The sizes of the first ten pictures."""
    return run(
        *("ffprobe", "-v", "error", "-rtsp_transport", transport, "-read_intervals", "%+#10"),
        *("-select_streams", "v", "-show_entries", "frame=width,height", "-of", "csv=p=0", url),
    )


def gstreamer(url: str, transport: str) -> subprocess.CompletedProcess[str]:
    """Ten pictures, decoded."""
    return run(
        *("gst-launch-1.0", "-q", "rtspsrc", f"location={url}", f"protocols={transport}"),
        *("latency=0", "!", "rtph264depay", "!", "h264parse", "!", "avdec_h264", "!"),
        *("identity", "eos-after=10", "!", "fakesink"),
    )


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_ffprobe(port: int, transport: str) -> None:
    """It is offered Digest, which it takes, and has the user's stream key."""
    shown = ffprobe(f"rtsp://joe:k3y@127.0.0.1:{port}/live", transport)
    assert shown.returncode == 0, shown
    assert shown.stdout.split()[:9] == ["320,240"] * 9, shown


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_gstreamer(port: int, transport: str) -> None:
    shown = gstreamer(f"rtsp://joe:k3y@127.0.0.1:{port}/live", transport)
    assert (shown.returncode, shown.stderr) == (0, ""), shown


def test_wrong_keys(port: int) -> None:
    url = f"rtsp://joe:wrong@127.0.0.1:{port}/live"
    shown = ffprobe(url, "tcp")
    assert shown.returncode
    assert "401 Unauthorized" in shown.stderr
    shown = gstreamer(url, "tcp")
    assert shown.returncode
    assert "Unauthorized" in shown.stderr


@pytest.mark.parametrize("udp", [False, True])
def test_each_picture_arrives_in_order(port: int, udp: bool) -> None:
    """And a report says which time it is by the pictures' clock."""
    with Viewer(port, login=LOGIN).play(udp) as viewer:
        began = time.time()
        numbers = [number_in(frame.to_ndarray(format="gray")) for frame in viewer.frames(30)]
        assert numbers == list(range(numbers[0], numbers[0] + 30))
        report = viewer.control.recv(1 << 16) if udp else viewer.reports[0]
        ssrc, ntp, _ = sender_report(report)
        assert abs(ntp / 2**32 - 2_208_988_800 - began) < LIMIT
        assert f"ssrc={ssrc:08X}" in viewer.transport
        assert viewer.ask("TEARDOWN")[0] == 200


def test_ten_at_once_and_one_that_stalls(port: int) -> None:
    """Nobody misses a picture, though one of them reads nothing."""
    stalled = Viewer(port, login=LOGIN)
    stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    seen: dict[int, list[int]] = {}

    def watch(name: int) -> None:
        with Viewer(port, login=LOGIN).play(udp=name % 2 == 0) as viewer:
            frames = viewer.frames(60)
        seen[name] = [number_in(frame.to_ndarray(format="gray")) for frame in frames]

    with stalled.play():
        threads = [threading.Thread(target=watch, args=(name,)) for name in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(seen) == list(range(10))
    for numbers in seen.values():
        assert numbers == list(range(numbers[0], numbers[0] + 60))


def test_the_session_ends_when_its_connection_does(port: int) -> None:
    """Nothing is sent by UDP to somebody who has gone."""
    with Viewer(port, login=LOGIN).play(udp=True) as viewer:
        viewer.frames(1)
        viewer.socket.close()
        end = time.monotonic() + LIMIT
        while select.select([viewer.data], [], [], 0.5)[0]:
            viewer.data.recv(1 << 16)
            assert time.monotonic() < end


def test_nobody_else_is_sent_pictures(port: int) -> None:
    """Whatever address a client names, they go to its own, and to no service of its machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        number = other.getsockname()[1]
        with Viewer(port, login=LOGIN) as viewer:
            for transport in (
                f"RTP/AVP;unicast;destination=127.0.0.2;client_port={number}-{number + 1}",
                f"RTP/AVP;multicast;destination=239.0.0.1;port={number}-{number + 1}",
                "RTP/AVP;unicast;client_port=53-54",
                "RTP/AVP;unicast;client_port=0-1",
                "RTP/AVP;unicast;client_port=65535-65536",
                "RTP/AVP;unicast;client_port=-1--2",
                "RTP/AVP;unicast",
                "RAW/RAW/UDP;unicast;client_port=5000-5001",
            ):
                viewer.session = ""
                status, headers, _ = viewer.ask("SETUP", "/trackID=0", Transport=transport)
                assert status == (200 if "127.0.0.2" in transport else 461), transport
                if status == 200:
                    assert "127.0.0.2" not in headers["Transport"]
                    viewer.session = headers["Session"].partition(";")[0]
                    assert viewer.ask("PLAY")[0] == 200
                    assert not select.select([other], [], [], 0.5)[0]
                    assert viewer.ask("TEARDOWN")[0] == 200


HOSTILE = {
    "garbage": bytes(range(255, 0, -1)) * 16,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "endless line": b"A" * 100_000,
    "endless header": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: " + b"y" * 100_000,
    "many headers": b"OPTIONS * RTSP/1.0\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
    "huge body": b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 999999999\r\n\r\n",
    "negative body": b"SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",
    "flood": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 10_000,
    "recording": b"ANNOUNCE rtsp://x/live RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 9000\r\n\r\n",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_makes_no_sense_is_refused(port: int, what: str) -> None:
    """With an answer, and the end of that connection; nobody else notices."""
    with Viewer(port, login=LOGIN).play() as other:
        with socket.create_connection(("127.0.0.1", port), LIMIT) as hostile:
            heard = b""
            try:
                hostile.sendall(HOSTILE[what])
                while data := hostile.recv(1 << 16):
                    heard += data
            except ConnectionError:
                pass  # it has not even read all of it
        assert len(heard) < 10_000
        assert other.frames(2)


def test_half_a_request_and_then_the_rest(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), LIMIT) as slow:
        for piece in (b"OPTIONS * RT", b"SP/1.0\r\nCS", b"eq: 7\r\n", b"\r\n"):
            slow.sendall(piece)
        assert slow.recv(1 << 16).startswith(b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n")


def test_many_who_never_finish_a_request(port: int) -> None:
    """More than there may be connections: whoever knows what to say is let in all the same."""
    crowd = [socket.create_connection(("127.0.0.1", port), LIMIT) for _ in range(150)]
    try:
        for one in crowd:
            with contextlib.suppress(ConnectionError):  # it has given way already
                one.sendall(b"OPTIONS")
        with Viewer(port, login=LOGIN).play() as viewer:
            assert viewer.frames(2)
    finally:
        for one in crowd:
            one.close()
