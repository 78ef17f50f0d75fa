"""Shares of pixels beyond gamut and nominal levels: as many as were planted, in every form of picture, and none where there are none."""

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from actors.render.review.levels import BeyondLevels, beyond_levels
from jobs.film.source import Colour

LIMITED = Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False)
FULL = LIMITED.model_copy(update={"full_range": True})


def frame(rgb: NDArray[np.float64], form: str = "yuv420p") -> av.VideoFrame:
    """R'G'B' of 0 to 1, and beyond, by BT.709 of limited range."""
    red, green, blue = np.moveaxis(rgb, 2, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = [16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748]
    whole = av.VideoFrame.from_ndarray(np.stack(planes).round().clip(0, 255).astype(np.uint8), format="yuv444p")
    return whole if form == "yuv444p" else whole.reformat(format=form)


def picture(height: int, width: int, planted: tuple[float, float, float], rows: int) -> NDArray[np.float64]:
    """A legal gradient whose first rows are of one colour."""
    shade = np.linspace(0.0, 1.0, width)[None, :, None] * np.ones((height, 1, 3))
    shade[:rows] = planted
    return shade


@pytest.mark.parametrize("form", ["yuv444p", "yuv422p", "yuv420p", "yuv420p10le", "yuv444p16le"])
def test_what_leaves_the_gamut_is_counted(form: str) -> None:
    # R'G'B' of 1.2, 0.2, 0.2 is legal as levels of luma and chroma, and red lies beyond 105 %.
    found = beyond_levels(frame(picture(480, 640, (1.2, 0.2, 0.2), 48), form), LIMITED)
    assert found.gamut == pytest.approx(10, abs=0.7)
    assert found.legal == 0
    legal = beyond_levels(frame(picture(480, 640, (1.04, 0.2, 0.2), 48), form), LIMITED)
    assert (legal.gamut < 0.1, legal.legal) == (True, 0)  # chroma is blended at the edge


@pytest.mark.parametrize("form", ["yuv444p", "yuv420p10le"])
def test_what_leaves_nominal_levels_is_counted(form: str) -> None:
    # A luma of 240 is beyond 235, and within 105 %.
    found = beyond_levels(frame(picture(480, 640, (1.023, 1.023, 1.023), 24), form), LIMITED)
    assert found.gamut == 0
    assert found.legal == pytest.approx(5, abs=0.7)
    low = beyond_levels(frame(picture(480, 640, (-0.04, -0.04, -0.04), 24), form), LIMITED)
    assert low.gamut == 0
    assert low.legal == pytest.approx(5, abs=0.7)


def test_small_odd_and_grey_pictures_are_looked_at_whole() -> None:
    for form, size in (("gray", (17, 33)), ("yuv420p", (17, 33)), ("yuv411p", (64, 48)), ("gray10le", (1921, 1081))):
        empty = av.VideoFrame(*size, form)
        for plane in empty.planes:
            plane.update(bytes(plane.buffer_size))
        assert beyond_levels(empty, LIMITED) == (100, 100)


def test_what_can_leave_nothing_does_not() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert beyond_levels(av.VideoFrame.from_ndarray(noise, format="rgb24"), FULL) == BeyondLevels()
    grey = av.VideoFrame.from_ndarray(noise[:, :, 0].copy(), format="gray")
    assert beyond_levels(grey, FULL) == BeyondLevels()
    # Every colour that a screen shows is legal.
    shown = cv2.cvtColor(noise, cv2.COLOR_RGB2HSV)
    shown[:, :, 1:] = 255
    colours = cv2.cvtColor(shown, cv2.COLOR_HSV2RGB) / 255
    assert beyond_levels(frame(colours, "yuv444p"), LIMITED) == BeyondLevels()


def test_what_the_source_has_is_left_out() -> None:
    assert BeyondLevels(3, 1).over(BeyondLevels(2, 4)) == (1, 0)
