"""Works out from the frame index which neighbours of a frame must be read with it, and from which packets."""

from typing import NamedTuple

from jobs.film.frame_index import FrameIndex, PacketSpan
from jobs.film.source import Film
from jobs.plan.plan import Look, Range
from jobs.plan.survey_ranges import decoded as decoded_range


class NeighbouringFrames(NamedTuple):
    """A frame to be judged among its neighbours."""

    frame: int
    read: Range
    """What looks are shown: within the frame's shot."""
    head: int
    """Frames decoded before `read`, for a deinterlacer."""
    span: PacketSpan


class FrameRuns(NamedTuple):
    """A film, and what of it is judged."""

    film: Film
    runs: tuple[NeighbouringFrames, ...]


def middles(total: int, count: int) -> list[int]:
    """The middle ones of `count` equal parts of so many things; all of them where there are fewer."""
    count = min(count, total)
    return [(2 * part + 1) * total // (2 * count) for part in range(count)]


def run_over(film: Film, index: FrameIndex, read: Range, frame: int) -> NeighbouringFrames:
    """`frame` among the frames of `read`, and the packets that decode them, with their neighbours where they are deinterlaced."""
    whole = decoded_range(read, index.frames) if film.picture.deinterlace else read
    return NeighbouringFrames(frame, read, read.start - whole.start, index.span(*whole))


def around(frame: int, look: Look, within: Range) -> Range:
    """The frames that a look must be shown for one frame, of those within its shot."""
    need = look.around
    begin = max(within.start, frame - max(need.context, need.warmup))
    return Range(begin, min(within.stop, frame + need.context + 1))
