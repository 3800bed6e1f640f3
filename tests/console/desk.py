"""An operator's browser: Debian's Chromium on the page that the server has at ``/``."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable
from typing import Any, Final, Self

import cv2
import numpy as np
from attrs import frozen
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, expect

from rotoclear.control.client import call
from rotoclear.pixels.marks import Mark, Unreadable, read_luma
from tests.harness import Server

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""A browser that asks nobody for anything but what its page does."""

PATIENCE: Final = 30_000
"""Milliseconds that anything on the page may take, on a machine that has much else to do."""

PICTURE: Final = """async () => {
  const bitmap = await createImageBitmap(document.getElementById("picture"));
  const copy = new OffscreenCanvas(640, Math.round(640 * bitmap.height / bitmap.width));
  const context = copy.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, copy.width, copy.height);
  const blob = await copy.convertToBlob({type: "image/png"});
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}"""


@frozen
class Seen:
    """
    A picture as the page shows it.

    :ivar mark: what it says of itself.
    :ivar brightness: the mean, 0 to 255.
    :ivar contrast: how far brightness strays from it.
    :ivar colour: mean difference of the strongest and the weakest channel.
    :ivar edges: mean of the differences between neighbours.
    :ivar red: share of red in all light; ``blue`` likewise.
    :ivar pixels: rows of blue, green and red.
    """

    mark: Mark
    brightness: float
    contrast: float
    colour: float
    edges: float
    red: float
    blue: float
    pixels: np.ndarray[Any, np.dtype[np.uint8]]


def look(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Seen:
    """Measure a picture; its mark and the frame around it are left out."""
    luma = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    height, width = luma.shape
    inside = pixels[height // 12 : -height // 20, width // 20 : -width // 20].astype(np.float32)
    grey = luma[height // 12 : -height // 20, width // 20 : -width // 20].astype(np.float32)
    blue, _green, red = (float(inside[:, :, channel].mean()) for channel in range(3))
    light = float(inside.mean()) * 3 or 1.0
    return Seen(
        mark=read_luma(luma),
        brightness=float(grey.mean()),
        contrast=float(grey.std()),
        colour=float((inside.max(axis=2) - inside.min(axis=2)).mean()),
        edges=float(np.abs(np.diff(grey, axis=1)).mean()),
        red=red / light,
        blue=blue / light,
        pixels=pixels,
    )


class Desk:
    """
    One person at one browser; a context manager.

    Every request of the page goes to the server, nothing is printed as an error, and no
    exception is left uncaught: else leaving it fails.

    :ivar page: the page, for :mod:`playwright`.
    """

    def __init__(self, browser: Browser, server: Server, **options: Any) -> None:
        self.server = server
        options.setdefault("viewport", {"width": 1440, "height": 900})
        options.setdefault("locale", "en-GB")
        self._context: BrowserContext = browser.new_context(**options)
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(f"uncaught: {error}"))
        self.page.on("request", self._asked)
        self.page.on("console", self._printed)

    def __enter__(self) -> Self:
        self.page.goto(self.server.http, wait_until="load")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._context.close()
        if kind is None:
            assert not self.wrong, self.wrong

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.server.http, self.server.url, "blob:", "data:")):
            self.wrong.append(f"asked somebody else: {request.url}")

    def _printed(self, message: Any) -> None:
        # A connection that is lost, and a request that is refused, are printed by Chromium itself.
        if message.type == "error" and "Security Policy" in message.text:
            self.wrong.append(message.text)

    # Logging in

    def log_in(self, username: str = "admin", password: str | None = None) -> None:
        """By the dialog, as anybody would; the offer to change a first password is put off."""
        self.fill_login(username, self.server.admin_password if password is None else password)
        expect(self.page.locator("#login")).to_have_count(0, timeout=PATIENCE)
        if password is None:
            self.page.click("#password-cancel")
        expect(self.page.locator("#menu-name")).to_have_text(username, timeout=PATIENCE)

    def fill_login(self, username: str, password: str) -> None:
        """Fill in the dialog and send it."""
        if not self.page.locator("#login").count():
            self.page.click("#menu-button")
            self.page.click("#login-open")
        self.page.fill("#login-username", username)
        self.page.fill("#login-password", password)
        self.page.click("#login-submit")

    # Controls

    def state(self, key: str) -> Any:
        """What a control shows, as a value of the API."""
        control = self.page.locator(f"[data-key='{key}']")
        kind = control.get_attribute("data-kind")
        match kind:
            case "slider":
                return int(control.locator("input").input_value())
            case "choice":
                return json.loads(control.locator("select").input_value())
            case "switch":
                return control.locator("input").is_checked()
            case "segments" | "layout":
                value = control.locator("input:checked").get_attribute("value")
                return int(value) if kind == "segments" and value else value
        if key.endswith("-light"):
            return control.get_attribute("aria-pressed") == "true"
        if key == "main-camera":
            return int(control.locator("input:checked").get_attribute("value") or 0)
        raise AssertionError(f"{key}: no control of the kind {kind}")

    def move(self, key: str, value: Any) -> None:
        """Set a control."""
        control = self.page.locator(f"[data-key='{key}']")
        match control.get_attribute("data-kind"):
            case "slider":
                control.locator("input").fill(str(value))
            case "choice":
                control.locator("select").select_option(value=json.dumps(value))
            case "switch":
                control.locator(".switch").click()
            case "segments" | "layout":
                control.locator(f"label:has(input[value='{value}'])").click()
            case _ if key == "main-camera":
                control.locator(f"label:has(input[value='{value}'])").click()
            case _:
                control.click()

    def shows(self, key: str, value: Any) -> None:
        """Wait until a control shows that."""
        self.until(lambda: self.state(key) == value, f"{key} shows {value}")

    # The picture

    def picture(self) -> Seen:
        """The picture that is shown, or the next one whose mark can be read."""
        seen: list[Seen] = []

        def try_it() -> bool:
            data = base64.b64decode(self.page.evaluate(PICTURE))
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            try:
                seen.append(look(pixels))  # type: ignore[arg-type]
            except Unreadable:
                return False
            return True

        self.until(try_it, "there is a picture that can be read")
        return seen[-1]

    def sees(self, fits: Callable[[Seen], bool], what: str) -> Seen:
        """Wait for a picture that fits."""
        seen: list[Seen] = []

        def try_it() -> bool:
            seen.append(self.picture())
            return fits(seen[-1])

        self.until(try_it, what)
        return seen[-1]

    def recorded(self) -> int:
        """For how long it has been recorded, as the page tells, in seconds."""
        hours, minutes, seconds = self.page.locator("#record-time").inner_text().split(":")
        return (int(hours) * 60 + int(minutes)) * 60 + int(seconds)

    def live(self) -> None:
        """Wait until pictures come."""
        expect(self.page.locator("#stage")).to_have_attribute(
            "data-state", "live", timeout=PATIENCE
        )

    # Waiting

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Ask again and again, in the page's own time."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not true():
            assert time.monotonic() < deadline, f"It never came about that {what}"
            self.page.wait_for_timeout(50)

    def true(self, expression: str) -> None:
        """Wait until JavaScript says so; the page's policy forbids it to wait for that itself."""
        self.until(lambda: bool(self.page.evaluate(expression)), expression)

    def text(self, selector: str, text: str) -> None:
        """Wait for an element with that text in it."""
        expect(self.page.locator(selector)).to_contain_text(text, timeout=PATIENCE)


def launch(playwright: Playwright) -> Browser:
    """
    Start Debian's Chromium.

    :raises AssertionError: it is not installed; never a reason to skip.
    """
    path = shutil.which("chromium")
    assert path is not None, "chromium is missing; on Debian: apt-get install chromium"
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


def simulate(server: Server, action: str, target: str) -> None:
    """``rotoclear simulate ACTION TARGET``."""
    call(server.data_dir / "control.sock", "simulate", {"action": action, "target": target})
