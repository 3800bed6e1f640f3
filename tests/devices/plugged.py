"""
Follows the kernel's devices as the server does, and says in JSON what it knows.

``python -m tests.devices.plugged BUFFER SUBSYSTEM...``. Lines of stdin are
commands: ``{"events": [...]}`` has :mod:`tests.devices.uevents` send them in this
network; ``{"at-once": [...]}`` sends them while nobody reads; ``{"vitals": true}``
asks for the longest time that the reactor was busy, since it was last asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet import stdio
from twisted.protocols.basic import LineReceiver

from rotoclear.devices.udev import Plugged
from rotoclear.devices.udevlib import Udev
from rotoclear.interfaces import Match, UdevDevice
from tests.devices.uevents import Daemon

reactor: Any = the_reactor


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Commands(LineReceiver):
    delimiter = b"\n"
    MAX_LENGTH = 10_000_000

    def __init__(self, plugged: Plugged) -> None:
        self._plugged = plugged
        self._daemon = subprocess.Popen(
            [sys.executable, "-m", "tests.devices.uevents"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        self._longest = 0.0
        self._turn()

    def _turn(self) -> None:
        """Comes every millisecond when nothing else is to be done."""
        now = time.perf_counter()
        self._longest = max(self._longest, now - getattr(self, "_last", now) - 0.001)
        self._last = now
        self._timer = reactor.callLater(0.001, self._turn)

    def lineReceived(self, line: bytes) -> None:
        command = json.loads(line)
        if "events" in command:
            assert self._daemon.stdin is not None
            self._daemon.stdin.write(json.dumps(command["events"]).encode() + b"\n")
            self._daemon.stdin.flush()
        elif "at-once" in command:
            daemon = Daemon()
            for event in command["at-once"]:
                daemon.send(*event)
        else:
            say(
                longest=self._longest,
                looks=self._plugged.looks,
                descriptors=len(os.listdir("/proc/self/fd")),
                reason=self._plugged.reason,
            )
            self._longest = 0.0

    def connectionLost(self, reason: object = None) -> None:
        self._timer.cancel()
        assert self._daemon.stdin is not None
        self._daemon.stdin.close()
        self._daemon.wait()
        self._plugged.stop().addCallback(lambda _: reactor.stop())


def main(buffer: str, *subsystems: str) -> None:
    plugged = Plugged(reactor, Udev(buffer=int(buffer)))

    def changed(devices: tuple[UdevDevice, ...]) -> None:
        say(
            present={device.path: dict(device.properties) for device in devices},
            at=time.monotonic(),
            looks=plugged.looks,
            reason=plugged.reason,
        )

    stdio.StandardIO(Commands(plugged))
    plugged.watch([Match(subsystem=name) for name in subsystems], changed)
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
