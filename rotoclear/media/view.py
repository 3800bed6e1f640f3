"""What the picture is to be, by the state: who does which setting, the camera or the engine."""

from __future__ import annotations

from typing import Final

from rotoclear.interfaces import CameraDescription
from rotoclear.media.engine.wire import Software, View
from rotoclear.state.model import Model
from rotoclear.values import pixels

NUMBERS: Final = (1, 2)

SLIDERS: Final = {
    "brightness": None,
    "contrast": None,
    "sharpness": None,
    "saturation": None,
    "gain": "auto-exposure",
    "red-gain": "auto-white-balance",
    "blue-gain": "auto-white-balance",
}
"""The sliders, and the automatic function that must be off for them to count."""

SWITCHES: Final = ("noise-supression", "auto-exposure", "auto-white-balance")

KEYS: Final = frozenset({"main-camera", "pip-mode", "resolution", "fps", *SLIDERS, *SWITCHES})
"""What a view is made of."""


def view_of(model: Model, descriptions: dict[int, CameraDescription | None]) -> View:
    """
    The view as it is to be now.

    :param descriptions: the heads', by number; ``None`` if it was never there.
    """
    width, height = pixels(str(model["resolution"]))
    return View(
        main=int(model["main-camera"]),
        pip=str(model["pip-mode"]),
        width=width,
        height=height,
        rate=int(model["fps"]),
        software={
            number: software_of(model, description)
            for number, description in descriptions.items()
            if description is not None
        },
    )


def software_of(model: Model, description: CameraDescription) -> Software:
    """What the camera's hardware does not do."""
    done = description.controls
    values: dict[str, int | bool] = {}
    for key, automatic in SLIDERS.items():
        if key not in done and (automatic is None or model[automatic] is False):
            values[key.replace("-", "_")] = int(model[key])
    for key in SWITCHES:
        if key not in done:
            values[key.replace("-", "_")] = model[key] is not False
    return Software(**values)  # type: ignore[arg-type]
