"""
A viewer's packets, over the connection itself or by UDP.

Nothing is sent before the first keyframe. For a viewer that does not keep up, so
much is kept and no more; then everything is dropped up to the next keyframe.
"""

from __future__ import annotations

import errno
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rotoclear.media.rtsp import rtcp, rtp

BACKLOG: Final = 2 * 2**20
"""Bytes that wait for one viewer."""

LAG: Final = 2 * rtp.CLOCK
"""Ticks that what waits may be old."""

STALL: Final = 30.0
"""Seconds for which a viewer may take nothing at all."""

BURST: Final = 24
"""Packets that are sent by UDP at once: a receiver's buffer is small."""

PAUSE: Final = 0.001
"""Seconds between two bursts."""


class Sender:
    """
    Numbers the packets of one viewer. A :class:`~rotoclear.media.rtsp.stream.Viewer`.

    :param wall: seconds since 1970.
    :ivar ssrc: names the source in its packets.
    """

    def __init__(self, reactor: IReactorTime, wall: Callable[[], float]) -> None:
        self._reactor = reactor
        self._wall = wall
        self.ssrc = secrets.randbits(32)
        # Random, as RFC 3550 5.1 wants them.
        self._sequence = secrets.randbits(16)
        self._offset = secrets.randbits(32)
        self._packets = 0
        self._octets = 0
        self._until_key = True

    @property
    def sequence(self) -> int:
        """The number of the packet that comes next."""
        return self._sequence

    def start(self) -> None:
        """Begin with the next keyframe."""
        self._until_key = True

    def unit(self, payloads: Sequence[bytes], ticks: int, key: bool) -> None:
        """One picture."""
        if self._until_key and not key:
            return
        first, self._until_key = self._until_key, False
        self._send(payloads, ticks)
        if first:
            self.report()

    def report(self) -> None:
        """Say what the time is by the packets' clock: a sender report."""
        if self._packets:
            now = round(self._reactor.seconds() * 10**9)
            ticks = rtp.ticks(now) + self._offset
            report = rtcp.report(self.ssrc, self._wall(), ticks, self._packets, self._octets)
            self._control(report)

    def bye(self) -> None:
        """Say that it is over."""
        if self._packets:
            self._control(rtcp.bye(self.ssrc))

    def stop(self) -> None:
        """Send nothing more."""

    def _headers(self, payloads: Sequence[bytes], ticks: int) -> list[bytes]:
        """The RTP headers of one picture's packets."""
        time, sequence = (ticks + self._offset) & 0xFFFFFFFF, self._sequence
        last = len(payloads) - 1
        pack, kind, ssrc = rtp.HEADER.pack, rtp.PAYLOAD_TYPE, self.ssrc
        headers = [
            pack(
                rtp.VERSION,
                kind | rtp.MARKER if number == last else kind,
                (sequence + number) & 0xFFFF,
                time,
                ssrc,
            )
            for number in range(len(payloads))
        ]
        self._sequence = (sequence + len(payloads)) & 0xFFFF
        self._packets += len(payloads)
        self._octets += sum(map(len, payloads))
        return headers

    def _send(self, payloads: Sequence[bytes], ticks: int) -> None:
        raise NotImplementedError

    def _control(self, packet: bytes) -> None:
        raise NotImplementedError


class Interleaved(Sender):
    """
    Over the connection (RFC 2326, 10.12), which says when it takes no more.

    :param write: writes to it.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        wall: Callable[[], float],
        write: Callable[[bytes], object],
        channels: tuple[int, int],
    ) -> None:
        super().__init__(reactor, wall)
        self._write = write
        self._channel, self._control_channel = channels
        self._waiting: deque[tuple[Sequence[bytes], int]] = deque()
        self._bytes = 0
        self._paused_since: float | None = None

    @property
    def stalled(self) -> bool:
        """It has taken nothing for too long."""
        since = self._paused_since
        return since is not None and self._reactor.seconds() - since > STALL

    def pause(self) -> None:
        """The connection takes no more."""
        if self._paused_since is None:
            self._paused_since = self._reactor.seconds()

    def resume(self) -> None:
        """It takes more."""
        self._paused_since = None
        while self._waiting and self._paused_since is None:
            payloads, ticks = self._waiting.popleft()
            self._bytes -= sum(map(len, payloads))
            self._put(payloads, ticks)

    def start(self) -> None:
        super().start()
        self._forget()

    def stop(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._waiting.clear()
        self._bytes = 0

    def _send(self, payloads: Sequence[bytes], ticks: int) -> None:
        if self._paused_since is None:
            self._put(payloads, ticks)
            return
        self._waiting.append((payloads, ticks))
        self._bytes += sum(map(len, payloads))
        if self._bytes > BACKLOG or ticks - self._waiting[0][1] > LAG:
            self._forget()
            self._until_key = True

    def _put(self, payloads: Sequence[bytes], ticks: int) -> None:
        parts: list[bytes] = []
        before = b"$" + bytes((self._channel,))
        for header, payload in zip(self._headers(payloads, ticks), payloads, strict=True):
            parts += (before, (len(header) + len(payload)).to_bytes(2), header, payload)
        self._write(b"".join(parts))

    def _control(self, packet: bytes) -> None:
        # Small and rare: they need not wait until the connection takes more.
        head = b"$" + bytes((self._control_channel,)) + len(packet).to_bytes(2)
        self._write(head + packet)


class Ports(Protocol):
    """Two UDP ports of ours, as :class:`rotoclear.media.rtsp.udp.Pair`."""

    numbers: tuple[int, int]
    data: Any
    control: Any

    def close(self) -> None:
        """Give them back."""


class Datagrams(Sender):
    """
    By UDP, in bursts.

    :param ports: ours; closed by :meth:`stop`.
    :param host: the client's address.
    :param theirs: its ports.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        wall: Callable[[], float],
        ports: Ports,
        host: str,
        theirs: tuple[int, int],
    ) -> None:
        super().__init__(reactor, wall)
        self.ports = ports
        self._data = (host, theirs[0])
        self._to_control = (host, theirs[1])
        self._waiting: deque[bytes] = deque()
        self._next: IDelayedCall | None = None

    def stop(self) -> None:
        self._waiting.clear()
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None
        self.ports.close()

    def start(self) -> None:
        super().start()
        self._waiting.clear()

    def _send(self, payloads: Sequence[bytes], ticks: int) -> None:
        if len(self._waiting) * rtp.MTU > BACKLOG:
            self._waiting.clear()
            self._until_key = True
            return
        headers = self._headers(payloads, ticks)
        self._waiting += map(b"".join, zip(headers, payloads, strict=True))
        if self._next is None:
            self._burst()

    def _burst(self) -> None:
        self._next = None
        for _ in range(min(BURST, len(self._waiting))):
            if not _sent(self.ports.data, self._waiting.popleft(), self._data):
                # The kernel has no room: what is lost now makes the rest useless.
                self._waiting.clear()
                self._until_key = True
        if self._waiting:
            self._next = self._reactor.callLater(PAUSE, self._burst)

    def _control(self, packet: bytes) -> None:
        _sent(self.ports.control, packet, self._to_control)


def _sent(port: Any, packet: bytes, address: tuple[str, int]) -> bool:
    """Whether the kernel has taken it; what does not arrive is not known here."""
    try:
        port.write(packet, address)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM)
    return True
