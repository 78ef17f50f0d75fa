"""Finds what colour propagation still needs in a film: references of its stills, guides of its spans. Nothing finished is made again."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from farm.film.calls import ChunkCall, ColourCall, GuideCall, ReferenceCall, SplitCall
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call
from jobs.errors import BadSpec, Damaged
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.shots import still_beyond
from jobs.plan.spans import PaintedFrame, Span
from jobs.records.guides import (
    GuideOrder,
    GuideRecord,
    ReferenceOrder,
    ReferenceRecord,
    RefusedStill,
    guide_digest,
    painted_frame,
    reference_digest,
    still_media,
)
from jobs.stills.listing import refused_together


@dataclass
class SpanRun:
    """Neighbouring spans of one shot that are propagated in one call, after one lead-in."""

    look: Look
    """That colours their anchors."""
    spans: list[Span]
    chunks: set[int]
    """That want them, by number."""
    references: set[str]
    """Digests of the stills that they wait for."""


class PropagationRun:
    """The references and guides of one film in work."""

    def __init__(self, survey: SurveyRun, on_paper: Collection[str]) -> None:
        self._survey = survey
        self._on_paper = on_paper
        self._files = {file.frame: file for file in survey.stills}
        self._records: dict[str, GuideRecord | ReferenceRecord] = {}
        self._asked: set[str] = set()
        self._to_come: set[str] = set()  # guides that were asked for, by digest
        self._waiting: list[SpanRun] = []
        named = ((reference_digest(survey.film, painted_frame(file)), file) for file in survey.stills)
        self._unjudged = {name: file for name, file in named if not self._there(name)}
        """Stills that nobody has held against their frames yet, by their references' digests, in film order."""
        self._refused: dict[int, str] = {}
        """What is wrong with a still, by frame."""
        self._held: list[SplitCall] = []
        """Of chunks whose stills may yet be refused."""

    def still_calls(self) -> list[ChunkCall]:
        """Stills whose frames the index has come to are held against them, each once and before all other work.

        Raises BadSpec as `calls_after_colour`.
        """
        index, complete = self._survey.index, self._survey.complete
        # A deinterlaced frame is decoded with its neighbours, which must be known.
        waits = self._survey.film.picture.deinterlace and not complete
        known = 0 if index is None or waits else index.frames
        calls = [
            self._reference_call(painted_frame(file), ())
            for name, file in self._unjudged.items()
            if file.frame < known and name not in self._asked
        ]
        self._asked |= {call.order.digest for call in calls}
        if complete:
            beyond = {name: file for name, file in self._unjudged.items() if file.frame >= known}
            self._refused |= {file.frame: still_beyond(file, known, self._survey.names) for file in beyond.values()}
            self._unjudged = {name: file for name, file in self._unjudged.items() if name not in beyond}
            self._refuse_stills()
        return list[ChunkCall](calls)

    def worth_making(self, calls: Iterable[Call]) -> Iterator[Call]:
        """All calls, until a still is refused: then only what tells of the others, since the job will end."""
        return (
            call for call in calls if not self._refused or call.pool == "surveyor" or isinstance(call, ReferenceCall)
        )

    def after_stills(self, calls: Iterable[SplitCall]) -> list[ChunkCall]:
        """Those that no unjudged still can make useless; the others follow their references."""
        self._held += calls
        return self._released()

    def calls_for(self, chunks: Iterable[Chunk]) -> list[ReferenceCall | GuideCall]:
        """What is to be made before these chunks can be rendered, and was not asked for yet."""
        wanted: dict[str, SpanRun] = {}
        for chunk in chunks:
            for span in chunk.spans:
                name = guide_digest(self._survey.film, chunk.look, span)
                if name in wanted:
                    wanted[name].chunks.add(chunk.number)
                elif name not in self._asked and not self._there(name):
                    wanted[name] = self._run_of(chunk.look.of_anchors, span, {chunk.number})
        self._asked |= wanted.keys()
        self._to_come |= wanted.keys()
        calls: list[ReferenceCall | GuideCall] = []
        for run in wanted.values():
            calls += self._reference_calls(run)
            self._await(run)
        return [*calls, *self._ready_calls()]

    def calls_after_colour(self, found: ReferenceRecord | RefusedStill | GuideRecord) -> list[ChunkCall]:
        """A still's colour is kept, and spans and chunks that waited for it alone can be made; or a span is propagated.

        Raises BadSpec once every still has been held against its frame and some were refused; it names all of these.
        """
        if isinstance(found, GuideRecord):
            self._records[found.digest] = found
            self._to_come.discard(found.digest)
            return []
        self._unjudged.pop(found.digest, None)
        if isinstance(found, RefusedStill):
            self._refused[found.frame] = found.why
        else:
            self._records[found.digest] = found
        self._refuse_stills()
        return [*self._released(), *self._ready_calls()]

    def one_by_one(self, call: GuideCall) -> list[GuideCall]:
        """The same work a span at a time: whichever of them is bad is found so."""
        chunks = {number: self._survey.plan.chunks[number - 1].core for number in call.chunks}
        lacking = [span for span in call.order.spans if not self._there(call.order.digest(span))]
        return [
            self._guide_call(
                self._run_of(call.order.look, span, {one for one, core in chunks.items() if core.meets(span.frames)})
            )
            for span in lacking
        ]

    def give_up(self, call: ColourCall) -> set[str]:
        """A call's budget is spent. Gives the digests of what will not come of it; chunks planned later may ask for it once more."""
        if isinstance(call, ReferenceCall):
            self._unjudged.pop(call.order.digest, None)
            self._refuse_stills()
            lost = [run for run in self._waiting if call.order.digest in run.references]
            self._waiting = [run for run in self._waiting if run not in lost]
            spans = [(run.look, span) for run in lost for span in run.spans]
            names = {call.order.digest}
        else:
            assert isinstance(call, GuideCall)
            spans, names = [(call.order.look, span) for span in call.order.spans], set()
        names |= {guide_digest(self._survey.film, look, span) for look, span in spans}
        self._asked -= names
        self._to_come -= names
        return names

    @property
    def spans_to_come(self) -> int:
        """Spans that were asked for and are not propagated yet."""
        return len(self._to_come)

    def ready(self, names: Iterable[str]) -> bool:
        """Whether guides and references are all there; so they are where nothing is propagated."""
        return all(map(self._there, names))

    def records(self, names: Iterable[str]) -> tuple[list[GuideRecord], list[ReferenceRecord]]:
        """Guides and references of these names, in their order. Raises Damaged where one is gone again."""
        found = [self._record(name) for name in names]
        guides = [one for one in found if isinstance(one, GuideRecord)]
        return guides, [one for one in found if isinstance(one, ReferenceRecord)]

    def reference(self, still: PaintedFrame) -> ReferenceRecord | None:
        """What is known of a still; None where it was never needed, or its record was cleaned away."""
        name = reference_digest(self._survey.film, still)
        found = self._records.get(name) or self._survey.ledger.record(name)
        return found if isinstance(found, ReferenceRecord) else None

    def _refuse_stills(self) -> None:
        if self._refused and not self._unjudged:
            raise BadSpec(refused_together([why for _, why in sorted(self._refused.items())]))

    def _there(self, name: str) -> bool:
        return name in self._records or name in self._on_paper

    def _record(self, name: str) -> GuideRecord | ReferenceRecord:
        found = self._records.get(name) or self._survey.ledger.record(name)
        if not isinstance(found, GuideRecord | ReferenceRecord):  # a listing named it that lagged, or it was damaged
            raise Damaged(f"The record {name} of propagated colour is gone; run the job again: it is made again.", name)
        self._records[name] = found
        return found

    def _run_of(self, look: Look, span: Span, chunks: set[int]) -> SpanRun:
        return SpanRun(look, [span], chunks, self._references_of([span]))

    def _references_of(self, spans: Iterable[Span]) -> set[str]:
        return {reference_digest(self._survey.film, still) for span in spans for still in span.stills}

    def _released(self) -> list[ChunkCall]:
        """Calls to split chunks of whose stills none is unjudged any more."""
        waiting: list[SplitCall] = []
        free: list[ChunkCall] = []
        for call in self._held:
            spans = [span for number in call.chunks for span in self._survey.plan.chunks[number - 1].spans]
            (waiting if self._references_of(spans) & self._unjudged.keys() else free).append(call)
        self._held = waiting
        return free

    def _reference_calls(self, run: SpanRun) -> Iterator[ReferenceCall]:
        for still in (still for span in run.spans for still in span.stills):
            name = reference_digest(self._survey.film, still)
            if name not in self._asked and not self._there(name):
                self._asked.add(name)
                yield self._reference_call(still, sorted(run.chunks))

    def _reference_call(self, still: PaintedFrame, chunks: Iterable[int]) -> ReferenceCall:
        film, file = self._survey.film, self._files[still.frame]
        head, packets = self._survey.decoding(Range(still.frame, still.frame + 1))
        called = f"frame {still.frame} ({self._survey.names.name(still.frame)})"
        order = ReferenceOrder(film, called, still, file.name, still_media(file), head, packets)
        return ReferenceCall(order, wanted_by=tuple(chunks))

    def _await(self, run: SpanRun) -> None:
        """Neighbours of one shot together, as long as a chunk may be."""
        if self._waiting:
            before = self._waiting[-1]
            long = run.spans[-1].frames.stop - before.spans[0].frames.start > self._survey.plan.target
            beside = before.spans[-1].frames.stop == run.spans[0].frames.start
            if before.look == run.look and beside and not long:
                before.spans += run.spans
                before.chunks |= run.chunks
                before.references |= run.references
                return
        self._waiting.append(run)

    def _ready_calls(self) -> list[GuideCall]:
        ready = [run for run in self._waiting if self.ready(run.references)]
        self._waiting = [run for run in self._waiting if not self.ready(run.references)]
        return list(map(self._guide_call, ready))

    def _guide_call(self, run: SpanRun) -> GuideCall:
        read = Range(min(span.read.start for span in run.spans), max(span.read.stop for span in run.spans))
        head, packets = self._survey.decoding(read)
        _, references = self.records(sorted(run.references))
        order = GuideOrder(self._survey.film, run.look, run.spans, references, read, head, packets)
        return GuideCall(order, wanted_by=tuple(sorted(run.chunks)))
