"""Has the propagated colour made of the frames that a proof shows: that of their spans, and no more of the film's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from farm.film.calls import ColourCall, GuideCall
from farm.film.propagation_run import PropagationRun
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import Call
from jobs.plan.plan import Chunk, Range, Shot
from jobs.records.guides import GuideRecord, ReferenceRecord, RefusedStill, guides_of

ColourFound = ReferenceRecord | RefusedStill | GuideRecord


@dataclass(frozen=True)
class FrameColour:
    """A frame whose colour is there."""

    shot: Shot
    frame: int
    guides: tuple[GuideRecord, ...]
    references: tuple[ReferenceRecord, ...]


class ProofColour:
    """The guides and references of the frames that are shown. A render of the film finds them made."""

    def __init__(self, survey: SurveyRun) -> None:
        self._survey = survey
        self._run = PropagationRun(survey, survey.ledger.finished())
        self._waiting: list[tuple[Shot, Chunk]] = []

    def first_calls(self) -> Iterable[Call]:
        """All stills are held against their frames. Raises BadSpec, here and later, once it is known which cannot be used."""
        return self._run.still_calls()

    def calls_for(self, shot: Shot, frame: int) -> Iterator[Call]:
        """What lacks of the colour of one frame of a propagated shot."""
        chunk = next(one for one in self._survey.plan.chunks if frame in range(*one.core))
        alone = Range(frame, frame + 1)
        assert shot.look.propagation
        look = shot.look.propagated(shot.look.propagation.over(alone, chunk.spans))
        self._waiting.append((shot, replace(chunk, core=alone, shown=alone, read=alone, look=look)))
        yield from self._run.calls_for([self._waiting[-1][1]])

    def calls_after(self, found: ColourFound) -> Iterable[Call]:
        """A still is judged, or a span is propagated."""
        return self._run.worth_making(self._run.calls_after_colour(found))

    def calls_after_failure(self, call: ColourCall) -> Iterator[Call]:
        """A call's budget is spent: its spans are tried one by one. Where it had one, `lost` has the shots."""
        if isinstance(call, GuideCall) and len(call.order.spans) > 1:
            yield from self._run.one_by_one(call)

    def lost(self, call: ColourCall) -> Iterator[Shot]:
        """Shots that a failed call leaves without the colour of their frame; nobody waits for them any more."""
        if isinstance(call, GuideCall) and len(call.order.spans) > 1:
            return
        names = self._run.give_up(call)
        gone = [(shot, chunk) for shot, chunk in self._waiting if names & set(guides_of(self._survey.film, chunk))]
        self._waiting = [one for one in self._waiting if one not in gone]
        yield from (shot for shot, _ in gone)

    def ready(self) -> Iterator[FrameColour]:
        """Frames whose colour is there since this was asked last."""
        for shot, chunk in list(self._waiting):
            names = list(guides_of(self._survey.film, chunk))
            if self._run.ready(names):
                self._waiting.remove((shot, chunk))
                guides, references = self._run.records(names)
                yield FrameColour(shot, chunk.core.start, tuple(guides), tuple(references))
