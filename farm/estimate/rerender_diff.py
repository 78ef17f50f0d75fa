"""What a run would render again and why, shot by shot, found by the same digests by which the driver decides."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from farm.film.chunk_states import ChunkStates
from farm.film.quarantine import QuarantinedChunks
from farm.film.shot_selection import told
from farm.film.survey_run import SurveyRun
from farm.progress.console import ProgressConsole
from farm.progress.plain_console import Column, PlainConsole
from jobs.digest import digest
from jobs.document import Document
from jobs.errors import number_of
from jobs.ledger.render_history import Encoded, RenderHistory, ShotRendering, continuity, difference, over
from jobs.plan.plan import Chunk, Range
from jobs.records.deliverables import DeliverablePlan
from jobs.records.guides import guide_digest

MOST_RANGES = 12
"""Named on the screen; all are in the JSON."""


class ShotRerender(Document):
    """Chunks of one shot that a run would make."""

    shot: int
    chunks: tuple[int, ...]
    """By number. Those that are only shown to their look again, for a neighbour's dissolve, are among them."""
    frames: Range
    """From the first to the last of these chunks' own."""
    shown: int
    """Frames that their looks are shown: the chunks' own and their handles."""
    why: tuple[str, ...]
    """In words, each reason once."""


class RerenderDiff(Document):
    """What a run would make now."""

    rendered_before: bool
    """A run of this job has ended; without one, everything that lacks is made for the first time."""
    sentence: str
    chunks: int
    """That would be rendered."""
    printed: int
    """Chunks that would only be encoded, from the segments of another deliverable."""
    frames: int
    """That looks would be shown: the chunks' own and their handles."""
    frames_percent: float
    """In percent of the film."""
    propagated: tuple[Range, ...]
    """Frames that would get another colour from their anchors: those of the spans that depend on what has changed, joined."""
    shots: tuple[ShotRerender, ...]


def again(survey: SurveyRun, decided: Sequence[DeliverablePlan]) -> RerenderDiff:
    """What a finished plan lacks in the store, chunk by chunk, as the driver would find it."""
    states = _noted(survey, decided)
    reasons = _Reasons(survey, continuity(survey.ledger), decided, states)
    made = [state.chunk for state in states if state.to_split]
    printed = sum(bool(state.transcodes) for state in states)
    propagated = tuple(_propagated(survey, made, states.on_paper))
    kept = (
        " Their propagated colour is there: it is not made again."
        if not propagated and any(one.spans for one in made)
        else ""
    )
    shots = tuple(_shot(number, list(several), reasons) for number, several in groupby(made, lambda one: one.shot))
    shown = sum(one.shown for one in shots)
    return RerenderDiff(
        rendered_before=bool(reasons.before.shots),
        sentence=_sentence(len(made), shown, survey.plan.frames, [one.shot for one in shots])
        + kept
        + _printed(printed),
        chunks=len(made),
        printed=printed,
        frames=shown,
        frames_percent=round(100 * shown / survey.plan.frames, 3),
        propagated=propagated,
        shots=shots,
    )


def _propagated(survey: SurveyRun, made: Iterable[Chunk], on_paper: Collection[str]) -> Iterator[Range]:
    """The spans of these chunks that have no guide yet, neighbours joined."""
    start = stop = 0
    for chunk in made:
        for span in chunk.spans:
            # A span that two chunks share comes twice.
            if span.frames.stop <= stop or guide_digest(survey.film, chunk.look, span) in on_paper:
                continue
            if span.frames.start != stop and stop > start:
                yield Range(start, stop)
            start, stop = (start if span.frames.start == stop else span.frames.start), span.frames.stop
    if stop > start:
        yield Range(start, stop)


def _noted(survey: SurveyRun, decided: Sequence[DeliverablePlan]) -> ChunkStates:
    """What production puts down of a plan that is whole."""
    aside = QuarantinedChunks(survey, ProgressConsole(console=PlainConsole(quiet=True)))
    encodings = {one.encoding.model_dump_json(): one.encoding for one in decided}.values()
    states = ChunkStates(survey.film, survey.ledger, encodings)
    for state in states.add(aside.standing(one.number) for one in survey.plan.chunks):
        if state.number not in aside.held:
            states.note(state)
    return states


def _sentence(chunks: int, frames: int, film: int, shots: Sequence[int]) -> str:
    if not chunks:
        return "Nothing is to be rendered."
    where = f"shot {shots[0]}" if len(shots) == 1 else number_of(len(shots), "shot")
    return f"To be rendered: {number_of(chunks, 'chunk')} of {where}, {number_of(frames, 'frame')} shown to their looks ({100 * frames / film:.1f} % of the film)."


def _printed(chunks: int) -> str:
    return (
        f" To be encoded from another deliverable, no look shown anything: {number_of(chunks, 'chunk')}."
        if chunks
        else ""
    )


def _shot(number: int, chunks: list[Chunk], reasons: "_Reasons") -> ShotRerender:
    return ShotRerender(
        shot=number,
        chunks=tuple(one.number for one in chunks),
        frames=Range(chunks[0].core.start, chunks[-1].core.stop),
        shown=sum(one.read.frames for one in chunks),
        why=tuple(dict.fromkeys(why for one in chunks for why in reasons.of(one))),
    )


class _Reasons:
    """Why chunks are made: from what the last runs made of their frames."""

    def __init__(
        self, survey: SurveyRun, before: RenderHistory, decided: Sequence[DeliverablePlan], states: ChunkStates
    ) -> None:
        self.before = before
        self._states = states
        self._was, self._now = before.made, survey.made
        self._known = set(map(digest, before.encoded))
        self._files = {one.file for one in before.encoded}
        self._decided = decided

    def of(self, chunk: Chunk) -> list[str]:
        """In words, most telling first."""
        if chunk.look.stand_in:
            return [f"it was set aside, and {chunk.look.title} stand in for it"]
        if not (was := over(self._was, chunk.core)):
            return ["first time"]
        if changed := self._changed(chunk, was):
            return changed
        lacking = self._states[chunk.number].missing
        concerned = [one for one in self._decided if lacking & set(self._states.names(chunk, one.encoding).values())]
        new = [one for one in concerned if not self._has(one)]
        said = [f"{'deliverable changed' if one.file in self._files else 'new deliverable'}: {one.file}" for one in new]
        if len(new) < len(concerned):
            return [*said, "its record is gone or was set aside"]
        return said or ["neighbour of a chunk that is made again: its dissolve"]

    def _changed(self, chunk: Chunk, was: Iterable[ShotRendering]) -> list[str]:
        pairs = [(old, new) for old in was for new in over(self._now, chunk.core)]
        if found := list(filter(None, (difference(old, new, chunk.core) for old, new in pairs))):
            return list(dict.fromkeys(found))
        alike = all((old.frames, old.target) == (new.frames, new.target) for old, new in pairs)
        return [] if alike else ["its shot is divided otherwise: chunk_seconds, or its edges"]

    def _has(self, plan: DeliverablePlan) -> bool:
        return digest(Encoded(file=plan.file, encoding=plan.encoding)) in self._known


def show_again(found: RerenderDiff, console: PlainConsole) -> None:
    """For people. Of a film that was never rendered the sentence says it all."""
    console.note(found.sentence)
    if found.propagated:
        ranges = ", ".join(f"{frames.start}-{frames.stop - 1}" for frames in found.propagated[:MOST_RANGES])
        more = (
            f" and {len(found.propagated) - MOST_RANGES:,} more ranges" if len(found.propagated) > MOST_RANGES else ""
        )
        console.note(f"Colour is to be propagated to frames {ranges}{more}.")
    if not found.rendered_before or not found.shots:
        return
    rows = [
        (
            str(one.shot),
            told(one.chunks),
            f"{one.frames.start}-{one.frames.stop - 1}",
            str(one.shown),
            "\n".join(one.why),
        )
        for one in found.shots
    ]
    heads = ("shot", "chunks", "frames", "shown to the look", "why")
    console.table("to be rendered", rows, [Column(head, right=head != "why") for head in heads])
