"""What a driver is handed, played."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from rotoclear.interfaces import DriverContext, IDriver, Setting, UdevDevice
from rotoclear.values import Value


class Played(logging.Handler):
    """
    A context whose devices the test says, and which remembers what the driver did with it.

    :param options: by their names, or these with underscores.
    :ivar said: the log's lines.
    """

    def __init__(
        self,
        driver: IDriver,
        options: Mapping[str, Setting] | None = None,
        data_dir: str = "/nowhere",
    ) -> None:
        super().__init__()
        self.said: list[str] = []
        self.changes = 0
        self.devices: Sequence[UdevDevice] = ()
        log = logging.Logger("driver")
        log.addHandler(self)
        settings = {option.name: option.default for option in driver.options}
        settings |= {name.replace("_", "-"): value for name, value in (options or {}).items()}
        self.context = DriverContext(
            log=log,
            options=settings,
            changed=self._changed,
            devices=lambda: self.devices,
            publish=self._publish,
            data_dir=data_dir,
        )
        driver.start(self.context)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())

    def _changed(self) -> None:
        self.changes += 1

    def _publish(self, name: str, value: Value) -> None:
        raise AssertionError(f"{name} is no key of this driver's")
