"""What V4L2 cameras are called."""

import pytest

from rotoclear.drivers.v4l2_identity import (
    Place,
    firsts,
    has_planes_apart,
    identities,
    is_camera,
    place_of,
    shared,
)
from rotoclear.drivers.v4l2_node import Capability
from rotoclear.interfaces import UdevDevice

from .v4l2_played import CAMERA


def place(number, serial="", **more):
    given = {"port": f"usb-{number}", "parent": f"/p{number}", "bus": f"b{number}", "index": 0}
    return Place(
        node=f"/dev/video{number}", model="M", product="1:2", serial=serial, **(given | more)
    )


def names(*places, known=None, twins=()):
    twins = shared(places) | set(twins)
    return {place.node: name for name, place in identities(places, known or {}, twins).items()}


@pytest.mark.parametrize(
    ("flags", "camera"),
    [
        (CAMERA, True),
        (CAMERA | 0x20000000, True),
        (0x04800000, False),  # metadata
        (0x04000002, False),  # output
        (CAMERA | 0x2, False),  # a loopback that is not fed
        (0x04008000, False),  # memory to memory
        (CAMERA | 0x10000000, False),  # touch
        (0x1, False),  # no streaming
    ],
)
def test_only_what_delivers_pictures_is_a_camera(flags, camera):
    assert is_camera(Capability("d", "c", "b", flags)) is camera


def test_a_serial_number_names_a_camera():
    assert names(place(0, "S1")) == {"/dev/video0": "serial:1:2:S1"}


def test_a_camera_without_one_is_named_by_its_port():
    assert names(place(0)) == {"/dev/video0": "port:usb-0"}


def test_two_cameras_with_the_same_serial_number_both_have_a_name():
    assert names(place(0, "S"), place(1, "S")) == {
        "/dev/video0": "port:usb-0",
        "/dev/video1": "port:usb-1",
    }


def test_a_camera_keeps_its_name_when_its_twin_comes():
    assert names(place(0, "S"), place(1, "S"), known={"/dev/video0": "serial:1:2:S"}) == {
        "/dev/video0": "serial:1:2:S",
        "/dev/video1": "port:usb-1",
    }


def test_a_camera_that_had_a_twin_is_named_by_its_port():
    assert names(place(1, "S"), twins={"serial:1:2:S"}) == {"/dev/video1": "port:usb-1"}


@pytest.mark.parametrize(
    ("flags", "apart"),
    [
        (0x04001000, True),
        (CAMERA, False),
        (CAMERA | 0x1000, False),  # it can be asked either way
        (0x04004000, False),  # memory to memory
        (0x04800000, False),  # metadata
    ],
)
def test_who_delivers_pictures_by_planes_is_known(flags, apart):
    assert has_planes_apart(Capability("d", "c", "b", flags)) is apart


def test_cameras_that_share_a_port_have_two_names():
    assert len(identities([place(0, port="p"), place(1, port="p")], {})) == 2


def test_names_are_short_and_printable():
    (name,) = identities([place(0, "\N{SNOWMAN} x" + "9" * 200)], {})
    assert len(name) == 128
    assert name.startswith("serial:")
    assert name.isascii()
    assert name.isprintable()


def test_of_the_nodes_of_a_camera_the_first_counts():
    shared = {"parent": "/p", "bus": "b"}
    places = [place(3, index=2, **shared), place(1, index=0, **shared), place(5)]
    assert [each.node for each in firsts(places)] == ["/dev/video1", "/dev/video5"]


@pytest.fixture
def usb(tmp_path):
    interface = tmp_path / "usb1" / "1-2" / "1-2:1.0"
    video = interface / "video4linux" / "video7"
    video.mkdir(parents=True)
    (video / "device").symlink_to(interface)
    (video / "index").write_text("1\n")
    for name, text in (("serial", "CAM-A"), ("idVendor", "1d6b"), ("idProduct", "0102")):
        (interface.parent / name).write_text(text + "\n")
    return video


SEEN = Capability("uvcvideo", "Roto UVC Cam", "usb-0000:00:14.0-2", CAMERA)


def test_without_a_udev_daemon_sysfs_tells(usb):
    found = place_of(UdevDevice(path=str(usb), subsystem="video4linux"), "/dev/video7", SEEN)
    assert (found.serial, found.product, found.index) == ("CAM-A", "1d6b:0102", 1)
    assert found.port.endswith("usb1/1-2/1-2:1.0")


def test_udev_tells_more(usb):
    properties = {
        "ID_SERIAL_SHORT": "S", "ID_VENDOR_ID": "a", "ID_MODEL_ID": "b", "ID_PATH": "pci-usb-0:2",
    }  # fmt: skip
    device = UdevDevice(path=str(usb), subsystem="video4linux", properties=properties)
    found = place_of(device, "/dev/video7", SEEN)
    assert (found.serial, found.product, found.port) == ("S", "a:b", "pci-usb-0:2")


def test_a_camera_on_no_bus_is_where_its_driver_says(tmp_path):
    device = UdevDevice(
        path=str(tmp_path), subsystem="video4linux", properties={"ID_PATH": "platform-vivid.0"}
    )
    seen = Capability("vivid", "vivid", "platform:vivid-000", CAMERA)
    assert place_of(device, "/dev/video0", seen).port == "platform:vivid-000"
