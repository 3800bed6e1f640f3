"""What the page costs before there is something to see."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.console.desk import Desk
from tests.harness import Server

MOST = 200_000
"""Bytes, for everything that the first paint needs."""


def test_first_paint(browser: Browser, server: Server) -> None:
    with Desk(browser, server) as desk:
        desk.text("#stage-message", "Log in")
        sizes: dict[str, int] = desk.page.evaluate(
            """() => Object.fromEntries(
              ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
                .map((entry) => [entry.name, entry.transferSize]))"""
        )
    assert f"{server.http}/" in sizes
    assert len(sizes) > 5
    assert all(url.startswith(server.http) for url in sizes)
    assert sum(sizes.values()) < MOST, sizes
