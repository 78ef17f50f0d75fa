"""Finds hard cuts amid fast motion, which a detector that compares sums of differences takes for motion, and tells cuts that are none.

Where a picture moves fast, a cut differs from it no more than motion does. But of what moves optical flow finds most again, and
of what is cut away nothing: of three films, a picture after a cut shared with the one before it at most 0.04 of what two frames
beside the cut share, and elsewhere 0.29 at least. Only frames that differ from the one before more than their neighbours do are asked.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.picture.motion.flow import Floats, as_floats, flow_between, grid, sampled
from actors.picture.motion.likeness import likeness
from jobs.plan.survey_ranges import BEYOND

LONG_SIDE = 192
"""Pixels to which the longer side of a picture is brought, where it is longer."""
SHORTEST_SIDE = 32
"""Pixels of a side below which nothing is sought: flow has too little to see."""
LEAST_CHANGE = 0.02
"""Mean difference of luma, 0..1, below which a frame is no candidate."""
FOUND_AGAIN = 0.18
"""What is found again, as a share of what frames on one side have in common, below which there is a cut, at the usual threshold."""
STANDS_OUT = 1.1
"""A candidate changes so many times as much as the frames beside it, at least: on three films a hidden cut had 1.17 and more but for
one into plain white, and without this two to five times as many frames are asked."""
USUAL_THRESHOLD = 3.0
"""The detector's own; a higher one asks more of a hidden cut too, in proportion."""
CONTINUED = 0.2
"""What two frames on one side of a cut have in common at least: in noise nothing is found again anywhere."""


GOES_ON = 0.5
"""What pictures on either side of a listed cut share, as a share of what pictures beside it do, from which on the picture goes on there:
of three films 0.07 at most at true cuts but for two (.13, .33), and inside shots less than that at one frame in a hundred."""
BESIDE = (-BEYOND // 2, -6, -2, -1, 0, 1, 6, 12, 18, BEYOND)
"""The frames that tell it, from the cut on."""
DISSOLVED = 0.65
"""Detail, as a share of what 12 frames on either side have, below which two pictures are mixed: amid a dissolve of 12 or 24 frames it is .5. The picture
goes on there too, but shows another shot soon."""
MIDDLE, BEGIN = (0,), (0, 6, 12)
"""Frames from the cut on at which that is asked: most lists have their cut at a dissolve's middle, and EDLs where it begins."""
BLACK = 0.03
"""Light, 0..1, in which detail is noise."""


class _Seen(NamedTuple):
    luma: Floats
    change: float
    """From the frame before."""


class HiddenCuts:
    """Is shown all frames of a range in order. A cut is decided by two frames before it, and one after it."""

    def __init__(self, threshold: float) -> None:
        """`threshold`: as the detector's."""
        self._limit = FOUND_AGAIN * USUAL_THRESHOLD / threshold
        self._seen: deque[_Seen] = deque(maxlen=4)

    def push(self, number: int, shown_HW3: NDArray[np.uint8]) -> list[int]:
        """One more frame, BGR: the number of the frame before it, where that begins a shot; else nothing."""
        luma = luma_of(shown_HW3)
        change = float(np.abs(luma - self._seen[-1].luma).mean()) if self._seen else 0.0
        self._seen.append(_Seen(luma, change))
        return [number - 1] if len(self._seen) == 4 and self._cut() else []

    def _cut(self) -> bool:
        _, before, first, after = self._seen
        least = max(LEAST_CHANGE, STANDS_OUT * max(before.change, after.change))
        if first.change < least or min(first.luma.shape) < SHORTEST_SIDE:
            return False
        across = self._shared(1, 2)
        if across >= self._limit:
            return False
        beside = max(self._shared(0, 1), self._shared(2, 3))
        # After a flash the picture is there again.
        return beside >= CONTINUED and max(across, self._shared(0, 3)) < self._limit * beside

    def _shared(self, one: int, other: int) -> float:
        return shared(self._seen[one].luma, self._seen[other].luma)


def beside(cut: int, before: int, after: int) -> tuple[int, ...]:
    """The frames that tell whether the picture goes on at a listed cut; none of them beyond the cuts `before` and `after`."""
    return tuple(min(max(cut + place, before), after - 1) for place in BESIDE)


def goes_on(lumas: Sequence[Floats], mixed_at: Sequence[int] = MIDDLE) -> bool:
    """Whether the picture goes on at a cut that a list has; `lumas` of the frames `beside` it. `mixed_at`: MIDDLE or BEGIN."""
    shown = dict(zip(BESIDE, lumas, strict=True))
    usual = max(shared(shown[-2], shown[-1]), shared(shown[0], shown[1]))
    if usual < CONTINUED or shared(shown[-1], shown[0]) < GOES_ON * usual:
        return False
    detail = {place: _detail(luma) for place, luma in shown.items()}
    return all(2 * detail[at] >= DISSOLVED * (detail[at - 12] + detail[at + 12]) for at in mixed_at)


def _detail(luma_HW: Floats) -> float:
    """Contrast of neighbouring pixels, squared, as a share of the light: a fade has as much."""
    across, down = (cv2.Sobel(luma_HW, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
    return float((across * across + down * down).mean() / (luma_HW.mean() + BLACK) ** 2)


def shared(one_HW: Floats, other_HW: Floats) -> float:
    """The share of a picture that is found again in another, 0..1, in the direction in which it is larger."""
    flow = flow_between(one_HW, other_HW)
    places = grid(*one_HW.shape)
    back, _ = likeness(other_HW, sampled(one_HW, places + flow.back))
    ahead, _ = likeness(one_HW, sampled(other_HW, places + flow.ahead))
    return float(max((flow.back_trust * back).mean(), (flow.ahead_trust * ahead).mean()))


def luma_of(shown_HW3: NDArray[np.uint8]) -> Floats:
    """Luma of a picture, BGR, 0..1, at most LONG_SIDE long."""
    luma_HW = cv2.cvtColor(shown_HW3, cv2.COLOR_BGR2GRAY)
    scale = min(1.0, LONG_SIDE / max(luma_HW.shape))
    height, width = (max(1, round(side * scale)) for side in luma_HW.shape)
    return as_floats(cv2.resize(luma_HW, (width, height), interpolation=cv2.INTER_AREA)) / np.float32(255)
