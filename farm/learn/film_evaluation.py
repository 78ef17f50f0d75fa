"""What all evaluations of a film share: where it lies, its survey, its shots, and where the figures are put down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from actors.looks import fit
from farm.film.calls import ContinuedCall, CutsCall, GivenCutsCall, IndexCall, ProbeCall
from farm.film.setup import ask
from farm.fleet.calls import PoolSpec
from farm.fleet.fleet import Fleet
from farm.fleet.vantage import DriverView
from farm.learn.evaluate import hands, place_of, place_of_file, put_down
from farm.progress.pictures_console import EvaluationProgress
from farm.specs.place_policy import confine_evaluation
from jobs.document import Document
from jobs.errors import BadMedia, BadSpec
from jobs.film.frame_index import FrameIndex, Page
from jobs.film.source import Film
from jobs.plan.plan import Look, Range
from jobs.plan.shots import far_enough, ranges_between
from jobs.plan.survey_ranges import range_target, seen, survey_ranges
from jobs.records.cuts import Cuts
from jobs.spec.job import LookChoice, Reading
from jobs.spec.shots import DetectShots
from jobs.store import open_store

COLOURLESS = 0.75
"""Chroma of the judged frames, RMS in steps of 0..255, below which a film counts as grey."""


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


AnyRequest = TypeVar("AnyRequest", bound=FilmRequest)
AnyEvaluation = TypeVar("AnyEvaluation", bound=Document)


class Surveyed(NamedTuple):
    """A film, its frames and its shots."""

    film: Film
    frame_index: FrameIndex
    shots: list[Range]
    joined: list[Range]
    """Shots, together where a list has a cut at which the picture goes on."""


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
        for frames in survey_ranges(index, range_target(film.picture))
        for around in [seen(frames, index)]
    ]
    cuts = sorted({cut for _, found in fleet.run(calls, lambda *_: ()) for cut in found.cuts})
    return Cuts(frames=Range(0, index.frames), cuts=tuple(far_enough(cuts, detect.min_frames)))
