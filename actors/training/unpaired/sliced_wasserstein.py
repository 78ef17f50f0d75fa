"""Measures how far made pictures are from a kind of picture, by the sliced Wasserstein distance of their patches."""

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""R'G'B', H W 3, 0..1."""

PATCH = 7
PATCHES = 256
"""From each picture and size."""
DIRECTIONS = 64
SIZES = 3
"""The picture itself, its half and its quarter."""


def kind_distance(made: list[Picture], true: list[Picture]) -> float:
    """How far made pictures are from those of a kind, which show something else: 0 for the same patches, in units of the picture's range.

    The sliced Wasserstein distance of patches of 7x7 pixels (Rabin et al. 2011; Karras et al. 2018), at three sizes: along
    a direction, patches of both are put in order, and the mean distance of equal ranks taken. The same patches and
    directions whenever asked. Pictures have sides of at least 28 pixels.
    """
    draw = np.random.default_rng(1926)
    directions = draw.standard_normal((3 * PATCH * PATCH, DIRECTIONS))
    # So that two flat pictures, 0.1 apart in each channel, lie 0.1 apart in the mean.
    directions *= np.sqrt(np.pi / 2) / np.sqrt(3 * PATCH * PATCH)
    found = []
    for _ in range(SIZES):
        one, other = (np.concatenate([_patches(each, draw) for each in pictures]) for pictures in (made, true))
        ranks = np.linspace(0, 1, PATCHES)
        ordered = [np.quantile(some @ directions, ranks, axis=0) for some in (one, other)]
        found.append(np.abs(ordered[0] - ordered[1]).mean())
        made, true = ([_halved(each) for each in pictures] for pictures in (made, true))
    return float(np.mean(found))


def _patches(picture: Picture, draw: np.random.Generator) -> NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(picture, (PATCH, PATCH), (0, 1))
    rows, columns = (draw.integers(0, side, PATCHES) for side in windows.shape[:2])
    return windows[rows, columns].reshape(PATCHES, -1)


def _halved(picture: Picture) -> Picture:
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    even = picture[:height, :width]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)
