"""Aligns a still with its frame: an affine map between their lumas, sought from coarse to fine, and how alike they then are."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Matrix = NDArray[np.float32]
"""2x3: where in the still a pixel of the frame is found."""

LEVELS = (128, 320, 960)
"""Pixels of the longer side at which the map is sought."""
FURTHEST, FURTHEST_PIXELS = 0.03, 6.0
"""A corner of a still is moved so far at most, in parts of the longer side and pixels."""
HOPELESS = 0.4
"""Likeness below which a still is of another frame, and nothing is sought more finely."""
JUDGED = 384
"""Pixels of the longer side at which the two are compared: grain is averaged out there."""
_STEPS = 40
_WINDOW = 25
"""Pixels of the squares whose likeness is judged, at JUDGED."""
_SIGMA = 6.0
_FLOOR = 0.012
"""Of white: what is less rough than this, locally, shows nothing of which anybody could tell."""
_DRAWN = 0.06
"""Of white: what is rougher than this, in a still, is no grain."""
_LEAST = 0.02
"""Of the picture: what a still shows beyond its frame, and is less, says nothing."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map of a frame's pixels to a still's, both of the frame's size, and what it comes to."""

    matrix: Matrix
    likeness: float
    """0..1: how far each of the two goes up and down where the other does, around each place that shows something."""
    share: float
    """Part of what either shows that is alike."""
    shown: float
    """Part of the picture that can be judged: rough in the frame, and where the still counts."""
    drawn: float
    """Part of the picture where the still is rough."""


def moved(matrix: Matrix, size: tuple[int, ...]) -> float:
    """Furthest that a corner of the frame is moved, in pixels."""
    height, width = size
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]], np.float32)
    return float(np.linalg.norm(corners @ matrix.T - corners[:, :2], axis=1).max())


def furthest(size: tuple[int, ...]) -> float:
    """Pixels by which a corner may be moved."""
    return FURTHEST * max(size) + FURTHEST_PIXELS


def aligned(frame_HW: Plane, still_HW: Plane, paint_HW: Plane | None) -> Alignment:
    """The best map found, and how alike the two are by it; lumas of one size, 0..1. `paint_HW`: where the still counts."""
    matrix: Matrix = np.eye(2, 3, dtype=np.float32)
    for level in LEVELS:
        paint = None if paint_HW is None else _small(paint_HW, level)
        begin = _scaled(matrix, frame_HW, level)
        better = _sought(_small(frame_HW, level), _small(still_HW, level), paint, begin)
        better = _scaled_back(better, frame_HW, level)
        # What is led astray would be found outside of the still, where everything is alike.
        matrix = better if moved(better, frame_HW.shape) <= furthest(frame_HW.shape) else matrix
        found = _judged(frame_HW, still_HW, paint_HW, matrix)
        if max(frame_HW.shape) <= level or found.likeness < HOPELESS:
            break
    return found


def warped(plane_HW: Plane, matrix: Matrix, size: tuple[int, int], outside: float | None = None) -> Plane:
    """A still's plane as it lies on its frame; beyond the still `outside`, or its edge where that is None."""
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP if outside is None else cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(plane_HW, matrix, size[::-1], flags=flags, borderMode=border, borderValue=outside or 0.0),
        np.float32,
    )


def _small(plane: Plane, level: int) -> Plane:
    if max(plane.shape) <= level:
        return plane
    return np.asarray(cv2.resize(plane, _size(plane, level)[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _size(plane: Plane, level: int) -> tuple[int, int]:
    scale = min(1.0, level / max(plane.shape))
    return max(1, round(plane.shape[0] * scale)), max(1, round(plane.shape[1] * scale))


def _change(plane: Plane, level: int) -> NDArray[np.float64]:
    """Whole to small, of pixels that are counted from their middles."""
    height, width = _size(plane, level)
    across, down = width / plane.shape[1], height / plane.shape[0]
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])


def _scaled(matrix: Matrix, plane: Plane, level: int) -> Matrix:
    change = _change(plane, level)
    return np.asarray((change @ np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(change))[:2], np.float32)


def _scaled_back(matrix: Matrix, plane: Plane, level: int) -> Matrix:
    change = _change(plane, level)
    return np.asarray((np.linalg.inv(change) @ np.vstack([matrix, [0, 0, 1]]) @ change)[:2], np.float32)


def _sought(frame: Plane, still: Plane, paint: Plane | None, begin: Matrix) -> Matrix:
    mask = np.ones(still.shape, np.uint8) if paint is None else (paint > 0.5).astype(np.uint8)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _STEPS, 1e-5)
    try:
        _, found = cv2.findTransformECC(_rough(frame), _rough(still), begin.copy(), cv2.MOTION_AFFINE, until, mask, 3)
    except cv2.error:  # nothing in common, or nothing there at all
        return begin
    return np.asarray(found, np.float32)


def _rough(plane: Plane) -> Plane:
    """What stands out of its surroundings, in units of their roughness: the same whatever gamma or contrast is."""
    apart = plane - cv2.GaussianBlur(plane, (0, 0), _SIGMA)
    return np.asarray(
        apart / (np.sqrt(np.maximum(cv2.GaussianBlur(apart * apart, (0, 0), 2 * _SIGMA), 0)) + _FLOOR), np.float32
    )


def _judged(frame: Plane, still: Plane, paint: Plane | None, matrix: Matrix) -> Alignment:
    lying = _small(warped(still, matrix, frame.shape), JUDGED)
    inside = _small(warped(np.ones_like(still) if paint is None else paint, matrix, frame.shape, 0.0), JUDGED)
    a, b, ab = _spreads(_small(frame, JUDGED), lying, inside)
    counts = inside > 0.5
    alike = (ab / np.maximum(a * b, 1e-9)).clip(0, 1)
    # What the still shows beside the frame counts against it, if it is more than grain.
    ways = [value * (value > floor) * counts for value, floor in ((a, _FLOOR), (b, _DRAWN))]
    worst = [_share(alike, weight) for weight in ways if (weight > 0).mean() > _LEAST or weight is ways[0]]
    return Alignment(
        matrix,
        min(likeness for likeness, _ in worst),
        min(share for _, share in worst),
        float((ways[0] > 0).mean()),
        float((ways[1] > 0).mean()),
    )


def _share(alike: Plane, weight: Plane) -> tuple[float, float]:
    total = max(float(weight.sum()), 1e-9)
    return float((weight * alike).sum()) / total, float((weight * (alike > 0.5)).sum()) / total


def _spreads(one: Plane, other: Plane, inside: Plane) -> tuple[Plane, Plane, Plane]:
    """Standard deviations around each place, where both count, and what they have in common (covariance)."""
    counted = np.maximum(_mean(inside), 1e-3)

    def around(values: Plane) -> Plane:
        return np.asarray(_mean(values * inside) / counted, np.float32)

    a, b = (np.asarray(each - around(each), np.float32) for each in (one, other))
    spread = (np.asarray(np.sqrt(np.maximum(around(each * each), 0)), np.float32) for each in (a, b))
    return next(spread), next(spread), around(a * b)


def _mean(plane: Plane) -> Plane:
    return np.asarray(cv2.blur(plane, (_WINDOW, _WINDOW)), np.float32)
