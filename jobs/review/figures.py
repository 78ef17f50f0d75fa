"""What was measured of a segment's pictures as its clip was made, and which of it deserves a look.

Steps are of 8 bits, of pictures 480 wide at most, each side by side with its source. Still areas are where the source's own luma does not change from a frame to the next.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from jobs.document import Count, Document
from jobs.plan.ranges import Range
from jobs.records.quality import Check, FilmQuality, QualityFigure, ShotQuality
from jobs.review.colour_in_view import SeenPicture, colour_change
from jobs.review.edges import EdgePicture, SetupDifference, seam_step, setup_differences
from jobs.spec.quality import QualityBounds

INSIDE_LEAST = 0.4
"""Steps inside a shot that one at a seam is held against at least: where nothing moves, anything is many times as much."""
WORST: tuple[Check, ...] = ("gamut", "legal")
"""Of these the worst frame counts."""
MOVING: tuple[Check, ...] = ("jump", "warp")
"""And of these, where there is a source."""
COUNTED: tuple[Check, ...] = ("black", "frozen", "flash")
"""Frames of these are counted."""
ALONE: tuple[Check, ...] = ("flash",)
"""And of these where there is no source."""
MOST_WEIGHT = 1e6
HEAVY: dict[Check, float] = {"black": 10.0, "frozen": 5.0, "flash": 10.0}
"""How much more than others these deserve a look: one such frame is a fault."""
MOST_OFTEN = 0.8
"""Of a piece's frames, the share that flicker less than what is told of it."""

Figure = Annotated[float, Field(ge=-1e6, le=1e6)]


class FrameFigure(Document):
    """A figure of one frame."""

    value: Figure = 0.0
    at: Count = 0


class PaintedPicture(Document):
    """A frame that is shown as a person has painted it, very small."""

    at: Count
    shown: EdgePicture
    own: EdgePicture | None = None
    """The source's, where that has colour."""


class PieceFigures(Document):
    """figures/<segment>.json."""

    kind: Literal["piece-figures"] = "piece-figures"
    version: Literal[1] = 1
    flicker: Figure
    """Steps that still areas change by, beyond the source's own, in the fifth of frames that change most; the greater of luma's and chroma's. 0 where
    nothing is still."""
    flicker_at: Count
    """The frame that changed most."""
    step: Figure
    """Mean steps that chroma changes by in still areas."""
    colour: Figure
    """Mean distance of chroma from grey, in steps."""
    black: tuple[Count, ...] = ()
    """Frames that are black where the source's are not; the first thousand."""
    frozen: tuple[Count, ...] = ()
    """Frames that repeat the one before where the source moves; the first thousand."""
    flash: tuple[Count, ...] = ()
    """Frames within flashes that may harm viewers, where the source's do not; the first thousand. Each piece is followed by itself."""
    jump: FrameFigure | None = None
    """The greatest of the changes that flicker is told of, less flicker itself: a cut that the look makes. None where it was not looked at."""
    gamut: FrameFigure | None = None
    """Of the worst frame, percent of pixels beyond the gamut of EBU R103, less the source's own; None where it was not looked at."""
    legal: FrameFigure | None = None
    """The same beyond nominal levels."""
    warp: FrameFigure | None = None
    """Steps that what moves changes by along its motion, beyond the source's own, in the fifth of the pairs looked at that change most; and the frame that
    changed most. None where too little moves, or it was not looked at."""
    first: EdgePicture
    last: EdgePicture
    last_at: Count | None = None
    """The last frame; None where that was not put down."""
    first_own: EdgePicture | None = None
    """The source's, where that has colour; so is `last_own`."""
    last_own: EdgePicture | None = None
    painted: tuple[PaintedPicture, ...] = ()
    """The first few of its frames that are shown as they were painted."""

    @property
    def at_first(self) -> SeenPicture:
        """How it begins."""
        return SeenPicture(self.first, self.first_own)

    @property
    def at_last(self) -> SeenPicture:
        """How it ends."""
        return SeenPicture(self.last, self.last_own)


class ShownFinding(Document):
    """Something that deserves a look."""

    kind: Check
    at: Count
    """Frame."""
    words: str
    weight: Figure
    """How many times what would be let pass: the page shows the greatest first."""


class MeasuredShot(NamedTuple):
    """A shot with the figures of its pieces: of each its first frame, in film order, as far as they are known."""

    number: int
    frames: Range
    measured: int
    """Of its frames."""
    pieces: Sequence[tuple[int, PieceFigures]]
    alone: bool = False
    """There is no source that it was held against."""

    def quality(self, bounds: QualityBounds, setup: SetupDifference | None = None) -> ShotQuality:
        """Its figures, and what the bounds say of them. `setup`: how far it is from other shots that show the same."""
        figures = {check: _judged(check, bounds, value=value, at=at) for check, (value, at) in self._worst().items()}
        if setup:
            figures["setup"] = _judged("setup", bounds, value=setup.apart, at=self.frames.start, other=setup.other)
        return ShotQuality(shot=self.number, frames=self.frames, measured=self.measured, figures=figures)

    def edges(self) -> list[EdgePicture]:
        """Its first picture and its last."""
        return [self.pieces[0][1].first, self.pieces[-1][1].last] if self.pieces else []

    def _worst(self) -> dict[Check, tuple[float, int]]:
        """By check, the figure and the frame where it was found."""
        found: dict[Check, tuple[float, int]] = {}
        if not self.pieces:
            return found
        if not self.alone:
            found["flicker"] = max((one.flicker, one.flicker_at) for _, one in self.pieces)
        if steps := list(self.seams()):
            found["seam"] = max(steps)
        if not self.alone and (gone := list(self._drifts())):
            found["drift"] = max(gone)
        if apart := list(self._from_stills()):
            found["stills"] = max(apart)
        for check in WORST if self.alone else (*WORST, *MOVING):
            if shares := [one for _, piece in self.pieces if (one := getattr(piece, check))]:
                worst = max(shares, key=lambda one: one.value)
                found[check] = worst.value, worst.at
        for check in ALONE if self.alone else COUNTED:
            frames = [frame for _, one in self.pieces for frame in getattr(one, check)]
            found[check] = float(len(frames)), min(frames, default=self.frames.start)
        return found

    def seams(self) -> Iterator[tuple[float, int]]:
        """How many times as far as inside its colour jumps at each seam, and the frame after it; where that can be told."""
        for (_, before), (start, after) in pairwise(self.pieces):
            step = seam_step(before.last, after.first)
            if step is not None:
                yield round(step / max(before.step, after.step, INSIDE_LEAST), 3), start

    def _drifts(self) -> Iterator[tuple[float, int]]:
        """How far colour has gone since the first picture, beyond the most that it changes by at once, and the frame where; where that can be told."""
        sudden = 0.0
        for start, piece in self.pieces:
            sudden = max(sudden, piece.flicker + (piece.jump.value if piece.jump else 0.0))
            gone = colour_change(self.pieces[0][1].at_first, piece.at_last)
            if gone is not None:
                yield round(max(0.0, gone - sudden), 3), piece.last_at or start

    def _from_stills(self) -> Iterator[tuple[float, int]]:
        """How far colour is from what was painted, where a piece begins and where it ends: from the nearest of the stills that show the same."""
        painted = [SeenPicture(one.shown, one.own) for _, piece in self.pieces for one in piece.painted]
        for start, piece in self.pieces:
            for picture, at in ((piece.at_first, start), (piece.at_last, piece.last_at or start)):
                apart = [gone for one in painted if (gone := colour_change(one, picture)) is not None]
                if apart:
                    yield min(apart), at


def _judged(check: Check, bounds: QualityBounds, value: float, at: int, other: int | None = None) -> QualityFigure:
    limits = bounds.limits(check)
    if limits.fail is not None and value >= limits.fail:
        return QualityFigure(value=value, at=at, other=other, verdict="fail", limit=limits.fail)
    if limits.warn is not None and value >= limits.warn:
        return QualityFigure(value=value, at=at, other=other, verdict="warn", limit=limits.warn)
    return QualityFigure(value=value, at=at, other=other)


def quality_of(shots: Sequence[MeasuredShot], bounds: QualityBounds) -> FilmQuality:
    """What was measured of a film's shots, in film order."""
    apart = setup_differences([(one.number, one.edges()) for one in shots])
    return FilmQuality(shots=tuple(one.quality(bounds, apart.get(one.number)) for one in shots))


def findings_of(shot: ShotQuality, bounds: QualityBounds) -> Iterator[ShownFinding]:
    """What deserves a look in one shot."""
    for check, one in shot.figures.items():
        warn = bounds.limits(check).warn
        if one.verdict != "pass" and warn is not None:
            held = ", and keeps the film from being delivered" if one.verdict == "fail" else ""
            weight = min(MOST_WEIGHT, HEAVY.get(check, 1.0) * one.value / warn)
            yield ShownFinding(kind=check, at=one.at, words=one.said(check) + held, weight=weight)
