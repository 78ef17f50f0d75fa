"""Measures a segment's pictures, from the small ones that its clip is made of: flicker, colour, black and frozen frames, flashes; levels are its own frames'.

What a look leaves as it is in the source (a flash, a cut, grain) is told from what it brings by measuring both.
"""

from collections.abc import Collection
from statistics import fmean
from typing import NamedTuple

import cv2
import numpy as np

from actors.render.review.flashes import FlashMeasure
from actors.render.review.levels import BeyondLevels
from actors.render.review.shrink import Planes
from actors.render.review.warping import WarpMeasure
from jobs.review.edges import STILL_SHARE, EdgePicture, Small
from jobs.review.figures import MOST_OFTEN, FrameFigure, PaintedPicture, PieceFigures

BLACK, NOT_BLACK = 18.0, 24.0
"""Mean luma of a black frame at most, and of the source's frame at least."""
MOVES, RESTS = 0.5, 0.005
"""Mean steps of a source that moves, at least, and of a result that does not, at most."""
EDGE_WIDTH = 64
MOST_NAMED = 1000
"""Frames of one kind that are counted in a piece."""
MOST_PAINTED = 4
"""Painted frames of a piece that are put down: each takes some 20 KB."""
GREY = 1.0
"""Steps that chroma deviates by, at most, in the mean, where there is none."""


class PieceMeasure:
    """What is measured of one segment so far."""

    def __init__(self, first: int, flash: FlashMeasure, painted: Collection[int] = ()) -> None:
        """`first`: the number of its first frame; `flash`: follows flashes, from before this piece maybe; `painted`: frames that are shown as they were painted."""
        self._frame = first
        self._painted_frames = painted
        self._painted: list[PaintedPicture] = []
        self._warp = WarpMeasure()
        self._warps: list[tuple[float, int]] = []
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
        self._first: _Edge | None = None
        self._last: tuple[Planes, Planes] = [], []

    def take(self, source: Planes, result: Planes, beyond: BeyondLevels, *, alone: bool = False) -> None:
        """The next frame, before and after; `beyond`: what of it lies beyond levels, and of the source's does not. `alone`: a film without a source, given as both."""
        planes = [source[0][::2, ::2], source[1], source[2], result[0][::2, ::2], result[1], result[2]]
        now = np.stack(planes).astype(np.int16)
        self._last = planes[:3], planes[3:]
        if self._first is None:
            self._first = _edge(*self._last)
        if self._frame in self._painted_frames and len(self._painted) < MOST_PAINTED:
            self._painted.append(PaintedPicture(at=self._frame, **_edge(*self._last)._asdict()))
        self._beyond.append(beyond)
        before, after = self._flash.take(planes[:3], planes[3:])
        if after and (alone or not before):
            self._flashes.append(self._frame)
        self._colour.append(float(np.abs(now[4:] - 128).mean()))
        faulty = self._is_faulty(now)
        warp = None if alone else self._warp.take(*self._last)
        if self._before is not None and not faulty and not self._after_fault:  # which is told as such
            self._compare(np.abs(now - self._before))
            if warp is not None:
                self._warps.append((warp, self._frame))
        self._before, self._after_fault = now, faulty
        self._frame += 1

    def figures(self) -> PieceFigures:
        """Of a segment of which at least one frame was taken."""
        assert self._first
        last = _edge(*self._last)
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
            warp=self._wavering(),
            first=self._first.shown,
            first_own=self._first.own,
            last=last.shown,
            last_own=last.own,
            last_at=self._frame - 1,
            painted=tuple(self._painted),
        )

    def _wavering(self) -> FrameFigure | None:
        if not self._warps:
            return None
        errors = sorted(error for error, _ in self._warps)
        return FrameFigure(
            value=round(max(0.0, errors[int(MOST_OFTEN * len(errors))]) ** 0.5, 3), at=max(self._warps)[1]
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


class _Edge(NamedTuple):
    shown: EdgePicture
    own: EdgePicture | None


def _edge(source: Planes, result: Planes) -> _Edge:
    height, width = source[0].shape
    size = (min(width, EDGE_WIDTH), max(1, min(256, round(height * min(1.0, EDGE_WIDTH / width)))))
    own, after = (
        [np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), np.uint8) for one in planes]
        for planes in (source, result)
    )
    coloured = max(float(np.abs(plane.astype(np.int16) - 128).mean()) for plane in own[1:]) > GREY
    return _Edge(EdgePicture.of([own[0], *after]), EdgePicture.of([own[0], *own]) if coloured else None)
