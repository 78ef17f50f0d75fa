"""Ranges of frames, half-open, in display order."""

from typing import NamedTuple


class Range(NamedTuple):
    """Frames [start, stop)."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start

    def meets(self, other: "Range") -> bool:
        """Whether both hold a frame, and the same."""
        return self.start < other.stop and other.start < self.stop
