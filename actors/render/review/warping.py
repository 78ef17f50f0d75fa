"""Measures how a result wavers along motion: the warping error of Lai et al., "Learning blind video temporal consistency", 2018, above what the source's own motion leaves.

Of each pair of neighbouring frames the later is held against the earlier one brought along optical flow of the source, where that can be trusted
and something moves; what stands still is told of by flicker. One pair in a few is looked at, and small.
"""

import cv2
import numpy as np

from actors.picture.motion.flow import Floats, as_floats, flow_between, grid, sampled
from actors.render.review.shrink import Planes
from jobs.review.edges import STILL_SHARE

WIDTH = 120
EVERY = 3
"""Frames from one pair to the next."""
MOVED = 0.5
"""Pixels that flow goes, at least, where something moves."""
TRUSTED = 0.5
"""Of flow that leads there and back, at least."""


class WarpMeasure:
    """Follows one segment's frames."""

    def __init__(self) -> None:
        self._seen = 0
        self._before: tuple[Floats, Floats] | None = None

    def take(self, source: Planes, result: Planes) -> float | None:
        """The next frame, before and after: of the pair that it completes, the mean square of steps beyond the source's; None where none is, or where too little moves."""
        place = self._seen % EVERY
        self._seen += 1
        if place > 1:
            return None
        now = _small(source), _small(result)
        before, self._before = self._before, now
        return _beyond(before, now) if place and before else None


def _small(planes: Planes) -> Floats:
    height, width = planes[0].shape
    size = (min(width, WIDTH), max(1, round(height * min(1.0, WIDTH / width))))
    return np.stack([as_floats(cv2.resize(one, size, interpolation=cv2.INTER_AREA)) for one in planes])


def _beyond(before: tuple[Floats, Floats], now: tuple[Floats, Floats]) -> float | None:
    """The greater of luma's and chroma's."""
    step = flow_between(*(as_floats(one[0][0] / np.float32(255)) for one in (before, now)))
    flow = step.back
    looked = (step.back_trust >= TRUSTED) & (np.hypot(flow[..., 0], flow[..., 1]) >= MOVED)
    if looked.mean() < STILL_SHARE:
        return None
    places = grid(*flow.shape[:2]) + flow
    source, result = (
        [np.square(plane - sampled(earlier, places))[looked].mean() for earlier, plane in zip(*pair, strict=True)]
        for pair in zip(before, now, strict=True)
    )
    # What flow does not explain of luma it does not explain of anything else: a look may have more contrast than its source.
    unexplained = source[0] / max(1.0, float(now[0][0][looked].var()))
    luma, *chroma = (
        error - max(own, unexplained * float(plane[looked].var()))
        for error, own, plane in zip(result, source, now[1], strict=True)
    )
    return float(max(luma, sum(chroma) / len(chroma)))
