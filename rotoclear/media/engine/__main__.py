"""
The engine's process: ``python -m rotoclear.media.engine PARENT``.

Descriptor 3 is the control socket, 4 the packet socket
(:mod:`rotoclear.media.engine.wire`). It ends with the server, however that ends.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from typing import NoReturn

from rotoclear.media.engine import wire
from rotoclear.media.engine.engine import Engine
from rotoclear.media.engine.packets import Packets
from rotoclear.processes.allocator import keep_large_blocks
from rotoclear.processes.framing import Unpacker
from rotoclear.processes.parent import die_with_parent

CONTROL = 3
PACKETS = 4


def messages(
    connection: socket.socket,
) -> Iterator[tuple[wire.ToEngine, socket.socket | None]]:
    """What the server says, each with the socket that came with it, until it hangs up."""
    unpacker: Unpacker[wire.ToEngine] = Unpacker(
        wire.ToEngine,  # type: ignore[arg-type]
        wire.MAX_MESSAGE,
    )
    sockets: list[socket.socket] = []
    while True:
        data, descriptors, _, _ = socket.recv_fds(connection, 65_536, 16)
        sockets += [socket.socket(fileno=descriptor) for descriptor in descriptors]
        if not data:
            return
        for message in unpacker.feed(data):
            mine = sockets.pop(0) if isinstance(message, wire.Source) and sockets else None
            yield message, mine


def _failed(arguments: threading.ExceptHookArgs) -> NoReturn:
    """A thread has failed: an engine that only seems to work is worse than none."""
    name = arguments.thread.name if arguments.thread else "?"
    sys.stderr.write(f"the thread {name!r} has failed:\n")
    traceback.print_exception(arguments.exc_value)
    sys.stderr.flush()
    os._exit(1)


def main(arguments: Sequence[str]) -> NoReturn:
    """Be the engine. Argument: the server's process id."""
    (parent,) = arguments
    die_with_parent(int(parent))
    os.setsid()
    faulthandler.enable()
    keep_large_blocks()
    control, packet_socket = (socket.socket(fileno=number) for number in (CONTROL, PACKETS))
    for connection in (control, packet_socket):
        connection.set_inheritable(False)
        connection.setblocking(True)
    threading.excepthook = _failed
    engine = Engine(control, Packets(packet_socket))
    engine.start()
    for message, frames in messages(control):
        if isinstance(message, wire.Quit):
            break
        engine.do(message, frames)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
