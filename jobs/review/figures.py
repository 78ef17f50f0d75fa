"""What was measured of a segment's pictures as its clip was made, and which of it deserves a look.

Steps are of 8 bits, of pictures 480 wide at most, each side by side with its source. Still areas are where the source's own luma does not change from a frame to the next.
"""

import base64
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from jobs.document import Count, Document
from jobs.plan.ranges import Range
from jobs.records.quality import SAID, Check, FilmQuality, QualityFigure, ShotQuality
from jobs.spec.quality import QualityBounds

INSIDE_LEAST = 0.4
"""Steps inside a shot that one at a seam is held against at least: where nothing moves, anything is many times as much."""
HEAVY: dict[Check, float] = {"black": 10.0, "frozen": 5.0}
"""How much more than others these deserve a look: one such frame is a fault."""
MOST_OFTEN = 0.8
"""Of a piece's frames, the share that flicker less than what is told of it."""
STILL_SHARE = 0.05
"""Of a picture that must be still for it to be judged by that."""

Small = NDArray[np.int16]
Figure = Annotated[float, Field(ge=-1e6, le=1e6)]


class EdgePicture(Document):
    """A segment's first or last frame, very small: luma of the source, and Y', Cb, Cr of the result."""

    width: Annotated[int, Field(ge=1, le=256)]
    height: Annotated[int, Field(ge=1, le=256)]
    samples: Annotated[str, Field(max_length=400_000)]
    """Of 8 bits, plane after plane, in base64."""

    @classmethod
    def of(cls, planes: Sequence[NDArray[np.uint8]]) -> "EdgePicture":
        """Four planes of one size."""
        height, width = planes[0].shape
        samples = base64.b64encode(np.stack(planes).tobytes()).decode()
        return cls(width=width, height=height, samples=samples)

    def planes(self) -> Small | None:
        """The planes, 4HW; None where they are damaged."""
        try:
            found = np.frombuffer(base64.b64decode(self.samples, validate=True), np.uint8)
            return found.reshape(4, self.height, self.width).astype(np.int16)
        except ValueError:
            return None


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
    """Frames that are black where the source's are not; the first few."""
    frozen: tuple[Count, ...] = ()
    """Frames that repeat the one before where the source moves; the first few."""
    first: EdgePicture
    last: EdgePicture


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

    def quality(self, bounds: QualityBounds) -> ShotQuality:
        """Its figures, and what the bounds say of them."""
        figures = {check: _judged(check, *found, bounds) for check, found in self._worst().items()}
        return ShotQuality(shot=self.number, frames=self.frames, measured=self.measured, figures=figures)

    def _worst(self) -> dict[Check, tuple[float, int]]:
        """By check, the figure and the frame where it was found."""
        found: dict[Check, tuple[float, int]] = {}
        if not self.pieces:
            return found
        found["flicker"] = max((one.flicker, one.flicker_at) for _, one in self.pieces)
        if steps := list(self._seams()):
            found["seam"] = max(steps)
        for check in ("black", "frozen"):
            frames = [frame for _, one in self.pieces for frame in getattr(one, check)]
            found[check] = float(len(frames)), min(frames, default=self.frames.start)
        return found

    def _seams(self) -> Iterator[tuple[float, int]]:
        for (_, before), (start, after) in pairwise(self.pieces):
            step = seam_step(before.last, after.first)
            if step is not None:
                yield round(step / max(before.step, after.step, INSIDE_LEAST), 3), start


def _judged(check: Check, value: float, at: int, bounds: QualityBounds) -> QualityFigure:
    limits = bounds.limits(check)
    if limits.fail is not None and value >= limits.fail:
        return QualityFigure(value=value, at=at, verdict="fail", limit=limits.fail)
    if limits.warn is not None and value >= limits.warn:
        return QualityFigure(value=value, at=at, verdict="warn", limit=limits.warn)
    return QualityFigure(value=value, at=at)


def quality_of(shots: Sequence[MeasuredShot], bounds: QualityBounds) -> FilmQuality:
    """What was measured of a film's shots, in film order."""
    return FilmQuality(shots=tuple(one.quality(bounds) for one in shots))


def findings_of(shot: ShotQuality, bounds: QualityBounds) -> Iterator[ShownFinding]:
    """What deserves a look in one shot."""
    for check, one in shot.figures.items():
        warn = bounds.limits(check).warn
        if one.verdict != "pass" and warn is not None:
            held = ", and keeps the film from being delivered" if one.verdict == "fail" else ""
            weight = HEAVY.get(check, 1.0) * one.value / warn
            yield ShownFinding(kind=check, at=one.at, words=SAID[check].format(one.value) + held, weight=weight)


def seam_step(before: EdgePicture, after: EdgePicture) -> float | None:
    """Mean steps that chroma changes by in still areas from one frame to the next; None where too little is still, or they are of two sizes."""
    one, other = before.planes(), after.planes()
    if one is None or other is None or one.shape != other.shape:
        return None
    change = np.abs(other - one)
    still = change[0] <= 1
    return float(change[2:, still].mean()) if still.mean() >= STILL_SHARE else None
