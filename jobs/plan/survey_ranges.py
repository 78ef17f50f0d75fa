"""The ranges of frames in which cuts are sought. Pure; a longer index only adds to the list.

A cut is decided by the frames around it: BEFORE ahead of it and AFTER behind. So a range begins BEFORE frames after a
keyframe: what it must see ahead of its first frame then begins at that keyframe, and nothing is decoded in vain.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from jobs.film.frame_index import FrameIndex
from jobs.film.source import Picture
from jobs.plan.plan import Range

RANGE_SECONDS = 20
"""Seconds of film looked through in one call: enough to be worth a call, few enough for the first chunk to begin early."""

BEFORE = 3
"""Frames ahead of a frame that decide whether a cut is there: two of the detector's window, and one they are compared with."""

AFTER = 2
"""Frames behind a frame that decide whether a cut is there."""

BEYOND = 24
"""Frames after a list's cut that tell, with half as many before it, whether the picture goes on there."""

MARGIN = 2
"""Frames decoded on either side of a read, where the film is deinterlaced: bwdif looks at one neighbour on each side, and
treats a run's first and last frame otherwise."""


def decoded(read: Range, frames: int) -> Range:
    """The frames that must be decoded to deinterlace those of `read` as the whole film of `frames` frames would be."""
    return Range(max(0, read.start - MARGIN), min(frames, read.stop + MARGIN))


def range_target(picture: Picture) -> int:
    """Frames that are looked through for cuts in one call."""
    return max(1, int(RANGE_SECONDS * picture.rate))


def survey_ranges(index: FrameIndex, target_frames: int) -> Iterator[Range]:
    """The film's frames in ranges of at least `target_frames`, as far as the index is settled; all of them once it is complete.

    The list is the same however far the index has grown, only longer. The last range of a film ends with the film.
    """
    start, entries = 0, index.entries()
    while (place := np.searchsorted(entries, start + target_frames - BEFORE)) < len(entries):
        edge = int(entries[place]) + BEFORE
        # Within AFTER of the end there is no edge: whether the film goes on is not known yet, and must not matter.
        if edge + AFTER > index.frames:
            break
        yield Range(start, edge)
        start = edge
    if index.complete and start < index.frames:
        yield Range(start, index.frames)


def seen(frames: Range, index: FrameIndex) -> Range:
    """The frames that must be decoded to find the cuts within `frames`, clipped at the film's edges."""
    return Range(max(0, frames.start - BEFORE), min(frames.stop + AFTER, index.frames))


def beside_listed(cuts: Sequence[int], frames: int) -> Range:
    """The frames that are decoded to tell at which of a list's cuts, at least one, the picture goes on, of a film of `frames` frames."""
    return Range(max(0, cuts[0] - BEYOND // 2), min(frames, cuts[-1] + BEYOND + 1))
