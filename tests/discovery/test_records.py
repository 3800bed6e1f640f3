"""What is announced."""

from __future__ import annotations

import pytest

from rotoclear.discovery.records import Port, announcements, label

HERE = ["192.168.1.7"]

ANYWHERE = "0.0.0.0"


def types(web: list[Port], rtsp: list[Port] | None = None) -> list[tuple[str, int]]:
    return [(one.type, one.port) for one in announcements(web, rtsp or [], HERE, "1.2.3")]


def test_both() -> None:
    """The API is where TLS is."""
    web = [Port(80, ANYWHERE, tls=False), Port(443, ANYWHERE, tls=True)]
    wanted = [("_rotoclear._tcp", 443), ("_https._tcp", 443), ("_http._tcp", 80)]
    assert types(web) == wanted
    (api, *_) = announcements(web, [], HERE, "1.2.3")
    assert api.text == {"txtvers": "1", "path": "/api/v1", "tls": "1", "version": "1.2.3"}


def test_without_tls() -> None:
    (api, page) = announcements([Port(8080, "192.168.1.7", tls=False)], [], HERE, "1.2.3")
    assert api.text["tls"] == "0"
    assert (page.type, page.text) == ("_http._tcp", {"path": "/"})


def test_this_machine_only() -> None:
    """What nobody else can reach is not announced."""
    assert types([Port(8080, "127.0.0.1", tls=False)], [Port(8554, "::1", tls=False)]) == []


def test_another_network() -> None:
    web = [Port(443, "10.0.0.1", tls=True), Port(444, "192.168.1.7", tls=True)]
    assert types(web) == [("_rotoclear._tcp", 444), ("_https._tcp", 444)]


def test_film() -> None:
    assert types([], [Port(8322, "::", tls=True), Port(8554, "::", tls=False)]) == [
        ("_rtsp._tcp", 8554)
    ]


@pytest.mark.parametrize("letter", ["x", "ü", "摄"])
def test_label(letter: str) -> None:
    """63 bytes at most, and whole letters."""
    cut = label(letter * 100)
    assert 61 <= len(cut.encode()) <= 63
    assert set(cut) == {letter}
