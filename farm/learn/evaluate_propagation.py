"""Evaluates colour propagation: some true frames of a film are the anchors, and the frames between them are measured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple, TypeVar

from actors.evaluation.evaluation_orders import JudgedSpan
from actors.evaluation.propagation_summary import propagation_summary
from actors.looks import fit
from actors.survey.neighbouring_frames import middles, run_over
from farm.film.calls import ContinuedCall, CutsCall, GivenCutsCall, IndexCall, ProbeCall
from farm.film.setup import ask
from farm.film.survey_run import RANGE_SECONDS
from farm.fleet.calls import Call, PoolSpec
from farm.fleet.fleet import Fleet
from farm.fleet.vantage import DriverView
from farm.learn.evaluate import hands, place_of, place_of_file, put_down
from farm.progress.pictures_console import EvaluationProgress
from farm.specs.place_policy import confine_evaluation
from jobs.document import Document
from jobs.errors import BadMedia, BadSpec
from jobs.film.frame_index import FrameIndex, Page
from jobs.film.source import Film
from jobs.film.timecode import FrameTimecodes
from jobs.plan.plan import Look, Range
from jobs.plan.shots import far_enough, ranges_between
from jobs.plan.spans import Anchor, Span, spans_between
from jobs.plan.survey_ranges import seen, survey_ranges
from jobs.records.cuts import Cuts
from jobs.records.evaluation import JudgedFrame, PropagationEvaluation
from jobs.spec.job import LookChoice, Reading
from jobs.spec.shots import DetectShots
from jobs.store import open_store

FRAMES = 240
"""Frames that are judged, where nobody says how many: some for each distance from an anchor."""
REACH = 480
"""Frames from an anchor beyond which nothing is judged: the product has a look's own anchors there, and a span must fit into memory."""
COLOURLESS = 0.75
"""Chroma of the judged frames, RMS in steps of 0..255, below which a film counts as grey."""
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
class FilmRequest:
    """Which film is judged, and where that is put down."""

    on: str
    """A path or s3://."""
    out: str | None = None
    """A folder or s3://bucket/prefix for evaluation.json and the sheets; None: nothing is written."""
    reading: Reading = field(default_factory=Reading)
    trim: bool = False
    """As a spec's `head: trim`."""
    shots: str | None = None
    """A list of its shots, as a spec's `shots: {file: ...}`; None: they are detected."""


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


AnyRequest = TypeVar("AnyRequest", bound=FilmRequest)
AnyEvaluation = TypeVar("AnyEvaluation", bound=Document)


class Surveyed(NamedTuple):
    """A film, its frames and its shots."""

    film: Film
    frame_index: FrameIndex
    shots: list[Range]
    joined: list[Range]
    """Shots, together where a list has a cut at which the picture goes on."""


def evaluate_propagation(
    wish: PropagationRequest, *, address: str | None = None, workers: int | None = None
) -> PropagationEvaluation:
    """Judge propagated colour. Raises BadInput for a film or a place that cannot be had, for anchors that are none of its frames, and for a grey film."""

    def refused(on: str) -> BadSpec:
        return BadSpec(f"--anchors {wish.anchors}: {on} holds photographs; name a film, whose frames it picks.")

    return judged_on_film(judged_film, wish, [wish.look] if wish.look else [], refused, address, workers)


def judged_on_film(
    judge: Callable[[Fleet, str, AnyRequest, EvaluationProgress, int | None], AnyEvaluation],
    wish: AnyRequest,
    looks: Sequence[LookChoice],
    refused: Callable[[str], BadSpec],
    address: str | None,
    workers: int | None,
) -> AnyEvaluation:
    """Have a film judged, and the evaluation put down. `judge` is told the film's place as workers know it; `refused`: what is raised where photographs lie at a place."""
    with confine_evaluation({"--on": wish.on, "--out": wish.out, "--shots": wish.shots}, looks, address):
        on, names = place_of(wish.on)
        if names:
            raise refused(on)
        out = None if wish.out is None else open_store(wish.out)
        if out is not None:
            out.check()
        if wish.shots is not None:
            wish = replace(wish, shots=place_of_file(wish.shots))
        progress = EvaluationProgress()
        vantage = DriverView.of_evaluation(out.url if out else None, [on, *filter(None, [wish.shots])])
        with Fleet(address, workers=workers or 1, watcher=progress, vantage=vantage) as fleet:
            evaluation = judge(fleet, on, wish, progress, workers)
        put_down(evaluation, out, progress)
        return evaluation


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


def refuse_grey(on: str, chroma_rms: float) -> None:
    """Raises BadMedia where the judged frames together have no more chroma than this."""
    if chroma_rms < COLOURLESS:
        raise _grey(on)


def fit_colouriser(choice: LookChoice) -> Look:
    """A look, fitted. Raises BadSpec for one whose colour is not put on the film's luma."""
    look = fit(choice)
    if look.keeps != "luma":
        raise BadSpec(f"The look '{look.title}' does not keep the film's luma; name a colouriser, as `colorize`.")
    return look


def _grey(on: str) -> BadMedia:
    return BadMedia(f"{on} is grey, and cannot judge colours; name a film that has some.")


def surveyed_for(fleet: Fleet, on: str, wish: FilmRequest, evaluator: str, workers: int | None) -> Surveyed:
    """A film with its shots; workers of the class `evaluator` ("module:name") are there to judge it."""
    count, cpus = hands(fleet.cluster, workers)
    surveyor = PoolSpec("surveyor", "actors.survey.surveyor:Surveyor", (on, 1, wish.reading), limit=count, cpus=cpus)
    out = None if wish.out is None else open_store(wish.out).url
    fleet.hire([surveyor, PoolSpec("evaluator", evaluator, (out, cpus), limit=count, cpus=cpus)])
    surveyed = surveyed_film(fleet, on, trim=wish.trim, listed=wish.shots)
    fleet.expect("surveyor", 0, sure=True)
    return surveyed


def surveyed_film(fleet: Fleet, on: str, *, trim: bool, listed: str | None = None) -> Surveyed:
    """A film with its shots, as the farm finds them, or those of a list at `listed`. Raises BadMedia for one that has no chroma.

    `trim`: as a spec's `head: trim`.
    """
    film = ask(fleet, Film, ProbeCall(what=f"the survey of {on}"))
    if film.picture.pix_fmt.startswith("gray"):  # `grey` is a guess at a few frames, and may be told by a fade
        raise _grey(on)
    # A worker that was lost begins the index anew.
    pages: dict[int | None, Page] = {}
    for _, page in fleet.run([IndexCall(0, None)], lambda *_: ()):
        pages[int(page.pts[0]) if len(page) else None] = page
    index = FrameIndex(list(pages.values()), complete=True, trim=trim)
    found = _listed(fleet, film, index, listed) if listed else _found(fleet, on, film, index)
    known = [cut for cut in found.cuts if cut not in (found.continued or ())]
    shots, joined = (ranges_between(cuts, 0, index.frames) for cuts in (found.cuts, known))
    return Surveyed(film, index, shots, joined)


def _listed(fleet: Fleet, film: Film, index: FrameIndex, place: str) -> Cuts:
    listed = ask(fleet, Cuts, GivenCutsCall(place, film, index.pts))
    return (
        ask(fleet, Cuts, ContinuedCall.at(film, index, listed, place.lower().endswith(".edl")))
        if listed.cuts
        else listed
    )


def _found(fleet: Fleet, on: str, film: Film, index: FrameIndex) -> Cuts:
    detect = DetectShots()
    calls = [
        CutsCall(film.picture, index.span(*around), frames, around.start, detect.threshold, False, what=f"cuts of {on}")
        for frames in survey_ranges(index, max(1, int(RANGE_SECONDS * film.picture.rate)))
        for around in [seen(frames, index)]
    ]
    cuts = sorted({cut for _, found in fleet.run(calls, lambda *_: ()) for cut in found.cuts})
    return Cuts(frames=Range(0, index.frames), cuts=tuple(far_enough(cuts, detect.min_frames)))


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
