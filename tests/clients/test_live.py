"""The live picture in Chromium: an ``<img>`` with a ticket, and a canvas."""

from __future__ import annotations

from tests.clients.browser import Browser
from tests.harness import Server

IMAGE = """
const image = document.createElement("img");
image.src = "/api/stream?ticket=%s";
document.body.append(image);
"""

CANVAS = """
globalThis.taken = [];
const canvas = document.createElement("canvas");
document.body.append(canvas);
const socket = new WebSocket(`ws://${location.host}/api/live`);
socket.onopen = () => socket.send(JSON.stringify({token: "%s"}));
socket.onmessage = async ({data}) => {
  if (typeof data === "string") return;
  const image = await createImageBitmap(data);
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").drawImage(image, 0, 0);
  image.close();
  // Not from 20: Chromium takes the comment's FF FE for the byte order mark of UTF-16.
  const head = await data.slice(24, 100).text();
  taken.push(JSON.parse(head.slice(head.indexOf("{"), head.indexOf("}") + 1)));
};
"""

COLOURS = """(() => {
  const canvas = document.querySelector("canvas");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})()"""


def test_an_image(browser: Browser, server: Server) -> None:
    token = server.login()
    answer = server.request("POST", "/api/tickets", {"path": "/api/stream"}, token=token)
    with browser.page(IMAGE % answer.json()["ticket"], origin=server.http) as page:
        page.wait("document.querySelector('img').naturalWidth === 1920")
        page.wait("document.querySelector('img').naturalHeight === 1080")


def test_a_canvas(browser: Browser, server: Server) -> None:
    with browser.page(CANVAS % server.login(), origin=server.http) as page:
        page.wait("taken.length > 20")
        assert page.evaluate("document.querySelector('canvas').width") == 1920
        assert page.evaluate(COLOURS) > 100
        numbers = page.evaluate("taken.map(({number}) => number)")
        assert len(set(numbers)) == len(numbers)
        # It is this device's clock in both: a picture is not from yesterday, nor from tomorrow.
        age = page.evaluate("Date.now() / 1000 - taken.at(-1).taken")
        assert -0.01 < age < 60
