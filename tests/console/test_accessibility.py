"""What people with other eyes, ears and hands meet: axe-core's rules, and the keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.clients.browser import install_modules
from tests.console.desk import Desk
from tests.harness import Server

COUNTED = {"serious", "critical"}


def check(desk: Desk, what: str) -> None:
    """Nothing serious is found on the page as it is now."""
    source = (install_modules() / "axe-core" / "axe.min.js").read_text()
    desk.page.evaluate(source)
    result: Any = desk.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    found = [
        (rule["id"], rule["impact"], [node["html"][:160] for node in rule["nodes"]])
        for rule in result["violations"]
        if rule["impact"] in COUNTED
    ]
    assert not found, f"{what}: {found}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, server: Server, scheme: str) -> None:
    with Desk(browser, server, color_scheme=scheme) as desk:
        page = desk.page
        desk.text("#stage-message", "Log in")
        check(desk, "anonymous")
        page.click("#menu-button")
        check(desk, "menu")
        page.click("#login-open")
        check(desk, "login")
        desk.log_in("admin")
        desk.live()
        check(desk, "live")
        page.click("#snap")
        desk.text("#notices", "Snapshot stored")
        check(desk, "notice")
        page.click("#view-gallery")
        page.click("label:has(#gallery-snapshots)")
        expect(page.locator("#gallery-list .card").first).to_be_visible()
        check(desk, "gallery")
        page.locator("#gallery-list [data-do=view]").first.click()
        expect(page.locator("#viewer-image")).to_be_visible()
        check(desk, "viewer")
        page.click("#viewer-close")
        page.click("#view-users")
        expect(page.locator("#users-list tr").first).to_be_visible()
        check(desk, "users")


def test_by_keyboard_alone(browser: Browser, server: Server) -> None:
    with Desk(browser, server) as desk, server.client() as anybody:
        page = desk.page
        desk.text("#stage-message", "Log in")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.focus("#menu-button")
        page.keyboard.press("Enter")
        page.focus("#login-open")
        page.keyboard.press("Enter")
        page.keyboard.type("operator")
        page.keyboard.press("Tab")
        page.keyboard.type("password of operator")
        page.keyboard.press("Enter")
        desk.live()
        page.focus("#control-brightness")
        page.keyboard.press("ArrowRight")
        anybody.until({"brightness": 51})
        page.keyboard.press("Home")
        anybody.until({"brightness": 0})
        page.focus("#lamp-1")
        page.keyboard.press("Space")
        anybody.until({"cam1-light": False})
        # Escape leaves a window, and the focus is where it was.
        page.focus("#menu-button")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        expect(page.locator("#menu")).to_be_hidden()
        assert page.evaluate("document.activeElement.id") == "menu-button"
