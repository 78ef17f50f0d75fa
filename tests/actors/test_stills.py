"""Stills for the review page: both pictures side by side, in the right colours, upright, with square pixels."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from actors.planes import planes_of
from actors.stills import pair
from tests.paper import picture_of


def flat(pix_fmt: str, *values: int, width: int = 160, height: int = 80) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, value in zip(planes_of(frame), values, strict=True):
        plane[:] = value
    return frame


def test_the_source_is_left_and_the_result_right() -> None:
    film = picture_of("yuv420p", 160, 80)
    grey, red = flat("yuv420p", 126, 128, 128), flat("yuv420p", 63, 102, 240)
    found = cv2.imdecode(np.frombuffer(pair(grey, red, film), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape == (80, 320, 3)
    np.testing.assert_allclose(found[40, 80], [128, 128, 128], atol=3)
    np.testing.assert_allclose(found[40, 240], [0, 0, 255], atol=6)


@pytest.mark.parametrize(
    ("aspect", "rotation", "shape"),
    [
        (Fraction(1), 0, (80, 320)),
        (Fraction(2), 0, (80, 640)),
        (Fraction(1), 90, (160, 160)),
        (Fraction(8), 0, (30, 960)),
    ],
)
def test_pictures_are_upright_with_square_pixels(aspect: Fraction, rotation: int, shape: tuple[int, int]) -> None:
    film = picture_of("yuv420p", 160, 80).model_copy(update={"aspect": aspect, "rotation": rotation})
    grey = flat("gray", 100), flat("yuv444p", 100, 128, 128)
    found = cv2.imdecode(np.frombuffer(pair(*grey, film), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape[:2] == shape
