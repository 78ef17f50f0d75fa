"""The rehearsal: a planned film carried through a fleet that only takes its time. Promises the driver's own order of work, batches and calls; renders nothing.

What follows from what is said here once more, in few lines, because production works with paper of a store and this with
numbers alone: a day of film on 512 workers takes seconds. Nothing fails, nobody is lost, and the store keeps up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from farm.estimate.outcome import PAGE_SECONDS, WRITTEN_SECONDS, Times
from farm.film.calls import ChunkCall
from farm.film.chunk_states import batches
from farm.fleet.calls import Call, Cluster, PoolSpec
from jobs.plan.plan import Chunk, Plan
from tests.bench.simulation import SimulatedFleet, Step


def pools_of(renderers: int, splitters: int, dissolvers: int = 4) -> list[PoolSpec]:
    """The pools of a film that is rehearsed, of so many workers at most."""
    limits = {"surveyor": 1, "splitter": splitters, "renderer": renderers, "dissolver": dissolvers, "finisher": 1}
    return [
        PoolSpec(name, "builtins:object", limit=limit, max_concurrency=1 + (name == "renderer"))
        for name, limit in limits.items()
    ]


class RehearsedOutcome(NamedTuple):
    """What became of it."""

    seconds: float
    """From the driver's first call until every deliverable is proven."""
    rendered: float
    """When the last chunk was."""
    first: float
    """When the first chunk was."""
    busy: float
    """Share of the renderers' time, from being hired until let go, that their devices were at work."""
    hired: dict[str, float]
    """Seconds of all workers, by pool."""


@dataclass(frozen=True)
class RehearsedCall(ChunkCall):
    """A call in short."""

    pool: str = ""
    asked: Sequence[Chunk] = ()
    method = ""

    @cached_property
    def chunks(self) -> tuple[int, ...]:
        return tuple(chunk.number for chunk in self.asked)

    @cached_property
    def frames(self) -> int:
        return sum(chunk.read.frames for chunk in self.asked) if self.pool == "renderer" else 0

    @cached_property
    def parts(self) -> Sequence[ChunkCall]:
        several = self.pool == "renderer" and len(self.asked) > 1
        return [RehearsedCall(self.pool, (chunk,)) for chunk in self.asked] if several else ()


class Rehearsal:
    """One film on one fleet."""

    def __init__(self, chunks: Sequence[Chunk], plan: Plan, times: Times) -> None:
        """`chunks` of a plan that are to be made, at least one; the survey is on paper."""
        self.chunks = {one.number: one for one in chunks}
        self.times = times
        self._frames = plan.frames
        self._split: set[int] = set()
        self._rendered: dict[int, float] = {}
        self._whole: dict[int, float] = {}  # chunks, by when all of their segments were in the store
        self._batch = {number: batch for batch in batches(chunks, plan.target) for number in batch}
        self._to_come = set(self._batch.values())

    def on(self, cluster: Cluster, pools: Sequence[PoolSpec]) -> RehearsedOutcome:
        """Carry it through these pools."""
        self.fleet = SimulatedFleet(cluster, self._work, self.times.boot)
        self.fleet.hire(pools)
        for _ in self.fleet.run([RehearsedCall("surveyor", list(self.chunks.values())[:1])], lambda *_: ()):
            pass
        self._expect()
        for _ in self.fleet.run(
            [self._call("splitter", one) for one in dict.fromkeys(self._batch.values())], self._follow
        ):
            pass
        self.fleet.close()
        stitched = self._stitched()
        proven = stitched + self.times.prove * self._frames
        hired = {name: paid.hired for name, paid in self.fleet.paid.items()}
        finishers = sum(pool.limit for pool in pools if pool.name == "finisher")
        renderers = self.fleet.paid["renderer"]
        return RehearsedOutcome(
            seconds=proven,
            rendered=max(self._rendered.values()),
            first=min(self._rendered.values()),
            busy=renderers.busy / renderers.hired,
            hired=hired | {"finisher": finishers * proven},
        )

    def _work(self, call: Call, place: int) -> Iterator[Step]:
        times = self.times
        takes = {
            "surveyor": lambda _: times.opening,
            "splitter": times.split,
            "renderer": lambda chunk: times.render(chunk, place),
            "dissolver": times.dissolve,
        }[call.pool]
        for number in call.chunks if isinstance(call, ChunkCall) else ():
            yield takes(self.chunks[number]), number

    def _follow(self, call: Call, found: int) -> Iterator[Call]:
        yield from {"splitter": self._render, "renderer": self._dissolve, "dissolver": self._open}[call.pool](found)
        self._expect()

    def _expect(self) -> None:
        self.fleet.expect("renderer", len(self._to_come), sure=True)
        for pool in ("surveyor", "splitter"):
            self.fleet.expect(pool, 0, sure=True)

    def _call(self, pool: str, numbers: Sequence[int]) -> RehearsedCall:
        return RehearsedCall(pool, [self.chunks[number] for number in numbers])

    def _render(self, number: int) -> Iterator[Call]:
        self._split.add(number)
        batch = self._batch[number]
        if self._split.issuperset(batch):
            self._to_come.discard(batch)
            yield self._call("renderer", batch)

    def _dissolve(self, number: int) -> Iterator[Call]:
        """A chunk is rendered; the seams on either side may have waited for it."""
        self._rendered[number] = self.fleet.now
        if not self.chunks[number].dissolve or number - 1 not in self.chunks:  # the other rendering is on paper
            self._open(number)
        for later in (number, number + 1):
            chunk = self.chunks.get(later)
            if chunk and chunk.dissolve and {later - 1, later} <= self._rendered.keys():
                yield self._call("dissolver", [later])

    def _open(self, number: int) -> Sequence[Call]:
        """With its opening, where it has one, a chunk is whole."""
        self._whole[number] = self.fleet.now + WRITTEN_SECONDS
        return ()

    def _stitched(self) -> float:
        """When the last frame of a deliverable is written: finishers follow the finished prefix."""
        edge = prefix = 0.0
        for number, chunk in self.chunks.items():
            prefix = max(prefix, self._whole[number])
            edge = max(edge, prefix + PAGE_SECONDS) + self.times.stitch * chunk.core.frames
        return max(edge, self.times.stitch * self._frames)
