"""Decides which calls follow from each finished piece of a film. Nothing finished is made again."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from farm.film.calls import (
    ChunkCall,
    ColourCall,
    DissolveCall,
    FinishCall,
    GuideCall,
    RenderCall,
    SplitCall,
    TranscodeCall,
)
from farm.film.chunk_order import ChunkOrder
from farm.film.chunk_states import ChunkState, ChunkStates, batches
from farm.film.finishing import Finishing
from farm.film.propagation_run import PropagationRun
from farm.film.quarantine import QuarantinedChunks
from farm.film.report import film_report
from farm.film.shot_selection import ALL, ShotSelection
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import RetriesExhausted
from farm.progress.console import ProgressConsole
from jobs.plan.plan import Chunk, Range
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.guides import GuideRecord, ReferenceRecord, RefusedStill
from jobs.records.orders import (
    DissolveOrder,
    Encoding,
    FramesRendered,
    HandlesRecord,
    RenderOrder,
    SegmentRecord,
    SplitOrder,
    SplitRecord,
)
from jobs.records.report import Conform, FilmReport


class FilmRun:
    """One film in work."""

    def __init__(
        self,
        survey: SurveyRun,
        deliverables: Sequence[DeliverablePlan],
        console: ProgressConsole,
        chosen: ShotSelection = ALL,
    ) -> None:
        """`chosen`: shots that are made; the others are looked for on paper alone."""
        self.survey = survey
        self.film = survey.film
        self.deliverables = deliverables
        self.console = console
        self.ledger = survey.ledger
        self.proofs: dict[str, Conform] = {}
        """By file: a proof that comes twice, because a worker was lost at its end, counts once."""
        self.aside = QuarantinedChunks(survey, console)
        self.chosen = chosen
        self.order = ChunkOrder(survey.spec, survey.film)
        self.left_out: set[int] = set()
        """Chunks of other shots, by number, that lack a segment: without them nothing is delivered."""
        self.encodings = {one.encoding.model_dump_json(): one.encoding for one in deliverables}.values()
        self.states = ChunkStates(survey.film, survey.ledger, self.encodings)
        self.propagation = PropagationRun(survey, self.states.on_paper)
        self._to_come: set[tuple[int, ...]] = set()  # batches that no renderer has been called for yet
        self.finishing = Finishing(self)

    # what follows from what

    def calls_after_plan(self, fresh: Sequence[Chunk]) -> list[ChunkCall]:
        """Stills whose frames are known by now, then new chunks: those that lack a segment are put into the store, neighbours together."""
        stills = self.propagation.still_calls()
        if not fresh:
            return stills
        self.console.planned(self.survey.plan, whole=self.survey.done)
        new = self.states.add(self.aside.standing(chunk.number) for chunk in fresh)
        if self.survey.done:
            self.chosen.refuse_beyond(self.survey.plan.shot_count)
            self.order.ends_with(len(self.states))
        others = [state for state in new if state.chunk.shot not in self.chosen]
        self.left_out |= {state.number for state in others if self.states.lacks_segment(state.chunk)}
        for state in new:
            if state.number in self.aside.held | self.left_out:
                state.missing = {"not made"}
                self.finishing.give_up()
        return stills + self._split_calls([state for state in new if not state.missing])

    def _split_calls(self, fresh: Sequence[ChunkState]) -> list[ChunkCall]:
        touched: dict[int, ChunkState] = {}
        finished = []
        for state in fresh:
            touched |= {one.number: one for one in (*self.states.note(state), state)}
            if not state.missing:  # a neighbour may yet want handles of it
                finished.append(state)
        self.console.resumed(sum(state.tell_rest() for state in finished), [state.number for state in finished])
        wanted = [state for _, state in sorted(touched.items()) if state.to_split]
        orders = [self.states.order_split(state, self.survey.span(state.chunk.read)) for state in wanted]
        for batch in batches([state.chunk for state in wanted], self.survey.plan.target):
            self._wait_for(batch)
        calls: list[ChunkCall] = [TranscodeCall(order) for state in fresh for order in state.transcodes]
        splits = [SplitCall(list(run)) for _, run in groupby(orders, self._split_together)]
        calls += self.propagation.after_stills(splits)
        calls += self.propagation.calls_for(state.chunk for state in wanted)
        self.console.propagating(self.propagation.spans_to_come)
        return list(map(self.order.prioritised, calls))

    def calls_after_split(self, record: SplitRecord) -> list[ChunkCall]:
        """A chunk lies in the store: when all of its batch do, a renderer may have them."""
        calls: list[ChunkCall] = []
        for state in self.states.of(record.digest):
            if state.media:  # split again, because a worker was lost: its batch is with the renderers already
                continue
            state.media = record.media
            self.console.chunk(state.number, "split")
            calls += self._render_calls_when_ready(state)
            calls += self._dissolve_calls(state)  # both renderings may be on paper already
        return calls

    def calls_after_colour(self, record: ReferenceRecord | RefusedStill | GuideRecord) -> list[ChunkCall]:
        """A still is held against its frame, or a span is propagated: when all of a batch have their colour, a renderer may have them."""
        if isinstance(record, ReferenceRecord):
            for remark in record.remarks:
                self.console.note(f"the still of frame {record.frame}: {remark}")
        calls = list(map(self.order.prioritised, self.propagation.calls_after_colour(record)))
        self.console.propagating(self.propagation.spans_to_come)
        for state in self.states.of(record.digest):
            calls += self._render_calls_when_ready(state)
        return calls

    def calls_after_handles(self, record: HandlesRecord) -> list[ChunkCall]:
        """One rendering across a seam is kept: when both are, they can be blended."""
        self._settle(record)
        return [call for state in self.states.of(record.digest) for call in self._dissolve_calls(state)]

    def calls_after_failure(self, call: ChunkCall, spent: RetriesExhausted) -> list[ChunkCall]:
        """A call's budget is spent: several chunks are tried one by one; a single one is set aside, and another may stand in for it."""
        match call:
            case TranscodeCall(order=order):  # there is another way
                state = self.states[order.chunk]
                return self._replace(state, rendered_only=True) if order in state.transcodes else []
            case SplitCall(orders=orders) if len(orders) > 1:
                wanted = [order for order in orders if self._wants(order)]
                again = [order for order in wanted if not self.states[order.chunk].media]
                return self._free(order.chunk for order in wanted) + [SplitCall([order]) for order in again]
            case RenderCall(orders=orders) if len(orders) > 1:
                return [again for one in orders if self._wants(one) for again in self._render_calls((one.chunk,))]
            case GuideCall() if len(call.order.spans) > 1:
                return list(map(self.order.prioritised, self.propagation.one_by_one(call)))
            case ColourCall():
                names = self.propagation.give_up(call)
                waiting = {state.number for name in names for state in self.states.of(name) if state.missing}
                after = [again for one in sorted(waiting) for again in self._quarantine(self.states[one], spent)]
                return after + self.propagation.after_stills(())
            case SplitCall(orders=[order]) | RenderCall(orders=[order]) | DissolveCall(order=order):
                return self._quarantine(self.states[order.chunk], spent) if self._wants(order) else []
        return []

    def _quarantine(self, state: ChunkState, spent: RetriesExhausted) -> list[ChunkCall]:
        number = state.number
        made = sum(not one.missing and one.number not in self.aside.reports for one in self.states)
        self.aside.add(state.chunk, spent, made)
        freed = self._free([number])
        if number in self.aside.held:
            self.finishing.give_up()
            self._to_come.discard(state.batch)
            return freed
        after = [self.states[number + 1]] if number < len(self.states) else []
        later = [one for one in after if one.chunk.dissolve]
        return freed + self._free(one.number for one in later) + self._replace(state, *later)

    def _wants(self, order: SplitOrder | RenderOrder | DissolveOrder) -> bool:
        """Whether it is still what is to be made."""
        state = self.states[order.chunk]
        if not state.missing or isinstance(order, SplitOrder):
            return bool(state.missing) and order == state.split
        chunk = state.chunk
        return (order.look, order.dissolve, order.split) == (chunk.look, chunk.dissolve, state.split)

    def _free(self, numbers: Iterable[int]) -> list[ChunkCall]:
        """Chunks that may never be read keep nobody waiting: what is of one batch with them is rendered by itself."""
        unread = [state for state in map(self.states.__getitem__, numbers) if not state.media]
        waiting = sorted({number for state in unread for number in state.batch or (state.number,)})
        for number in waiting:
            self._to_come.discard(self.states[number].batch)
            self._wait_for((number,))
        return [call for one in waiting if self.states[one].media for call in self._render_calls((one,))]

    def _wait_for(self, batch: tuple[int, ...]) -> None:
        self._to_come.add(batch)
        for number in batch:
            self.states[number].batch = batch

    def _replace(self, *states: ChunkState, rendered_only: bool = False) -> list[ChunkCall]:
        """Chunks have become others: what was asked for them is forgotten, and what they are now is made."""
        fresh = []
        for state in states:
            self._to_come.discard(state.batch)
            fresh.append(self.states.replace(self.aside.standing(state.number), rendered_only=rendered_only))
        return self._split_calls(fresh)

    def progress(self, word: FramesRendered) -> None:
        """A renderer tells how far a chunk is. A chunk begun again by another is not counted twice."""
        state = self.states[word.chunk]
        if not state.frames_done:
            self.console.stage("render")
            self.console.chunk(word.chunk, "rendering")
        if word.done > state.frames_done:
            self.console.rendered(word.done - state.frames_done)
            state.frames_done = word.done

    def keep(self, record: SegmentRecord) -> None:
        """A segment is finished."""
        if record.apart is not None:
            self.console.dissolved(record.frames.start, record.apart)
        self._settle(record)

    def stitch_calls(self) -> list[FinishCall]:
        """A call for each deliverable, once, when every frame's time is known; and pages for the finishers, as the finished prefix grows."""
        if not self.survey.complete or self.aside.held or self.left_out:
            return []
        return self.finishing.calls()

    def hand_over(self, found: DeliverableFacts | Conform) -> None:
        """A deliverable is stitched, or proven and in its place."""
        if isinstance(found, Conform):
            self.proofs[found.file] = found
        else:
            self.console.stage("inspect")

    def report(self) -> FilmReport:
        """What was made. Raises FilmFailed where something is missing that nobody is working on any more."""
        return film_report(self)

    @property
    def run(self) -> str:
        """What this run is called in the output's claims, and for its finishers."""
        return self.finishing.run

    @property
    def renders_to_come(self) -> int:
        """Calls for renderers that are still to come; while the survey runs, as many as the source's header lets expect."""
        return max(len(self._to_come), self.survey.expected_chunks - len(self.states))

    @property
    def chunks(self) -> Sequence[Chunk]:
        """All chunks planned so far, or what stands in for them."""
        return self.states.chunks

    @property
    def lacking(self) -> Iterator[int]:
        """Chunks that lack a piece, by number."""
        return (state.number for state in self.states if state.missing)

    def names(self, chunk: Chunk, encoding: Encoding) -> dict[Range, str]:
        """Digests of a chunk's segments in one encoding, in film order."""
        return self.states.names(chunk, encoding)

    def segments_of(self, deliverable: DeliverablePlan) -> list[SegmentRecord]:
        """The records of one deliverable's segments, in film order."""
        names = (name for chunk in self.chunks for name in self.names(chunk, deliverable.encoding).values())
        return [self.states.record(name, SegmentRecord) for name in names]

    def _settle(self, record: SegmentRecord | HandlesRecord) -> None:
        """One piece of a chunk is finished; with the last that it lacked, so is the chunk."""
        for state in self.states.keep(record):
            # Nobody told of its frames where it lacked only its opening, or a lost worker had kept its pieces.
            if rest := state.tell_rest():
                self.console.resumed(rest)
            self.console.chunk(state.number, "done", printed=bool(state.transcodes))

    def _split_together(self, order: SplitOrder) -> tuple[object, ...]:
        # Chunks decoded once from one distant keyframe are split in one call, lest the lead-in be decoded for each.
        return ("ffv1", order.first) if order.form == "ffv1" else ("packets", self.states[order.chunk].batch)

    def _render_calls_when_ready(self, state: ChunkState) -> list[ChunkCall]:
        batch = [self.states[number] for number in state.batch]
        ready = state.batch in self._to_come and all(one.media and self.propagation.ready(one.colour) for one in batch)
        return self._render_calls(state.batch) if ready else []

    def _render_calls(self, batch: tuple[int, ...]) -> list[ChunkCall]:
        self._to_come.discard(batch)
        states = [self.states[number] for number in batch]
        found = (self.states.render_order(state, *self.propagation.records(state.colour)) for state in states)
        orders = [order for order in found if order]
        return [self.order.prioritised(RenderCall(orders))] if orders else []

    def _dissolve_calls(self, state: ChunkState) -> list[ChunkCall]:
        order = self.states.dissolve_order(state)
        return [self.order.prioritised(DissolveCall(order))] if order else []
