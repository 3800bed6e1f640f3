"""
The process that pushes the film to an RTSP server: ``python -m rotoclear.media.engine.publisher``.

Descriptor 3 leads to the server of ours. It ends when that does, or when the other
server cannot be reached; the server of ours then starts another.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, NoReturn

import av

from rotoclear.media.engine import pushing
from rotoclear.media.rtsp.h264 import Parameters, parameters_in, split
from rotoclear.processes.framing import Unpacker, pack
from rotoclear.processes.parent import die_with_parent

DESCRIPTOR: Final = 3

CLOCK_RATE: Final = 90_000

SYSTEM: Final = "/etc/ssl/certs/ca-certificates.crt"
"""The authorities that Debian trusts, if Python's OpenSSL knows no other file."""

_TICK: Final = Fraction(1, CLOCK_RATE)


class Push:
    """
    One connection to the other server.

    :param first: a keyframe with its parameter sets, which the server is told of.
    :raises OSError: it is not to be had.
    """

    def __init__(self, begin: pushing.Begin, first: pushing.Packet) -> None:
        # Over TCP: what goes through a firewall, and loses nothing.
        options = {"rtsp_transport": "tcp"}
        if _encrypted(begin.url):
            authorities = begin.authorities or ssl.get_default_verify_paths().cafile
            options |= {"tls_verify": "1", "ca_file": authorities or SYSTEM}
        self._container = av.open(begin.url, "w", format="rtsp", options=options)
        with av.open(io.BytesIO(first.data), format="h264") as read:
            template = read.streams.video[0]
            self._stream: Any = self._container.add_stream_from_template(template, opaque=True)
        self._stream.time_base = _TICK
        self._container.start_encoding()
        self._parameters = _parameters(first)
        self._origin = first.time
        self._last = -1

    def fits(self, packet: pushing.Packet) -> bool:
        """The server has been told of such pictures: of this size, say."""
        return not packet.key or _parameters(packet) == self._parameters

    def close(self) -> None:
        """
        Tell the server that it is over.

        :raises OSError: the connection is lost.
        """
        self._container.close()

    def push(self, packet: pushing.Packet) -> None:
        """
        Send a picture; waits until the connection takes it.

        :raises OSError: the connection is lost.
        """
        ticks = (packet.time - self._origin) * CLOCK_RATE // 10**9
        self._last = max(ticks, self._last + 1)
        muxed = av.Packet(packet.data)
        muxed.time_base = _TICK
        muxed.pts = muxed.dts = self._last
        muxed.is_keyframe = packet.key
        muxed.stream = self._stream
        self._container.mux(muxed)


def _encrypted(url: str) -> bool:
    return url.lower().startswith("rtsps:")


def _parameters(packet: pushing.Packet) -> Parameters | None:
    return parameters_in(split(packet.data))


def run(connection: socket.socket) -> None:
    """Push what comes, until there is no more."""
    _send(connection, pushing.Ready())
    messages = _messages(connection)
    begin = next(messages, None)
    push: Push | None = None
    for frames, message in enumerate(messages, 1):
        if not (isinstance(begin, pushing.Begin) and isinstance(message, pushing.Packet)):
            return
        try:
            if push is not None and not push.fits(message):
                push.close()
                push = None
            push = push or Push(begin, message)
            push.push(message)
        except (OSError, av.FFmpegError) as error:
            # Its text would have the address in it, and a password in that.
            reason = error.strerror or type(error).__name__
            if push is None and error.errno == errno.EIO and _encrypted(begin.url):
                reason += " (is its certificate trusted, and for this name?)"
            _send(connection, pushing.Failed(reason))
            return
        _send(connection, pushing.Pushed(frames))


def _messages(connection: socket.socket) -> Iterator[pushing.ToPublisher]:
    unpacker: Unpacker[pushing.ToPublisher] = Unpacker(
        pushing.ToPublisher,  # type: ignore[arg-type]
        pushing.MAX_MESSAGE,
    )
    while data := connection.recv(1 << 20):
        yield from unpacker.feed(data)


def _send(connection: socket.socket, message: pushing.FromPublisher) -> None:
    connection.sendall(pack(message, pushing.MAX_MESSAGE))


def main() -> NoReturn:
    """Be a publisher of the process whose id is the argument."""
    os.setsid()
    die_with_parent(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=DESCRIPTOR)
    connection.set_inheritable(False)
    try:
        run(connection)
    except OSError:
        pass  # the server has gone
    os._exit(0)  # closing properly may wait for the other side


if __name__ == "__main__":
    main()
