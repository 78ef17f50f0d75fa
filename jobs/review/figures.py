"""What was measured of a segment's pictures as its clip was made, and which of it deserves a look.

Steps are of 8 bits, of pictures 480 wide at most, each side by side with its source. Still areas are where the source's own luma does not change from a frame to the next.
"""

import base64
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from jobs.document import Count, Document
from jobs.spec.quality import QualityBounds

SEAM_LEAST = 1.0
"""Steps by which one at a seam exceeds those inside at least: where nothing moves, nothing is much."""
MOST_OFTEN = 0.8
"""Of a piece's frames, the share that flicker less than what is told of it."""
STILL_SHARE = 0.05
"""Of a picture that must be still for it to be judged by that."""

Small = NDArray[np.int16]
Kind = Literal["flicker", "seam", "black", "frozen"]
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

    kind: Kind
    at: Count
    """Frame."""
    words: str
    weight: Figure
    """How many times what would be let pass: the page shows the greatest first."""


def findings_of(pieces: Sequence[tuple[int, PieceFigures]], bounds: QualityBounds) -> Iterator[ShownFinding]:
    """What deserves a look in one shot; of each piece its first frame and its figures, in film order, as far as these are known."""
    for _, one in pieces:
        if bounds.flicker is not None and one.flicker >= bounds.flicker:
            words = f"flickers by {one.flicker:.1f} steps of 8 bits where the source is still"
            yield ShownFinding(kind="flicker", at=one.flicker_at, words=words, weight=one.flicker / bounds.flicker)
        if bounds.black and one.black:
            yield ShownFinding(kind="black", at=one.black[0], words="is black, and the source is not", weight=10.0)
        if bounds.frozen and one.frozen:
            words = "repeats the frame before, and the source moves"
            yield ShownFinding(kind="frozen", at=one.frozen[0], words=words, weight=5.0)
    for (_, before), (start, after) in pairwise(pieces) if bounds.seam is not None else ():
        step, inside = seam_step(before.last, after.first), max(before.step, after.step)
        most = max((bounds.seam or 0.0) * inside, inside + SEAM_LEAST)
        if step is not None and step > most:
            words = f"colour jumps by {step:.1f} steps of 8 bits at a seam, and by {inside:.1f} inside"
            yield ShownFinding(kind="seam", at=start, words=words, weight=step / most)


def seam_step(before: EdgePicture, after: EdgePicture) -> float | None:
    """Mean steps that chroma changes by in still areas from one frame to the next; None where too little is still, or they are of two sizes."""
    one, other = before.planes(), after.planes()
    if one is None or other is None or one.shape != other.shape:
        return None
    change = np.abs(other - one)
    still = change[0] <= 1
    return float(change[2:, still].mean()) if still.mean() >= STILL_SHARE else None
