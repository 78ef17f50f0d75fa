"""Fills in uncertain chroma, and brings chroma guides to the film's full size, following the edges of luma.

Both rest on the colour-line assumption of Levin, Lischinski and Weiss ("Colorization using optimization", 2004): within a
small window chroma is near to a linear function of luma. Fitted window by window it is the guided filter (He, Sun and Tang
2010), and its coefficients may be found at a low resolution and used at a high one (He and Sun, "Fast guided filter", 2015).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FILL_SCALE = 2
"""Uncertain chroma is fitted to luma at a size so many times smaller than the working size."""
FILL_RADII = (2, 6, 18, 50)
"""Half the side of the windows, in pixels of that size, in which uncertain chroma is sought, the nearest first."""
FILL_VARIANCE = 4e-4
"""Variance of luma below which a window counts as flat when chroma is filled in."""
FILL_TRUST = 0.25
"""Mean confidence that a window needs so that half of the answer is its own, the rest that of the wider windows."""
EDGE_RADIUS = 3
"""Half the side of the windows, in pixels at working size, in which chroma is fitted to luma for the full size."""
EDGE_VARIANCE = 3e-3
"""Variance of luma below which chroma is not made to follow it at the full size."""


def as_floats(image: NDArray[np.integer[Any] | np.floating[Any]]) -> Floats:
    """What OpenCV gives back, of the type that it was given."""
    return image.astype(np.float32, copy=False)


def filled(luma_HW: Floats, chroma_HW2: Floats, confidence_HW: Floats) -> Floats:
    """Chroma (H, W, 2) where the uncertain pixels take the colour of sure ones near them, of like luma.

    `luma_HW` 0..1, `chroma_HW2` -0.5..0.5, `confidence_HW` 0..1: a pixel of confidence 1 keeps its chroma.
    """
    height, width = luma_HW.shape
    size = -(-width // FILL_SCALE), -(-height // FILL_SCALE)
    luma, chroma, sure = (
        as_floats(cv2.resize(one, size, interpolation=cv2.INTER_AREA)) for one in (luma_HW, chroma_HW2, confidence_HW)
    )
    lines = np.zeros((*luma.shape, 4), np.float32)
    left = np.ones_like(luma)
    for radius in FILL_RADII:
        line, share = _fitted(luma, chroma, sure, radius, FILL_VARIANCE)
        trust = share / (share + FILL_TRUST * (radius != FILL_RADII[-1]) + np.float32(1e-6))
        lines += (left * trust)[..., None] * line
        left = as_floats(left * (1 - trust))
    lines /= (1 - left + np.float32(1e-6))[..., None]
    lines = cv2.resize(lines, (width, height), interpolation=cv2.INTER_LINEAR)
    answer = lines[..., :2] * luma_HW[..., None] + lines[..., 2:]
    mixed: Floats = answer + confidence_HW[..., None] * (chroma_HW2 - answer)
    return mixed


def upsampled(luma_hw: Floats, chroma_hw2: Floats, full_luma_HW: Floats) -> Floats:
    """Chroma (2, H, W) at the film's size from a guide at working size, its edges where the film's luma has them.

    `luma_hw` is the film's luma averaged to the guide's size, `full_luma_HW` the luma itself, both 0..1.
    """
    lines = _fitted(luma_hw, chroma_hw2, np.ones_like(luma_hw), EDGE_RADIUS, EDGE_VARIANCE)[0]
    height, width = full_luma_HW.shape
    value_2HW = np.empty((2, height, width), np.float32)
    # Plane by plane: interleaved, the same takes more than twice as long.
    for plane, value in enumerate(value_2HW):
        slope = np.ascontiguousarray(lines[..., plane])
        # What the coarse luma lost is the full luma less the coarse one brought up in the same way.
        offset = chroma_hw2[..., plane] - slope * luma_hw
        cv2.resize(slope, (width, height), dst=value, interpolation=cv2.INTER_LINEAR)
        value *= full_luma_HW
        value += cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    return value_2HW


def _fitted(
    luma_HW: Floats, chroma_HW2: Floats, weight_HW: Floats, radius: int, variance: float
) -> tuple[Floats, Floats]:
    """Weighted least-squares lines chroma = slope * luma + offset, averaged over each pixel's windows.

    Slope and offset as (H, W, 4), and the mean weight (H, W).
    """
    weighted = weight_HW * luma_HW
    one, two = cv2.split(chroma_HW2)
    parts = [weighted, weighted * luma_HW, weight_HW * one, weight_HW * two, weighted * one, weighted * two]
    share = _box(weight_HW, radius)
    scale = 1 / (share + np.float32(1e-6))
    luma, square, one, two, cross_one, cross_two = (_box(part, radius) * scale for part in parts)
    steep = 1 / (np.maximum(square - luma * luma, 0) + np.float32(variance))
    slopes = [(cross_one - luma * one) * steep, (cross_two - luma * two) * steep]
    offsets = [one - slopes[0] * luma, two - slopes[1] * luma]
    scale = 1 / (_box(share, radius) + np.float32(1e-6))
    parts = [_box(as_floats(part * share), radius) * scale for part in (*slopes, *offsets)]
    return as_floats(cv2.merge(parts)), share


def _box(plane_HW: Floats, radius: int) -> Floats:
    side = 2 * radius + 1
    return as_floats(cv2.blur(plane_HW, (side, side), borderType=cv2.BORDER_REFLECT))
