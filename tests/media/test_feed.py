"""One encode for everybody who looks, and nothing for nobody."""

from __future__ import annotations

import io
import json

import simplejpeg
from PIL import Image
from twisted.trial.unittest import SynchronousTestCase

from rotoclear.media.feed import Picture, described
from rotoclear.state.errors import DeviceError
from tests.api.screen import JPEG, SECOND, Screen


class Eye:
    """Somebody who looks."""

    def __init__(self) -> None:
        self.seen: list[Picture] = []

    def show(self, picture: Picture) -> None:
        self.seen.append(picture)


class Blind(Eye):
    def show(self, picture: Picture) -> None:
        raise RuntimeError("I cannot see")


class FeedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.feed = Screen()
        self.engine = self.feed.engine

    def test_watches_exactly_while_somebody_looks(self) -> None:
        one, two = Eye(), Eye()
        for change, watched in (
            (lambda: None, 0),
            (lambda: self.feed.join(one), 1),
            (lambda: self.feed.join(two), 1),
            (lambda: self.feed.join(two), 1),
            (lambda: self.feed.leave(one), 1),
            (lambda: self.feed.leave(one), 1),
            (lambda: self.feed.leave(two), 0),
            (lambda: self.feed.leave(two), 0),
            (lambda: self.feed.join(one), 1),
        ):
            change()
            self.assertEqual(len(self.engine.watching), watched)

    def test_all_see_the_same_one(self) -> None:
        one, two = Eye(), Eye()
        self.feed.join(one)
        self.feed.join(two)
        self.engine.picture()
        self.assertIs(one.seen[0], two.seen[0])

    def test_what_it_goes_as_is_made_once(self) -> None:
        one = Eye()
        self.feed.join(one)
        self.engine.picture()
        made: list[Picture] = []

        def frame(picture: Picture) -> bytes:
            made.append(picture)
            return b"framed"

        for _ in range(3):
            self.assertEqual(one.seen[0].framed(frame), b"framed")
        self.assertEqual(made, one.seen)

    def test_one_that_fails(self) -> None:
        blind, one = Blind(), Eye()
        self.feed.join(blind)
        self.feed.join(one)
        self.engine.picture()
        self.engine.picture()
        self.assertEqual(len(one.seen), 2)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(self.feed.count, 1)

    def test_number_and_time(self) -> None:
        """It is 1000 s after 1970, and the monotonic clock is at 1 s."""
        one = Eye()
        self.feed.join(one)
        for time in (SECOND // 2, SECOND):
            self.engine.picture(time=time)
        self.assertEqual([(p.number, p.taken) for p in one.seen], [(1, 999.5), (2, 1000.0)])

    def test_a_single_picture(self) -> None:
        for camera in (0, 2):
            asked = self.feed.look(70, camera)
            ((message, answer),) = self.engine.asked
            self.engine.asked.clear()
            self.assertEqual((message.quality, message.camera), (70, camera))
            self.assertEqual([number for _, number in self.engine.needs], [camera])
            answer.callback(JPEG)
            self.assertEqual(self.successResultOf(asked), JPEG)
            self.assertEqual(self.engine.needs, [])

    def test_no_single_picture(self) -> None:
        asked = self.feed.look(70)
        self.engine.asked[0][1].errback(DeviceError("none came"))
        self.failureResultOf(asked, DeviceError)
        self.assertEqual(self.engine.needs, [])


class Comments(SynchronousTestCase):
    def test_decoders_pass_over_it(self) -> None:
        """It is where PIL finds it, and the picture is what it was."""
        image = Image.effect_noise((64, 48), 50)
        for kind in ({}, {"comment": b"another"}, {"exif": Image.Exif()}):
            file = io.BytesIO()
            image.save(file, "JPEG", **kind)
            jpeg = described(file.getvalue(), 12, 1000.25)
            with Image.open(io.BytesIO(jpeg)) as opened, Image.open(file) as before:
                self.assertEqual(opened.tobytes(), before.tobytes())
            with Image.open(io.BytesIO(described(file.getvalue(), 12, 1000.25))) as opened:
                found = [data for name, data in opened.applist if name == "COM"]
            self.assertEqual(json.loads(found[0]), {"number": 12, "taken": 1000.25})
            simplejpeg.decode_jpeg(jpeg, "GRAY")

    def test_without_a_jfif_header(self) -> None:
        self.assertTrue(described(b"\xff\xd8\xff\xdb", 1, 1.0).startswith(b"\xff\xd8\xff\xfe"))
