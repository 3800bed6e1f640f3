"""Sizes, rates and formats of V4L2 cameras."""

from fractions import Fraction

import pytest

from rotoclear.drivers.v4l2_formats import Offer, length_of, modes_of, offers_of, whole, within
from rotoclear.drivers.v4l2_node import Range

from .v4l2_played import Hardware, Node


def offer(code, rate, width=1920, height=1080):
    return Offer(code, width, height, 1 / Fraction(rate))


def code(offers, rate, prefer="auto", size=(1920, 1080)):
    return modes_of(offers, prefer)[size][rate].code


@pytest.mark.parametrize(
    ("interval", "rate"),
    [
        (Fraction(1, 30), 30),
        (Fraction(1001, 30000), 30),
        (Fraction(333333, 10**7), 30),
        (Fraction(1001, 60000), 60),
        (Fraction(2, 15), 7),
        (Fraction(2, 1), 1),
    ],
)
def test_rates_are_whole(interval, rate):
    assert whole(interval) == rate


def test_pixels_come_before_jpeg_where_they_reach_the_rate():
    offers = [offer("MJPG", 30), offer("MJPG", 5), offer("YUYV", 5)]
    assert code(offers, 5) == "YUYV"
    assert code(offers, 30) == "MJPG"


def test_jpeg_comes_before_too_many_pixels():
    offers = [offer("YUYV", 60, 3840, 2160), offer("MJPG", 60, 3840, 2160)]
    assert code(offers, 60, size=(3840, 2160)) == "MJPG"
    assert code(offers[:1], 60, size=(3840, 2160)) == "YUYV"


def test_grey_is_the_last_resort():
    assert code([offer("GREY", 30), offer("MJPG", 30)], 30) == "MJPG"
    assert code([offer("GREY", 60, 3840, 2160), offer("YUYV", 60, 3840, 2160)], 60,
                size=(3840, 2160)) == "YUYV"  # fmt: skip
    assert code([offer("GREY", 30)], 30) == "GREY"


def test_a_preferred_format_is_taken_where_it_can_be_had():
    offers = [offer("YUYV", 5), offer("MJPG", 5), offer("YUYV", 10)]
    assert code(offers, 5, "mjpeg") == "MJPG"
    assert code(offers, 10, "mjpeg") == "YUYV"


def test_a_rate_that_is_whole_comes_before_one_that_is_rounded():
    modes = modes_of([offer("YUYV", Fraction(15, 2)), offer("YUYV", 7)])
    assert modes[1920, 1080][7].interval == Fraction(1, 7)


def test_odd_sizes_are_not_offered():
    assert modes_of([offer("YUYV", 30, 641, 480), offer("YUYV", 30, 640, 479)]) == {}


def test_the_usual_sizes_within_limits_and_the_largest_are_offered():
    sizes = within(Range((320, 180), (1922, 1083), (2, 1)))
    assert (640, 480) in sizes
    assert (1920, 1080) in sizes
    assert (3840, 2160) not in sizes
    assert sizes[-1] == (1922, 1082)


def test_sizes_keep_to_the_step():
    assert within(Range((16, 16), (800, 608), (16, 16))) == [(640, 480), (800, 608)]


def test_a_camera_without_steps_takes_any_size():
    assert (1280, 720) in within(Range((2, 2), (1280, 720), (0, 0)))


def test_usual_rates_within_limits_and_the_fastest_are_offered():
    hardware = Hardware()
    hardware.offers = {("YUYV", 640, 480): [(Fraction(1, 42), Fraction(1, 12))]}
    modes = modes_of(offers_of(Node(hardware)))
    assert list(modes[640, 480]) == [15, 20, 25, 30, 42]


def test_a_camera_that_names_no_rates_has_the_one_it_is_set_to():
    hardware = Hardware()
    hardware.offers = {("YUYV", 640, 480): []}
    hardware.now = Fraction(1, 25)
    assert list(modes_of(offers_of(Node(hardware)))[640, 480]) == [25]
    hardware.now = None
    assert list(modes_of(offers_of(Node(hardware)))[640, 480]) == [30]


def test_formats_that_nobody_can_use_are_left_out():
    hardware = Hardware()
    hardware.offers = {("H264", 640, 480): [Fraction(1, 30)]}
    assert list(offers_of(Node(hardware))) == []


def test_a_whole_picture_has_all_its_planes():
    assert length_of("YUYV", 480, 1280) == 1280 * 480
    assert length_of("NV12", 480, 640) == 640 * 720
    assert length_of("MJPG", 480, 0) == 0


def test_of_too_many_pixels_the_fewest_bytes_are_taken():
    offers = [offer("YUYV", 60, 3840, 2160), offer("NV12", 60, 3840, 2160)]
    assert code(offers, 60, size=(3840, 2160)) == "NV12"
