"""Measures a segment's pictures, from the small ones that its clip is made of: flicker, colour, black and frozen frames.

What a look leaves as it is in the source (a flash, a cut, grain) is told from what it brings by measuring both.
"""

from statistics import fmean

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.review.figures import MOST_OFTEN, STILL_SHARE, EdgePicture, PieceFigures, Small

Planes = list[NDArray[np.uint8]]
"""Y', Cb, Cr of 4:2:0, limited range."""
BLACK, NOT_BLACK = 18.0, 24.0
"""Mean luma of a black frame at most, and of the source's frame at least."""
MOVES, RESTS = 0.5, 0.005
"""Mean steps of a source that moves, at least, and of a result that does not, at most."""
EDGE_WIDTH = 64
MOST_NAMED = 8
"""Frames of one kind that are named."""


class PieceMeasure:
    """What is measured of one segment so far."""

    def __init__(self, first: int) -> None:
        self._frame = first
        self._before: Small | None = None
        self._flicker: list[float] = []
        self._at: list[int] = []
        self._steps: list[float] = []
        self._colour: list[float] = []
        self._black: list[int] = []
        self._frozen: list[int] = []
        self._first: EdgePicture | None = None
        self._last: Planes = []

    def take(self, source: Planes, result: Planes) -> None:
        """The next frame, before and after."""
        planes = [source[0][::2, ::2], source[1], source[2], result[0][::2, ::2], result[1], result[2]]
        now = np.stack(planes).astype(np.int16)
        self._last = [planes[0], *planes[3:]]
        if self._first is None:
            self._first = _edge(self._last)
        self._colour.append(float(np.abs(now[4:] - 128).mean()))
        if now[3].mean() <= BLACK and now[0].mean() >= NOT_BLACK:
            self._black.append(self._frame)
        if self._before is not None:
            self._compare(np.abs(now - self._before))
        self._before = now
        self._frame += 1

    def figures(self) -> PieceFigures:
        """Of a segment of which at least one frame was taken."""
        assert self._first
        worst = self._flicker.index(max(self._flicker)) if self._flicker else None
        return PieceFigures(
            flicker=round(sorted(self._flicker)[int(MOST_OFTEN * len(self._flicker))], 3) if self._flicker else 0.0,
            flicker_at=self._frame - 1 if worst is None else self._at[worst],
            step=round(fmean(self._steps), 3) if self._steps else 0.0,
            colour=round(fmean(self._colour), 3),
            black=tuple(self._black[:MOST_NAMED]),
            frozen=tuple(self._frozen[:MOST_NAMED]),
            first=self._first,
            last=_edge(self._last),
        )

    def _compare(self, change: Small) -> None:
        if change[3:].mean() <= RESTS and change[0].mean() >= MOVES:
            self._frozen.append(self._frame)
        still = change[0] <= 1
        if still.mean() < STILL_SHARE:
            return
        luma, *own = (float(plane[still].mean()) for plane in change[:3])
        after, *chroma = (float(plane[still].mean()) for plane in change[3:])
        self._flicker.append(max(after - luma, fmean(chroma) - fmean(own)))
        self._at.append(self._frame)
        self._steps.append(fmean(chroma))


def _edge(planes: Planes) -> EdgePicture:
    height, width = planes[0].shape
    size = (min(width, EDGE_WIDTH), max(1, min(256, round(height * min(1.0, EDGE_WIDTH / width)))))
    return EdgePicture.of([np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.uint8) for one in planes])
