"""The studio: opens what a command needs (places, ledger, fleet, board) and closes it again. Promises that nothing is left running; tells no story."""

import json
import tempfile
from pathlib import Path

from actors.compare import compare
from actors.survey import Surveyor
from farm import review
from farm.board import Board
from farm.calls import Budget
from farm.driver import render_film
from farm.estimate import Estimate, estimate
from farm.fleet import Fleet
from farm.metrics import Metrics
from farm.opening import check_places, looks_of, open_film
from farm.production import Production
from jobs.errors import NotConformed
from jobs.film import Film
from jobs.ledger import Ledger
from jobs.report import Comparison, FilmReport
from jobs.spec import JobSpec
from jobs.store import open_store, source_identity


def deliver(spec: JobSpec, *, address: str | None = None, metrics_port: int = 0) -> FilmReport:
    """Render a film with everything around it: metrics served, progress shown, report and review page beside the deliverables.

    Raises BadInput, FilmFailed, or NotConformed where a deliverable is not what it should be.
    """
    looks_of(spec)
    source_is_there(spec)
    check_places(spec)
    ledger = Ledger.at(spec.store, spec.name)
    with Metrics(spec.name) as metrics, Board(metrics=metrics) as board:
        # A port that was asked for is for Prometheus on another host; any other is for this machine alone.
        port = metrics.serve(metrics_port, "0.0.0.0" if metrics_port else "127.0.0.1")
        taken = f" ({metrics_port} is taken)" if metrics_port not in (0, port) else ""
        board.note(f"metrics on port {port}{taken}")
        with _fleet(spec, address, board) as fleet:
            film = render_film(spec, ledger=ledger, fleet=fleet, board=board)
        return _hand_over(spec, film, board)


def _hand_over(spec: JobSpec, film: Production, board: Board) -> FilmReport:
    report = film.report()
    output = open_store(spec.output)
    text = json.dumps(report.model_dump(mode="json"), indent=2).encode()
    page = review.publish(film, report, output)
    output.write("report.json", text)
    film.ledger.store.write(film.ledger.key("report.json"), text)
    if not report.conforms:
        findings = "; ".join(finding for one in report.deliverables for finding in one.findings)
        raise NotConformed(f"{spec.name} does not conform: {findings}. See {output.url}/report.json.")
    delivered = [f"delivered {output.url}/{one.file}" for one in report.deliverables]
    board.finished("\n".join([*delivered, f"report {output.url}/report.json", f"review page {output.url}/{page}"]))
    return report


def plan_only(spec: JobSpec, *, address: str | None = None, keep: bool = True) -> Estimate:
    """Survey and plan a film; `keep`: leave the survey in its store, for the render to come. Renders nothing."""
    looks_of(spec)
    source_is_there(spec)
    with tempfile.TemporaryDirectory(prefix="farm-plan-") as folder:
        if not keep:
            spec = spec.model_copy(update={"store": folder, "output": folder})
        open_store(spec.store).check()
        ledger = Ledger.at(spec.store, spec.name)
        ledger.enter(spec)
        with Board() as board, _fleet(spec, address, board) as fleet:
            scout = open_film(spec, ledger=ledger, fleet=fleet, board=board)
            for _ in fleet.run(scout.begin(), lambda _, found: scout.learn(found)):
                pass
            scout.fresh()
            return estimate(scout)


def describe_film(place: str) -> Film:
    """A film as the farm surveys it. Raises BadMedia."""
    return Surveyor(_place(place)).film()


def compare_films(one: str, other: str) -> Comparison:
    """Two films frame for frame. Raises BadMedia."""
    return compare(_place(one), _place(other))


def source_is_there(spec: JobSpec) -> None:
    """Refuse a missing source at once, before a job is begun for it."""
    source_identity(spec.source)


def _place(place: str) -> str:
    return place if "://" in place else str(Path(place).absolute())


def _fleet(spec: JobSpec, address: str | None, board: Board) -> Fleet:
    budget = Budget(attempts=spec.workers.attempts, losses=spec.workers.losses)
    return Fleet(address, workers=spec.workers.count or 1, budget=budget, watcher=board)
