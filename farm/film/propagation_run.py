"""What a propagated film still needs for its colour: references of its stills, and guides of its spans. Nothing finished is made again."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from farm.film.calls import GuideCall, ReferenceCall
from farm.film.survey_run import SurveyRun
from jobs.errors import Damaged
from jobs.plan.plan import Chunk, Look, Range
from jobs.plan.spans import Span
from jobs.records.guides import (
    GuideOrder,
    GuideRecord,
    ReferenceOrder,
    ReferenceRecord,
    guide_digest,
    reference_digest,
    still_media,
)


class PropagationRun:
    """The references and guides of one film in work."""

    def __init__(self, scout: SurveyRun, on_paper: Collection[str]) -> None:
        self._scout = scout
        self._on_paper = on_paper
        self._records: dict[str, GuideRecord | ReferenceRecord] = {}
        self._asked: set[str] = set()
        self._waiting: list[tuple[Look, list[Span], set[int]]] = []
        """Spans that wait for references, some together, and the numbers of the chunks that want them."""

    def calls_for(self, chunks: Iterable[Chunk]) -> list[ReferenceCall | GuideCall]:
        """What is to be made before these chunks can be rendered, and was not asked for yet."""
        wanted: dict[str, tuple[Look, Span, set[int]]] = {}
        for chunk in chunks:
            for span in chunk.look.propagation.spans if chunk.look.propagation else ():
                name = guide_digest(self._scout.film, chunk.look, span)
                if self._there(name) or (name in self._asked and name not in wanted):
                    continue
                self._asked.add(name)
                wanted.setdefault(name, (chunk.look, span, set()))[2].add(chunk.number)
        calls: list[ReferenceCall | GuideCall] = []
        for look, span, numbers in wanted.values():
            calls += self._reference_calls(span, numbers)
            self._await(look, span, numbers)
        return [*calls, *self._ready_calls()]

    def calls_after_reference(self, record: ReferenceRecord) -> list[GuideCall]:
        """A still's colour is kept: spans that waited for it alone can be propagated."""
        self._records[record.digest] = record
        return self._ready_calls()

    def one_by_one(self, call: GuideCall) -> list[GuideCall]:
        """The same work a span at a time: whichever of them is bad is found so."""
        calls = []
        for span in call.order.spans:
            if not self._there(call.order.digest(span)):
                names = [reference_digest(self._scout.film, still) for still in span.stills]
                over = {number for number in call.chunks if self._takes(number, span)}
                calls.append(self._guide_call(call.order.look, [span], names, over))
        return calls

    def _takes(self, number: int, span: Span) -> bool:
        core = self._scout.plan.chunks[number - 1].core
        return core.start < span.frames.stop and span.frames.start < core.stop

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

    def _there(self, name: str) -> bool:
        return name in self._records or name in self._on_paper

    def _record(self, name: str) -> GuideRecord | ReferenceRecord:
        found = self._records.get(name) or self._scout.ledger.record(name)
        if not isinstance(found, GuideRecord | ReferenceRecord):  # a listing named it that lagged, or it was damaged
            raise Damaged(f"The record {name} of propagated colour is gone; run the job again: it is made anew.", name)
        self._records[name] = found
        return found

    def _reference_calls(self, span: Span, numbers: set[int]) -> Iterator[ReferenceCall]:
        film, scout = self._scout.film, self._scout
        for still in span.stills:
            name = reference_digest(film, still)
            if name in self._asked or self._there(name):
                continue
            self._asked.add(name)
            file = next(one for one in scout.stills if one.sha256 == still.still)
            head, packets = scout.decoding(Range(still.frame, still.frame + 1))
            called = f"frame {still.frame} ({scout.names.name(still.frame)})"
            order = ReferenceOrder(film, still.frame, called, still.still, file.name, still_media(file), head, packets)
            yield ReferenceCall(order, wanted_by=tuple(sorted(numbers)))

    def _await(self, look: Look, span: Span, numbers: set[int]) -> None:
        """Neighbours of one shot together, as long as a chunk may be: their frames are decoded once, after one lead-in."""
        if self._waiting:
            before, spans, chunks = self._waiting[-1]
            long = span.frames.stop - spans[0].frames.start > self._scout.plan.target
            if before.of_anchors == look.of_anchors and spans[-1].frames.stop == span.frames.start and not long:
                spans.append(span)
                chunks |= numbers
                return
        self._waiting.append((look, [span], set(numbers)))

    def _ready_calls(self) -> list[GuideCall]:
        film = self._scout.film
        calls, still_waiting = [], []
        for look, spans, numbers in self._waiting:
            names = {reference_digest(film, still): still for span in spans for still in span.stills}
            if all(map(self._there, names)):
                calls.append(self._guide_call(look, spans, names, numbers))
            else:
                still_waiting.append((look, spans, numbers))
        self._waiting = still_waiting
        return calls

    def _guide_call(self, look: Look, spans: Sequence[Span], references: Iterable[str], numbers: set[int]) -> GuideCall:
        read = Range(spans[0].read.start, spans[-1].read.stop)
        head, packets = self._scout.decoding(read)
        records = [one for one in map(self._record, references) if isinstance(one, ReferenceRecord)]
        order = GuideOrder(self._scout.film, look.of_anchors, spans, records, read, head, packets)
        return GuideCall(order, wanted_by=tuple(sorted(numbers)))
