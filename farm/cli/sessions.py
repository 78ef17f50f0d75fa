"""Opens what a command needs (places, ledger, worker fleet, console), runs the command, and closes it all again."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.shot_lists.export import FORMS, Form, forms_of, listed, shot_list
from farm.contact_sheets.export_run import ExportRequest, export_stills
from farm.contact_sheets.still_run import StillRequest, SurveyedFilm, prove
from farm.estimate.estimate import Estimate, estimate
from farm.estimate.forecast import NO_QUESTION, ForecastRequest
from farm.film.driver import render_film
from farm.film.film_run import FilmRun
from farm.film.output_names import held_reports
from farm.film.report import file_reports
from farm.film.review.publisher import published
from farm.film.setup import decide_deliverables, open_film, preflight
from farm.film.shot_selection import ALL, ShotSelection, told
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import FleetListener, RetryPolicy
from farm.fleet.fair_share import SharingJob
from farm.fleet.fleet import Fleet
from farm.fleet.vantage import DriverView
from farm.progress.accounting import UsageAccounting
from farm.progress.console import ProgressConsole
from farm.progress.lease_control import lease_on_job
from farm.progress.metrics import FilmMetrics
from farm.progress.metrics_server import LINGER_SECONDS, MetricsServer
from farm.progress.pictures_console import EvaluationProgress
from farm.progress.progress import Progress
from farm.specs.place_policy import confine_spec
from jobs.errors import BadSpec, NotConformed, number_of
from jobs.ledger.driver_log import DriverLog
from jobs.output.ownership import report_key
from jobs.plan.plan import Look
from jobs.plan.shots import refuse_stills_beyond
from jobs.records.report import FilmReport
from jobs.records.stills import Proof
from jobs.spec.job import JobSpec, LookChoice
from jobs.stills.exports import StillsReport
from jobs.store import open_store
from jobs.store.allowed_places import keeps_tenants_apart, own
from jobs.store.retry import in_work


def deliver(
    spec: JobSpec,
    *,
    address: str | None = None,
    metrics_port: int = 0,
    take_over: bool = False,
    shots: ShotSelection = ALL,
) -> FilmReport | None:
    """Render a film with everything around it: metrics served, progress shown, report and review page beside the deliverables.

    `shots`: those alone are rendered; where others still lack, a review page of these is all there is, and no report.

    Raises BadInput, JobHeld where somebody else works on the job (unless it is to `take_over`), FilmFailed, or NotConformed
    where a deliverable is not what it should be; Stopped where it was asked to stop, or taken over.
    """
    with confine_spec(spec, address):
        return _deliver(spec, address, metrics_port, take_over, shots)


def _deliver(
    spec: JobSpec, address: str | None, metrics_port: int, take_over: bool, shots: ShotSelection
) -> FilmReport | None:
    ready = preflight(spec)
    ledger = ready.ledger
    progress = Progress(spec.name, spec.cost)
    accounting = UsageAccounting(ledger, progress)
    with (
        MetricsServer(FilmMetrics(progress, accounting.before_scrape)) as metrics,
        lease_on_job(ledger, take_over=take_over) as lease,
        in_work(),
        DriverLog(ledger) as log,
        ProgressConsole(progress, log=log, each_tick=(accounting.tick, lease.tick)) as console,
        accounting.open(console.note),
    ):
        console.note(metrics.serve_wished(metrics_port, LINGER_SECONDS))
        # Where tenants have places of their own, others do not learn what their films are called.
        title = "another film" if keeps_tenants_apart() else spec.name
        job = SharingJob(f"{ledger.store.url}/{spec.key}", title, spec.priority)
        with _fleet(spec, address, console, DriverView.of_film(spec), job) as fleet:
            film = render_film(ready, fleet=fleet, console=console, shots=shots)
        lease.renew()
        if film.left_out:
            _show_shots(film, console)
            return None
        return hand_over(spec, film, console)


def hand_over(spec: JobSpec, film: FilmRun, console: ProgressConsole) -> FilmReport:
    """Put a rendered film's page and papers into its output, and say so. Raises NotConformed where it is held back or does not conform."""
    report = film.report()
    output, held = open_store(spec.output), held_reports(film)
    held.check()
    text = json.dumps(report.model_dump(mode="json"), indent=2).encode()
    page = published(film, report, output)
    for form in forms_of(film.survey.names):
        held.write(f"{spec.key}.shots.{form}", _shots(film.survey, form))
    file_reports(film, output)
    held.write(report_key(spec.key), text)
    film.ledger.keep_paper("report.json", report, only_if_absent=False)
    where = f"{output.url}/{report_key(spec.key)}"
    if film.finishing.held_back:
        raise NotConformed(
            f"{spec.name} is rendered and not delivered: {report.quality.refusal()} See {output.url}/{page}."
        )
    if not report.conforms:
        findings = "; ".join(finding for one in report.deliverables for finding in one.findings)
        raise NotConformed(f"{spec.name} does not conform: {findings}. See {where}.")
    delivered = [f"delivered {output.url}/{one.file}" for one in report.deliverables]
    delivered += [f"quality control: {warned}" for warned in report.quality.said("warn")]
    if left := report.quality.unmeasured:
        delivered.append(
            f"quality control: {number_of(left, 'frame')} not measured, made by an earlier version or transcoded; `farm qc FILE --against SOURCE` measures all"
        )
    console.finished("\n".join([*delivered, f"report {where}", f"review page {output.url}/{page}"]))
    return report


def _show_shots(film: FilmRun, console: ProgressConsole) -> None:
    if any(chunk.shot in film.chosen for chunk in film.chunks if chunk.number in film.aside.held):
        film.aside.refuse()
    output = open_store(film.survey.spec.output)
    lacking = told(chunk.shot for chunk in film.chunks if chunk.number in film.left_out)
    console.finished(
        f"shots {film.chosen.said}: {number_of(film.console.progress.chunks_rendered, 'chunk')} rendered, {film.console.progress.chunks_printed} transcoded; the others of these shots were finished before\n"
        f"still missing, so nothing is delivered yet: {number_of(len(film.left_out), 'chunk')}, of shots {lacking}\n"
        f"review page {output.url}/{published(film, None, output)}#shot={film.chosen.ranges[0][0]}"
    )


def plan_only(
    spec: JobSpec, *, address: str | None = None, keep: bool = True, asked: ForecastRequest = NO_QUESTION
) -> Estimate:
    """Survey and plan a film, and decide its deliverables; `keep`: leave the survey in its store, for the render to come. Renders nothing."""
    with _planned(spec, address, keep) as (survey, fleet, _):
        decided = decide_deliverables(survey, fleet, to_render=False)
        _survey(survey, fleet)
        return estimate(survey, decided, fleet.cluster, asked)


def prove_film(spec: JobSpec, wish: StillRequest, *, address: str | None = None) -> Proof:
    """Survey a film, and put a still of every shot and look into the output's folder `proof`. Renders nothing else."""
    with _surveyed(spec, wish.looks, address, "proof:") as (film, console):
        proof = prove(film, wish)
        pictures = len(proof.shots) * len(proof.columns)
        console.note(
            f"proof {proof.output}/{proof.page}: {number_of(pictures, 'picture')}, {proof.rendered} of them made just now"
        )
        return proof


def stills_of_film(spec: JobSpec, wish: ExportRequest, *, address: str | None = None) -> StillsReport:
    """Survey a film, and put the frames worth painting into the output. Renders nothing else."""
    with _surveyed(spec, filter(None, wish.looks), address, "stills:") as (film, console):
        found = export_stills(film, wish)
        for name in found.edited:
            console.note(f"{name} was painted on and stays as it is; to have it made again, move it elsewhere")
        console.note(
            f"{number_of(len(found.stills), 'still')} in {found.output}, {found.rendered:,} of them made just now"
        )
        return found


@contextmanager
def _surveyed(
    spec: JobSpec, looks: Iterable[Look], address: str | None, done: str
) -> Iterator[tuple[SurveyedFilm, ProgressConsole]]:
    """A film that stills are made of, in these looks beside its own."""
    with _planned(spec, address, True, [look.choice for look in looks]) as (survey, fleet, console):
        open_store(spec.output).check()
        encoding = decide_deliverables(survey, fleet, to_render=False)[0].encoding
        _survey(survey, fleet)
        fleet.watcher = progress = EvaluationProgress(console.console, done=done)
        yield SurveyedFilm(survey, fleet, encoding, progress), console


def list_shots(spec: JobSpec, place: str, *, address: str | None = None, keep: bool = True) -> str:
    """Survey a film and write its shots to `place`, a path or s3:// ending in .edl, .otio or .csv; gives the place. Renders nothing."""
    form = next((one for one in FORMS if place.lower().endswith(f".{one}")), None)
    if form is None:
        raise BadSpec(f"--to {place}: a shot list's name ends in .edl, .otio or .csv.")
    folder, _, name = (place if "://" in place else str(Path(place).absolute())).rpartition("/")
    with _planned(spec, address, keep) as (survey, fleet, _):
        output = open_store(folder or "/")
        output.check()
        _survey(survey, fleet)
        output.write(name, _shots(survey, form))
    return f"{output.url}/{name}"


def _shots(survey: SurveyRun, form: Form) -> bytes:
    return shot_list(form, survey.film, listed(survey.plan), survey.names).encode()


def _survey(survey: SurveyRun, fleet: Fleet) -> None:
    survey.ledger.enter(survey.spec, to_render=False)
    for _ in fleet.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
        pass
    survey.fresh()
    refuse_stills_beyond(survey.stills, survey.plan.frames, survey.names)


@contextmanager
def _planned(
    spec: JobSpec, address: str | None, keep: bool, looks: Iterable[LookChoice] = ()
) -> Iterator[tuple[SurveyRun, Fleet, ProgressConsole]]:
    """A film that is opened to be looked at, and no more: what a render has put down of its job stays."""
    allowed = confine_spec(spec, address, planned_only=not keep, looks=looks)
    with allowed, tempfile.TemporaryDirectory(prefix="farm-plan-") as folder:
        own(Path(folder))
        if not keep:
            spec = spec.model_copy(update={"store": f"{folder}/store", "output": f"{folder}/output"})
        ready = preflight(spec, delivers=False)
        # A folder of this machine alone is no place for others to see: surveyors read the source only.
        vantage = DriverView.of_film(spec, delivers=False) if keep else None
        with ProgressConsole() as console, _fleet(spec, address, console, vantage) as fleet:
            yield open_film(ready, fleet=fleet, console=console), fleet, console


def _fleet(
    spec: JobSpec,
    address: str | None,
    watcher: FleetListener,
    vantage: DriverView | None,
    job: SharingJob | None = None,
) -> Fleet:
    budget = RetryPolicy(attempts=spec.workers.attempts, losses=spec.workers.losses)
    count = spec.workers.count or 1
    return Fleet(address, workers=count, budget=budget, watcher=watcher, job=job, vantage=vantage)
