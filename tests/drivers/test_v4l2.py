"""The V4L2 driver, its cameras and their pictures, with a device that is played."""

import errno
import logging
import time
from fractions import Fraction
from pathlib import Path

import pytest
from zope.interface.verify import verifyObject

from rotoclear.drivers.v4l2 import V4l2Cameras
from rotoclear.interfaces import (
    DeviceFailure,
    DeviceGone,
    DriverContext,
    DriverUnusable,
    ICamera,
    ICameraDriver,
    UdevDevice,
)

from .v4l2_played import BAD, GONE, Hardware, Node, picture, slider


class Machine:
    """A driver, and the cameras that are plugged in."""

    def __init__(self, folder):
        self.folder = folder
        self.cameras = {}
        self.serials = {}
        self.opened = []
        self.driver = V4l2Cameras(load=lambda: None, node=self._open)
        self.prefer = {"prefer-format": "auto"}
        self.driver.start(
            DriverContext(
                log=logging.getLogger("v4l2"), options=self.prefer, changed=lambda: None,
                devices=self._devices, publish=lambda name, value: None, data_dir=str(folder),
            )
        )  # fmt: skip

    def plug(self, name, hardware, serial=""):
        (self.folder / name).touch()
        self.serials[str(self.folder / name)] = serial
        self.cameras[str(self.folder / name)] = hardware

    def unplug(self, name):
        (self.folder / name).unlink()
        self.cameras.pop(str(self.folder / name)).errors["*"] = GONE

    def _devices(self):
        return [
            UdevDevice(path=str(self._sysfs(node)), subsystem="video4linux", node=node)
            for node in self.cameras
        ]

    def _sysfs(self, node):
        """A USB camera's, if it has a serial number."""
        if not self.serials[node]:
            return f"/sys/nowhere{node}"
        usb = self.folder / f"usb-{Path(node).name}"
        (usb / "video4linux").mkdir(parents=True, exist_ok=True)
        (usb / "idVendor").write_text("1d6b")
        (usb / "idProduct").write_text("0102")
        (usb / "serial").write_text(self.serials[node])
        if not (usb / "video4linux/device").exists():
            (usb / "video4linux/device").symlink_to(usb)
        return usb / "video4linux"

    def _open(self, raw, path):
        self.opened.append(path)
        return Node(self.cameras[path])


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def hardware(machine):
    result = Hardware()
    machine.plug("video0", result)
    return result


@pytest.fixture
def camera(machine, hardware):
    hardware.add(slider(0x980900))
    (identity,) = machine.driver.find()
    return machine.driver.open(identity)


def test_it_is_what_the_server_expects(machine, camera):
    assert verifyObject(ICameraDriver, machine.driver)
    assert verifyObject(ICamera, camera)


def test_without_linuxpy_it_says_what_to_install():
    def load():
        raise ImportError("No module named 'linuxpy'")

    with pytest.raises(DriverUnusable, match=r"pip install 'rotoclear\[v4l2\]'"):
        V4l2Cameras(load=load).start(None)


def test_nodes_that_are_no_cameras_are_not_found(machine, hardware):
    machine.plug("video1", Hardware(flags=0x04800000))
    assert list(machine.driver.find()) == ["port:usb-1"]


def test_two_cameras_of_one_serial_number_stay_who_they_are(machine, tmp_path):
    """Also when one of them is alone, be it after a restart: it is not taken for the other."""
    machine.plug("video0", Hardware(bus="usb-1"), "0001")
    (first,) = machine.driver.find()
    assert first == "serial:1d6b:0102:0001"
    machine.plug("video2", Hardware(bus="usb-2"), "0001")
    (second,) = set(machine.driver.find()) - {first}
    assert second.startswith("port:")
    assert machine.driver.open(first).describe().serial == "0001"
    machine.unplug("video0")
    machine.unplug("video2")
    assert list(machine.driver.find()) == []
    machine.plug("video2", Hardware(bus="usb-2"), "0001")
    assert list(machine.driver.find()) == [second]
    later = Machine(tmp_path)
    later.plug("video2", Hardware(bus="usb-2"), "0001")
    assert list(later.driver.find()) == [second]


def test_shared_serial_numbers_that_cannot_be_written_down_are_told(tmp_path, caplog):
    machine = Machine(tmp_path / "gone")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "v4l2-shared-serials.new").mkdir()
    for number in (0, 2):
        machine.plug(f"video{number}", Hardware(bus=f"usb-{number}"), "0001")
    assert len(set(machine.driver.find())) == 2
    assert "v4l2-shared-serials cannot be written: Is a directory" in caplog.text


def test_a_camera_of_several_planes_is_refused_with_the_reason(machine, hardware, caplog):
    machine.plug("video1", Hardware(card="rkisp", flags=0x04001000))
    for _ in range(3):
        assert list(machine.driver.find()) == ["port:usb-1"]
    assert caplog.text.count("video1 (rkisp) is not used") == 1
    assert "V4L2_CAP_VIDEO_CAPTURE_MPLANE" in caplog.text


def test_a_node_is_opened_once_to_see_what_it_is(machine, hardware):
    machine.plug("video1", Hardware(flags=0x04800000))
    for _ in range(3):
        machine.driver.find()
    assert len(machine.opened) == 2
    assert hardware.open == 0


def test_another_camera_at_the_same_node_is_looked_at(machine, hardware):
    machine.driver.find()
    machine.unplug("video0")
    assert list(machine.driver.find()) == []
    machine.plug("video0", Hardware(bus="usb-9"))
    assert list(machine.driver.find()) == ["port:usb-9"]


def test_a_node_that_cannot_be_opened_is_told_of_once(machine, hardware, caplog):
    hardware.errors["open"] = errno.EACCES
    for _ in range(3):
        assert list(machine.driver.find()) == []
    assert len(caplog.records) == 1
    assert "group video" in caplog.text
    del hardware.errors["open"]
    assert list(machine.driver.find()) == ["port:usb-1"]


def test_a_camera_that_is_dead_though_its_node_is_there_is_not_found(machine, hardware, camera):
    hardware.errors["*"] = GONE
    with pytest.raises(DeviceGone):
        camera.probe()
    assert list(machine.driver.find()) == []


def test_what_was_not_found_cannot_be_opened(machine):
    with pytest.raises(DeviceGone):
        machine.driver.open("port:nowhere")


def test_a_camera_that_cannot_be_opened_leaves_nothing_open(machine, hardware):
    hardware.offers = {("H264", 640, 480): [Fraction(1, 30)]}
    (identity,) = machine.driver.find()
    with pytest.raises(DeviceFailure, match="no picture format"):
        machine.driver.open(identity)
    assert hardware.open == 0


def test_it_describes_itself(hardware, camera):
    described = camera.describe()
    assert described.model == "Played"
    assert described.sensors == ("Camera 1",)
    assert [(m.width, m.height, m.rates) for m in described.modes] == [(640, 480, (15, 30))]
    assert described.formats == ("yuyv",)
    assert described.controls == {"brightness"}


def test_an_input_is_a_sensor(machine, hardware):
    hardware.names = ["Webcam", ""]
    (identity,) = machine.driver.find()
    camera = machine.driver.open(identity)
    assert camera.describe().sensors == ("Webcam", "Sensor 2")
    assert hardware.chosen == 0
    camera.select(2, 640, 480, 30)
    assert hardware.chosen == 1


def test_a_setting_is_scaled_to_the_range_that_the_chosen_sensor_has(machine, hardware):
    """It was another one's when the camera was opened: whoever used it last may have left it so."""
    hardware.names = ["Webcam", "HDMI"]
    hardware.at_input = {
        0: [slider(0x980900, maximum=255, default=128)],
        1: [slider(0x980900, minimum=384, maximum=639, default=512)],
    }
    Node(hardware).choose_input(1)
    (identity,) = machine.driver.find()
    camera = machine.driver.open(identity)
    camera.select(1, 640, 480, 30)
    camera.set("brightness", 50)
    assert hardware.values[0x980900] == 128


def test_a_preferred_format_is_taken(machine, hardware):
    hardware.offers["MJPG", 640, 480] = [Fraction(1, 30)]
    machine.prefer["prefer-format"] = "mjpeg"
    (identity,) = machine.driver.find()
    assert set(machine.driver.open(identity).describe().formats) == {"mjpeg", "yuyv"}


@pytest.mark.parametrize(
    "mode", [(1, 2, 2, 30), (1, 640, 480, 31), (2, 640, 480, 30), (0, 640, 480, 30)]
)
def test_a_mode_that_there_is_not_is_refused(camera, mode):
    with pytest.raises(DeviceFailure, match="cannot do"):
        camera.select(*mode)


def test_a_camera_that_delivers_something_else_is_found_out(hardware, camera):
    hardware.ignores_format = True
    with pytest.raises(DeviceFailure, match="320x240 instead"):
        camera.select(1, 640, 480, 30)


def test_a_camera_that_another_program_uses_says_so(hardware, camera):
    hardware.errors["format"] = errno.EBUSY
    with pytest.raises(DeviceFailure, match="another program"):
        camera.select(1, 640, 480, 30)


def test_pictures_come_with_their_time_and_number(hardware, camera):
    camera.select(1, 640, 480, 15)
    camera.start()
    hardware.full.append(picture(3, time=77))
    frame = camera.read(0)
    assert (frame.format, frame.width, frame.height, frame.stride) == ("yuyv", 640, 480, 1280)
    assert (frame.timestamp, frame.sequence) == (77, 3)
    assert bytes(frame.data[:2]) == b"\x05\x05"
    assert hardware.now == Fraction(1, 15)


def test_the_newest_picture_is_returned_and_the_others_are_given_back(hardware, camera):
    camera.start()
    hardware.full += [picture(0), picture(1), picture(2)]
    assert camera.read(0).sequence == 2
    assert len(hardware.queued) == 3
    assert camera.read(0) is None
    assert len(hardware.queued) == 4


@pytest.mark.parametrize("bad", [picture(1, flags=BAD), picture(1, used=0), picture(1, used=9)])
def test_a_bad_picture_is_a_gap(hardware, camera, bad):
    camera.start()
    hardware.full += [picture(0), bad]
    assert camera.read(0).sequence == 0
    hardware.full += [bad]
    assert camera.read(0) is None
    hardware.full += [picture(2)]
    assert camera.read(0).sequence == 2


def test_a_camera_with_another_clock_gets_ours(hardware, camera):
    camera.start()
    hardware.full.append(picture(0, flags=0, time=1))
    assert camera.read(0).timestamp > 1


def test_a_picture_is_never_of_the_future(hardware, camera):
    camera.start()
    hardware.full.append(picture(0, time=2**62))
    assert camera.read(0).timestamp <= time.monotonic_ns()


def test_a_failed_start_leaves_nothing_behind_and_can_be_tried_again(hardware, camera):
    hardware.errors["on"] = errno.EIO
    with pytest.raises(DeviceFailure):
        camera.start()
    assert hardware.log[-1] == "request 0"
    assert all(memory.closed for memory in hardware.maps)
    del hardware.errors["on"]
    camera.start()
    hardware.full.append(picture(0))
    assert camera.read(0) is not None


def test_a_node_that_keeps_its_buffers_is_opened_anew(hardware, camera):
    camera.start()
    hardware.errors["request"] = errno.EBUSY
    camera.stop()
    assert hardware.log[-1] == "reopen"


def test_a_stop_takes_the_memory_back(hardware, camera):
    camera.start()
    hardware.full.append(picture(0))
    camera.read(0)
    camera.stop()
    assert all(memory.closed for memory in hardware.maps)


def test_a_stop_does_not_mind_who_still_looks(hardware, camera):
    camera.start()
    hardware.full.append(picture(0))
    held = camera.read(0).data[1:]
    camera.stop()
    assert held[0] == 5


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EIO, errno.EINVAL])
def test_an_unplug_in_a_read_is_noticed(hardware, camera, number):
    camera.start()
    hardware.errors |= {"dequeue": number, "capability": GONE}
    with pytest.raises(DeviceGone):
        camera.read(0)
    hardware.errors["*"] = GONE
    camera.stop()
    camera.close()
    assert hardware.open == 0


def test_a_camera_that_stops_by_itself_is_a_failure(hardware, camera):
    camera.start()
    hardware.errors["dequeue"] = errno.EIO
    with pytest.raises(DeviceFailure) as caught:
        camera.read(0)
    assert not isinstance(caught.value, DeviceGone)
