"""Chooses the frames of a shot worth painting: sharp ones that show much, and from which colour reaches most of the shot."""

from collections.abc import Sequence
from itertools import combinations

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from actors.media.planes import planes_of

Luma = NDArray[np.uint8]
"""HW, about 256 pixels wide, full range."""

CANDIDATES = 14
"""Frames among which is chosen: pairs of them are compared."""
LOOKED = 256
WIDTH = 96
"""Pixels across at which they are compared."""
NEAR, ASTRAY = 20, 1.5
"""Of 255, and pixels at WIDTH: what motion explains looks the same, and leads back to where it came from."""
ENOUGH = 0.86
"""Part of a shot that is reached, at which a further still is not worth its painting."""
GAIN = 0.04
"""Part of a shot that a further still must add."""
_PLAIN = 6.0
"""Of 255: a picture whose luma spreads less shows nothing."""
_CHANGED = 4.0
"""Of 255: mean change over two steps, below which nothing is dissolved into anything."""
_BLENDED = 0.3
"""How far the middle of a dissolve is from the mean of its neighbours, in parts of their change, at most; of motion it is 0.6 and more."""
_TO_MIDDLE = 0.12
"""What being at a shot's edge costs a frame, against one at its best place."""


def choose_frames(lumas: Sequence[Luma], frames: Sequence[int], most: int, least: int = 1) -> tuple[int, ...]:
    """From `least` to `most` (3 at most are ever chosen) of a shot's frames, in order.

    `lumas`: small pictures of frames of the shot, of one size, all or every n-th one; `frames`: the number of each. One frame
    lies near the middle if nothing speaks against it, two near the quarters. A fade, a dissolve and black are chosen only
    where there is nothing else.
    """
    small = [np.asarray(cv2.resize(luma, _size(luma), interpolation=cv2.INTER_AREA), np.uint8) for luma in lumas]
    good = _good(small)
    worth = _worth(lumas, good)
    some = sorted({good[round(place)] for place in np.linspace(0, len(good) - 1, min(CANDIDATES, len(good)))})
    some = [_best_nearby(one, good, worth, max(1, len(good) // (2 * CANDIDATES))) for one in some]
    some = sorted(set(some))
    reach = _reach([small[place] for place in some])
    wanted, chosen = min(3, most, len(some)), tuple[int, ...]()
    covered = 0.0
    for count in range(1, wanted + 1):
        better = _best_set(some, worth, reach, len(lumas), count)
        found = float(reach[list(better)].max(0).mean())
        if count > least and (covered >= ENOUGH or found < covered + GAIN):
            break
        chosen, covered = better, found
    return tuple(sorted(frames[some[place]] for place in chosen))


def small_luma(frame: av.VideoFrame) -> Luma:
    """A frame's luma as it is looked at, LOOKED pixels wide at most, whatever its depth."""
    plane = planes_of(frame)[0]
    scale = min(1.0, LOOKED / plane.shape[1])
    size = (max(16, round(plane.shape[1] * scale)), max(16, round(plane.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(plane, np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.rint(small * (255 / (2 ** frame.format.components[0].bits - 1))).clip(0, 255), np.uint8)


def _size(luma: Luma) -> tuple[int, int]:
    scale = min(1.0, WIDTH / luma.shape[1])
    return max(16, round(luma.shape[1] * scale)), max(16, round(luma.shape[0] * scale))


def _good(small: Sequence[Luma]) -> list[int]:
    """Places that show something and lie in no fade or dissolve; where there is none, the one of most contrast."""
    spread = np.array([float(one.std()) for one in small])
    usual = float(np.percentile(spread, 75))
    shows = (spread >= _PLAIN) & (spread >= 0.5 * usual)
    calm = [place for place in range(len(small)) if shows[place] and not _is_blended(small, place)]
    return calm or [int(spread.argmax())]


def _is_blended(small: Sequence[Luma], place: int) -> bool:
    """Whether what lies before and what comes after turn into each other here: then the middle is their mean."""
    for step in (2, 4):
        before, after = max(0, place - step), min(len(small) - 1, place + step)
        if before == place or after == place:
            # At the edge of a shot: as its neighbour within.
            place = min(max(place, 1), len(small) - 2)
            before, after = place - 1, place + 1
            if before < 0 or after >= len(small):
                return False
        one, here, other = (small[which].astype(np.float32) for which in (before, place, after))
        part = (place - before) / (after - before)
        change = float(np.abs(other - one).mean())
        bend = float(np.abs(here - (1 - part) * one - part * other).mean())
        if change > _CHANGED and bend < _BLENDED * change:
            return True
    return False


def _worth(lumas: Sequence[Luma], good: Sequence[int]) -> dict[int, float]:
    """0..1 for each good place: how sharp it is and how much contrast it has, against the best of the shot."""
    sharp = {place: float(np.sqrt(cv2.Laplacian(lumas[place], cv2.CV_32F).var())) for place in good}
    spread = {place: float(np.percentile(lumas[place], 95) - np.percentile(lumas[place], 5)) for place in good}
    most_sharp, most_spread = max(max(sharp.values()), 1e-6), max(max(spread.values()), 1e-6)
    return {place: float(np.sqrt(sharp[place] / most_sharp * (spread[place] / most_spread))) for place in good}


def _best_nearby(place: int, good: Sequence[int], worth: dict[int, float], reach: int) -> int:
    return max((one for one in good if abs(one - place) <= reach), key=lambda one: (worth[one], -abs(one - place)))


def _reach(some: Sequence[Luma]) -> NDArray[np.float32]:
    """For each candidate (row), which part of each other one motion explains from it."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow.setFinestScale(0)
    reach = np.eye(len(some), dtype=np.float32)
    y, x = np.mgrid[: some[0].shape[0], : some[0].shape[1]].astype(np.float32)
    for row, column in combinations(range(len(some)), 2):
        one, other = some[row], some[column]
        there, back = (flow.calc(a, b, np.zeros((*y.shape, 2), np.float32)) for a, b in ((one, other), (other, one)))
        for begin, end, seen, moved, returned in (
            (row, column, one, back, there),
            (column, row, other, there, back),
        ):
            across, down = x + moved[..., 0], y + moved[..., 1]
            found = cv2.remap(seen, across, down, cv2.INTER_LINEAR, borderValue=-255.0).astype(np.float32)
            astray = moved + cv2.remap(returned, across, down, cv2.INTER_LINEAR, borderValue=255.0)
            like = cv2.blur(np.abs(found - some[end]), (3, 3)) < NEAR
            reach[begin, end] = float((like & (np.linalg.norm(astray, axis=2) < ASTRAY)).mean())
    return reach


def _best_set(
    some: Sequence[int], worth: dict[int, float], reach: NDArray[np.float32], length: int, count: int
) -> tuple[int, ...]:
    """The candidates that together reach most, by their worth, and by how near they are to where so many should lie."""
    ideal = [(2 * part + 1) / (2 * count) for part in range(count)]
    margin = 0.5 / count

    def value(chosen: tuple[int, ...]) -> float:
        places = [(some[one] + 0.5) / length for one in chosen]
        off = sum(abs(place - best) / margin for place, best in zip(places, ideal, strict=True)) / count
        fit = sum(worth[some[one]] for one in chosen) / count
        return float(reach[list(chosen)].max(0).mean()) * (0.6 + 0.4 * fit) - _TO_MIDDLE * off

    return max(combinations(range(len(some)), count), key=lambda chosen: (round(value(chosen), 6), -chosen[0]))
