"""What there is to be seen, as SDP says it (RFC 8866; RFC 6184, 8.2)."""

from __future__ import annotations

from rotoclear.media.rtsp.h264 import Parameters
from rotoclear.media.rtsp.rtp import CLOCK, PAYLOAD_TYPE

TRACK = "trackID=0"
"""The one medium's address, behind that of the stream."""


def describe(name: str, host: str, number: int, parameters: Parameters) -> str:
    """
    The description of one stream.

    :param host: our address, as the client reaches it.
    :param number: of this description.
    """
    family, anywhere = ("IP6", "::") if ":" in host else ("IP4", "0.0.0.0")  # noqa: S104
    lines = (
        "v=0",
        f"o=- {number} 1 IN {family} {host or '127.0.0.1'}",
        f"s=rotoclear {name}",
        f"c=IN {family} {anywhere}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={parameters.profile};"
        f"sprop-parameter-sets={parameters.sprop}",
        f"a=control:{TRACK}",
        "",
    )
    return "\r\n".join(lines)
