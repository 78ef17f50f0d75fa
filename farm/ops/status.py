"""The status of jobs, read from the store alone: it works from any machine, whether or not the driver is alive."""

from collections.abc import Iterator

from farm.film.quarantine import QuarantinedChunks
from farm.film.setup import looks_of
from farm.film.survey_run import SurveyRun
from farm.progress.console import ProgressConsole, duration
from farm.progress.lease_control import holder_in
from farm.progress.plain_console import Column, PlainConsole
from jobs.digest import digest
from jobs.document import Document
from jobs.errors import BadInput, BadStore, FilmFailed
from jobs.film.source import Film
from jobs.ledger.consistency import consistent
from jobs.ledger.lease import NAME as LEASE
from jobs.ledger.lease import FoundLease, read_lease
from jobs.ledger.ledger import STILLS, Ledger
from jobs.ledger.render_history import continuity
from jobs.ledger.usage import NAME as USAGE
from jobs.ledger.usage import JobState, Usage, read_tally
from jobs.records.deliverables import Decided
from jobs.records.report import FilmReport
from jobs.records.transcode import SegmentNames
from jobs.spec.job import JobSpec
from jobs.spec.names import job_key
from jobs.store import open_store


class Status(Document):
    """`farm status --json`, one for each job."""

    name: str
    """The job's name, as it was written."""
    key: str
    """Its folder in the store."""
    source: str
    state: str
    """surveying, rendering, rendered, delivered, held by quality control or failed inspection; where nobody works on it and it is not delivered, how it
    was left: not begun, cancelled (by `farm cancel`), stopped, failed, interrupted (its driver was killed) or in part (all that
    was asked for is rendered); or why it cannot be told from here."""
    frames: int = 0
    """Frames planned so far."""
    frames_done: int = 0
    """While a driver works on it, what that shows, of ten seconds ago at most; else what is kept."""
    chunks: int = 0
    chunks_done: int = 0
    chunks_quarantined: int = 0
    """Set aside after too many errors or lost workers; done where something stands in for them."""
    shots: int = 0
    planned_to: str = ""
    """Time code of the last frame planned so far; time on the clock where the film has no time code."""
    driver: str = ""
    """Who holds its lease, and so works on it; empty where nobody does."""
    driver_renewed: float | None = None
    """Seconds since that one renewed its lease, by the store's own clock; None where nobody holds it, or it cannot be told from here."""
    last_run: JobState | None = None
    """How the last run stands, or has ended; one that says "working" while there is no driver was killed."""
    frames_per_second: float | None = None
    """By the tally, which a driver writes every ten seconds; None where there is none, or nothing to go by."""
    seconds_left: float | None = None
    """Until the last frame is rendered, likewise."""
    cost: float | None = None
    """So far, over all runs, at the prices of the spec; None where it has none."""
    currency: str = ""
    damaged: tuple[str, ...] = ()
    """Documents of the job that cannot be read, and so say nothing here; the next run writes them anew."""


def statuses(place: str, job: str | None) -> list[Status]:
    """The status of one job of a store, or of all. Raises BadStore where there is none."""
    store = open_store(place)
    jobs = sorted(key.removesuffix("/job.json") for key in store.list(job or "") if key.endswith("/job.json"))
    jobs = [one for one in jobs if job is None or one == job]
    if not jobs:
        raise BadStore(f"There is no job {f'{job!r} ' if job else ''}in {store.url}; check the store, or render one.")
    return [_told(Ledger(store, one)) for one in jobs]


def _told(ledger: Ledger) -> Status:
    blank = Status(name=ledger.job, key=ledger.job, source="", state="")
    try:
        with consistent(ledger):
            began = ledger.begun()
            # Another job's name is not told, whatever stands there.
            if began and job_key(began.name) == ledger.job:
                blank = blank.model_copy(update={"name": began.name})
            return _status(ledger, blank, propagates=began is None or began.propagates)
    except (BadInput, FilmFailed) as error:
        # A look that is not installed here, or documents that cannot be read: the other jobs can still be told.
        return blank.model_copy(update={"state": str(error)})


def _status(ledger: Ledger, blank: Status, *, propagates: bool) -> Status:
    """What is kept, and who works on it. How fast a film goes that nobody works on is of no interest."""
    kept = blank.model_copy(update=_kept(ledger, propagates=propagates))
    lease, usage = read_lease(ledger.store, ledger.key(LEASE)), read_tally(ledger)
    holder = holder_in(ledger, lease)
    damaged = {LEASE: lease is not None and lease.paper is None, USAGE: usage is None}
    usage = usage or Usage()
    now: dict[str, object] = {
        "damaged": tuple(name for name, so in damaged.items() if so),
        "last_run": usage.state if usage.updated else None,
        "cost": usage.cost,
        "currency": usage.currency,
    }
    if holder is None:
        return kept.model_copy(update=now | {"state": _left(kept, lease, usage)})
    now |= {"driver": holder.paper.who, "driver_renewed": holder.renewed}
    now |= usage.model_dump(include={"frames_per_second", "seconds_left"})
    if usage.updated >= holder.paper.began:  # by one clock: that of the driver at work
        now["frames_done"] = min(usage.frames_done, kept.frames)
    return kept.model_copy(update=now)


def _left(kept: Status, lease: FoundLease | None, usage: Usage) -> str:
    """The state of a job that nobody works on."""
    if kept.state not in ("surveying", "rendering", "rendered"):
        return kept.state
    if lease and lease.paper and lease.paper.stop:
        return "cancelled"
    if not usage.updated:
        return kept.state if kept.state == "rendered" else "interrupted" if kept.frames_done else "not begun"
    if usage.state == "delivered":
        return kept.state if kept.state == "rendered" else "in part"
    return "interrupted" if usage.state == "working" else usage.state


def _kept(ledger: Ledger, *, propagates: bool) -> dict[str, object]:
    """What lies in the store of it: fields of its status."""
    spec = ledger.spec()
    film = ledger.film(spec.reading)
    if film is None:
        return {"source": spec.source, "state": "surveying"}
    survey = planned(ledger, spec, film, propagates=propagates)
    aside = QuarantinedChunks(survey, ProgressConsole(console=PlainConsole(quiet=True)))
    chunks = [aside.standing(chunk.number) for chunk in survey.plan.chunks]
    paper = ledger.paper("deliverables.json", Decided)
    decided = paper.deliverables if paper else ()
    finished = ledger.finished()
    earlier = [one.encoding for one in continuity(ledger).encoded]
    names = SegmentNames(film, chunks, finished, [*(one.encoding for one in decided), *earlier])
    done = [
        chunk
        for chunk in chunks
        if decided
        and chunk.number not in aside.held
        and all(name in finished for one in decided for name in names.of(chunk, one.encoding).values())
    ]
    return {
        "source": spec.source,
        "state": _state(ledger, survey, len(done)),
        "chunks_quarantined": len(aside.reports),
        "frames": survey.plan.frames,
        "frames_done": sum(chunk.core.frames for chunk in done),
        "chunks": len(survey.plan.chunks),
        "chunks_done": len(done),
        "shots": survey.plan.shot_count,
        "planned_to": survey.names.name(survey.plan.frames - 1) if survey.plan.frames else "",
    }


def planned(ledger: Ledger, spec: JobSpec, film: Film, *, propagates: bool) -> SurveyRun:
    """The plan of a job's last run, as far as its survey is kept. Raises BadStore where it is not known which stills that run had."""
    stills = ledger.stills(spec)
    if stills is None and ledger.store.stat(ledger.key("deliverables.json")):
        raise BadStore(
            f"{ledger.store.url}/{ledger.key(STILLS)}, which says what stills the job's last run began with, is gone or damaged; "
            "run the job again to write it anew."
        )
    survey = SurveyRun(spec, film, ledger, looks_of(spec, propagates=propagates), stills or ())
    survey.survey_calls()
    survey.recall()
    survey.fresh()
    return survey


def _state(ledger: Ledger, survey: SurveyRun, done: int) -> str:
    if not survey.done:
        return "surveying"
    if done < len(survey.plan.chunks):
        return "rendering"
    report = ledger.paper("report.json", FilmReport)
    if not report or report.spec != digest(survey.spec):
        return "rendered"
    if report.quality.judged("fail"):
        return "held by quality control"
    return "delivered" if report.conforms else "failed inspection"


def show(found: list[Status]) -> None:
    """The statuses for people, on stderr: a line for each job, and all that is known of one alone."""
    console = PlainConsole()
    if len(found) == 1:
        console.table(found[0].name, _lines(found[0]))
        return
    heads = ("job", "state", "frames", "left", "cost", "driver")
    rows = (
        dict(_lines(one)) | {"job": one.name} | ({} if one.source else {"state": "cannot be told"}) for one in found
    )
    console.table("jobs", ([row.get(head, "") for head in heads] for row in rows), [*map(Column, heads)])
    for one in found:
        if not one.source:
            console.note(f"{one.name}: {one.state}")
        if one.damaged:
            console.note(f"{one.name}: {_damaged(one)}")


def _damaged(one: Status) -> str:
    return f"{', '.join(one.damaged)}: not to be read; the next run of the job writes it again"


def _lines(one: Status) -> Iterator[tuple[str, str]]:
    """What there is to say of a job."""
    aside = f", {one.chunks_quarantined} set aside" if one.chunks_quarantined else ""
    yield "state", one.state
    yield "frames", f"{one.frames_done:,}/{one.frames:,}"
    yield "chunks", f"{one.chunks_done:,}/{one.chunks:,}{aside}"
    yield "shots", f"{one.shots:,}"
    yield "planned to", one.planned_to
    yield "driver", _driver(one)
    if one.frames_per_second is not None:
        yield "pace", f"{one.frames_per_second:.1f} frames/s"
    if one.seconds_left is not None:
        yield "left", duration(one.seconds_left)
    if one.cost is not None:
        yield "cost", f"{one.cost:,.2f} {one.currency}"
    if one.damaged:
        yield "damaged", _damaged(one)


def _driver(one: Status) -> str:
    if not one.driver:
        return "nobody"
    if one.driver_renewed is None:
        return (
            f"{one.driver}, by its lease; whether it is alive cannot be told from here, for the store cannot be written"
        )
    return f"{one.driver}, heard of {max(0.0, one.driver_renewed):.0f} s ago"
