"""The status of jobs, read from the store alone: it works from any machine, whether or not the driver is alive."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from farm.film.quarantine import QuarantinedChunks
from farm.film.setup import looks_of
from farm.film.survey_run import SurveyRun
from farm.progress.console import ProgressConsole, duration
from farm.progress.lease_control import holder_of
from jobs.digest import digest
from jobs.document import Document
from jobs.errors import BadInput, BadStore
from jobs.ledger.ledger import Ledger
from jobs.ledger.render_history import continuity
from jobs.ledger.usage import JobState, Usage, read_tally
from jobs.records.deliverables import Decided
from jobs.records.report import FilmReport
from jobs.records.transcode import SegmentNames
from jobs.store import open_store


class Status(Document):
    """`farm status --json`, one for each job."""

    name: str
    source: str
    state: str
    """surveying, rendering, rendered, delivered, failed inspection, or why it cannot be told from here."""
    frames: int = 0
    """Frames planned so far."""
    frames_done: int = 0
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


def statuses(place: str, job: str | None) -> list[Status]:
    """The status of one job of a store, or of all. Raises BadStore where there is none."""
    store = open_store(place)
    jobs = sorted(key.removesuffix("/job.json") for key in store.list(job or "") if key.endswith("/job.json"))
    jobs = [one for one in jobs if job is None or one == job]
    if not jobs:
        raise BadStore(f"There is no job {f'{job!r} ' if job else ''}in {store.url}; check the store, or render one.")
    return [_told(Ledger(store, one)) for one in jobs]


def _told(ledger: Ledger) -> Status:
    try:
        return _status(ledger).model_copy(update=_run(ledger))
    except BadInput as error:
        # A look that is not installed here, or paper of another version: the other jobs can still be told.
        return Status(name=ledger.job, source="", state=str(error))


def _run(ledger: Ledger) -> dict[str, object]:
    """Who works on a job, and what the tally says of it. How fast a film goes that nobody works on is of no interest."""
    holder, tally = holder_of(ledger), read_tally(ledger) or Usage()
    now: dict[str, object] = {}
    if holder:
        now = {"driver": holder.paper.who, "driver_renewed": holder.renewed}
        now |= tally.model_dump(include={"frames_per_second", "seconds_left"})
    last = {"last_run": tally.state} if tally.updated else {}
    return {**now, **last, "cost": tally.cost, "currency": tally.currency}


def _status(ledger: Ledger) -> Status:
    spec = ledger.spec()
    film = ledger.film(spec.reading)
    if film is None:
        return Status(name=ledger.job, source=spec.source, state="surveying")
    scout = SurveyRun(spec, film, ledger, looks_of(spec), ledger.stills(spec) or ())
    scout.survey_calls()
    scout.recall()
    scout.fresh()
    aside = QuarantinedChunks(scout, ProgressConsole(console=Console(quiet=True)))
    chunks = [aside.standing(chunk.number) for chunk in scout.plan.chunks]
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
    return Status(
        name=ledger.job,
        source=spec.source,
        state=_state(ledger, scout, len(done)),
        chunks_quarantined=len(aside.reports),
        frames=scout.plan.frames,
        frames_done=sum(chunk.core.frames for chunk in done),
        chunks=len(scout.plan.chunks),
        chunks_done=len(done),
        shots=scout.plan.shot_count,
        planned_to=scout.names.name(scout.plan.frames - 1) if scout.plan.frames else "",
    )


def _state(ledger: Ledger, scout: SurveyRun, done: int) -> str:
    if not scout.done:
        return "surveying"
    if done < len(scout.plan.chunks):
        return "rendering"
    report = ledger.paper("report.json", FilmReport)
    if not report or report.spec != digest(scout.spec):
        return "rendered"
    return "delivered" if report.conforms else "failed inspection"


def show(found: list[Status]) -> None:
    """The statuses for people, on stderr: a line for each job, and all that is known of one alone."""
    console = Console(stderr=True)
    if len(found) == 1:
        table = Table(title=found[0].name, show_header=False)
        for name, value in _lines(found[0]):
            table.add_row(name, value)
    else:
        table = Table("job", "state", "frames", "left", "cost", "driver", title="jobs")
        for one in found:
            lines = dict(_lines(one))
            table.add_row(one.name, *(lines.get(name, "") for name in ("state", "frames", "left", "cost", "driver")))
    console.print(table)


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


def _driver(one: Status) -> str:
    if not one.driver:
        return "nobody"
    if one.driver_renewed is None:
        return (
            f"{one.driver}, by its lease; whether it is alive cannot be told from here, for the store cannot be written"
        )
    return f"{one.driver}, heard of {max(0.0, one.driver_renewed):.0f} s ago"
