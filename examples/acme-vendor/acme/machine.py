"""
An Acme machine that is not there: ``python -m acme.machine PORT``.

It answers one line of text with another, ``OK ...`` or ``ERR why``, and hangs up:

``LIST``                       what is plugged in: ``OK camera lamp disk``
``STATUS thing``               whether that answers
``SET control number``         0 to 255, of the camera
``SIZE width height rate``     what the camera delivers
``LAMP on``                    1 or 0
``PURGE on``                   1 or 0: air before the camera's window
``TEMPERATURE``                of the camera head, in degrees Celsius: ``OK 41``
``PICTURES``                   does not hang up: lines ``sequence width height``,
                               each followed by a byte for each pixel
"""

from __future__ import annotations

import socketserver
import sys
import threading
import time

SIZES = {(320, 240): (10, 25), (640, 480): (10, 25)}
CONTROLS = ("brightness", "gain")


class Machine(socketserver.ThreadingTCPServer):
    """It runs in a thread of its own until ``close``."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Conversation)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.plugged = {"camera", "lamp", "disk"}
        self.size = (320, 240, 25)
        self.holds: dict[str, object] = {}
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def unplug(self, thing: str) -> None:
        self.plugged.discard(thing)

    def plug(self, thing: str) -> None:
        self.plugged.add(thing)

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def answer(self, words: list[str]) -> str:
        """What it says to a line."""
        match words:
            case ["LIST"]:
                return " ".join(["OK", *sorted(self.plugged)])
            case ["STATUS", thing]:
                return self._told(thing)
            case ["SET", control, value] if control in CONTROLS and 0 <= int(value) <= 255:
                return self._told("camera", control, int(value))
            case ["SIZE", width, height, rate]:
                size = (int(width), int(height))
                if int(rate) not in SIZES.get(size, ()):
                    return "ERR no such size"
                self.size = (*size, int(rate))
                return self._told("camera")
            case ["LAMP", on]:
                return self._told("lamp", "lamp", on == "1")
            case ["PURGE", on]:
                return self._told("camera", "purge", on == "1")
            case ["TEMPERATURE"]:
                return "OK 41" if "camera" in self.plugged else "ERR gone"
        return "ERR not understood"

    def _told(self, thing: str, name: str = "", value: object = None) -> str:
        if thing not in self.plugged:
            return "ERR gone"
        if name:
            self.holds[name] = value
        return "OK"


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: Machine
    disable_nagle_algorithm = True

    def handle(self) -> None:
        words = self.rfile.readline(200).decode("ascii", "replace").split()
        try:
            if words == ["PICTURES"]:
                self.pictures()
            else:
                self.wfile.write(self.server.answer(words).encode() + b"\n")
        except (ValueError, OSError):
            pass  # nonsense, or nobody listens any more

    def pictures(self) -> None:
        width, height, rate = self.server.size
        row = bytes(x % 256 for x in range(width + 256))
        begun = time.monotonic()
        sequence = 0
        while "camera" in self.server.plugged:
            shift = sequence % 256
            picture = row[shift : shift + width] * height
            self.wfile.write(f"{sequence} {width} {height}\n".encode() + picture)
            sequence += 1
            time.sleep(max(0.0, begun + sequence / rate - time.monotonic()))


if __name__ == "__main__":
    Machine(int(sys.argv[1]))
    threading.Event().wait()
