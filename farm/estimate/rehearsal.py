"""The rehearsal: a planned film carried through a fleet that only takes its time. Promises the driver's own order of work, batches and calls; renders nothing.

What follows from what is said here once more, in few lines, because production works with paper of a store and this with
numbers alone: a day of film on 512 workers takes seconds. Nothing fails, nobody is lost, and the store keeps up.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from farm.estimate.simulation import SimulatedFleet, Step
from farm.film.batches import Batches, dissolve_call, render_call, split_call
from farm.fleet.calls import Call, Cluster, PoolSpec
from jobs.plan.plan import Chunk, Plan, Range

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
    """A chunk, by the so-manieth renderer."""
    dissolve: Callable[[Chunk], float]
    """A seam, by the later chunk."""
    stitch: float
    """To add one frame to a deliverable: they are stitched side by side."""
    prove: float
    """To prove one frame of a deliverable, once it is whole."""


class Outcome(NamedTuple):
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
    """Seconds of all workers, by crew."""


class RehearsedOrder(NamedTuple):
    """An order in short."""

    chunk: int
    read: Range


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
        self._batches = Batches()
        self._batches.add(chunks, plan.target)

    def on(self, cluster: Cluster, crews: Sequence[PoolSpec]) -> Outcome:
        """Carry it through these crews."""
        self.fleet = SimulatedFleet(cluster, self._work, self.times.boot)
        self.fleet.hire(crews)
        for _ in self.fleet.run([Call("surveyor", "film", rank=(0,))], lambda *_: ()):
            pass
        self._expect()
        batches = dict.fromkeys(map(self._batches.of, self.chunks))
        for _ in self.fleet.run([split_call(self._asked(one)) for one in batches], self._follow):
            pass
        self.fleet.close()
        stitched = self._stitched()
        proven = stitched + self.times.prove * self._frames
        hired = {name: paid.hired for name, paid in self.fleet.paid.items()}
        finishers = sum(crew.limit for crew in crews if crew.name == "finisher")
        renderers = self.fleet.paid["renderer"]
        return Outcome(
            seconds=proven,
            rendered=max(self._rendered.values()),
            first=min(self._rendered.values()),
            busy=renderers.busy / renderers.hired,
            hired=hired | {"finisher": finishers * proven},
        )

    def _work(self, call: Call, place: int) -> Iterator[Step]:
        times = self.times
        match call.verb:
            case "film":
                yield times.opening, True
            case "split":
                for one in call.args[0]:
                    yield times.split(self.chunks[one.chunk]), one.chunk
            case "render":
                for one in call.args[0]:
                    yield times.render(self.chunks[one.chunk], place), one.chunk
            case "dissolve":
                yield times.dissolve(self.chunks[call.args[0].chunk]), call.args[0].chunk

    def _follow(self, call: Call, found: int) -> Iterator[Call]:
        yield from {"split": self._render, "render": self._dissolve, "dissolve": self._open}[call.verb](found)
        self._expect()

    def _expect(self) -> None:
        self.fleet.expect("renderer", self._batches.to_come, sure=True)
        for crew in ("surveyor", "splitter"):
            self.fleet.expect(crew, 0, sure=True)

    def _asked(self, batch: Sequence[int]) -> list[RehearsedOrder]:
        return [RehearsedOrder(number, self.chunks[number].read) for number in batch]

    def _render(self, number: int) -> Iterator[Call]:
        self._split.add(number)
        batch = self._batches.of(number)
        if self._split.issuperset(batch):
            self._batches.called(batch)
            yield render_call(self._asked(batch))

    def _dissolve(self, number: int) -> Iterator[Call]:
        """A chunk is rendered; the seams on either side may have waited for it."""
        self._rendered[number] = self.fleet.now
        if not self.chunks[number].dissolve or number - 1 not in self.chunks:  # the other rendering is on paper
            self._open(number)
        for later in (number, number + 1):
            chunk = self.chunks.get(later)
            if chunk and chunk.dissolve and {later - 1, later} <= self._rendered.keys():
                yield dissolve_call(RehearsedOrder(later, chunk.read))

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
