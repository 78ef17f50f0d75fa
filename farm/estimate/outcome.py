"""Predicts time and worker seconds of a planned film by a closed formula: renderers share the work, and wait for the last batch.

It was held against a simulation of the fleet's own dispatch on the same runs (docs/log.md), and errs as little; tests/bench keeps that one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from farm.film.chunk_states import batches
from farm.fleet.calls import PoolSpec
from jobs.plan.plan import Chunk, Plan

WRITTEN_SECONDS = 0.3
"""From a call's last picture until its segments are in the store; the device is at the next call then."""
PAGE_SECONDS = 1.0
"""Until finishers read of a segment (jobs/ledger/finished_prefix.py)."""


@dataclass(frozen=True)
class Times:
    """How long everything takes, in seconds."""

    boot: Callable[[PoolSpec], float]
    """From being hired until one can work."""
    opening: float
    """To survey what the source is, and to decide what becomes of it."""
    split: Callable[[Chunk], float]
    """To put a chunk into the store."""
    render: Callable[[Chunk, int], float]
    """A chunk, by the renderer of this number, from 0."""
    propagate: Callable[[Chunk], float]
    """To propagate colour to the frames of a chunk's core, by one propagator; 0 where none is."""
    dissolve: Callable[[Chunk], float]
    """A seam, by the later chunk."""
    stitch: float
    """To add one frame to a deliverable: they are stitched side by side."""
    prove: float
    """To prove one frame of a deliverable, once it is whole."""
    cores_shared: bool
    """Propagators work on the renderers' cores, as on one machine."""


class Outcome(NamedTuple):
    """What it takes."""

    seconds: float
    """From the driver's first call until every deliverable is proven."""
    rendered: float
    """When the last chunk was."""
    busy: float
    """Share of the renderers' time, from being hired until let go, that their devices were at work."""
    hired: dict[str, float]
    """Seconds of all workers, by crew."""


def outcome(
    chunks: Sequence[Chunk], plan: Plan, times: Times, crews: Sequence[PoolSpec], kinds: Sequence[int]
) -> Outcome:
    """Of `chunks` of a plan that are to be made, at least one; the survey is on paper. `kinds`: how many renderers there are of each, in their order."""
    pools = {pool.name: pool for pool in crews}
    renderers, splitters = sum(kinds), pools["splitter"].limit
    by_number = {chunk.number: chunk for chunk in chunks}
    works = [[by_number[number] for number in batch] for batch in batches(chunks, plan.target)]
    begun = times.boot(pools["surveyor"]) + times.opening
    first_split = times.boot(pools["splitter"]) + sum(map(times.split, works[0]))
    split = times.boot(pools["splitter"]) + sum(map(times.split, chunks)) / min(splitters, len(works))
    start = begun + max(times.boot(pools["renderer"]), first_split)
    # Everyone is busy until nothing is left to be begun; on average half of the longest batch is then still to be done.
    alone = [_shared(batch, times, kinds) * renderers for batch in works]
    work, longest = sum(alone) / renderers, max(alone)
    tail = longest * (1 - 1 / renderers) / 2 if len(works) > renderers else longest - work
    rendered = max(start + work + tail, begun + split + longest)
    propagators = pools.get("propagator")
    propagation = sum(map(times.propagate, chunks)) / propagators.limit if propagators else 0.0
    rendered = rendered + propagation if times.cores_shared else max(rendered, start + propagation + longest)
    dissolves = [times.dissolve(chunk) for chunk in chunks if chunk.dissolve]
    whole = rendered + max(dissolves, default=0.0) + WRITTEN_SECONDS
    stitched = max(whole + PAGE_SECONDS + times.stitch * works[-1][-1].core.frames, times.stitch * plan.frames)
    proven = stitched + times.prove * plan.frames
    hired = {
        "surveyor": begun,
        "splitter": times.boot(pools["splitter"]) * min(splitters, len(works)) + sum(map(times.split, chunks)),
        "propagator": propagation * propagators.limit if propagators else 0.0,
        "renderer": renderers * (rendered - begun),
        "dissolver": sum(dissolves) + bool(dissolves) * times.boot(pools["dissolver"]),
        "finisher": pools["finisher"].limit * proven,
    }
    return Outcome(proven, rendered, work / (rendered - begun), {pool: hired.get(pool, 0.0) for pool in pools})


def _shared(batch: Sequence[Chunk], times: Times, kinds: Sequence[int]) -> float:
    """Seconds of all renderers together, each as fast as its kind, for one batch."""
    firsts = accumulate((0, *kinds[:-1]))
    each = [sum(times.render(chunk, first) for chunk in batch) for first in firsts]
    return 1 / sum(many / max(seconds, 1e-9) for many, seconds in zip(kinds, each, strict=True))
