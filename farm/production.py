"""Production: what a planned film still needs, and which call follows from each finished piece. Promises that nothing finished is made again; calls nobody itself."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from farm.board import Board
from farm.calls import Call
from farm.scout import Scout
from jobs.deliverables import DeliverableFacts, DeliverablePlan
from jobs.plan import Chunk
from jobs.records import (
    Encoding,
    FramesRendered,
    Media,
    RenderOrder,
    SegmentRecord,
    SplitOrder,
    SplitRecord,
    segment_digest,
    split_order,
)
from jobs.report import Conform, FilmReport


class Production:
    """One film in work: chunks by number, segments by digest."""

    def __init__(self, scout: Scout, deliverables: Sequence[DeliverablePlan], board: Board) -> None:
        self.scout = scout
        self.film = scout.film
        self.deliverables = deliverables
        self.board = board
        self.ledger = scout.ledger
        self.proofs: list[Conform] = []
        self.rendered = 0
        """Chunks that this run has rendered."""
        self._lacking: dict[int, dict[str, Encoding]] = {}  # by chunk in work, by digest: the segments it lacks
        self._orders: dict[int, SplitOrder] = {}
        self._batch_of: dict[int, tuple[int, ...]] = {}
        self._media: dict[int, Media] = {}
        self._done_frames: dict[int, int] = {}
        self._chunk_of: dict[str, int] = {}  # by digest, of splits and segments
        self._segments: dict[str, SegmentRecord] = {}
        self._on_paper = scout.ledger.finished()
        self._encodings = {one.encoding.model_dump_json(): one.encoding for one in deliverables}.values()
        self._stitching = False

    @property
    def chunks(self) -> list[Chunk]:
        """All chunks planned so far."""
        return self.scout.plan.chunks

    # what follows from what

    def split(self, fresh: Sequence[Chunk]) -> list[Call]:
        """New chunks of the plan: those that lack a segment are put into the store, neighbours together."""
        if not fresh:
            return []
        self.board.planned(self.scout.plan, whole=self.scout.done)
        wanted = [chunk for chunk in fresh if self._lacks(chunk)]
        kept = [chunk for chunk in fresh if chunk.number not in self._lacking]
        self.board.resumed(sum(chunk.core.frames for chunk in kept), [chunk.number for chunk in kept])
        for chunk in wanted:
            order = split_order(self.film, chunk, self.scout.span(chunk.read))
            self._orders[chunk.number] = order
            self._chunk_of[order.digest] = chunk.number
        for batch in self._batches(wanted):
            self._batch_of.update(dict.fromkeys(batch, batch))
        return [
            self._split_call([self._orders[one.number] for one in run]) for _, run in groupby(wanted, key=self._run)
        ]

    def render(self, record: SplitRecord) -> list[Call]:
        """A chunk lies in the store: when all of its batch do, a renderer may have them."""
        number = self._chunk_of[record.digest]
        if number in self._media:  # split again, because a worker was lost: its batch is with the renderers already
            return []
        self._media[number] = record.media
        self.board.chunk(number, "split")
        batch = self._batch_of[number]
        if any(one not in self._media for one in batch):
            return []
        orders = [self._render_order(self.chunks[one - 1]) for one in batch]
        return [Call("renderer", "render", (orders,), (2, batch[0]), _chunks(batch))]

    def progress(self, word: FramesRendered) -> None:
        """A renderer tells how far a chunk is. A chunk begun again by another is not counted twice."""
        before = self._done_frames.get(word.chunk, 0)
        if not before:
            self.board.stage("render")
            self.board.chunk(word.chunk, "rendering")
        if word.done > before:
            self._done_frames[word.chunk] = word.done
            self.board.rendered(word.done - before)

    def keep(self, record: SegmentRecord) -> None:
        """A segment is finished; when it is the last that its chunk lacked, so is the chunk."""
        self._segments[record.digest] = record
        number = self._chunk_of[record.digest]
        lacking = self._lacking.get(number, {})
        lacking.pop(record.digest, None)
        if not lacking and self._lacking.pop(number, None) is not None:
            self.rendered += 1
            self.board.chunk(number, "done")

    def stitch(self) -> list[Call]:
        """A call for each deliverable, once: when the plan is whole and no chunk lacks a segment."""
        if self._stitching or self._lacking or not self.scout.done:
            return []
        self._stitching = True
        self.board.stage("stitch")
        return [
            Call("stitcher", "stitch", (self.film, one, self.scout.timing(one), self.segments_of(one)), (3,), one.file)
            for one in self.deliverables
        ]

    def inspect(self, facts: DeliverableFacts) -> list[Call]:
        """A deliverable is made: it is to be proven against the paper."""
        self.board.stage("inspect")
        one = next(one for one in self.deliverables if one.file == facts.file)
        args = (self.film, one, self.scout.timing(one), self.segments_of(one), facts)
        return [Call("inspector", "inspect", args, (4,), one.file)]

    def report(self) -> FilmReport:
        """What was made, once every deliverable is proven."""
        plan = self.scout.plan
        order = [one.file for one in self.deliverables]
        proofs = tuple(sorted(self.proofs, key=lambda proof: order.index(proof.file)))
        made_on = {record.made_on for one in self.deliverables for record in self.segments_of(one)}
        return FilmReport(
            name=self.scout.spec.name,
            source=self.film.source,
            conforms=len(proofs) == len(order) and all(proof.conforms for proof in proofs),
            frames=plan.frames,
            shots=plan.shot_count,
            chunks=len(plan.chunks),
            seams=plan.seams,
            extra_frames_percent=round(100 * plan.extra_frames / plan.frames, 3),
            chunks_rendered=self.rendered,
            retries=self.board.retries + self.board.lost_workers,
            made_on=tuple(sorted(made_on)),
            deliverables=proofs,
        )

    # what there is

    def segments_of(self, deliverable: DeliverablePlan) -> list[SegmentRecord]:
        """The records of one deliverable's segments, in film order."""
        return [self._segment(segment_digest(self.film, chunk, deliverable.encoding)) for chunk in self.chunks]

    def _lacks(self, chunk: Chunk) -> bool:
        lacking = {segment_digest(self.film, chunk, one): one for one in self._encodings}
        self._chunk_of.update(dict.fromkeys(lacking, chunk.number))
        lacking = {name: one for name, one in lacking.items() if name not in self._on_paper}
        if lacking:
            self._lacking[chunk.number] = lacking
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
        order = self._orders[chunk.number]
        return ("ffv1", order.first) if order.form == "ffv1" else ("packets", self._batch_of[chunk.number])

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
            split=self._orders[chunk.number],
            media=self._media[chunk.number],
            encodings=tuple(self._lacking[chunk.number].values()),
        )


def _chunks(numbers: Sequence[int]) -> str:
    return f"chunk {numbers[0]}" if len(numbers) == 1 else f"chunks {numbers[0]}-{numbers[-1]}"
