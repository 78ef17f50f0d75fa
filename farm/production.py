"""Production: what a planned film still needs, and which call follows from each finished piece. Promises that nothing finished is made again; calls nobody itself."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from farm.calls import Call
from farm.scout import Scout
from jobs.deliverables import DeliverablePlan
from jobs.film import Film
from jobs.ledger import Ledger
from jobs.plan import Chunk
from jobs.records import (
    Encoding,
    Media,
    RenderOrder,
    SegmentRecord,
    SplitOrder,
    SplitRecord,
    segment_digest,
    split_order,
)


class Production:
    """One film in work: chunks by number, segments by digest."""

    def __init__(self, film: Film, scout: Scout, deliverables: Sequence[DeliverablePlan], ledger: Ledger) -> None:
        self.film = film
        self.scout = scout
        self.deliverables = deliverables
        self.ledger = ledger
        self.orders: dict[int, SplitOrder] = {}
        self.batch_of: dict[int, tuple[int, ...]] = {}
        self.media: dict[int, Media] = {}
        self.missing: dict[int, dict[str, Encoding]] = {}
        """For each chunk in work, the segments it lacks, by digest."""
        self._on_paper = ledger.finished()
        self._encodings = {one.encoding.model_dump_json(): one.encoding for one in deliverables}.values()
        self._segments: dict[str, SegmentRecord] = {}
        self._chunk_of: dict[str, int] = {}  # by digest, of splits and segments
        self._stitching = False

    @property
    def chunks(self) -> list[Chunk]:
        """All chunks planned so far."""
        return self.scout.plan.chunks

    # what follows from what

    def split(self, fresh: Sequence[Chunk]) -> list[Call]:
        """New chunks of the plan: those that lack a segment are put into the store, neighbours together."""
        wanted = [chunk for chunk in fresh if self._note_missing(chunk)]
        for chunk in wanted:
            order = split_order(self.film, chunk, self.scout.span(chunk.read))
            self.orders[chunk.number] = order
            self._chunk_of[order.digest] = chunk.number
        for batch in self._batches(wanted):
            self.batch_of.update(dict.fromkeys(batch, batch))
        return [self._split_call([self.orders[one.number] for one in run]) for _, run in groupby(wanted, key=self._run)]

    def render(self, record: SplitRecord) -> list[Call]:
        """A chunk lies in the store: when all of its batch do, a renderer may have them."""
        number = self._chunk_of[record.digest]
        self.media[number] = record.media
        batch = self.batch_of[number]
        if any(one not in self.media for one in batch):
            return []
        orders = [self._render_order(self.chunks[one - 1]) for one in batch]
        return [Call("renderer", "render", (orders,), (2, batch[0]), _chunks(batch))]

    def keep(self, record: SegmentRecord) -> None:
        """A segment is finished."""
        self._segments[record.digest] = record
        number = self._chunk_of[record.digest]
        self.missing.get(number, {}).pop(record.digest, None)
        if not self.missing.get(number):
            self.missing.pop(number, None)

    def stitch(self) -> list[Call]:
        """A call for each deliverable, once: when the plan is whole and no chunk lacks a segment."""
        if self._stitching or self.missing or not self.scout.done:
            return []
        self._stitching = True
        return [
            Call("finisher", "stitch", (self.film, one, self.scout.timing(one), self.segments_of(one)), (3,), one.file)
            for one in self.deliverables
        ]

    def inspect(self, facts: DeliverableFacts) -> list[Call]:
        """A deliverable is made: it is to be proven against the paper."""
        one = next(one for one in self.deliverables if one.file == facts.file)
        args = (self.film, one, self.scout.timing(one), self.segments_of(one), facts)
        return [Call("finisher", "inspect", args, (4,), one.file)]

    # what there is

    def segments_of(self, deliverable: DeliverablePlan) -> list[SegmentRecord]:
        """The records of one deliverable's segments, in film order."""
        return [self._segment(segment_digest(self.film, chunk, deliverable.encoding)) for chunk in self.chunks]

    def _note_missing(self, chunk: Chunk) -> bool:
        lacking = {segment_digest(self.film, chunk, one): one for one in self._encodings}
        self._chunk_of.update(dict.fromkeys(lacking, chunk.number))
        lacking = {name: one for name, one in lacking.items() if name not in self._on_paper}
        if lacking:
            self.missing[chunk.number] = lacking
        return bool(lacking)

    def _segment(self, name: str) -> SegmentRecord:
        if name not in self._segments:
            record = self.ledger.record(name)
            assert isinstance(record, SegmentRecord)
            self._segments[name] = record
        return self._segments[name]

    def _batches(self, chunks: Iterable[Chunk]) -> Iterator[tuple[int, ...]]:
        """Neighbours, together at most as long as one chunk may be: a two-second shot should not cost a call."""
        batch: list[Chunk] = []
        for chunk in chunks:
            full = sum(one.core.frames for one in batch) + chunk.core.frames > self.scout.plan.target
            if batch and (full or batch[-1].number + 1 != chunk.number):
                yield tuple(one.number for one in batch)
                batch = []
            batch.append(chunk)
        if batch:
            yield tuple(one.number for one in batch)

    def _run(self, chunk: Chunk) -> tuple[object, ...]:
        # Chunks decoded once from one distant keyframe are split in one call, lest the lead-in be decoded for each.
        order = self.orders[chunk.number]
        return ("ffv1", order.first) if order.form == "ffv1" else ("packets", self.batch_of[chunk.number])

    def _split_call(self, orders: list[SplitOrder]) -> Call:
        numbers = tuple(order.chunk for order in orders)
        return Call("splitter", "split", (orders,), (2, numbers[0]), _chunks(numbers))

    def _render_order(self, chunk: Chunk) -> RenderOrder:
        return RenderOrder(
            chunk=chunk.number,
            core=chunk.core,
            shown=chunk.shown,
            read=chunk.read,
            dissolve=chunk.dissolve,
            look=chunk.look,
            film=self.film,
            split=self.orders[chunk.number],
            media=self.media[chunk.number],
            encodings=tuple(self.missing[chunk.number].values()),
        )


def _chunks(numbers: Sequence[int]) -> str:
    return f"chunk {numbers[0]}" if len(numbers) == 1 else f"chunks {numbers[0]}-{numbers[-1]}"
