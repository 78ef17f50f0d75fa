"""Production: what a planned film still needs, and which call follows from each finished piece. Promises that nothing finished is made again; calls nobody itself."""

from collections.abc import Sequence, Set
from itertools import groupby, takewhile

from farm.film.batches import Batches, dissolve_call, finish_call, render_call, split_call, strike_call
from farm.film.chunk_order import ChunkOrder
from farm.film.missing import Missing
from farm.film.quarantine import QuarantinedChunks
from farm.film.report import film_report
from farm.film.seams import Seams
from farm.film.shot_selection import ALL, ShotSelection
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call, RetriesExhausted
from farm.progress.console import ProgressConsole
from jobs.errors import Damaged
from jobs.ledger.finished_prefix import FinishedPrefix, name_of
from jobs.ledger.render_history import continuity
from jobs.plan.plan import Chunk, Range
from jobs.plan.sampling import SampledCore
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.media import Media
from jobs.records.orders import (
    DissolveOrder,
    Encoding,
    FramesRendered,
    HandlesRecord,
    RenderOrder,
    SegmentRecord,
    SplitOrder,
    SplitRecord,
    split_order,
)
from jobs.records.report import Conform, FilmReport
from jobs.records.transcode import TranscodeOrder


class FilmRun:
    """One film in work: chunks by number, segments by digest."""

    def __init__(
        self,
        scout: SurveyRun,
        deliverables: Sequence[DeliverablePlan],
        board: ProgressConsole,
        chosen: ShotSelection = ALL,
    ) -> None:
        """`chosen`: shots that are made; the others are looked for on paper alone."""
        self.scout = scout
        self.film = scout.film
        self.deliverables = deliverables
        self.board = board
        self.ledger = scout.ledger
        self.proofs: dict[str, Conform] = {}
        """By file: a proof that comes twice, because a worker was lost at its end, counts once."""
        self.chunks: list[Chunk] = []
        """All chunks planned so far, or what stands in for them."""
        self.aside = QuarantinedChunks(scout, board)
        self.chosen = chosen
        self.order = ChunkOrder(scout.spec, scout.film)
        self.left_out: set[int] = set()
        """Chunks of other shots, by number, that lack a segment: without them nothing is delivered."""
        self._orders: dict[int, SplitOrder] = {}
        self._batches = Batches()
        self._media: dict[int, Media] = {}
        self._done_frames: dict[int, int] = {}
        self._split_for: dict[str, list[int]] = {}  # by digest: handles may make two chunks read the same frames
        self._segments: dict[str, SegmentRecord] = {}
        self._encodings = {one.encoding.model_dump_json(): one.encoding for one in deliverables}.values()
        on_paper = scout.ledger.finished()
        self._seams = Seams(scout.film, scout.ledger, on_paper, self._encodings)
        earlier = [one.encoding for one in continuity(scout.ledger).encoded]
        self._lacking = Missing(scout.film, self.chunks, self._encodings, self._seams, on_paper, earlier)
        self._assembly = FinishedPrefix(scout.ledger)
        self._assembled = 0  # chunks, from the film's first on, whose segments the finishers have been told of
        self._finishing = False

    # what follows from what

    def split(self, fresh: Sequence[Chunk]) -> list[Call]:
        """New chunks of the plan: those that lack a segment are put into the store, neighbours together."""
        if not fresh:
            return []
        self.board.planned(self.scout.plan, whole=self.scout.done)
        standing = [self.aside.standing(one.number) for one in fresh]
        self.chunks += standing
        if self.scout.done:
            self.chosen.refuse_beyond(self.scout.plan.shot_count)
            self.order.ends_with(len(self.chunks))
        self.left_out |= {one.number for one in standing if one.shot not in self.chosen and self._lacking.lacks(one)}
        for number in (self.aside.held | self.left_out) & {one.number for one in standing}:
            self._lacking.hold(number, "not made")
            self._assembly.give_up()
        return self._split([one for one in standing if one.number not in self._lacking.pieces])

    def _split(self, fresh: Sequence[Chunk]) -> list[Call]:
        touched = {one.number: one for chunk in fresh for one in (*self._lacking.note(chunk), chunk)}
        wanted = [touched[number] for number in sorted(touched) if self._lacking.rendered(number)]
        kept = [chunk for chunk in fresh if chunk.number not in self._lacking.bodies]
        self.board.resumed(sum(chunk.core.frames for chunk in kept), [chunk.number for chunk in kept])
        for chunk in wanted:
            self._orders[chunk.number] = order = split_order(self.film, chunk, self.scout.span(chunk.read))
            self._split_for.setdefault(order.digest, []).append(chunk.number)
        self._batches.add(wanted, self.scout.plan.target)
        printed = [order for one in fresh for order in self._lacking.prints.get(one.number, ())]
        splits = (split_call([self._orders[one.number] for one in run]) for _, run in groupby(wanted, self._run))
        return [self.order.ranked(call) for call in (*map(strike_call, printed), *splits)]

    def render(self, record: SplitRecord) -> list[Call]:
        """A chunk lies in the store: when all of its batch do, a renderer may have them."""
        calls = []
        for number in self._split_for[record.digest]:
            if number in self._media:  # split again, because a worker was lost: its batch is with the renderers already
                continue
            self._media[number] = record.media
            self.board.chunk(number, "split")
            batch = self._batches.of(number)
            if all(one in self._media for one in batch):
                calls += self._render_call([self.chunks[one - 1] for one in batch])
            calls += self._dissolve_call(number)  # both renderings may be on paper already
        return calls

    def dissolve(self, record: HandlesRecord) -> list[Call]:
        """One rendering across a seam is kept: when both are, they can be blended."""
        self._settle(record.digest)
        later = self._seams.keep(record)
        return self._dissolve_call(later) if later else []

    def set_aside(self, call: Call, spent: RetriesExhausted) -> list[Call]:
        """A call's budget is spent: several chunks are tried one by one; a single one is set aside, and another may stand in for it."""
        if call.verb == "strike":  # there is another way
            return self._render_instead(call.args[0])
        asked = call.args[0] if isinstance(call.args[0], list) else [call.args[0]]
        numbers = [one.chunk for one in asked if one.chunk in self._lacking.pieces and self._wants(one)]
        if len(asked) > 1:
            return self._one_by_one(call, numbers)
        for number in numbers:
            made = sum(one.number not in self._lacking.pieces.keys() | self.aside.reports.keys() for one in self.chunks)
            self.aside.add(self.chunks[number - 1], spent, made)
            freed = self._free([number])
            if number in self.aside.held:
                self._assembly.give_up()
                self._batches.forget(number)
                return freed
            after = [one.number for one in self.chunks[number : number + 1] if one.dissolve]
            return freed + self._free(after) + self._replace([number, *after])
        return []

    def _render_instead(self, order: TranscodeOrder) -> list[Call]:
        if order not in self._lacking.prints.get(order.chunk, ()):
            return []
        self._lacking.unprinted.add(order.chunk)
        return self._replace([order.chunk])

    def _wants(self, order: SplitOrder | RenderOrder | DissolveOrder) -> bool:
        """Whether it is still what is to be made."""
        if isinstance(order, SplitOrder):
            return order == self._orders.get(order.chunk)
        chunk = self.chunks[order.chunk - 1]
        return (order.look, order.dissolve, order.split) == (chunk.look, chunk.dissolve, self._orders.get(order.chunk))

    def _one_by_one(self, call: Call, numbers: Sequence[int]) -> list[Call]:
        if call.verb == "render":
            return [again for one in numbers for again in self._render_call([self.chunks[one - 1]])]
        return self._free(numbers) + [split_call([self._orders[one]]) for one in numbers if one not in self._media]

    def _free(self, numbers: Sequence[int]) -> list[Call]:
        """Chunks that may never be read keep nobody waiting: what is of one batch with them is rendered by itself."""
        waiting = sorted({one for number in numbers if number not in self._media for one in self._batches.of(number)})
        self._batches.part(waiting)
        return [call for one in waiting if one in self._media for call in self._render_call([self.chunks[one - 1]])]

    def _replace(self, numbers: Sequence[int]) -> list[Call]:
        """Chunks have become others: what was asked for them is forgotten, and what they are now is made."""
        for number in numbers:
            self._lacking.forget(number)
            self._batches.forget(number)
            if order := self._orders.pop(number, None):
                self._split_for[order.digest].remove(number)
            self._media.pop(number, None)
            self.chunks[number - 1] = self.aside.standing(number)
        return self._split([self.chunks[number - 1] for number in numbers])

    def progress(self, word: FramesRendered) -> None:
        """A renderer tells how far a chunk is. A chunk begun again by another is not counted twice."""
        if word.chunk not in self._lacking.bodies:  # shown again for a neighbour's sake; its own segments were there
            return
        before = self._done_frames.get(word.chunk, 0)
        if not before:
            self.board.stage("render")
            self.board.chunk(word.chunk, "rendering")
        if word.done > before:
            self._done_frames[word.chunk] = word.done
            self.board.rendered(word.done - before)

    def keep(self, record: SegmentRecord) -> None:
        """A segment is finished."""
        if record.apart is not None:
            self.board.dissolved(record.frames.start, record.apart)
        self._segments[record.digest] = record
        self._settle(record.digest)

    def finish(self) -> list[Call]:
        """A call for each deliverable, once, when every frame's time is known; and pages for the finishers, as the finished prefix grows."""
        if not self.scout.complete or self.aside.held or self.left_out:
            return []
        self._assemble()
        if self._finishing:
            return []
        self._finishing = True
        for one in self.deliverables:
            if one.container == "hls":
                where = f"{self.scout.spec.output}/{one.file}/index.html"
                self.board.note(f"{one.file} can be watched while it grows: {where}")
        source = self.scout.source_frames()
        return [
            finish_call(self.film, one, self.scout.timing(one), self._assembly.run, source) for one in self.deliverables
        ]

    def _assemble(self) -> None:
        if self._assembly.whole:
            return
        later = map(self.chunks.__getitem__, range(self._assembled, len(self.chunks)))
        for chunk in takewhile(lambda one: one.number not in self._lacking.pieces, later):
            self._assembled += 1
            segments = {name_of(one): list(self.names(chunk, one).values()) for one in self._encodings}
            self._assembly.add(segments, SampledCore.of(chunk))
        self._assembly.turn(whole=self.scout.done and self._assembled == len(self.chunks))
        if self._assembly.whole:
            self.board.stage("stitch")

    def hand_over(self, found: DeliverableFacts | Conform) -> None:
        """A deliverable is stitched, or proven and in its place."""
        if isinstance(found, Conform):
            self.proofs[found.file] = found
        else:
            self.board.stage("inspect")

    def report(self) -> FilmReport:
        """What was made. Raises FilmFailed where something is missing that nobody is working on any more."""
        return film_report(self)

    @property
    def run(self) -> str:
        """What this run is called in the output's claims, and for its finishers."""
        return self._assembly.run

    @property
    def renders_to_come(self) -> int:
        """Calls for renderers that are still to come; while the survey runs, as many as the source's header lets expect."""
        return max(self._batches.to_come, self.scout.expected_chunks - len(self.chunks))

    @property
    def lacking(self) -> Set[int]:
        """Chunks that lack a piece, by number."""
        return self._lacking.pieces.keys()

    def names(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        """Digests of a chunk's segments in one encoding, in film order."""
        return self._lacking.names(chunk, encoding)

    def segments_of(self, deliverable: DeliverablePlan) -> list[SegmentRecord]:
        """The records of one deliverable's segments, in film order."""
        return [
            self._segment(name) for chunk in self.chunks for name in self.names(chunk, deliverable.encoding).values()
        ]

    def _settle(self, name: str) -> None:
        """One piece of a chunk is finished; with the last that it lacked, so is the chunk."""
        for number in self._lacking.settle(name):
            self._count_rest(number)
            self.board.chunk(number, "done", printed=number in self._lacking.prints)

    def _count_rest(self, number: int) -> None:
        """Frames of a finished chunk that nobody told of: it lacked only its opening, or a lost worker had kept its pieces."""
        rest = self.chunks[number - 1].core.frames - self._done_frames.get(number, 0)
        if rest and number in self._lacking.bodies:
            self._done_frames[number] = self.chunks[number - 1].core.frames
            self.board.resumed(rest)

    def _segment(self, name: str) -> SegmentRecord:
        if name not in self._segments:
            record = self.ledger.record(name)
            if not isinstance(record, SegmentRecord):  # a listing named it that lagged, or it was damaged
                raise Damaged(f"The record of the segment {name} is gone; run the job again: it is made anew.", name)
            self._segments[name] = record
        return self._segments[name]

    def _run(self, chunk: Chunk) -> tuple[object, ...]:
        # Chunks decoded once from one distant keyframe are split in one call, lest the lead-in be decoded for each.
        order = self._orders[chunk.number]
        return ("ffv1", order.first) if order.form == "ffv1" else ("packets", self._batches.of(chunk.number))

    def _render_call(self, batch: Sequence[Chunk]) -> list[Call]:
        wanted = (self._lacking.bodies, self._lacking.handles)
        lacking = [one for one in batch if any(kept.get(one.number) for kept in wanted)]
        self._batches.called(tuple(one.number for one in batch))
        return [self.order.ranked(render_call([self._render_order(one) for one in lacking]))] if lacking else []

    def _dissolve_call(self, number: int) -> list[Call]:
        media = self._media.get(number)
        order = self._seams.order(number, self._orders[number], media) if media else None
        return [self.order.ranked(dissolve_call(order))] if order else []

    def _render_order(self, chunk: Chunk) -> RenderOrder:
        return RenderOrder(
            chunk=chunk.number,
            core=chunk.core,
            read=chunk.read,
            dissolve=chunk.dissolve,
            look=chunk.look,
            film=self.film,
            split=self._orders[chunk.number],
            media=self._media[chunk.number],
            encodings=tuple(self._lacking.bodies.get(chunk.number, {}).values()),
            handles=tuple(self._lacking.handles.get(chunk.number, {}).values()),
        )
