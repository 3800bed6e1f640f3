"""Pictures to try things on, and what is measured of them."""

from __future__ import annotations

import numpy as np

from rotoclear.pixels import Planes, size, split


def natural(width: int = 320, height: int = 240, seed: int = 1) -> Planes:
    """Something like a photograph: soft shapes, edges, every brightness but the extremes."""
    chance = np.random.default_rng(seed)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    for plane, (least, most) in zip(
        split(planes), ((60, 190), (108, 150), (106, 148)), strict=True
    ):
        rows, columns = plane.shape
        coarse = chance.uniform(least, most, (8, 8))
        x, y = np.arange(columns) * 8 // columns, np.arange(rows) * 8 // rows
        slope = np.linspace(-8, 8, columns)[None] + np.linspace(-6, 6, rows)[:, None]
        plane[:] = np.clip(coarse[y[:, None], x] + slope, 0, 255)
    return planes


def noisy(planes: Planes, seed: int, strength: float = 3) -> Planes:
    """The same with a sensor's noise."""
    noise = np.random.default_rng(seed).normal(0, strength, planes.shape)
    return np.clip(np.rint(planes + noise), 0, 255).astype(np.uint8)


def inner(planes: Planes) -> Planes:
    """Without what a simulated head burns in at its edges: planes of their own."""
    y, u, v = (plane[plane.shape[0] // 20 : -plane.shape[0] // 10] for plane in split(planes))
    rows = y.shape[0] // 4 * 4
    return np.concatenate(
        [y[:rows].ravel(), u[: rows // 2].ravel(), v[: rows // 2].ravel()]
    ).reshape(rows * 3 // 2, -1)


def mean(planes: Planes) -> float:
    """How bright it is."""
    return float(split(planes)[0].mean())


def spread(planes: Planes) -> float:
    """Standard deviation of the brightness."""
    return float(split(planes)[0].std())


def colour(planes: Planes) -> float:
    """How far its colours are from grey."""
    _, u, v = split(planes)
    return float(np.hypot(u.astype(float) - 128, v.astype(float) - 128).mean())


def edges(planes: Planes) -> float:
    """Energy of the gradient."""
    y = split(planes)[0].astype(float)
    return float((np.diff(y, axis=0) ** 2).mean() + (np.diff(y, axis=1) ** 2).mean())


def rgb(planes: Planes) -> tuple[float, float, float]:
    """Mean red, green and blue (JFIF 1.02)."""
    y, u, v = (float(plane.mean()) for plane in split(planes))
    u, v = u - 128, v - 128
    return y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u


def far(one: Planes, other: Planes) -> list[float]:
    """Mean difference of the three planes."""
    assert size(one) == size(other)
    pairs = zip(split(one), split(other), strict=True)
    return [float(np.abs(a.astype(int) - b).mean()) for a, b in pairs]
