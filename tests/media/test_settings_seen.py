"""
Settings, from the key that a client sets to the picture that comes back.

The first head's hardware does them all, the second one's next to none: there it is the
engine. What each measures alone is tested where it is made; here, that it gets there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rotoclear.pixels import Planes, split
from rotoclear.pixels.convert import to_planes
from rotoclear.pixels.settings import GOAL
from tests.harness import Client, Server
from tests.pixels.images import colour, edges, inner, mean, rgb, spread

LIMIT = 30.0

NEUTRAL = {
    **dict.fromkeys(("brightness", "contrast", "sharpness", "saturation", "gain"), 50),
    **dict.fromkeys(("red-gain", "blue-gain"), 50),
    **dict.fromkeys(("auto-exposure", "auto-white-balance", "noise-supression"), False),
    **dict.fromkeys(("cam1-light", "cam2-light"), True),
}


def red(planes: Planes) -> float:
    return rgb(planes)[0] / rgb(planes)[1]


def blue(planes: Planes) -> float:
    return rgb(planes)[2] / rgb(planes)[1]


SLIDERS: dict[str, Callable[[Planes], float]] = {
    "brightness": mean,
    "contrast": spread,
    "saturation": colour,
    "sharpness": edges,
    "gain": mean,
    "red-gain": red,
    "blue-gain": blue,
}


class Eye:
    """Somebody who sets something, and looks."""

    def __init__(self, server: Server, client: Client) -> None:
        self._server = server
        self._client = client
        self._token = server.login()

    def set(self, **values: object) -> None:
        wanted = {name.replace("_", "-"): value for name, value in values.items()}
        answer = self._client.ask(wanted)
        assert sorted(answer.get("info", [])) == sorted(wanted), answer

    def see(self, head: int) -> Planes:
        """The next picture of a head, in its own size."""
        path = f"/api/snapshot?quality=100&camera={head}"
        answer = self._server.request("GET", path, token=self._token)
        if answer.status != 200:  # the first one takes its time, on a machine that is busy
            return self.see(head)
        return inner(to_planes(answer.body, "mjpeg", 640, 480))

    def until(self, head: int, holds: Callable[[Planes], bool], what: str) -> Planes:
        """Look until it is so: what is on its way was taken before."""
        late = time.monotonic() + LIMIT
        while not holds(planes := self.see(head)):
            assert time.monotonic() < late, f"head {head}: {what}"
        return planes


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eye]:
    with (
        Server(tmp_path_factory.mktemp("seen")) as server,
        server.client("admin", max_queue=None) as client,
    ):
        client.limit = LIMIT
        answer = client.ask({"resolution": "640x480", "fps": 30})
        assert "error" not in answer
        yield Eye(server, client)


@pytest.fixture
def eye(whole: Eye) -> Eye:
    whole.set(**NEUTRAL)
    return whole


@pytest.mark.parametrize("head", [1, 2])
@pytest.mark.parametrize("key", SLIDERS)
def test_slider(eye: Eye, key: str, head: int) -> None:
    """Lower below 50, higher above it, and at 50 as it was."""
    measure = SLIDERS[key]
    neutral = measure(eye.see(head))
    eye.set(**{key: 15})
    eye.until(head, lambda planes: measure(planes) < 0.93 * neutral, f"{key} 15 lowers it")
    eye.set(**{key: 85})
    eye.until(head, lambda planes: measure(planes) > 1.07 * neutral, f"{key} 85 raises it")
    eye.set(**{key: 50})
    # What turns and moves is elsewhere each time.
    eye.until(
        head,
        lambda planes: measure(planes) == pytest.approx(neutral, rel=0.04),
        f"{key} 50 is as before",
    )


@pytest.mark.parametrize("head", [1, 2])
def test_lamp_and_auto_exposure(eye: Eye, head: int) -> None:
    """Without the lamp it is dark; auto-exposure makes up for it, and stays where it is."""
    lit = mean(eye.see(head))
    eye.set(**{f"cam{head}-light": False})
    eye.until(head, lambda planes: mean(planes) < 0.6 * lit, "the lamp is off")
    eye.set(**{"auto-exposure": True})
    eye.until(head, lambda planes: mean(planes) == pytest.approx(GOAL, rel=0.2), "it is made up")
    eye.set(**{"auto-exposure": False})
    eye.until(head, lambda planes: mean(planes) < 0.6 * lit, "it is dark again")
    eye.set(**{f"cam{head}-light": True})
    eye.until(head, lambda planes: mean(planes) == pytest.approx(lit, rel=0.04), "it is lit")


@pytest.mark.parametrize("head", [1, 2])
def test_auto_white_balance(eye: Eye, head: int) -> None:
    """It goes for grey, whatever the colours' gains are."""
    cast = abs(red(eye.see(head)) - 1) + abs(blue(eye.see(head)) - 1)
    eye.set(**{"auto-white-balance": True})
    eye.until(
        head,
        lambda planes: abs(red(planes) - 1) + abs(blue(planes) - 1) < max(0.6 * cast, 0.06),
        "it is nearer to grey",
    )


@pytest.mark.parametrize("head", [1, 2])
def test_noise_supression(eye: Eye, head: int) -> None:
    """Where nothing moves a pixel differs less from one picture to the next."""

    def temporal() -> float:
        corners = [split(eye.see(head))[0][10:40, :120].astype(float) for _ in range(6)]
        return float(np.std(corners, axis=0).mean())

    noise = temporal()
    eye.set(**{"noise-supression": True})
    eye.until(head, lambda _: temporal() < 0.8 * noise, "there is less noise")
