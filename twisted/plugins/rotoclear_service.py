"""``twistd rotoclear``. Nothing of ours is imported before it is asked for."""

from twisted.application.service import ServiceMaker

rotoclear = ServiceMaker(
    "rotoclear",
    "rotoclear.tap",
    "The control server for machine-tool cameras.",
    "rotoclear",
)
