"""Evaluates colour propagation: some true frames of a film are the anchors, and the frames between them are measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from actors.evaluation.evaluation_orders import JudgedSpan
from actors.evaluation.propagation_summary import propagation_summary
from actors.survey.neighbouring_frames import middles, run_over
from farm.fleet.calls import Call
from farm.fleet.fleet import Fleet
from farm.learn.film_evaluation import FilmRequest, Surveyed, fit_colouriser, judged_on_film, refuse_grey, surveyed_for
from farm.progress.pictures_console import EvaluationProgress
from jobs.errors import BadSpec
from jobs.film.timecode import FrameTimecodes
from jobs.plan.plan import Look, Range
from jobs.plan.spans import Anchor, Span, spans_between
from jobs.records.evaluation import JudgedFrame, PropagationEvaluation
from jobs.spec.job import LookChoice

FRAMES = 240
"""Frames that are judged, where nobody says how many: some for each distance from an anchor."""
REACH = 480
"""Frames from an anchor beyond which nothing is judged: the product has a look's own anchors there, and a span must fit into memory."""
CHOICES = {
    "middle": lambda shot: [(shot.start + shot.stop) // 2],
    "ends": lambda shot: [shot.start, shot.stop - 1],
    "three": lambda shot: [shot.start, (shot.start + shot.stop) // 2, shot.stop - 1],
}
"""Anchors of each shot, by name."""


@dataclass(frozen=True)
class SpanCall(Call):
    """Propagate one span, and judge some of its frames."""

    order: JudgedSpan
    pool, method = "evaluator", "span"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.order.number,)

    @property
    def what(self) -> str:
        read = self.order.run.read
        return f"frames {read.start} to {read.stop - 1}"


@dataclass(frozen=True, kw_only=True)
class PropagationRequest(FilmRequest):
    """Which of its frames are anchors as well."""

    anchors: str
    """One of CHOICES, or frames by number and time code, as in "0,48,96-98,00:00:05:03"."""
    frames: int = FRAMES
    """How many of the frames that are no anchors, evenly spread."""
    strokes: int = 0
    """Drawn by rule on each anchor, over the look's own colour; 0: none."""
    look: LookChoice | None = None
    """That is helped by strokes."""


def evaluate_propagation(
    wish: PropagationRequest, *, address: str | None = None, workers: int | None = None
) -> PropagationEvaluation:
    """Judge propagated colour. Raises BadInput for a film or a place that cannot be had, for anchors that are none of its frames, and for a grey film."""

    def refused(on: str) -> BadSpec:
        return BadSpec(f"--anchors {wish.anchors}: {on} holds photographs; name a film, whose frames it picks.")

    return judged_on_film(judged_film, wish, [wish.look] if wish.look else [], refused, address, workers)


def judged_film(
    fleet: Fleet, on: str, wish: PropagationRequest, progress: EvaluationProgress, workers: int | None = None
) -> PropagationEvaluation:
    """The evaluation of a film at `on`, as workers know it."""
    look = fit_colouriser(wish.look) if wish.look else None
    surveyed = surveyed_for(fleet, on, wish, "actors.evaluation.propagated_frames:PropagationEvaluator", workers)
    anchors = _anchors(wish.anchors, surveyed)
    spans = [span for shots in surveyed.joined for span in spans_within_reach(shots, anchors)]
    propagated = sorted({number for span in spans for number in range(*span.frames)} - {*anchors})
    if not propagated:
        raise BadSpec(
            f"--anchors {wish.anchors}: no frame of the film lies between its anchors, and none can be judged."
        )
    found: dict[int, JudgedFrame] = {}
    judged_frames = frozenset(propagated[place] for place in middles(len(propagated), wish.frames))
    calls = _calls(surveyed, spans, judged_frames, look, wish.strokes)
    progress.begin(sum(len(call.order.judged) for call in calls))
    for _, judged in fleet.run(calls, lambda *_: ()):
        found[judged.frame] = judged
        progress.judged(len(found))
    progress.say()
    evaluation = propagation_summary(
        on,
        [found[number] for number in sorted(found)],
        anchors,
        shots=len(surveyed.shots),
        propagated=len(propagated),
        left_out=surveyed.frame_index.frames - len(propagated) - len(anchors),
        strokes=(look.choice.name, wish.strokes) if look else None,
    )
    refuse_grey(on, evaluation.total.chroma_rms.grey)
    return evaluation


def _anchors(said: str, surveyed: Surveyed) -> list[int]:
    """Frames in film order. Raises BadSpec for what names none."""
    if choice := CHOICES.get(said):
        return sorted({frame for shot in surveyed.shots for frame in choice(shot)})
    names = FrameTimecodes.of(surveyed.film, surveyed.frame_index.pts[: surveyed.frame_index.frames])
    try:
        return list(names.numbers(said, surveyed.frame_index.frames))
    except ValueError as wrong:
        raise BadSpec(
            f"--anchors {said}: {wrong}; allowed are middle, ends, three, or frames, as in 0,48,00:00:05:03."
        ) from None


def spans_within_reach(shot: Range, anchors: Sequence[int]) -> Iterator[Span]:
    """Those of a shot, as the product has them between stills, as far as anchors reach."""
    own = [frame for frame in anchors if frame in range(*shot)]
    groups = [own[:1]]
    for before, after in pairwise(own):
        if after - before > 2 * REACH:
            groups.append([])
        groups[-1].append(after)
    for group in groups if own else []:
        near = Range(max(shot.start, group[0] - REACH), min(shot.stop, group[-1] + REACH + 1))
        yield from spans_between([Anchor(frame=frame, still="truth") for frame in group], near)


def _calls(
    surveyed: Surveyed, spans: Sequence[Span], judged: frozenset[int], look: Look | None, strokes: int
) -> list[SpanCall]:
    calls: list[SpanCall] = []
    for span in spans:
        if some := judged & {*range(*span.frames)}:
            run = run_over(surveyed.film, surveyed.frame_index, span.read, span.read.start)
            calls.append(SpanCall(JudgedSpan(len(calls), surveyed.film, span, some, run, look, strokes)))
    return calls
