"""What devices may say of themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from rotoclear.devices.describe import BadDescription, capture, description, usage
from rotoclear.devices.ring import CaptureInfo
from rotoclear.interfaces import CameraDescription, LightDescription, VideoMode, VolumeUsage
from tests.devices.stage import described


class Cameras(SynchronousTestCase):
    def refused(self, pattern: str, **changes: Any) -> None:
        with self.assertRaisesRegex(BadDescription, pattern):
            description("camera", "a", described("camera", "a") | changes)

    def test_a_good_one_comes_back_in_its_own_type(self) -> None:
        raw = described("camera", "a") | {"controls": ["gain"], "head": 2}
        self.assertEqual(
            description("camera", "a", raw),
            CameraDescription(
                identity="a",
                model="Acme",
                sensors=("a", "b"),
                modes=(VideoMode(640, 480, (5, 30)),),
                controls=frozenset({"gain"}),
                head=2,
            ),
        )

    def test_another_identity_than_was_asked_for(self) -> None:
        self.refused("identity is 'b', not 'a'", identity="b")

    def test_nonsense(self) -> None:
        for nonsense in (None, 5, "camera", [], {}, {"identity": "a"}, float("nan")):
            with self.assertRaises(BadDescription):
                description("camera", "a", nonsense)

    def test_wrong_types(self) -> None:
        self.refused("", sensors="one")
        self.refused("", sensors=[1])
        self.refused("", modes=[[640, 480, 30]])
        self.refused("", head="1")

    def test_sensors(self) -> None:
        self.refused("0 sensors", sensors=[])
        self.refused("17 sensors", sensors=["s"] * 17)
        self.refused("a sensor's name", sensors=[""])

    def test_modes(self) -> None:
        def mode(width: int = 640, height: int = 480, rates: Any = (5,)) -> dict[str, Any]:
            return {"width": width, "height": height, "rates": list(rates)}

        self.refused("0 modes", modes=[])
        self.refused("257 modes", modes=[mode()] * 257)
        self.refused("same size", modes=[mode(), mode()])
        self.refused("641 is not an even", modes=[mode(width=641)])
        self.refused("0 is not an even", modes=[mode(height=0)])
        self.refused("100000 is not an even", modes=[mode(height=100_000)])
        for rates in ((), (0,), (-5, 5), (30, 5), (5, 5), (1001,)):
            self.refused("rates must be", modes=[mode(rates=rates)])

    def test_controls(self) -> None:
        self.refused("no control warp", controls=["gain", "warp"])

    def test_names_of_modes(self) -> None:
        self.refused("means something else", exposure_modes=["auto"])
        self.refused("twice", white_balance_modes=["sun", "sun"])
        self.refused("more than", white_balance_modes=[f"m{n}" for n in range(17)])

    def test_the_head(self) -> None:
        self.refused("the head is 3", head=3)

    def test_a_name_for_people(self) -> None:
        self.refused("model has 0", model="")
        self.refused("model has 256", model="x" * 256)


class Others(SynchronousTestCase):
    def test_a_lamp(self) -> None:
        self.assertEqual(
            description("light", "l", described("light", "l")),
            LightDescription(identity="l", name="Ring"),
        )
        with self.assertRaisesRegex(BadDescription, "the head is 0"):
            description("light", "l", described("light", "l") | {"head": 0})

    def test_a_volume_may_have_no_label(self) -> None:
        description("storage", "v", described("storage", "v") | {"name": ""})
        with self.assertRaisesRegex(BadDescription, "longer than 255"):
            description("storage", "v", described("storage", "v") | {"name": "x" * 256})

    def test_usage(self) -> None:
        self.assertEqual(usage({"total": 10, "free": 4}), VolumeUsage(total=10, free=4))
        for nonsense in (None, {"total": 1}, {"total": "1", "free": 0}):
            with self.assertRaises(BadDescription):
                usage(nonsense)
        for total, free in ((10, 11), (10, -1), (-1, -1)):
            with self.assertRaisesRegex(BadDescription, "cannot be free"):
                usage({"total": total, "free": free})


class Captures(SynchronousTestCase):
    raw: ClassVar[dict[str, Any]] = {
        "sequence": 1,
        "timestamp": 2,
        "format": "grey",
        "width": 8,
        "height": 6,
        "stride": 8,
        "length": 48,
    }

    def test_a_good_one_comes_back_in_its_own_type(self) -> None:
        self.assertEqual(capture(self.raw), CaptureInfo(**self.raw))

    def test_nonsense(self) -> None:
        for nonsense in (None, 5, [], {}, self.raw | {"width": 0}, self.raw | {"sequence": "1"}):
            with self.assertRaises(BadDescription):
                capture(nonsense)
