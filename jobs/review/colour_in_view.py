"""How far the colour of what stays in view goes from one small picture of a shot to another.

The same things are found by their luma: the second picture is moved onto the first as a whole, and places whose detail agrees show the same. Colour
that goes with the light, or as far in the source, has not gone.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.review.edges import BAR, EdgePicture, Profile, Small, detail_of, mean_about

WINDOW = 9
"""Pixels of the window in which detail is compared."""
AGREES = 0.9
"""Correlation of luma in it from which on two places show the same."""
CONTRAST = 4.0
"""Steps that luma deviates by in it at least: all flat places are alike."""
LEAST_SHARE = 0.1
"""Of the picture that must be found again."""
CELL = 8
"""Pixels of a side of the squares whose mean colours are compared."""
LEAST_IN_CELL = 12
BLACK = 16
DIMMEST = 8.0
"""Steps of luma that are added to both, where light is compared."""
MOST_LIGHT = 2.0
"""Times that light may have grown, or its part."""
REMEMBERED = 8192
"""Pairs that are not compared again, each time that a page grows."""

Mask = NDArray[np.bool_]


class SeenPicture(NamedTuple):
    """A frame's small picture; `own`: the source's, where that has colour."""

    shown: EdgePicture
    own: EdgePicture | None


@lru_cache(REMEMBERED)
def colour_change(before: SeenPicture, after: SeenPicture) -> float | None:
    """Mean steps of 8 bits that chroma changes by, of what both show, beyond the source's; None where too little of one is found in the other."""
    first, second = before.shown.planes(), after.shown.planes()
    if first is None or second is None or first.shape != second.shape:
        return None
    lit = _without_bars(np.maximum(first[0], second[0]))
    here, there = _overlap(first[:, *lit], second[:, *lit])
    first, second = first[:, *lit][:, *here], second[:, *lit][:, *there]
    same = _same(first[0].astype(np.float32), second[0].astype(np.float32))
    if same.mean() < LEAST_SHARE:
        return None
    gone = _changes(first, second, same)
    own = [one.own.planes() if one.own else None for one in (before, after)]
    if own[0] is not None and own[1] is not None and own[0].shape == own[1].shape:
        gone = np.maximum(0, gone - _changes(own[0][:, *lit][:, *here], own[1][:, *lit][:, *there], same))
    return round(float(gone.mean()), 3) if len(gone) else None


def _without_bars(luma: Small) -> tuple[slice, slice]:
    """Black bars have the same edges in all shots, and no colour."""
    lit = [np.flatnonzero(luma.max(axis=axis) > BAR) for axis in (1, 0)]
    rows, columns = (slice(some[0] + 1, some[-1]) if len(some) > 2 else slice(None) for some in lit)
    return rows, columns


def _overlap(first: Small, second: Small) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where the first picture has what the second has, moved as a whole, by phase correlation of detail."""
    height, width = first.shape[1:]
    spectra = [np.fft.rfft2(detail_of(one[0].astype(np.float32))) for one in (first, second)]
    cross = spectra[0] * spectra[1].conj()
    peak = int(np.argmax(np.fft.irfft2(cross / (np.abs(cross) + np.abs(cross).mean() + 1e-6), s=(height, width))))
    down, across = (
        (step + side // 2) % side - side // 2 for step, side in zip(divmod(peak, width), (height, width), strict=True)
    )
    return (_kept(down, height), _kept(across, width)), (_kept(-down, height), _kept(-across, width))


def _kept(step: int, side: int) -> slice:
    return slice(max(0, step), min(side, side + step))


def _same(luma: Profile, other: Profile) -> Mask:
    """Where both show the same, whatever the light."""
    if min(luma.shape) <= WINDOW:
        return np.zeros(luma.shape, np.bool_)
    mean, other_mean = mean_about(luma, WINDOW), mean_about(other, WINDOW)
    spread = mean_about(luma * luma, WINDOW) - mean * mean
    other_spread = mean_about(other * other, WINDOW) - other_mean * other_mean
    common = mean_about(luma * other, WINDOW) - mean * other_mean
    seen = np.minimum(spread, other_spread) >= CONTRAST**2
    return np.asarray(seen & (common >= AGREES * np.sqrt(np.maximum(spread * other_spread, 1e-6))), np.bool_)


def _changes(first: Small, second: Small, same: Mask) -> NDArray[np.float64]:
    """Of each square in which enough shows the same."""
    rows, columns = np.nonzero(same)
    squares = rows // CELL * (same.shape[1] // CELL + 1) + columns // CELL
    counts = np.bincount(squares)
    chosen = counts >= LEAST_IN_CELL
    means = [
        [np.bincount(squares, plane[rows, columns])[chosen] / counts[chosen] for plane in picture[1:]]
        for picture in (first, second)
    ]
    (luma, *chroma), (other_luma, *other_chroma) = means
    light = (luma - BLACK + DIMMEST).clip(1) / (other_luma - BLACK + DIMMEST).clip(1)
    brought = [128 + (one - 128) * light.clip(1 / MOST_LIGHT, MOST_LIGHT) for one in other_chroma]
    apart = [
        np.mean([np.abs(one - was) for one, was in zip(now, chroma, strict=True)], axis=0)
        for now in (other_chroma, brought)
    ]
    return np.asarray(np.minimum(*apart), np.float64)
