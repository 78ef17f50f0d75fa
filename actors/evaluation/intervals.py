"""Confidence intervals of means over pictures, by the bootstrap. The same figures always give the same interval.

Efron and Tibshirani 1993, percentile intervals: pictures are drawn anew with replacement, as many as there are. All figures of
one drawing are of the same pictures, so that differences of two looks are paired.
"""

import numpy as np
from numpy.typing import NDArray

from jobs.records.evaluation import Interval

Floats = NDArray[np.float64]

RESAMPLES = 10_000
SEED = 1926
AT_ONCE = 500
"""Drawings reckoned at a time: a large folder's would not fit into memory all at once."""
TAILS = (2.5, 97.5)
"""Percentiles of a 95 % interval."""


def resampled(figures_NK: Floats, resamples: int = RESAMPLES) -> Floats:
    """Means of each of K figures over N pictures, (1 + resamples)K: first of the pictures themselves, then of each drawing."""
    pictures = len(figures_NK)
    rng = np.random.default_rng(SEED)
    means = [figures_NK.mean(0, keepdims=True)]
    for start in range(0, resamples, AT_ONCE):
        times = rng.multinomial(pictures, np.full(pictures, 1 / pictures), min(AT_ONCE, resamples - start))
        means.append(times @ figures_NK / pictures)
    return np.concatenate(means)


def interval(means: Floats) -> Interval:
    """The interval of a figure, or of what is reckoned from several, row by row of `resampled`. The first row is the mean itself.

    A drawing for which it cannot be reckoned (NaN) is left out.
    """
    drawn = means[1:][~np.isnan(means[1:])]
    low, high = np.percentile(drawn, TAILS) if len(drawn) else (means[0], means[0])
    return Interval(mean=float(means[0]), low=float(low), high=float(high))


def crossing(curve_RS: Floats, level_R: Floats) -> Floats:
    """Where each row first reaches its level, as a place between columns (1.5: half way from column 1 to 2); NaN where it does not."""
    reached = curve_RS >= level_R[:, None]
    after = reached.argmax(1)
    rows = np.arange(len(curve_RS))
    before = np.maximum(after - 1, 0)
    rise = curve_RS[rows, after] - curve_RS[rows, before]
    # Where the first column is there already, it is that column.
    share = np.divide(level_R - curve_RS[rows, before], rise, out=np.zeros(len(rows)), where=rise > 0)
    return np.where(reached.any(1), before + np.where(after > 0, share, 0.0), np.nan)


def between(curve_RS: Floats, place_R: Floats) -> Floats:
    """Each row at a place between its columns, linearly; NaN where the place is NaN."""
    held = np.nan_to_num(place_R)
    before = np.minimum(held.astype(np.int64), curve_RS.shape[1] - 1)
    after = np.minimum(before + 1, curve_RS.shape[1] - 1)
    rows, share = np.arange(len(curve_RS)), held - before
    value = curve_RS[rows, before] * (1 - share) + curve_RS[rows, after] * share
    return np.where(np.isnan(place_R), np.nan, value)
