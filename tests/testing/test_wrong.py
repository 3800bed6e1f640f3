"""Drivers that are wrong fail the test that is for it, and are told why."""

from __future__ import annotations

import os
import threading
import unittest
from typing import Any

import pytest

from rotoclear.testing import CameraDriverTests, LightDriverTests, StorageDriverTests
from rotoclear.testing.cases import DriverTests
from tests.testing import wrong

KITS: dict[str, type[DriverTests]] = {
    "camera": CameraDriverTests,
    "light": LightDriverTests,
    "storage": StorageDriverTests,
}


def kit_for(cls: type[Any], attribute: str = "") -> type[Any]:
    """A vendor's class of tests."""
    if issubclass(cls, wrong.GoodCamera):
        kit = CameraDriverTests
    else:
        kit = LightDriverTests if issubclass(cls, wrong.GoodLamp) else StorageDriverTests
    members = {
        "make_driver": lambda self: cls(),
        "module": wrong.__name__ if attribute else "",
        "attribute": attribute,
        "seconds": 0.1,
        "patience": 1.0,
        "away": 1.0,
    }
    return type(cls.__name__, (kit, unittest.TestCase), members)


WRONG = [
    ("Capitals", "declaration", ["'Acme Lamp'", "IDriver.name", "small letters"]),
    ("FindsText", "find", ["find() returned 'one'", "list or tuple", "IDriver.find"]),
    ("FindsGenerator", "find", ["generator", "list or tuple", "list(...)"]),
    ("FindsNumbers", "find", ["find() named 1", "is a str", "IDriver.find"]),
    ("NewIdentities", "find", ["then lamp", "stays the same", "counter"]),
    ("NewDescriptions", "life", ["name 'Lamp 1', then 'Lamp 2'", "ILight.describe"]),
    ("BadDescription", "life", ["mode 63x48", "even number", "CameraDescription"]),
    ("WrongDefault", "declaration", ["vendor-good-level", "default", "'low'", "IDriver.keys"]),
    ("NoSetKey", "declaration", ["vendor-good-level is writable", "IKeys", "set_key()"]),
    ("RefusesKeys", "keys", ["set_key('vendor-good-level', 10) was refused", "too much"]),
    ("PublishesNonsense", "keys", ["vendor-good-level", "11", "DriverContext.publish"]),
    ("SlowFind", "find", ["find() takes 0.6", "milliseconds"]),
    ("OpensAnything", "unknown_identity", ["succeeded, though find() has never", "DeviceGone"]),
    ("RaisesKeyError", "unknown_identity", ["raised KeyError", "wrong.py", "DeviceFailure"]),
    ("Refuses", "controls", ["set('brightness', 100)", "was refused", "Too bright"]),
    ("TakesAnything", "unknown_controls", ["raised nothing", "no such thing", "ICamera.set"]),
    ("TakesAnyMode", "unknown_controls", ["no-mode", "raised nothing", "mode names"]),
    ("TakesAnySize", "unknown_selection", ["select(0, 64, 48, 10)", "raised nothing"]),
    ("SlowProbe", "probe", ["probe() of one takes 1.0", "0.4 seconds"]),
    ("NeverSwitches", "switch", ["switch(True) did not return within 2 s"]),
    ("Exits", "controls", ["raised SystemExit: 1", "wrong.py"]),
    ("IgnoresTimeout", "read_timeout", ["read(0) took 0.", "time-out", "poll()"]),
    ("NeverReturns", "read_timeout", ["read(1) did not return", "time-out"]),
    ("NoPictures", "pictures", ["no picture within 1 s", "start()"]),
    ("ShortFrames", "pictures", ["3071 bytes", "64x48", "that takes 3072"]),
    ("OldSize", "pictures", ["is 64x48, and 128x96 was chosen", "ICamera.select"]),
    ("OtherFormat", "pictures", ["is in rgb24", "names grey", "Frame.format"]),
    ("WallClock", "pictures", ["the wall clock's", "CLOCK_MONOTONIC"]),
    ("Backwards", "pictures", ["sequence number 999, after one with 1000", "must rise"]),
    ("NoFrames", "pictures", ["b'picture'", "no Frame"]),
    ("LocksRead", "set_during_read", ["waited for read() each time", "hold no lock"]),
    ("StartsOnce", "start_and_stop", ["start() of one was refused", "busy", "stop()"]),
    ("LeaksDescriptors", "leaks", ["20 descriptors more after 20 times", "close()"]),
    ("LeaksThreads", "leaks", ["20 threads more after 20 times", "join"]),
    ("LeaksMemory", "leaks", ["memory it takes grows by", "goes on growing"]),
    ("StopRaises", "unplug_while_reading", ["stop() of one raised after", "unplugged"]),
    ("CloseRaises", "unplug", ["close() of one raised after", "may be gone"]),
    ("StillNamed", "unplug", ["find() does still name one", "unplugged"]),
    ("GoesOn", "unplug", ["probe() of one still succeeds", "DeviceGone"]),
    ("WaitsForEver", "unplug_while_reading", ["read() of one raised nothing", "ENODEV"]),
    ("OSErrorWhenGone", "unplug", ["raised OSError: [Errno 19]", "DeviceGone"]),
    ("OSErrorWhenGone", "unplug_in_a_call", ["raised OSError: [Errno 19]", "DeviceGone"]),
    ("MoreFreeThanThereIs", "usage", ["2000 bytes of 1000", "0 <= free <= total"]),
    ("NoFolder", "path", ["there/is/none", "no such folder", "VolumeDescription.path"]),
    ("ReadOnly", "path", ["/proc of one cannot be written to", "server's user"]),
]

WRONG_PROCESSES = [
    ("Exits", "controls", ["raised SystemExit: 1"]),
    ("EndsTheProcess", "switch", ["The process has ended, while switch(True)", "never call exit"]),
    ("WritesToTheServer", "switch", ["descriptor 3", "server's alone"]),
    ("LeavesAChild", "kill", ["lives on when the driver was killed", "sleep 60", "no child"]),
    ("StopsSlowly", "stop", ["asked to end and was still there"]),
    ("KeepsALock", "kill", ["Somebody else has it"]),
    ("ShortFrames", "pictures", ["3071 bytes"]),
    ("FindsText", "find", ["find() returned 'one'", "not a sequence"]),
    ("LeaksDescriptors", "leaks", ["20 descriptors more after 20 times"]),
    ("LeaksMemory", "leaks", ["memory it takes grows by"]),
    ("SlowSet", "controls", ["did not return within 2 s"]),
]


def check(case: type[Any], test: str, words: list[str]) -> None:
    result = unittest.TestResult()
    case(test).run(result)
    assert result.errors == []
    ((_, told),) = result.failures
    (noted,) = case.report.checks
    assert noted.outcome == "fail"
    assert noted.message in told
    for word in [*words, "The interface asks", "How to mend it"]:
        assert word in noted.message


@pytest.mark.parametrize(("name", "test", "words"), WRONG)
def test_wrong(name: str, test: str, words: list[str]) -> None:
    check(kit_for(getattr(wrong, name)), f"test_{test}", words)


def test_a_leak_is_seen_where_others_have_left_memory_that_is_free() -> None:
    """As in a process that has done much before: what is kept would only take its place."""
    bytearray(8_000_000)  # from now on the allocator keeps blocks of that size for later
    pins = []
    together = threading.Barrier(8)

    def leave() -> None:
        # Threads have pools of their own, and new threads take over those of the old.
        together.wait()
        left = [os.urandom(400_000) for _ in range(100)]
        pins.append(os.urandom(400_000))
        left.clear()
        together.wait()

    threads = [threading.Thread(target=leave) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(kit_for(wrong.LeaksMemory), "test_leaks", ["memory it takes grows by"])


@pytest.mark.parametrize(("name", "test", "words"), WRONG_PROCESSES)
def test_wrong_in_its_process(name: str, test: str, words: list[str]) -> None:
    attribute = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")
    case = kit_for(getattr(wrong, name), attribute)
    check(case, f"test_{test}_in_its_process", words)


def test_every_wrong_driver_is_tried() -> None:
    tried = {name for name, _, _ in [*WRONG, *WRONG_PROCESSES]}
    there = {
        name
        for name, thing in vars(wrong).items()
        if isinstance(thing, type)
        and issubclass(thing, wrong.Driver)
        and thing is not wrong.Driver
        and not name.startswith("Good")
    }
    assert tried == there


@pytest.mark.parametrize("good", [wrong.GoodCamera, wrong.GoodLamp, wrong.GoodStorage])
def test_what_they_are_made_of_is_good(good: type[Any]) -> None:
    attribute = f"good_{good.__name__.removeprefix('Good').lower()}"
    case = kit_for(good, attribute)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert (result.failures, result.errors) == ([], [])
    assert case.report.passed
    assert all(check.outcome == "pass" for check in case.report.checks if "key" not in check.what)
