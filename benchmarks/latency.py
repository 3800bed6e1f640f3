"""From the camera to the screen: how old a live picture is when Chromium shows it."""

from __future__ import annotations

import json
import statistics
import time
from typing import Final

from benchmarks.cases import Latency
from benchmarks.measuring import Figures
from benchmarks.pixels import House
from benchmarks.servers import Running
from tests.clients.browser import Browser, run_chromium

SETTLE: Final = 1.0
"""Seconds before anything counts."""

PAGE: Final = """
globalThis.ages = [];
globalThis.counts = new Set();
const canvas = document.createElement("canvas");
document.body.append(canvas);
const context = canvas.getContext("2d", {willReadFrequently: true});

// The mark in the picture, as rotoclear.pixels.marks describes it.
const mark = (width, height) => {
  const {data} = context.getImageData(0, 0, width, Math.ceil(height / 24));
  const bright = (row, cell) => {
    let sum = 0;
    for (const down of [0.3, 0.5, 0.7]) for (const across of [0.3, 0.5, 0.7]) {
      const y = Math.floor((row + down) * height / 48);
      const x = Math.floor((cell + across) * width / 76);
      sum += data[4 * (y * width + x) + 1];
    }
    return sum;
  };
  let bits = "";
  for (const row of [0, 1]) for (let cell = 0; cell < 76; cell += 2)
    bits += bright(row, cell) > bright(row, cell + 1) ? "1" : "0";
  return {count: parseInt(bits.slice(4, 28), 2), time: parseInt(bits.slice(28, 60), 2)};
};

// Milliseconds of CLOCK_MONOTONIC, modulo 2**32, as in the mark.
const clock = () => (performance.timeOrigin + performance.now() - OFFSET) % 2 ** 32;

const seen = (width, height) => {
  const {count, time} = mark(width, height);
  // It is on the screen with the frame that begins now.
  const age = clock() - time;
  if (!counts.has(count) && age > -5 && age < 5000) {
    counts.add(count);
    ages.push(age);
  }
};
"""

LIVE: Final = """
const socket = new WebSocket(`ws://${location.host}/api/live`);
socket.onopen = () => socket.send(JSON.stringify({token: TOKEN}));
// One at a time, and then the newest: whoever decodes all that comes falls behind.
let newest = null, busy = false;
socket.onmessage = async ({data}) => {
  if (typeof data === "string") return;
  newest = data;
  if (busy) return;
  busy = true;
  while (newest) {
    const next = newest;
    newest = null;
    const image = await createImageBitmap(next);
    if (canvas.width !== image.width) {
      canvas.width = image.width;
      canvas.height = image.height;
    }
    context.drawImage(image, 0, 0);
    const {width, height} = image;
    image.close();
    requestAnimationFrame(() => seen(width, height));
  }
  busy = false;
};
"""

MJPEG: Final = """
const image = document.createElement("img");
image.src = `/api/stream?ticket=${TICKET}`;
document.body.append(image);
const look = () => {
  const {naturalWidth: width, naturalHeight: height} = image;
  if (width) {
    const strip = Math.ceil(height / 24);
    canvas.width = width;
    canvas.height = strip;
    context.drawImage(image, 0, 0, width, strip, 0, 0, width, strip);
    seen(width, height);
  }
  requestAnimationFrame(look);
};
look();
"""


def measure_latency(case: Latency, seconds: float, server: Running) -> Figures:
    """Show the live picture, and read when each was taken from what is shown."""
    house = House(server)
    house.set(resolution=case.size, fps=case.rate, pip_mode="off")
    values = {
        "OFFSET": (time.time() - time.monotonic()) * 1000,
        "TOKEN": house.token,
        "TICKET": house.ticket("/api/stream"),
    }
    script = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    script += PAGE + (LIVE if case.how == "live" else MJPEG)
    with run_chromium() as chromium:
        chromium.until(lambda line: isinstance(line, dict) and "ready" in line)
        browser = Browser(chromium)
        with browser.page(script, origin=f"http://127.0.0.1:{server.port}") as page:
            page.wait("ages.length > 10")
            time.sleep(SETTLE)
            page.evaluate("ages.length = 0")
            time.sleep(seconds)
            ages = sorted(page.evaluate("ages"))
        chromium.finish()
    house.client.close()
    return {
        "fps": len(ages) / seconds,
        "median_ms": statistics.median(ages),
        "p90_ms": ages[len(ages) * 9 // 10],
        "max_ms": ages[-1],
    }
