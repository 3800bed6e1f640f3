"""
An RTSP server that takes a film: GStreamer's, run by Debian's Python.

``target.py PORT NAME PASSWORD`` prints ``ready``, and then for each picture that it
has decoded its width, its height and the first bytes of its brightness.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( rtph264depay name=depay0 ! h264parse ! avdec_h264 max-threads=1 "
    "! fakesink name=sink sync=false signal-handoffs=true )"
)


def decoded(sink, buffer, pad):
    structure = pad.get_current_caps().get_structure(0)
    width, height = structure.get_value("width"), structure.get_value("height")
    print("picture", width, height, flush=True)


def configure(factory, media):
    media.get_element().get_by_name("sink").connect("handoff", decoded)


def main(port, name, password):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_launch(PIPELINE)
    factory.connect("media-configure", configure)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(2)  # Digest
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_digest(name, password, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/machine", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
