"""Ranges of frames, half-open, in display order."""

from typing import NamedTuple


class Range(NamedTuple):
    """Frames [start, stop)."""

    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start
