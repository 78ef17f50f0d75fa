"""How far jobs are, read from the store alone. Promises an answer from any machine, whether the driver lives or not; asks no driver."""

import json

from rich.console import Console
from rich.table import Table

from farm.opening import looks_of
from farm.scout import Scout
from jobs.deliverables import DeliverablePlan
from jobs.errors import BadStore
from jobs.ledger import Ledger
from jobs.records import segment_digest
from jobs.spec import Paper
from jobs.store import open_store


class Status(Paper):
    """`farm status --json`, one for each job."""

    name: str
    source: str
    state: str
    """surveying, rendering, rendered, delivered, or failed inspection."""
    frames: int
    """Frames planned so far."""
    frames_done: int
    chunks: int
    chunks_done: int
    shots: int


def statuses(place: str, job: str | None) -> list[Status]:
    """The status of one job of a store, or of all. Raises BadStore where there is none."""
    store = open_store(place)
    jobs = sorted(key.removesuffix("/job.json") for key in store.list(job or "") if key.endswith("/job.json"))
    jobs = [one for one in jobs if job is None or one == job]
    if not jobs:
        raise BadStore(f"There is no job {f'{job!r} ' if job else ''}in {store.url}; check the store, or render one.")
    return [_status(Ledger(store, one)) for one in jobs]


def _status(ledger: Ledger) -> Status:
    spec, film = ledger.spec(), ledger.film()
    if film is None:
        return Status(
            name=ledger.job,
            source=spec.source,
            state="surveying",
            frames=0,
            frames_done=0,
            chunks=0,
            chunks_done=0,
            shots=0,
        )
    scout = Scout(spec, film, ledger, looks_of(spec))
    scout.begin()
    scout.fresh()
    decided = [DeliverablePlan.model_validate(one) for one in ledger.paper("deliverables.json") or []]
    finished = ledger.finished()
    done = [
        chunk
        for chunk in scout.plan.chunks
        if decided and all(segment_digest(film, chunk, one.encoding) in finished for one in decided)
    ]
    return Status(
        name=ledger.job,
        source=spec.source,
        state=_state(ledger, scout, len(done)),
        frames=scout.plan.frames,
        frames_done=sum(chunk.core.frames for chunk in done),
        chunks=len(scout.plan.chunks),
        chunks_done=len(done),
        shots=scout.plan.shot_count,
    )


def _state(ledger: Ledger, scout: Scout, done: int) -> str:
    if not scout.done:
        return "surveying"
    if done < len(scout.plan.chunks):
        return "rendering"
    report = ledger.read("report.json")
    if not report:
        return "rendered"
    return "delivered" if json.loads(report)["conforms"] else "failed inspection"


def show(found: list[Status]) -> None:
    """The statuses for people, on stderr."""
    table = Table(title="jobs")
    for column in ("job", "state", "frames", "chunks", "shots"):
        table.add_column(column)
    for one in found:
        table.add_row(
            one.name, one.state, f"{one.frames_done}/{one.frames}", f"{one.chunks_done}/{one.chunks}", str(one.shots)
        )
    Console(stderr=True).print(table)
