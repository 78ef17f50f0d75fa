"""Measures a segment's pictures, from the small ones that its clip is made of: flicker, colour, black and frozen frames, flashes; levels are its own frames'.

What a look leaves as it is in the source (a flash, a cut, grain) is told from what it brings by measuring both.
"""

from statistics import fmean

import cv2
import numpy as np

from actors.render.review.flashes import FlashMeasure
from actors.render.review.levels import BeyondLevels
from actors.render.review.shrink import Planes
from jobs.review.edges import STILL_SHARE, EdgePicture, Small
from jobs.review.figures import MOST_OFTEN, FrameFigure, PieceFigures

BLACK, NOT_BLACK = 18.0, 24.0
"""Mean luma of a black frame at most, and of the source's frame at least."""
MOVES, RESTS = 0.5, 0.005
"""Mean steps of a source that moves, at least, and of a result that does not, at most."""
EDGE_WIDTH = 64
MOST_NAMED = 1000
"""Frames of one kind that are counted in a piece."""


class PieceMeasure:
    """What is measured of one segment so far."""

    def __init__(self, first: int, flash: FlashMeasure) -> None:
        """`first`: the number of its first frame; `flash`: follows flashes, from before this piece maybe."""
        self._frame = first
        self._flash = flash
        self._flashes: list[int] = []
        self._beyond: list[BeyondLevels] = []
        self._first_frame = first
        self._before: Small | None = None
        self._after_fault = False
        self._flicker: list[float] = []
        self._at: list[int] = []
        self._steps: list[float] = []
        self._colour: list[float] = []
        self._black: list[int] = []
        self._frozen: list[int] = []
        self._first: EdgePicture | None = None
        self._last: Planes = []

    def take(self, source: Planes, result: Planes, beyond: BeyondLevels, *, alone: bool = False) -> None:
        """The next frame, before and after; `beyond`: what of it lies beyond levels, and of the source's does not. `alone`: a film without a source, given as both."""
        planes = [source[0][::2, ::2], source[1], source[2], result[0][::2, ::2], result[1], result[2]]
        now = np.stack(planes).astype(np.int16)
        self._last = [planes[0], *planes[3:]]
        if self._first is None:
            self._first = _edge(self._last)
        self._beyond.append(beyond)
        before, after = self._flash.take(planes[:3], planes[3:])
        if after and (alone or not before):
            self._flashes.append(self._frame)
        self._colour.append(float(np.abs(now[4:] - 128).mean()))
        faulty = self._is_faulty(now)
        if self._before is not None and not faulty and not self._after_fault:  # which is told as such
            self._compare(np.abs(now - self._before))
        self._before, self._after_fault = now, faulty
        self._frame += 1

    def figures(self) -> PieceFigures:
        """Of a segment of which at least one frame was taken."""
        assert self._first
        worst = self._flicker.index(max(self._flicker)) if self._flicker else None
        flicker = sorted(self._flicker)[int(MOST_OFTEN * len(self._flicker))] if self._flicker else 0.0
        at = self._frame - 1 if worst is None else self._at[worst]
        return PieceFigures(
            flicker=round(flicker, 3),
            flicker_at=at,
            jump=FrameFigure(value=round(max(self._flicker, default=flicker) - flicker, 3), at=at),
            step=round(fmean(self._steps), 3) if self._steps else 0.0,
            colour=round(fmean(self._colour), 3),
            black=tuple(self._black[:MOST_NAMED]),
            frozen=tuple(self._frozen[:MOST_NAMED]),
            flash=tuple(self._flashes[:MOST_NAMED]),
            gamut=self._worst([one.gamut for one in self._beyond]),
            legal=self._worst([one.legal for one in self._beyond]),
            first=self._first,
            last=_edge(self._last),
        )

    def _worst(self, shares: list[float]) -> FrameFigure:
        worst = max(shares)
        return FrameFigure(value=worst, at=self._first_frame + shares.index(worst))

    def _is_faulty(self, now: Small) -> bool:
        if now[3].mean() <= BLACK and now[0].mean() >= NOT_BLACK:
            self._black.append(self._frame)
            return True
        if self._before is None:
            return False
        change = np.abs(now - self._before)
        frozen = bool(change[3:].mean() <= RESTS and change[0].mean() >= MOVES)
        if frozen:
            self._frozen.append(self._frame)
        return frozen

    def _compare(self, change: Small) -> None:
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
