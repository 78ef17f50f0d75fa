"""Predicts the time and the workers' seconds of a planned film: batches in film order, each to the renderer that is free first.

It is held against a simulation of the fleet's own dispatch, which tests/bench keeps (docs/log.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapreplace
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
    """Seconds of all workers, by pool."""
    renderers: tuple[float, ...]
    """Seconds of each renderer that is hired, by its number: a slow one is let go later than a fast one, or sooner."""


def outcome(chunks: Sequence[Chunk], plan: Plan, times: Times, specs: Sequence[PoolSpec]) -> Outcome:
    """Of `chunks` of a plan that are to be made, at least one; the survey is on paper."""
    pools = {pool.name: pool for pool in specs}
    by_number = {chunk.number: chunk for chunk in chunks}
    works = [[by_number[number] for number in batch] for batch in batches(chunks, plan.target)]
    begun = times.boot(pools["surveyor"]) + times.opening
    ends, busy = _scheduled(works, times, pools, begun)
    start = begun + times.boot(pools["renderer"])
    colouring = [seconds for chunk in chunks if (seconds := times.propagate(chunk))]
    coloured = _together(pools.get("propagator"), colouring)
    rendered = max(ends) + coloured if times.cores_shared else max(*ends, start + coloured)
    seams = [times.dissolve(chunk) for chunk in chunks if chunk.dissolve]
    dissolved = max(rendered + max(seams, default=0.0), start + _together(pools.get("dissolver"), seams))
    whole = dissolved + WRITTEN_SECONDS + PAGE_SECONDS + times.stitch * works[-1][-1].core.frames
    proven = max(whole, times.stitch * plan.frames) + times.prove * plan.frames
    splitters = min(pools["splitter"].limit, len(works))
    hired = {
        "surveyor": begun,
        "splitter": times.boot(pools["splitter"]) * splitters + sum(map(times.split, chunks)),
        "propagator": sum(colouring),
        "renderer": sum(ends) - begun * len(ends),
        "dissolver": sum(seams),
        "finisher": pools["finisher"].limit * proven,
    }
    return Outcome(
        proven,
        rendered,
        busy / hired["renderer"],
        {pool: hired.get(pool, 0.0) for pool in pools},
        tuple(end - begun for end in ends),
    )


def _scheduled(
    works: Sequence[Sequence[Chunk]], times: Times, pools: Mapping[str, PoolSpec], begun: float
) -> tuple[list[float], float]:
    """When each renderer that is hired is done, by its number, and their seconds at work: each batch goes to whoever is free first."""
    renderers, splitters = (min(pools[name].limit, len(works)) for name in ("renderer", "splitter"))
    free = [(begun + times.boot(pools["renderer"]), place) for place in range(renderers)]
    split = busy = 0.0
    for batch in works:
        splitting = sum(map(times.split, batch))
        split += splitting
        there = begun + times.boot(pools["splitter"]) + max(splitting, split / splitters)
        at, place = free[0]
        took = sum(times.render(chunk, place) for chunk in batch)
        busy += took
        heapreplace(free, (max(at, there) + took, place))
    return [at for at, _ in sorted(free, key=lambda each: each[1])], busy


def _together(pool: PoolSpec | None, works: Sequence[float]) -> float:
    """Seconds of a whole pool for pieces of work that it shares."""
    return sum(works) / min(pool.limit, len(works)) if pool and works else 0.0
