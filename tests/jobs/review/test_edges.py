"""Shots of one set-up: the one whose colour is another is found, by as much as was planted; others are not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from jobs.review.edges import EdgePicture, setup_differences

Photo = NDArray[np.float32]
"""R'G'B', 0 to 1."""


def setting(seed: int) -> Photo:
    """A picture of soft shapes in soft colours."""
    rough = np.random.default_rng(seed).uniform(0.2, 0.8, (6, 10, 3)).astype(np.float32)
    soft = np.float32(0.7) * rough.mean(axis=2, keepdims=True) + np.float32(0.3) * rough
    whole: Photo = np.asarray(cv2.resize(soft, (64, 36), interpolation=cv2.INTER_CUBIC), np.float32)
    whole.clip(0, 1, out=whole)
    return whole


def tinted(photo: Photo, by: float) -> Photo:
    """The same by so many dE towards red and yellow, its lightness kept."""
    each = by / 2**0.5
    lab = np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB), np.float32) + np.array([0, each, each], np.float32)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32)


def edge(photo: Photo, shown: Photo | None = None) -> EdgePicture:
    """As it is measured: the source's luma, and the result."""
    return EdgePicture.of([_planes(photo)[0], *_planes(photo if shown is None else shown)])


def _planes(photo: Photo) -> list[NDArray[np.uint8]]:
    red, green, blue = np.moveaxis(photo, 2, 0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    planes = [16 + 219 * luma, 128 + 224 * (blue - luma) / 1.8556, 128 + 224 * (red - luma) / 1.5748]
    return [one.round().astype(np.uint8) for one in planes]


def test_one_of_two_shots_that_is_tinted_is_found() -> None:
    first, second = setting(1), setting(2)
    shots = [(1, [edge(first)]), (2, [edge(second)]), (3, [edge(first, tinted(first, 3))])]
    found = setup_differences(shots)
    assert set(found) == {1, 3}
    assert found[3].apart == pytest.approx(3, abs=0.3)
    assert (found[1].other, found[3].other) == (3, 1)


def test_of_three_the_one_that_is_tinted_stands_out() -> None:
    first, second = setting(1), setting(2)
    shots = [(1, [edge(first)]), (2, [edge(second)]), (3, [edge(first, tinted(first, 3))]), (4, [edge(first)])]
    found = setup_differences(shots)
    assert {number: round(one.apart) for number, one in found.items()} == {1: 0, 3: 3, 4: 0}


def test_other_pictures_black_ones_and_damaged_ones_are_held_against_nothing() -> None:
    black = np.zeros((36, 64, 3), np.float32)
    broken = edge(setting(3)).model_copy(update={"samples": "no base64"})
    shots = [(number, [edge(setting(number))]) for number in range(1, 9)]
    shots += [(9, [edge(black)]), (10, [edge(black, tinted(black, 5))]), (11, [broken]), (12, [broken]), (13, [])]
    assert setup_differences(shots) == {}


def test_shots_far_apart_are_not_compared() -> None:
    first = setting(1)
    between = [(number, [edge(setting(number))]) for number in range(2, 10)]
    assert set(setup_differences([(1, [edge(first)]), *between[:-1], (9, [edge(first)])])) == {1, 9}
    assert setup_differences([(1, [edge(first)]), *between, (10, [edge(first)])]) == {}


def test_black_bars_make_no_set_up() -> None:
    def barred(photo: Photo) -> Photo:
        framed = photo.copy()
        framed[:5] = framed[-5:] = 0
        return framed

    others = [(number, [edge(barred(setting(number)))]) for number in range(1, 9)]
    assert setup_differences(others) == {}
    same = setup_differences(
        [(1, [edge(barred(setting(1)))]), (2, [edge(barred(setting(1)), barred(tinted(setting(1), 3)))])]
    )
    assert set(same) == {1, 2}


def test_pictures_of_two_shapes_are_held_against_nothing() -> None:
    photo = setting(1)
    upright = np.ascontiguousarray(photo.transpose(1, 0, 2))
    assert setup_differences([(1, [edge(photo)]), (2, [edge(upright)])]) == {}
