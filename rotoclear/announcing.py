"""What the configuration and the open ports come to in the local network: who announces them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from rotoclear import __version__
from rotoclear.config import Configuration
from rotoclear.discovery.announcer import Announcer
from rotoclear.discovery.records import Port
from rotoclear.listening.endpoints import Listener


def announcer_for(
    reactor: Any,
    configuration: Configuration,
    web: Sequence[Listener],
    rtsp: Sequence[Listener],
) -> Announcer | None:
    """
    Who announces the server, if ``[discovery]`` wants it; before the listeners are adopted.

    :param web: the listeners of the server.
    :param rtsp: those of RTSP.
    """
    wishes = configuration.discovery
    if not wishes.enabled:
        return None
    return Announcer(reactor, wishes, _ports(web), _ports(rtsp), __version__)


def _ports(listeners: Sequence[Listener]) -> list[Port]:
    """Those that clients reach themselves: what is behind a proxy is the proxy's to announce."""
    ports = []
    for listener in listeners:
        if listener.description.proxied or listener.socket.family == socket.AF_UNIX:
            continue
        interface, number = listener.socket.getsockname()[:2]
        ports.append(Port(number, interface, listener.certificate is not None))
    return ports
