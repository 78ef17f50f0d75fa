"""Evaluates looks on photographs, or on a film, whose true colours are known."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from actors.evaluation.evaluation_orders import EvaluationMaterial, names_in
from actors.evaluation.summary import Candidate, summary
from actors.looks import fit
from actors.survey.neighbouring_frames import FrameRuns, NeighbouringFrames
from farm.film.setup import ask
from farm.film.worker_pools import CLUSTER_CPUS
from farm.fleet.calls import Call, Cluster, PoolSpec
from farm.fleet.fleet import Fleet
from farm.fleet.vantage import DriverView
from farm.progress.pictures_console import EvaluationProgress
from farm.specs.place_policy import confine_evaluation
from jobs.document import Document
from jobs.errors import BadMedia, BadSpec, number_of
from jobs.film.source import Film
from jobs.plan.plan import Look
from jobs.records.evaluation import Evaluation, JudgedPicture, SkippedPicture
from jobs.spec.job import LookChoice, Reading
from jobs.store import Store, is_file, locate, open_store, source_identity
from jobs.store.sequence import rated

PAGE = 8
"""Pictures of one call, and of one sheet."""
STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)
"""Of a curve: far enough that a timid look comes to half the truth's colourfulness."""
MOST_STRENGTH = 4.0


@dataclass(frozen=True)
class CandidatesCall(Call):
    """What each look gives, and the strengths at which it is judged."""

    pool, method, what = "evaluator", "candidates", "loading the looks"


@dataclass(frozen=True)
class ChooseCall(Call):
    """The frames of a film that are to be judged."""

    frames_wanted: int
    trim: bool
    what: str = field(default="", kw_only=True)
    pool, method = "evaluator", "choose"


@dataclass(frozen=True)
class PhotographsCall(Call):
    """Judge some photographs, and put a sheet of them down."""

    page: int
    names: Sequence[str]
    pool, method = "evaluator", "photographs"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.page,)

    @property
    def what(self) -> str:
        return f"sheet {self.page}"


@dataclass(frozen=True)
class FramesCall(Call):
    """Judge some frames of a film, and put a sheet of them down."""

    page: int
    film: Film
    runs: Sequence[NeighbouringFrames]
    pool, method = "evaluator", "frames"

    @property
    def priority(self) -> tuple[int, ...]:
        return (self.page,)

    @property
    def what(self) -> str:
        return f"sheet {self.page}"


@dataclass(frozen=True)
class EvaluationRequest:
    """What is to be judged, and on what."""

    looks: tuple[LookChoice, ...]
    """The first is held against each of the others."""
    on: str
    """A folder of photographs, or a film: a path or s3://."""
    frames: int = 24
    """Of a film: how many of its frames, evenly spread."""
    strengths: tuple[float, ...] = STRENGTHS
    """Factors on what a look gives; 0 and 1 are always among them."""
    out: str | None = None
    """A folder or s3://bucket/prefix for evaluation.json and the sheets; None: nothing is written."""
    reading: Reading = field(default_factory=Reading)
    trim: bool = False
    """Of a film that begins amid a group of pictures: it is begun with the first frame that can be decoded."""


def evaluate(question: EvaluationRequest, *, address: str | None = None, workers: int | None = None) -> Evaluation:
    """Judge looks. Raises BadInput for a look, a place or a picture that cannot be had, or where every picture is grey."""
    with confine_evaluation({"--on": question.on, "--out": question.out}, question.looks, address):
        return _evaluated(question, address, workers)


def _evaluated(question: EvaluationRequest, address: str | None, workers: int | None) -> Evaluation:
    looks = [fit(choice) for choice in question.looks]
    strengths = _ascending(question.strengths)
    on, names = place_of(question.on)
    out = None if question.out is None else open_store(question.out)
    if out is not None:
        out.check()
    material = EvaluationMaterial(on, out.url if out else None, question.reading)
    progress = EvaluationProgress()
    files = [f"{on}/{name}" for name in dict.fromkeys((names[0], names[-1]))] if names else [on]
    vantage = DriverView.of_evaluation(out.url if out else None, files)
    with Fleet(address, workers=workers or 1, watcher=progress, vantage=vantage) as fleet:
        fleet.hire([_pool(material, looks, strengths, fleet.cluster, workers)])
        told: tuple[tuple[str, tuple[float, ...]], ...] = ask(fleet, tuple, CandidatesCall())
        candidates = [Candidate(look, *of) for look, of in zip(looks, told, strict=True)]
        found = _judged(fleet, names or _chosen(fleet, question), progress)
    judged = [one for one in found if isinstance(one, JudgedPicture)]
    if not judged:
        raise BadMedia(
            f"{on} has no picture with colours to judge by, of {number_of(len(found), 'picture')}; name some that have colours."
        )
    evaluation = summary(on, candidates, judged, [one for one in found if isinstance(one, SkippedPicture)])
    put_down(evaluation, out, progress)
    return evaluation


def put_down(evaluation: Document, out: Store | None, progress: "EvaluationProgress") -> None:
    """Write an evaluation beside its sheets, where there is a place for them."""
    if out is not None:
        out.write("evaluation.json", (evaluation.model_dump_json(indent=1) + "\n").encode())
        progress.note(f"Made {out.url}/evaluation.json and its sheets")


def _ascending(strengths: Sequence[float]) -> tuple[float, ...]:
    if wrong := [one for one in strengths if not 0 <= one <= MOST_STRENGTH]:
        raise BadSpec(
            f"strength {wrong[0]:g}: strengths go from 0, which is grey, to {MOST_STRENGTH:g}; 1 is as rendered."
        )
    return tuple(sorted({0.0, 1.0, *strengths}))


def place_of(on: str) -> tuple[str, list[str]]:
    """Where the pictures are, as workers know it; the names of photographs, none for a film."""
    place, url = locate(on), place_of_file(on)
    if place.is_dir() if isinstance(place, Path) else not is_file(url):
        return url, names_in(url)
    source_identity(url := rated(url))
    return url, []


def place_of_file(named: str) -> str:
    """A file's path or URL, as workers know it."""
    place = locate(named)
    return str(place) if isinstance(place, Path) else named.rstrip("/")


def _pool(
    material: EvaluationMaterial,
    looks: Sequence[Look],
    strengths: Sequence[float],
    cluster: Cluster,
    workers: int | None,
) -> PoolSpec:
    gpus = float(cluster.most_gpus >= 1)
    count, cpus = hands(cluster, workers, int(cluster.most_gpus))
    args = (material, tuple(looks), tuple(strengths), cpus, gpus > 0)
    return PoolSpec("evaluator", "actors.evaluation.evaluate:Evaluator", args, limit=count, cpus=cpus, gpus=gpus)


def hands(cluster: Cluster, workers: int | None, gpus: int = 0) -> tuple[int, float]:
    """Workers at most, and the CPUs of each. `gpus`: those that they need, on one node."""
    cpus = 1.0 if cluster.local else CLUSTER_CPUS
    room = len(os.sched_getaffinity(0)) if cluster.local else int(cluster.cpus / cpus)
    return max(1, workers or gpus or room), cpus


def _chosen(fleet: Fleet, question: EvaluationRequest) -> FrameRuns:
    return ask(fleet, FrameRuns, ChooseCall(question.frames, question.trim, what=f"the survey of {question.on}"))


def _judged(
    fleet: Fleet, chosen: list[str] | FrameRuns, progress: "EvaluationProgress"
) -> list[JudgedPicture | SkippedPicture]:
    """All findings, in the order of the pictures, however often a call was made."""
    count = len(chosen.runs if isinstance(chosen, FrameRuns) else chosen)
    progress.begin(count)
    found: dict[tuple[tuple[int, ...], str], JudgedPicture | SkippedPicture] = {}
    for call, one in fleet.run([_page(chosen, start) for start in range(0, count, PAGE)], lambda *_: ()):
        found[call.priority, one.name] = one
        progress.judged(len(found))
    progress.say()
    # Of one page they come in order; pages come as workers finish them.
    return [found[place] for place in sorted(found, key=lambda place: place[0])]


def _page(chosen: list[str] | FrameRuns, start: int) -> Call:
    page, some = start // PAGE, slice(start, start + PAGE)
    if isinstance(chosen, FrameRuns):
        return FramesCall(page, chosen.film, chosen.runs[some])
    return PhotographsCall(page, chosen[some])
