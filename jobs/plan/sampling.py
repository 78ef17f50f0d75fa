"""Chooses which frames of a film are decoded again to be compared with a deliverable, within a bounded share of the film. Pure.

A run of neighbouring frames costs what must be decoded for it: all frames from the last keyframe before it. First come the
film's two ends, then the edges of chunks (seams and cuts) from the cheapest to the dearest, then runs that begin at
keyframes between them, evenly spread. What no longer fits into the budget is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Self

import numpy as np

from jobs.document import Document
from jobs.film.frame_index import Flags, Ints
from jobs.plan.plan import Chunk, Keeps, Range

LARGEST_SHARE = 0.1
"""Frames decoded at most, lead-in included, as a share of the film; between edges there are runs for a fifth of it."""

ALWAYS = 240
"""Frames that may always be decoded: of a film no longer than this all are."""

AROUND = 2
"""Frames on either side of an edge."""

BETWEEN = 4
"""Frames of a run between edges, at least."""


class SampledCore(Document):
    """The frames of one chunk, and what of the source's picture its look keeps."""

    start: int
    stop: int
    keeps: Keeps = ""

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        """The core of a chunk as it stands in the plan, or of what stands in for it."""
        keeps: Keeps = "" if chunk.look.stand_in == "grey" else chunk.look.keeps
        return cls(start=chunk.core.start, stop=chunk.core.stop, keeps=keeps)


@dataclass(frozen=True)
class SourceFrames:
    """The film's frames as the source itself tells them."""

    pts: Ints
    """When each is shown, in ticks of the source's own time base."""
    entries: Ints
    """Numbers of the frames at which decoding can begin, in order."""
    inspect: Literal["edges", "all"] = "edges"
    """Which of them are held against a deliverable."""


def runs_to_compare(source: SourceFrames, edges: Sequence[int]) -> list[Range]:
    """The runs of frames to be compared, in film order; they neither overlap nor touch. `edges`: first frames of chunks."""
    frames = len(source.pts)
    budget = max(ALWAYS, int(frames * LARGEST_SHARE))
    if source.inspect == "all" or frames <= budget:
        return [Range(0, frames)]
    chosen = _Chosen(source)
    around = [Range(max(0, edge - AROUND), min(frames, edge + AROUND)) for edge in (0, frames, *edges)]
    for run in (*around[:2], *sorted(around[2:], key=chosen.cost)):
        chosen.add(run, budget - budget // 5)
    room = max(1, budget // 5 // BETWEEN)
    starts = source.entries[:: max(1, -(-len(source.entries) // room))]
    # Where keyframes are few, what is decoded from one may as well be compared.
    length = max(BETWEEN, budget // 5 // max(1, len(starts)))
    for start in map(int, starts):
        chosen.add(Range(start, min(frames, start + length)), budget)
    return _runs(chosen.wanted)


def joined(runs: Iterable[Range], frames: int) -> list[Range]:
    """The frames of some runs of a film of `frames` frames, as runs that neither overlap nor touch, in film order."""
    return _runs(mask(runs, frames))


def mask(runs: Iterable[Range], frames: int) -> Flags:
    """For each of a film's frames, whether it is in one of the runs."""
    wanted = np.zeros(frames, bool)
    for run in runs:
        wanted[run.start : run.stop] = True
    return wanted


class _Chosen:
    """Frames chosen so far, and those that must be decoded for them."""

    def __init__(self, source: SourceFrames) -> None:
        self._entries = source.entries
        self._decoded = np.zeros(len(source.pts), bool)
        self.wanted = np.zeros(len(source.pts), bool)
        self._spent = 0

    def cost(self, run: Range) -> int:
        """Frames that must be decoded for a run, beyond those that are already."""
        return int(np.count_nonzero(~self._decoded[self._from(run) : run.stop]))

    def add(self, run: Range, budget: int) -> None:
        """Take a run in, unless with it more than `budget` frames would be decoded."""
        cost = self.cost(run)
        if self._spent + cost <= budget:
            self._spent += cost
            self._decoded[self._from(run) : run.stop] = True
            self.wanted[run.start : run.stop] = True

    def _from(self, run: Range) -> int:
        place = int(np.searchsorted(self._entries, run.start, "right")) - 1
        return int(self._entries[place]) if place >= 0 else 0


def _runs(wanted: Flags) -> list[Range]:
    changes = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]])))
    return [Range(int(start), int(stop)) for start, stop in list(pairwise(changes))[::2]]
