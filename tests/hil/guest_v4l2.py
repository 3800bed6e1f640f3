"""
Put the V4L2 driver to vivid and to a USB camera, inside the virtual machine.

    python tests/hil/guest_v4l2.py [COMMAND THAT PLUGS IN A USB CAMERA ...]

As root, where modprobe knows vivid. The command attaches a camera, and its end by
SIGTERM is an unplug; without it that part is left out. Prints "all is well" at the end.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from rotoclear.drivers.v4l2 import V4l2Cameras
from rotoclear.interfaces import DeviceFailure, DeviceGone, DriverContext, UdevDevice

CLASS = Path("/sys/class/video4linux")


def devices():
    """As without a udev daemon: nobody knows properties."""
    found = sorted(CLASS.iterdir()) if CLASS.exists() else []
    return [
        UdevDevice(path=str(entry.resolve()), subsystem="video4linux", node=f"/dev/{entry.name}")
        for entry in found
    ]


def run(command):
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout  # noqa: S602


def until(what, condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def refused(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        print("  refused:", error)
        return
    raise AssertionError(f"{call} was not refused")


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def pictures(camera, count):
    """Read that many."""
    last = -1
    frame = None
    for _ in range(count):
        end = time.monotonic() + 20
        while (frame := camera.read(1.0)) is None:
            assert time.monotonic() < end, "no picture"
        assert frame.sequence > last, (frame.sequence, last)
        last = frame.sequence
        age = time.monotonic_ns() - frame.timestamp
        assert -1e9 < age < 20e9, age  # vivid says when a frame ought to end
        assert len(frame.data) > 0
    return frame


def exercise(driver, identity):
    """Everything that an open camera can do."""
    camera = driver.open(identity)
    described = camera.describe()
    print(described)
    values = {"auto-exposure": (True, False, *described.exposure_modes)}
    values["auto-white-balance"] = (True, *described.white_balance_modes, False)
    for control in sorted(described.controls):
        for value in values.get(control, (0, 25, 50, 75, 100, 50)):
            camera.set(control, value)
        refused(DeviceFailure, camera.set, control, "nonsense")
    mode = min(described.modes, key=lambda mode: mode.width * mode.height)
    refused(DeviceFailure, camera.select, 1, 2, 2, 1)
    camera.select(1, mode.width, mode.height, mode.rates[-1])
    before = descriptors()
    for _ in range(2):
        camera.start()
        frame = pictures(camera, 10)
        assert (frame.width, frame.height) == (mode.width, mode.height)
        assert frame.format in described.formats
        camera.probe()
        camera.set("brightness", 60)
        assert driver.find(), "looking for cameras disturbed one"
        pictures(camera, 2)
        camera.stop()
        assert descriptors() == before, (descriptors(), before)
    return camera


def unplugged(camera, unplug):
    """Pull it while a read is under way."""
    camera.start()
    pictures(camera, 2)
    threading.Timer(0.3, unplug).start()
    end = time.monotonic() + 30
    try:
        while time.monotonic() < end:
            camera.read(1.0)
    except DeviceGone as error:
        print("  gone:", error)
    else:
        raise AssertionError("an unplug went unnoticed")
    refused(DeviceGone, camera.probe)
    refused(DeviceGone, camera.set, "brightness", 50)
    camera.stop()
    camera.close()


def main(usb):
    logging.basicConfig(level=logging.INFO)
    driver = V4l2Cameras()
    options = {"prefer-format": "auto"}
    driver.start(
        DriverContext(
            log=logging.getLogger("v4l2"), options=options, changed=lambda: None,
            devices=devices, publish=lambda name, value: None, data_dir="/tmp",
        )
    )  # fmt: skip
    assert list(driver.find()) == []
    start = descriptors()

    print("vivid")
    run("modprobe vivid n_devs=2 node_types=0x1,0x1; udevadm settle || true")
    found = list(driver.find())
    print(found)
    assert len(found) == 2, found
    began = time.monotonic()
    for _ in range(10):
        driver.find()
    print("  find: %.1f ms" % ((time.monotonic() - began) * 100))
    first, second = (driver.open(identity) for identity in found)
    assert first.describe().identity != second.describe().identity
    first.close()
    second.close()
    camera = exercise(driver, found[0])
    node = driver._places[found[0]].node  # the one thing that the interface does not tell
    run(f"v4l2-ctl -d {node} -c inject_vidioc_streamon_error=1")
    refused(DeviceFailure, camera.start)
    camera.start()
    pictures(camera, 3)
    run(f"v4l2-ctl -d {node} -c inject_v4l2_buf_flag_error=1")
    pictures(camera, 3)
    run(f"v4l2-ctl -d {node} -c inject_fatal_streaming_error=1")
    refused(DeviceFailure, pictures, camera, 100)
    camera.stop()
    camera.start()
    pictures(camera, 3)
    camera.stop()

    print("disconnect")
    run(f"v4l2-ctl -d {node} -c disconnect=1")
    refused(DeviceGone, camera.probe)
    assert list(driver.find()) == [found[1]], driver.find()
    refused(DeviceFailure, camera.start)
    camera.close()

    print("unbind")
    camera = driver.open(found[1])
    unplugged(camera, lambda: Path("/sys/bus/platform/drivers/vivid/unbind").write_text("vivid.0"))
    until("it is still found", lambda: not driver.find())
    until("a descriptor was left open", lambda: descriptors() == start)

    if usb:
        print("USB")
        run("modprobe -a vhci_hcd uvcvideo")
        with subprocess.Popen(usb) as plugged:
            until("no USB camera", driver.find, 120)
            found = list(driver.find())
            print(found)
            assert len(found) == 1, found
            assert found[0].startswith("serial:1d6b:0102:"), found
            exercise(driver, found[0]).close()
            options["prefer-format"] = "mjpeg"
            camera = exercise(driver, found[0])
            assert camera.describe().formats == ("mjpeg",)
            camera.start()
            assert bytes(pictures(camera, 1).data[:2]) == b"\xff\xd8"
            camera.stop()
            unplugged(camera, lambda: plugged.send_signal(signal.SIGTERM))
        until("it is still found", lambda: not driver.find())
        until("a descriptor was left open", lambda: descriptors() == start)
    print("all is well")


if __name__ == "__main__":
    main(sys.argv[1:])
