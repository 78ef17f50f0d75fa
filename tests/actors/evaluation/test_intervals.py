"""Intervals: the bootstrap's are those of theory where theory has them, paired, and the same every time."""

import numpy as np
import pytest

from actors.evaluation.intervals import between, crossing, interval, resampled


def test_the_first_row_is_the_mean_itself() -> None:
    figures = np.random.default_rng(0).normal(size=(20, 3))
    means = resampled(figures, 1300)
    assert means.shape == (1301, 3)
    assert means[0] == pytest.approx(figures.mean(0))
    assert (resampled(figures, 1300) == means).all()


def test_an_interval_is_as_wide_as_theory_says() -> None:
    figures = np.random.default_rng(1).normal(5, 2, size=(400, 1))
    found = interval(resampled(figures)[:, 0])
    half = 1.96 * figures.std() / 20
    assert found.mean == pytest.approx(figures.mean())
    assert (found.low, found.high) == pytest.approx((found.mean - half, found.mean + half), abs=0.1 * half)


def test_differences_are_paired() -> None:
    one = np.random.default_rng(2).normal(10, 5, size=30)
    means = resampled(np.stack((one, one - 0.5), 1))
    found = interval(means[:, 1] - means[:, 0])
    # However much pictures differ, the second is always better by the same.
    assert (found.low, found.mean, found.high) == pytest.approx((-0.5, -0.5, -0.5))


def test_one_picture_has_an_interval_of_no_width() -> None:
    found = interval(resampled(np.array([[3.0]]))[:, 0])
    assert (found.low, found.mean, found.high) == (3, 3, 3)


def test_drawings_without_an_answer_are_left_out() -> None:
    found = interval(np.array([2.0, 1.0, np.nan, 3.0]))
    assert (found.low, found.mean, found.high) == pytest.approx((1.05, 2, 2.95))
    alone = interval(np.array([2.0, np.nan]))
    assert (alone.low, alone.high) == (2, 2)


def test_where_a_curve_crosses_a_level() -> None:
    curve = np.array([[0.0, 10, 20], [0, 10, 20], [0, 10, 20], [5, 6, 7]])
    place = crossing(curve, np.array([15.0, 20, 21, 5]))
    assert place[[0, 1, 3]] == pytest.approx([1.5, 2, 0])
    assert np.isnan(place[2])
    assert between(curve, place)[[0, 1, 3]] == pytest.approx([15, 20, 5])
    assert np.isnan(between(curve, place)[2])
