"""Opens a film: refuses a bad job before any work, hires the worker pools, probes the source, and decides the deliverables."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from actors.looks import fit
from farm.film.calls import DecideCall, ProbeCall
from farm.film.survey_run import SurveyRun
from farm.film.worker_pools import pools_for, renderer_gpus
from farm.fleet.calls import Call
from farm.fleet.capacity import passed_over
from farm.fleet.fleet import Fleet
from farm.progress.console import ProgressConsole
from farm.specs.places import refuse_nested
from jobs.errors import BadMedia, BadSpec
from jobs.film.source import Film
from jobs.ledger.ledger import JobDocument, Ledger
from jobs.plan.grading import lut_name
from jobs.plan.plan import Look
from jobs.records.deliverables import Decided, DeliverablePlan
from jobs.records.guides import still_media
from jobs.spec.job import JobSpec
from jobs.spec.names import another_name
from jobs.stills.exports import exported_in
from jobs.stills.listing import StillFile, refuse_other_shapes, still_data, stills_in
from jobs.store import Bucket, locate, open_store, source_identity
from jobs.store.sequence import is_sequence

Found = TypeVar("Found")

BEGUN_WITHOUT = (
    "this job was begun when the look coloured every frame, and goes on so; to have colour propagated, which renders it again: "
    "--propagate, or propagate: true in its spec"
)


def looks_of(spec: JobSpec, *, propagates: bool = False) -> dict[str, Look]:
    """Every look the spec names, fitted, by its choice. Raises BadLook for the first that cannot be had.

    `propagates`: whether colourisers' colour is propagated where the spec does not say; the job's ledger knows (`JobDocument.propagates`).
    """
    choices = [spec.look, *(override.look for override in spec.overrides if override.look)]
    looks = {choice.model_dump_json(): fit(choice) for choice in choices}
    said = spec.propagates

    def is_propagated(look: Look) -> bool:
        return look.propagates and propagates if said is None else look.keeps == "luma" and said

    return {name: look.model_copy(update={"propagates": is_propagated(look)}) for name, look in looks.items()}


@dataclass(frozen=True)
class Preflight:
    """A job that nothing refuses, as far as that can be told before any work: what all that follows trusts."""

    spec: JobSpec
    looks: Mapping[str, Look]
    """Fitted, by choice."""
    ledger: Ledger
    began: JobDocument
    """What it was begun with, or is begun with now."""
    stills: tuple[StillFile, ...] = ()
    """Those that the spec names, in film order."""
    as_begun: str = ""
    """What of it goes on as it was begun, though it would begin otherwise today; a sentence for the user."""


def preflight(spec: JobSpec, *, delivers: bool = True) -> Preflight:
    """Prove the looks, the source, the places and the job's own folder. Raises BadInput for the first that will not do.

    `delivers`: the output is written, too.
    """
    if spec.grades:
        from actors.picture.grading.reading import with_grades_read  # with numpy, which most drivers need not

        spec = with_grades_read(spec)
    today = looks_of(spec, propagates=True)
    source_identity(spec.source_url)
    check_places(spec, delivers=delivers)
    ledger = Ledger.at(spec.store, spec.key)
    began = ledger.admit(spec)
    looks = today if began.propagates else looks_of(spec)
    as_begun = BEGUN_WITHOUT if looks != today else ""
    return Preflight(spec, looks, ledger, began, stills_of(spec, looks), as_begun)


def stills_of(spec: JobSpec, looks: Mapping[str, Look]) -> tuple[StillFile, ...]:
    """The stills that a spec names, less those that the farm exported and nobody has edited. Raises BadSpec for what cannot be used, or where no look of the job can show their colour."""
    if spec.propagates and not any(look.keeps == "luma" for look in looks.values()):
        what = "stills: they show" if spec.stills else "propagate: it takes"
        raise BadSpec(
            f"{what} colour on the film's own luma, and the look '{spec.look.name}' does not keep it; choose one that does, "
            "as `colorize`, or leave this out."
        )
    if spec.stills is None:
        return ()
    from actors.stills.headers import measured  # with Pillow, which most drivers need not

    return stills_in(spec.stills, unedited=exported_in(spec.stills), measure=measured)


def enter(job: Preflight) -> None:
    """Put the job's spec and its stills' files into the store, where every worker finds them. Raises BadSpec where a still was changed since preflight."""
    job.ledger.enter(job.spec, job.began)
    job.ledger.keep_stills(job.spec, job.stills)
    put_stills(job.spec, job.ledger, job.stills)
    put_luts(job.spec, job.ledger)


def put_luts(spec: JobSpec, ledger: Ledger) -> None:
    """Put the LUTs of a spec whose grades are read into the job's folder. Raises BadSpec where one was changed since."""
    if any(grade.lut_sha256 for grade in spec.grades):
        from actors.picture.grading.reading import luts_of

        for sha256, data in luts_of(spec):
            ledger.store.write(ledger.key(lut_name(sha256)), data, only_if_absent=True)


def put_stills(spec: JobSpec, ledger: Ledger, stills: Iterable[StillFile]) -> None:
    """Put the files of a spec's stills into the job's folder. Raises BadSpec where one was changed since it was listed."""
    for still in stills:
        key = ledger.key(still_media(still).key)
        if not ledger.store.stat(key):
            assert spec.stills
            ledger.store.write(key, still_data(spec.stills, still), only_if_absent=True)


def open_film(job: Preflight, *, fleet: Fleet, console: ProgressConsole) -> SurveyRun:
    """Hire the pools, survey what the film is, and begin its plan. Raises BadInput for what cannot be carried."""
    spec, looks, cluster = job.spec, job.looks, fleet.cluster
    pools = pools_for(spec, list(looks.values()), cluster)
    fleet.hire(pools)
    console.stage("survey")
    if job.as_begun:
        console.note(job.as_begun)
    for idle in filter(None, (passed_over(pool, cluster.kinds) for pool in pools)):
        console.note(idle)
    film = _surveyed(spec, job.ledger, fleet)
    refuse_other_shapes(job.stills, film.picture)
    console.film(film, spec.look.name)
    return SurveyRun(spec, film, job.ledger, looks, job.stills)


def _surveyed(spec: JobSpec, ledger: Ledger, fleet: Fleet) -> Film:
    found = ask(fleet, Film, ProbeCall(what=f"the survey of {spec.source}"))
    if ledger.keep_source(found.identity) != found.identity:
        raise BadMedia(
            f"The source {spec.source} has changed since the job '{spec.name}' began; "
            f"put the old file back, or set {another_name(spec.name)} to make this another job."
        )
    ledger.keep_film(spec.reading, found)
    return found


def decide_deliverables(survey: SurveyRun, fleet: Fleet, *, to_render: bool = True) -> tuple[DeliverablePlan, ...]:
    """Container, encoder and every stream's fate, for each deliverable; put on paper if `to_render`. Raises BadSpec for what does not fit."""
    spec = survey.spec
    _refuse_nvenc(survey, fleet)
    grey = not any(look.adds_colour for look in survey.looks.values())
    decided: tuple[DeliverablePlan, ...] = ask(fleet, tuple, DecideCall(survey.film, spec, grey))
    for one in decided:
        _refuse_source(spec, one)
    if to_render:
        survey.ledger.keep_paper("deliverables.json", Decided(deliverables=decided), only_if_absent=False)
    return decided


def _refuse_nvenc(survey: SurveyRun, fleet: Fleet) -> None:
    wished = next((survey.spec.title(one) for one in survey.spec.deliverables if one.encoder == "nvenc"), None)
    if wished is None:
        return
    dissolving = next((look.title for look in survey.looks.values() if look.support.dissolve), None)
    why = ""
    if dissolving:
        why = f"the look '{dissolving}' dissolves its seams, and workers that dissolve have none"
    elif not renderer_gpus(survey.spec, list(survey.looks.values()), fleet.cluster):
        why = "the renderers have none (workers.gpus, and the cluster's GPUs)"
    if why:
        raise BadSpec(
            f"the deliverable {wished} is to be encoded by a GPU (encoder: nvenc), and {why}; set its encoder to software."
        )


def _refuse_source(spec: JobSpec, plan: DeliverablePlan) -> None:
    # Pictures must not lie among those they are made of.
    among = plan.container == "folder" and is_sequence(spec.source)
    film = spec.source.rpartition("/")[0] if among else spec.source
    target, source = (_plain(locate(place)) for place in (f"{spec.output}/{plan.file}", film))
    same = target == source
    if isinstance(target, Path) and isinstance(source, Path) and target.exists():
        same = target.samefile(source)
    if same:
        raise BadSpec(
            f"output = {spec.output!r}: the deliverable {plan.file} would lie over the source; choose another folder."
        )


def _plain(place: Path | Bucket) -> Path | Bucket:
    # A store drops the slashes that a key does not need.
    return place if isinstance(place, Path) else Bucket(place.bucket, re.sub("/+", "/", place.key).strip("/"))


def check_places(spec: JobSpec, *, delivers: bool = True) -> None:
    """Prove that the store and the output can be written, and that neither lies where the other's files do. Raises BadSpec and BadStore."""
    refuse_nested(spec)
    for place in dict.fromkeys((spec.store, spec.output) if delivers else (spec.store,)):
        open_store(place).check()


def ask(fleet: Fleet, kind: type[Found], call: Call) -> Found:
    """The one finding of one call, of the kind it must be."""
    # A call whose worker is lost at its very end is made again, and finds the same.
    found = [one for _, one in fleet.run([call], lambda *_: ())][-1]
    assert isinstance(found, kind)
    return found
