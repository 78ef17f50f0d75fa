"""Jitter: what chroma changes along a known motion, still and moving areas apart."""

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.evaluation.jitter import PairJitter, ShownPair, jitter
from actors.evaluation.propagation_summary import together
from actors.picture.image_metrics import chroma_of
from jobs.records.evaluation import Jitter
from tests.actors.evaluation.painted_films import Levels, panned, rgb


def between(truth: Levels, shown: Levels) -> PairJitter:
    """Of two frames."""
    first, second = (ShownPair(rgb(one), rgb(other)) for one, other in zip(truth, shown, strict=True))
    return jitter(first, second)


def chroma(levels_3HW: Levels) -> NDArray[np.float64]:
    """In steps of 255."""
    return (levels_3HW[1:].astype(np.float64) - 128) * 255 / 224


def test_the_colours_are_those_of_the_standard() -> None:
    levels = panned(1)[0]
    assert 255 * chroma_of(rgb(levels))[0].numpy() == pytest.approx(chroma(levels), abs=1e-3)


def test_a_still_picture_has_no_jitter_and_nothing_that_moves() -> None:
    truth = panned(2, step=0)
    found = between(truth, truth)
    assert found.still
    assert found.still.pixels == truth[0, 0].size
    assert found.still.propagated == found.still.truth < 0.01  # the flow of equal pictures is not quite 0
    assert found.moving is None


def test_flicker_is_as_large_as_it_is() -> None:
    truth = panned(2, step=0)
    shown = truth.copy()
    shown[1, 1] += 3
    shown[1, 2] -= 4
    found = between(truth, shown)
    assert found.still
    assert found.still.propagated == pytest.approx(5 * 255 / 224, rel=1e-3)
    assert found.still.truth < 0.01


def test_colour_that_moves_with_the_picture_does_not_jitter_and_colour_that_stays_does() -> None:
    truth = panned(2, step=3)
    shown = truth.copy()
    shown[1, 1:] = shown[0, 1:]
    found = between(truth, shown)
    assert found.still is None or found.still.pixels < 0.01 * truth[0, 0].size
    assert found.moving
    assert found.moving.pixels > 0.8 * truth[0, 0].size
    # What was at x + 3 is at x now.
    stays = np.linalg.norm(chroma(shown[1])[..., :-3] - chroma(shown[0])[..., 3:], axis=0)
    assert found.moving.propagated == pytest.approx(stays.mean(), rel=0.05)
    assert found.moving.truth < 0.1 * found.moving.propagated


def test_still_and_moving_areas_are_told_apart() -> None:
    truth = panned(2, step=3)
    truth[1, :, :48] = truth[0, :, :48]
    shown = truth.copy()
    shown[1, 1, :48] += 10
    found = between(truth, shown)
    assert found.still
    assert found.moving
    assert found.still.propagated == pytest.approx(10 * 255 / 224, rel=0.1)
    assert found.moving.propagated < 0.2 * found.still.propagated
    half = truth[0, 0].size / 2
    assert found.still.pixels == pytest.approx(half, rel=0.2)
    assert found.moving.pixels == pytest.approx(half, rel=0.3)


def test_what_no_flow_explains_is_left_out() -> None:
    truth = np.concatenate([panned(1, seed=1), panned(1, seed=7)])
    found = between(truth, truth)
    assert sum(one.pixels for one in found if one) < 0.6 * truth[0, 0].size


def test_large_pictures_are_measured_smaller() -> None:
    truth = np.kron(panned(2, step=0), np.ones((1, 1, 1, 12), np.uint8))  # 1920 pixels wide
    found = between(truth, truth)
    assert found.still
    assert found.still.pixels == pytest.approx(960 * 48, rel=0.001)


def test_each_pixel_counts_alike() -> None:
    parts = [Jitter(pixels=10, propagated=1.0, truth=2.0), Jitter(pixels=30, propagated=3.0, truth=0.0)]
    assert together(parts) == Jitter(pixels=40, propagated=2.5, truth=0.5)
    assert together([]) is None
