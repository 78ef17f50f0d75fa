"""Fills in uncertain chroma, and brings chroma guides to the film's full size, following the edges of luma.

Both rest on the colour-line assumption of Levin, Lischinski and Weiss ("Colorization using optimization", 2004): within a
small window chroma is near to a linear function of luma. Fitted window by window it is the guided filter (He, Sun and Tang
2010), and its coefficients may be found at a low resolution and used at a high one (He and Sun, "Fast guided filter", 2015).
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.picture.motion.flow import Floats, as_floats

Planes = Sequence[Floats]
"""The two planes of chroma, beside each other."""

FILL_RADII = (2, 6, 18, 50)
"""Half the side of the windows, in pixels, in which uncertain chroma is sought, the nearest first."""
FILL_VARIANCE = 4e-4
"""Variance of luma below which a window counts as flat when chroma is filled in."""
FILL_TRUST = 0.25
"""Mean confidence that a window needs so that half of the answer is its own, the rest that of the wider windows."""
EDGE_RADIUS = 3
"""Half the side of the windows, in pixels at working size, in which chroma is fitted to luma for the full size."""
EDGE_VARIANCE = 3e-3
"""Variance of luma below which chroma is not made to follow it at the full size."""


def planes_of(image: Floats) -> list[Floats]:
    """The channels of an image (H, W, C), each by itself (H, W): arithmetic on them takes less than half the time."""
    return [as_floats(plane) for plane in cv2.split(image)]


def merged(planes: Sequence[NDArray[np.floating[Any]]]) -> Floats:
    """Channels (H, W) as one image (H, W, C)."""
    return as_floats(cv2.merge([as_floats(plane) for plane in planes]))


def filling_lines(luma_hw: Floats, chroma: Planes, confidence_hw: Floats) -> list[Floats]:
    """What uncertain pixels are filled with: chroma as a function of luma, of the sure pixels near them and, where those are few, of ever
    wider windows. Slopes of both chroma planes, then their offsets.

    `luma_hw` 0..1, `chroma` -0.5..0.5, `confidence_hw` 0..1.
    """
    lines: list[Floats] = [np.zeros_like(luma_hw)] * 4
    left = np.ones_like(luma_hw)
    for radius in FILL_RADII:
        found, share = _fitted(luma_hw, chroma, confidence_hw, radius, FILL_VARIANCE)
        trust = share / (share + FILL_TRUST * (radius != FILL_RADII[-1]) + np.float32(1e-6))
        part = left * trust
        lines = [as_floats(line + part * more) for line, more in zip(lines, found, strict=True)]
        left = as_floats(left - part)
    scale = 1 / (1 - left + np.float32(1e-6))
    return [as_floats(line * scale) for line in lines]


def upsampled(luma_hw: Floats, chroma_hw2: Floats, full_luma_HW: Floats) -> Floats:
    """Chroma (2, H, W) at the film's size from a guide at working size, its edges where the film's luma has them.

    `luma_hw` is the film's luma averaged to the guide's size, `full_luma_HW` the luma itself, both 0..1.
    """
    chroma = planes_of(chroma_hw2)
    mean, square = _box(luma_hw, EDGE_RADIUS), _box(luma_hw * luma_hw, EDGE_RADIUS)
    steep = 1 / (np.maximum(square - mean * mean, 0) + np.float32(EDGE_VARIANCE))
    crosses = (_box(luma_hw * plane, EDGE_RADIUS) - mean * _box(plane, EDGE_RADIUS) for plane in chroma)
    slopes = [_box(as_floats(cross * steep), EDGE_RADIUS) for cross in crosses]
    height, width = full_luma_HW.shape
    value_2HW = np.empty((2, height, width), np.float32)
    # Plane by plane: interleaved, the same takes more than twice as long.
    for value, slope, guide in zip(value_2HW, slopes, chroma, strict=True):
        # What the coarse luma lost is the full luma less the coarse one brought up in the same way.
        offset = guide - slope * luma_hw
        cv2.resize(slope, (width, height), dst=value, interpolation=cv2.INTER_LINEAR)
        value *= full_luma_HW
        value += cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    return value_2HW


def _fitted(
    luma_HW: Floats, chroma: Planes, weight_HW: Floats, radius: int, variance: float
) -> tuple[list[Floats], Floats]:
    """Weighted least-squares lines chroma = slope * luma + offset, averaged over each pixel's windows.

    Slopes of both planes, their offsets, and the mean weight.
    """
    weighted = weight_HW * luma_HW
    blue, red = chroma
    parts = [weighted, weighted * luma_HW, weight_HW * blue, weight_HW * red, weighted * blue, weighted * red]
    share = _box(weight_HW, radius)
    scale = 1 / (share + np.float32(1e-6))
    luma, square, blue, red, cross_blue, cross_red = (
        as_floats(_box(as_floats(part), radius) * scale) for part in parts
    )
    steep = 1 / (np.maximum(square - luma * luma, 0) + np.float32(variance))
    slopes = [(cross_blue - luma * blue) * steep, (cross_red - luma * red) * steep]
    offsets = [blue - slopes[0] * luma, red - slopes[1] * luma]
    scale = 1 / (_box(share, radius) + np.float32(1e-6))
    return [as_floats(_box(as_floats(part * share), radius) * scale) for part in (*slopes, *offsets)], share


def _box(plane_HW: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return as_floats(cv2.blur(plane_HW, (side, side), borderType=cv2.BORDER_REFLECT))
