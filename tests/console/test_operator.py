"""A day of the operator's, at the page in the browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.console.desk import Desk, Seen, simulate
from tests.harness import Server


def test_the_first_start(browser: Browser, fresh_server: Server) -> None:
    """Anonymous, then in with the password of the first start, which is to be changed."""
    with Desk(browser, fresh_server) as desk:
        desk.text("#stage-message", "Log in to see the picture")
        desk.text("#controls-note", "Log in to change this")
        expect(desk.page.locator("#record-start")).to_be_disabled()
        expect(desk.page.locator("#control-brightness")).to_be_disabled()

        desk.fill_login("admin", "not it")
        desk.text("#login-problem", "password is wrong")
        desk.fill_login("admin", fresh_server.admin_password)
        desk.page.fill("#password-new", "another one")
        desk.page.fill("#password-again", "and yet another")
        desk.page.click("#password-submit")
        desk.text("#password-problem", "differ")
        desk.page.fill("#password-again", "another one")
        desk.page.click("#password-submit")
        expect(desk.page.locator("#password")).to_have_count(0)
        assert not (fresh_server.data_dir / "initial-admin-password").exists()

        # The picture moves, and is another each time.
        desk.live()
        first = desk.picture()
        assert (first.mark.head, first.mark.sensor) == (1, 1)
        desk.sees(lambda seen: seen.mark.count > first.mark.count + 5, "the counter runs")
        assert desk.page.evaluate("document.getElementById('picture').width") == 1920

        # Whoever has looked away is still logged in; who logs out is not.
        desk.page.reload()
        desk.live()
        desk.page.click("#menu-button")
        desk.page.click("#logout")
        desk.text("#stage-message", "Log in to see the picture")
        # With the new password only.
        desk.fill_login("admin", fresh_server.admin_password)
        desk.text("#login-problem", "password is wrong")
        desk.fill_login("admin", "another one")
        desk.live()


EFFECTS: dict[str, tuple[Any, Callable[[Seen, Seen], bool] | None]] = {
    "cam1-light": (False, lambda before, after: after.brightness < before.brightness - 20),
    "brightness": (90, lambda before, after: after.brightness > before.brightness + 10),
    "contrast": (95, lambda before, after: after.contrast > before.contrast * 1.2),
    "sharpness": (100, lambda before, after: after.edges > before.edges * 1.1),
    "saturation": (0, lambda before, after: after.colour < before.colour * 0.3),
    "gain": (90, lambda before, after: after.brightness > before.brightness + 10),
    "red-gain": (95, lambda before, after: after.red > before.red + 0.02),
    "blue-gain": (95, lambda before, after: after.blue > before.blue + 0.02),
    "noise-supression": (True, None),
    "auto-exposure": (True, None),
    "auto-white-balance": (True, None),
    "cam1-sensor": (2, lambda _before, after: after.mark.sensor == 2),
    "cam2-sensor": (2, None),
    "main-camera": (2, lambda _before, after: after.mark.head == 2),
    "jpeg-quality": (40, None),
    "fps": (10, None),
    "resolution": ("1920x1080", None),
}
"""What each control is moved to, and what is then to be seen in the picture, if that is sure."""


def test_each_control_moves_the_picture_and_the_other_browser(
    browser: Browser, server: Server
) -> None:
    with Desk(browser, server) as desk, Desk(browser, server) as other:
        desk.log_in("operator", "password of operator")
        other.log_in("viewer", "password of viewer")
        desk.live()
        other.live()
        shown = desk.page.locator("[data-key]").evaluate_all("all => all.map(e => e.dataset.key)")
        assert set(shown) == {*EFFECTS, "pip-mode", "cam2-light"}
        for key, (value, effect) in EFFECTS.items():
            before = other.picture() if effect else None
            was = desk.state(key)
            assert was != value, f"{key} is {value} already"
            desk.move(key, value)
            desk.shows(key, value)
            other.shows(key, value)
            if effect and before:
                other.sees(partial(effect, before), f"{key} = {value} is in the picture")
            desk.move(key, was)
            other.shows(key, was)
        # What has no place of its own in the table above: the second picture in the first.
        desk.move("main-camera", 1)
        other.sees(lambda seen: seen.mark.head == 1, "camera 1 is shown")
        for layout in ("top-left", "bottom-right", "side-by-side", "off"):
            desk.move("pip-mode", layout)
            other.shows("pip-mode", layout)
        desk.move("cam2-light", True)
        other.shows("cam2-light", True)


def test_a_slider_stays_under_the_finger(browser: Browser, server: Server) -> None:
    """However many older values come back, and whatever others set meanwhile."""
    with Desk(browser, server) as desk, server.client("admin") as somebody:
        desk.log_in("operator", "password of operator")
        slider = desk.page.locator("#control-brightness")
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / 2
        desk.page.mouse.move(box["x"] + box["width"] * 0.5, y)
        desk.page.mouse.down()
        shown = []
        for share in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8):
            desk.page.mouse.move(box["x"] + box["width"] * share, y)
            shown.append(desk.state("brightness"))
            somebody.ask({"brightness": 5})
            shown.append(desk.state("brightness"))
        assert shown == sorted(shown), "it never went back"
        held = desk.state("brightness")
        assert held > 70
        desk.page.mouse.up()
        # Now what is so is shown: the hand's value, or what somebody else has set after it.
        somebody.ask({"brightness": 33})
        desk.shows("brightness", 33)


def test_record_pause_stop_play_snap_and_delete(browser: Browser, server: Server) -> None:
    with Desk(browser, server) as desk, server.client() as anybody:
        page = desk.page
        desk.log_in("operator", "password of operator")
        desk.live()
        page.click("#record-start")
        anybody.until({"record": True})
        desk.text("#stage-badge", "Recording")
        expect(page.locator("#record-time")).not_to_have_text("00:00:00")
        desk.text("[data-key='resolution'] .hint", "Not while recording")
        # A picture in the middle of it.
        page.click("#snap")
        desk.text("#notices", "Snapshot stored")
        page.click("#record-pause")
        anybody.until({"record": "pause"})
        desk.text("#stage-badge", "Paused")
        # Who comes now sees how much there is, and not since when.
        page.wait_for_timeout(3000)
        with Desk(browser, server) as other:
            other.log_in("operator", "password of operator")
            other.text("#stage-badge", "Paused")
            other.until(lambda: abs(other.recorded() - desk.recorded()) <= 1, "both tell the same")
        page.click("#record-pause")
        anybody.until({"record": True})
        page.click("#record-stop")
        anybody.until({"record": False})
        expect(page.locator("#stage-badge")).to_be_hidden()

        page.click("#view-gallery")
        film = page.locator("#gallery-list .card[data-kind='recording'][data-state='complete']")
        expect(film).to_have_count(1)
        desk.text("#gallery-list", "by operator")
        film.locator("[data-do='view']").first.click()
        desk.true("document.querySelector('#viewer-video')?.currentTime > 0.2")
        assert page.evaluate("document.querySelector('#viewer-video').videoWidth") == 1280
        assert page.evaluate("document.querySelector('#viewer-video').error") is None
        page.click("#viewer-close")

        with page.expect_download() as downloading:
            film.locator("[data-do='download']").click()
        fetched = downloading.value.path().read_bytes()
        token = server.login()
        (stored,) = server.request("GET", "/api/recordings", token=token).json()["recordings"]
        assert len(fetched) == stored["size"]
        assert downloading.value.suggested_filename == stored["file"].split("/")[-1]

        page.click("label:has(#gallery-snapshots)")
        still = page.locator("#gallery-list .card[data-kind='snapshot']")
        expect(still).to_have_count(1)
        still.locator("[data-do='view']").first.click()
        desk.true("document.querySelector('#viewer-image')?.naturalWidth === 1280")
        page.click("#viewer-close")
        for kind, card in (("snapshots", still), ("recordings", film)):
            page.click(f"label:has(#gallery-{kind})")
            card.locator("[data-do='delete']").click()
            page.click("#delete-cancel")
            expect(card).to_have_count(1)
            card.locator("[data-do='delete']").click()
            page.click("#delete-submit")
            expect(card).to_have_count(0)
            assert server.request("GET", f"/api/{kind}", token=token).json()["total"] == 0


def test_what_was_on_a_lost_stick_is_removed_from_the_list(
    browser: Browser, fresh_server: Server
) -> None:
    with Desk(browser, fresh_server) as desk, fresh_server.client("admin") as somebody:
        desk.log_in()
        desk.live()
        assert somebody.ask({"snap": True})["info"] == ["snap"]
        simulate(fresh_server, "unplug", "storage")
        desk.page.click("#view-gallery")
        desk.page.click("label:has(#gallery-snapshots)")
        card = desk.page.locator("#gallery-list .card")
        expect(card).to_contain_text("is not plugged in")
        card.locator("[data-do=delete]").click()
        desk.text("#delete", "will be removed from this list")
        desk.page.click("#delete-submit")
        expect(card).to_have_count(0)


def test_a_camera_is_pulled_and_plugged_in(browser: Browser, server: Server) -> None:
    with Desk(browser, server) as desk:
        desk.log_in("operator", "password of operator")
        desk.live()
        lamp = desk.page.locator("#lamp-2")
        expect(lamp).to_be_enabled()
        simulate(server, "unplug", "2")
        expect(lamp).to_be_disabled()
        assert "not plugged in" in (lamp.get_attribute("title") or "")
        simulate(server, "plug", "2")
        expect(lamp).to_be_enabled()

        simulate(server, "unplug", "1")
        desk.text("#stage-message", "Camera 1 is not plugged in")
        expect(desk.page.locator("#record-start")).to_be_disabled()
        simulate(server, "plug", "1")
        desk.live()
        desk.sees(lambda seen: seen.mark.head == 1, "camera 1 is back")


def test_the_server_is_killed_and_comes_back(browser: Browser, fresh_server: Server) -> None:
    """The page finds it again by itself, with the same login, and so does the picture."""
    with Desk(browser, fresh_server) as desk:
        desk.log_in()
        desk.live()
        fresh_server.kill()
        expect(desk.page.locator("#offline")).to_be_visible()
        expect(desk.page.locator("#control-brightness")).to_be_disabled()
        fresh_server.start()
        expect(desk.page.locator("#offline")).to_be_hidden()
        desk.text("#menu-name", "admin")
        desk.live()
        desk.move("brightness", 61)
        with fresh_server.client() as anybody:
            desk.until(
                lambda: anybody.get("brightness") == {"brightness": 61}, "what it sets counts again"
            )


@pytest.mark.parametrize("width", [390, 1440])
def test_a_viewer_sees_and_sets_nothing(browser: Browser, server: Server, width: int) -> None:
    with Desk(browser, server, viewport={"width": width, "height": 844}) as desk:
        desk.log_in("viewer", "password of viewer")
        desk.live()
        desk.text("#controls-note", "Your role (viewer) may not change this")
        for able in desk.page.locator("[data-key] input, [data-key] select, button.lamp").all():
            expect(able).to_be_disabled()
        expect(desk.page.locator("#record-start")).to_be_disabled()
        assert "viewer" in (desk.page.locator("#record-start").get_attribute("title") or "")
        expect(desk.page.locator("#view-users")).to_be_hidden()
        # Nothing sticks out at the side.
        assert desk.page.evaluate("document.documentElement.scrollWidth") <= width


def test_users_are_made_changed_and_removed(browser: Browser, server: Server) -> None:
    with Desk(browser, server) as desk:
        page = desk.page
        desk.log_in()
        page.click("#view-users")
        page.click("#user-add")
        page.fill("#user-new [name=name]", "joe")
        page.fill("#user-new [name=password]", "short")
        page.select_option("#user-new [name=role]", "viewer")
        page.click("#user-new-submit")
        desk.text("#user-new-problem", "8")
        page.fill("#user-new [name=password]", "long enough")
        page.click("#user-new-submit")
        row = page.locator("#users-list tr[data-user=joe]")
        expect(row).to_contain_text("viewer")
        server.login("joe", "long enough")
        row.locator("[data-do=edit]").click()
        page.select_option("#user-edit [name=role]", "operator")
        page.click("#user-edit-submit")
        expect(row).to_contain_text("operator")
        row.locator("[data-do=delete]").click()
        page.click("#user-delete-submit")
        expect(row).to_have_count(0)


def test_german_and_dark(browser: Browser, server: Server) -> None:
    with Desk(browser, server, locale="de-DE", color_scheme="dark") as desk:
        desk.text("#stage-message", "Anmelden")
        assert desk.page.get_attribute("html", "lang") == "de"
        desk.page.click("#menu-button")
        desk.page.click("label:has(#language-en)")
        desk.text("#stage-message", "Log in to see the picture")
        desk.page.reload()
        desk.text("#stage-message", "Log in to see the picture")


def test_where_websockets_bring_no_pictures(browser: Browser, server: Server) -> None:
    """MJPEG does; the page asks for it when the other way fails again and again."""
    with Desk(browser, server) as desk:
        desk.page.route_web_socket("**/api/live", lambda socket: socket.close())
        desk.page.reload()
        desk.log_in("viewer", "password of viewer")
        expect(desk.page.locator("#stage")).to_have_attribute("data-way", "mjpeg", timeout=30_000)
        desk.true("document.getElementById('picture-mjpeg').naturalWidth > 0")
        desk.live()
