"""Resizing, held against Pillow and OpenCV."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pictures import encode, exact, opencv, opencv_area, picture, pillow, transform, worst

SIZES = [(640, 480), (101, 333), (33, 7), (1, 1), (224, 224), (1000, 20)]
TARGETS = [(224, 224), (64, 128), (333, 5)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("target", TARGETS)
def test_resizing_is_exactly_that_of_pillow_and_of_opencv(size, target):
    file = encode(picture(*size), "PNG")
    assert worst(transform(*target)(file), pillow(file, target)) <= exact(size, target)
    assert worst(transform(*target, profile="opencv")(file), opencv(file, target)) == 0


@given(
    st.tuples(*[st.integers(1, 70)] * 2), st.tuples(*[st.integers(1, 90)] * 2), st.sampled_from(["RGB", "L"])
)
def test_pictures_of_any_size_are_resized_exactly_as_the_libraries_do(size, target, mode):
    levels = np.random.default_rng(size[0] * 71 + size[1]).integers(0, 256, (size[1], size[0], 3), "uint8")
    image = Image.fromarray(levels).convert(mode)
    file, colour = encode(image, "PNG"), "grey" if mode == "L" else "rgb"

    def differs(profile, expected):
        found = transform(*target, colour=colour, profile=profile)(file)
        return worst(found, expected.reshape(target[1], target[0], -1))

    assert differs("pillow", np.asarray(image.resize(target, Image.Resampling.BILINEAR))) <= exact(
        size, target
    )
    assert differs("opencv", cv2.resize(np.asarray(image), target)) == 0


@pytest.mark.parametrize(
    ("size", "target"),
    [((16384, 2), (1, 1)), ((9973, 3), (7, 3)), ((2, 16000), (2, 3)), ((3, 2), (900, 700))],
)
def test_thousands_of_weights_round_as_in_pillow(size, target):
    for level in (255, 254, 1):
        image = Image.new("RGB", size, (level, 255, 0))
        found = transform(*target)(encode(image, "PNG"))
        expected = np.asarray(image.resize(target, Image.Resampling.BILINEAR))
        assert worst(found, expected) == 0


@pytest.mark.parametrize("size", [*SIZES, (448, 448), (300, 64), (64, 300), (225, 129)])
@pytest.mark.parametrize("target", [*TARGETS, (112, 112), (100, 75)])
def test_the_mean_over_an_area_agrees_within_one_level(size, target):
    file = encode(picture(*size), "PNG")
    run = transform(*target, profile="opencv", interpolation="area")
    assert worst(run(file), opencv_area(file, target)) <= 1
