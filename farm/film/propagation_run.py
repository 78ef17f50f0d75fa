"""Finds what colour propagation still needs in a film: references of its stills, guides of its spans. Nothing finished is made again."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from farm.film.calls import ColourCall, GuideCall, ReferenceCall
from farm.film.survey_run import SurveyRun
from jobs.errors import Damaged
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.spans import PaintedFrame, Span
from jobs.records.guides import (
    GuideOrder,
    GuideRecord,
    ReferenceOrder,
    ReferenceRecord,
    guide_digest,
    reference_digest,
    still_media,
)


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

    def __init__(self, scout: SurveyRun, on_paper: Collection[str]) -> None:
        self._scout = scout
        self._on_paper = on_paper
        self._files = {file.frame: file for file in scout.stills}
        self._records: dict[str, GuideRecord | ReferenceRecord] = {}
        self._asked: set[str] = set()
        self._waiting: list[SpanRun] = []

    def calls_for(self, chunks: Iterable[Chunk]) -> list[ReferenceCall | GuideCall]:
        """What is to be made before these chunks can be rendered, and was not asked for yet."""
        wanted: dict[str, SpanRun] = {}
        for chunk in chunks:
            for span in chunk.spans:
                name = guide_digest(self._scout.film, chunk.look, span)
                if name in wanted:
                    wanted[name].chunks.add(chunk.number)
                elif name not in self._asked and not self._there(name):
                    wanted[name] = self._run_of(chunk.look.of_anchors, span, {chunk.number})
        self._asked |= wanted.keys()
        calls: list[ReferenceCall | GuideCall] = []
        for run in wanted.values():
            calls += self._reference_calls(run)
            self._await(run)
        return [*calls, *self._ready_calls()]

    def calls_after_reference(self, record: ReferenceRecord) -> list[GuideCall]:
        """A still's colour is kept: spans that waited for it alone can be propagated."""
        self._records[record.digest] = record
        return self._ready_calls()

    def one_by_one(self, call: GuideCall) -> list[GuideCall]:
        """The same work a span at a time: whichever of them is bad is found so."""
        chunks = {number: self._scout.plan.chunks[number - 1].core for number in call.chunks}
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
            lost = [run for run in self._waiting if call.order.digest in run.references]
            self._waiting = [run for run in self._waiting if run not in lost]
            spans = [(run.look, span) for run in lost for span in run.spans]
            names = {call.order.digest}
        else:
            assert isinstance(call, GuideCall)
            spans, names = [(call.order.look, span) for span in call.order.spans], set()
        names |= {guide_digest(self._scout.film, look, span) for look, span in spans}
        self._asked -= names
        return names

    def keep(self, record: GuideRecord) -> None:
        """A span is propagated."""
        self._records[record.digest] = record

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
        name = reference_digest(self._scout.film, still)
        found = self._records.get(name) or self._scout.ledger.record(name)
        return found if isinstance(found, ReferenceRecord) else None

    def _there(self, name: str) -> bool:
        return name in self._records or name in self._on_paper

    def _record(self, name: str) -> GuideRecord | ReferenceRecord:
        found = self._records.get(name) or self._scout.ledger.record(name)
        if not isinstance(found, GuideRecord | ReferenceRecord):  # a listing named it that lagged, or it was damaged
            raise Damaged(f"The record {name} of propagated colour is gone; run the job again: it is made anew.", name)
        self._records[name] = found
        return found

    def _run_of(self, look: Look, span: Span, chunks: set[int]) -> SpanRun:
        return SpanRun(look, [span], chunks, {reference_digest(self._scout.film, still) for still in span.stills})

    def _reference_calls(self, run: SpanRun) -> Iterator[ReferenceCall]:
        film, scout = self._scout.film, self._scout
        for still in (still for span in run.spans for still in span.stills):
            name = reference_digest(film, still)
            if name in self._asked or self._there(name):
                continue
            self._asked.add(name)
            file = self._files[still.frame]
            head, packets = scout.decoding(Range(still.frame, still.frame + 1))
            called = f"frame {still.frame} ({scout.names.name(still.frame)})"
            order = ReferenceOrder(film, still.frame, called, still.still, file.name, still_media(file), head, packets)
            yield ReferenceCall(order, wanted_by=tuple(sorted(run.chunks)))

    def _await(self, run: SpanRun) -> None:
        """Neighbours of one shot together, as long as a chunk may be."""
        if self._waiting:
            before = self._waiting[-1]
            long = run.spans[-1].frames.stop - before.spans[0].frames.start > self._scout.plan.target
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
        read = Range(run.spans[0].read.start, run.spans[-1].read.stop)
        head, packets = self._scout.decoding(read)
        _, references = self.records(sorted(run.references))
        order = GuideOrder(self._scout.film, run.look, run.spans, references, read, head, packets)
        return GuideCall(order, wanted_by=tuple(sorted(run.chunks)))
