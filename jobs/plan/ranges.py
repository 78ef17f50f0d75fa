"""Ranges of frames, half-open, in display order."""

from typing import Annotated, NamedTuple

from pydantic import Field

MOST_FRAMES = 2**32
"""Of a film: 24 a second for five years."""
FrameNumber = Annotated[int, Field(ge=0, le=MOST_FRAMES)]


class Range(NamedTuple):
    """Frames [start, stop)."""

    start: FrameNumber
    stop: FrameNumber

    @property
    def frames(self) -> int:
        return self.stop - self.start

    def meets(self, other: "Range") -> bool:
        """Whether both hold a frame, and the same."""
        return self.start < other.stop and other.start < self.stop
