"""Batches: which neighbouring chunks go into one call, and the calls that carry orders. Promises that batching changes no digest; knows no film."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from farm.fleet.calls import ONCE, Call
from jobs.film.source import Film
from jobs.plan.output_timing import Timing
from jobs.plan.plan import Chunk, Range
from jobs.plan.sampling import SourceFrames
from jobs.records.deliverables import DeliverablePlan


class ChunkRequest(Protocol):
    """What is asked of an actor for one chunk."""

    @property
    def chunk(self) -> int: ...
    @property
    def read(self) -> Range: ...


class HasChunk(Protocol):
    """What is asked of an actor about one chunk."""

    @property
    def chunk(self) -> int: ...


def batches(chunks: Iterable[Chunk], target: int) -> Iterator[tuple[int, ...]]:
    """Neighbours, by number, together at most as long as one chunk may be: a two-second shot should not cost a call.

    What stands in for a chunk is a batch of its own.
    """
    batch: list[Chunk] = []
    for chunk in chunks:
        full = sum(one.core.frames for one in batch) + chunk.core.frames > target
        apart = bool(batch) and bool(batch[-1].look.stand_in or chunk.look.stand_in)
        if batch and (full or apart or batch[-1].number + 1 != chunk.number):
            yield tuple(one.number for one in batch)
            batch = []
        batch.append(chunk)
    if batch:
        yield tuple(one.number for one in batch)


class Batches:
    """Which batch each chunk is in, and which batches no renderer has been called for yet."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[int, ...]] = {}
        self._to_come: set[tuple[int, ...]] = set()

    def add(self, chunks: Iterable[Chunk], target: int) -> None:
        """Chunks that are to be rendered, neighbours together."""
        for batch in batches(chunks, target):
            self._of.update(dict.fromkeys(batch, batch))
            self._to_come.add(batch)

    def of(self, chunk: int) -> tuple[int, ...]:
        """The chunks that one is rendered with, itself included."""
        return self._of.get(chunk, (chunk,))

    def called(self, batch: tuple[int, ...]) -> None:
        """A renderer has been called for a batch, or it has turned out that none is needed."""
        self._to_come.discard(batch)

    def forget(self, chunk: int) -> None:
        """Nobody waits for a chunk any more."""
        self._to_come.discard(self._of.pop(chunk, ()))

    def part(self, chunks: Iterable[int]) -> None:
        """These chunks, all of their batches, are rendered each by itself."""
        for number in chunks:
            self.forget(number)
            self._of[number] = (number,)
            self._to_come.add((number,))

    @property
    def to_come(self) -> int:
        """Batches that no renderer has been called for yet."""
        return len(self._to_come)


def in_words(numbers: Sequence[int]) -> str:
    """Neighbours for people: "chunk 3", "chunks 3-5"."""
    return f"chunk {numbers[0]}" if len(numbers) == 1 else f"chunks {numbers[0]}-{numbers[-1]}"


def split_call(orders: Sequence[ChunkRequest]) -> Call:
    """Put the reads of neighbours into the store."""
    numbers = tuple(order.chunk for order in orders)
    return Call("splitter", "split", (orders,), (2, numbers[0]), in_words(numbers), alone=True)


def render_call(orders: Sequence[ChunkRequest]) -> Call:
    """Render neighbours, one after another; where hands are idle, each by itself."""
    numbers = tuple(order.chunk for order in orders)
    several = len(orders) > 1
    return Call(
        "renderer",
        "render",
        (orders,),
        (2, numbers[0]),
        in_words(numbers),
        alone=True,
        budget=ONCE if several else None,  # then one by one: whoever of them is bad spends a budget of its own
        frames=sum(order.read.frames for order in orders),
        parts=tuple(render_call([order]) for order in orders) if several else (),
    )


def dissolve_call(order: HasChunk) -> Call:
    """Blend two renderings across a seam."""
    what = f"the seam before chunk {order.chunk}"
    return Call("dissolver", "dissolve", (order,), (2, order.chunk), what, alone=True)


def strike_call(order: HasChunk) -> Call:
    """Encode a chunk from the segments of another deliverable."""
    return Call("printer", "strike", (order,), (2, order.chunk), f"the print of chunk {order.chunk}", alone=True)


def finish_call(film: Film, plan: DeliverablePlan, timing: Timing, run: str, source: SourceFrames) -> Call:
    """Stitch and verify a deliverable from what a run's finished prefix tells."""
    return Call("finisher", "finish", (film, plan, timing, run, source), (3,), plan.file)
