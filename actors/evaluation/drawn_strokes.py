"""Draws strokes by rule from a frame's true colours, as a colourist would who sees where a look is most wrong (docs/evaluation.md)."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

SAME = 0.035
"""Chroma, of -0.5..0.5, by which one thing's colours differ at most from that of the place where it is sought, in each plane."""
SOUGHT_EVERY = 8
"""Pixels from one place where a thing is sought to the next."""
LONGEST = 0.25
"""Of the frame's width: the longest stroke."""
WIDTH = 3
"""Of a stroke, in pixels at working size."""
_FROM_EDGE = 2
_WAYS = 8


class Strokes(NamedTuple):
    """A layer: chroma (H, W, 2), -0.5..0.5, and where it is painted, 0 or 1."""

    chroma: Floats
    weight: Floats


def drawn(truth_HW2: Floats, look_HW2: Floats, count: int) -> Strokes:
    """Up to `count` strokes, one in each of the things whose colour the look misses by most, summed over their pixels."""
    wrong = np.linalg.norm(truth_HW2 - look_HW2, axis=2)
    layer = Strokes(np.zeros_like(truth_HW2), np.zeros(truth_HW2.shape[:2], np.float32))
    for _ in range(count):
        thing = _most_wrong(truth_HW2, wrong)
        if thing is None:
            break
        wrong[thing] = 0
        line = _line(thing)
        layer.chroma[line] = np.median(truth_HW2[thing], 0)
        layer.weight[line] = 1
    return layer


def _most_wrong(truth_HW2: Floats, wrong_HW: Floats) -> Mask | None:
    """The connected pixels of nearly one true colour over which the error sums up to most; None where nothing is wrong."""
    height, width = wrong_HW.shape
    colours = np.dstack([truth_HW2, np.zeros_like(wrong_HW)])
    best, most = None, 0.0
    for y in range(SOUGHT_EVERY // 2, height, SOUGHT_EVERY):
        for x in range(SOUGHT_EVERY // 2, width, SOUGHT_EVERY):
            if not wrong_HW[y, x]:
                continue
            found = np.zeros((height + 2, width + 2), np.uint8)
            how = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
            cv2.floodFill(colours, found, (x, y), 0, (SAME,) * 3, (SAME,) * 3, how)
            thing = found[1:-1, 1:-1] > 0
            total = float(wrong_HW[thing].sum())
            if total > most:
                best, most = thing, total
    return best


def _line(thing_HW: Mask) -> Mask:
    """The longest of some straight lines through the place farthest from a thing's edges, as far as it stays inside."""
    inside = cv2.distanceTransform(np.pad(thing_HW, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    longest, ends = -1, ((int(column), int(row)),) * 2
    for way in range(_WAYS):
        step = np.array([np.cos(np.pi * way / _WAYS), np.sin(np.pi * way / _WAYS)])
        ahead, back = (_steps(inside, (int(column), int(row)), sign * step) for sign in (1, -1))
        if ahead + back > longest:
            longest = ahead + back
            ends = tuple(_at((int(column), int(row)), step, steps) for steps in (ahead, -back))  # type: ignore[assignment]
    drawn_HW = np.zeros(thing_HW.shape, np.uint8)
    cv2.line(drawn_HW, *ends, 1, WIDTH if inside.max() >= _FROM_EDGE else 1)
    return np.asarray(drawn_HW > 0)


def _steps(inside_HW: NDArray[np.integer | np.floating], begin: tuple[int, int], step: NDArray[np.float64]) -> int:
    """Pixels that a line can go from a place and stay inside."""
    height, width = inside_HW.shape
    furthest = round(LONGEST * int(width) / 2)
    for steps in range(1, furthest + 1):
        x, y = _at(begin, step, steps)
        if not (0 <= x < width and 0 <= y < height) or inside_HW[y, x] < _FROM_EDGE:
            return steps - 1
    return furthest


def _at(begin: tuple[int, int], step: NDArray[np.float64], steps: int) -> tuple[int, int]:
    return round(begin[0] + float(step[0]) * steps), round(begin[1] + float(step[1]) * steps)
