"""A store of which every paper is changed, one after another: each command ends in its own way, and tells the good jobs.

No traceback, exit codes as documented, no raw control character on the terminal, no script in a page.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.main import get_command

from actors.mux.hls.player import page as stream_page
from actors.page_templates import PAGES
from farm.cli import app as command_line
from farm.estimate.estimate import estimate
from farm.estimate.estimate import show as show_estimate
from farm.film.film_run import FilmRun
from farm.film.review.publisher import published
from farm.film.setup import decide_deliverables, looks_of, open_film, preflight
from farm.film.survey_run import SurveyRun
from farm.fleet.calls import RetryPolicy
from farm.ops.status import Status, show
from farm.ops.watch import job_at, watch
from farm.progress.accounting import UsageAccounting
from farm.progress.console import ProgressConsole
from farm.progress.lease_control import cancel_jobs, lease_on_job
from farm.progress.plain_console import PlainConsole
from farm.progress.plain_output import tell
from farm.progress.progress import Progress
from jobs.errors import FarmError, Stopped
from jobs.ledger.driver_log import DriverLog
from jobs.ledger.lease import NAME as LEASE
from jobs.ledger.lease import ask_to_stop
from jobs.ledger.ledger import Ledger
from jobs.records.deliverables import Decided
from jobs.records.orders import SegmentRecord
from jobs.records.report import FilmReport
from jobs.records.stills import FOLDER as PROOF
from jobs.review.shown import DATA
from jobs.spec.job import JobSpec
from jobs.stills.exports import EXPORTS
from jobs.store import open_store
from tests.farm.contact_sheets.test_export_run import exported
from tests.farm.contact_sheets.test_still_run import proven
from tests.farm.inline import InlineFleet, rendered
from tests.farm.ops.hostile_papers import changed
from tests.farm.studio import Stopping, spec_of
from tests.films import Recipe
from tests.jobs.clock import FakeClock

CONTROLS = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
SEED = 19


@dataclass
class HostileStore:
    """A store of jobs at every stage of a life, as it was, and what is done to it."""

    folder: Path
    specs: dict[str, JobSpec]
    before: dict[Path, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        written = [path for place in (self.store, self.folder / "out") for path in place.rglob("*")]
        self.before = {path: path.read_bytes() for path in written if path.is_file()}
        self.papers = sorted(path for path in self.before if path.suffix in (".json", ".txt", ".npz"))
        self.good = json.loads(said_by("status", self.store, "--json").out)

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @contextlib.contextmanager
    def with_changed(self, path: Path, data: bytes) -> Iterator[str]:
        """The name of the job that has one paper of this kind; all is as it was afterwards."""
        path.write_bytes(data)
        try:
            yield path.relative_to(self.folder).parts[1]
        finally:
            for place in (self.store, self.folder / "out"):
                for there in list(place.rglob("*")):
                    if there.is_file() and there not in self.before:
                        there.unlink()
            for there, was in self.before.items():
                if not there.is_file() or there.read_bytes() != was:
                    there.parent.mkdir(parents=True, exist_ok=True)
                    there.write_bytes(was)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


def ends(what: Callable[[], int | None]) -> Said:
    """How a command ends, in this process: as the command line ends it."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = what() or 0
        except FarmError as error:
            tell(f"farm: {error}")
            code = error.exit_code
    return Said(code, out.getvalue(), err.getvalue())


COMMANDS = get_command(command_line.app)


def said_by(*arguments: object) -> Said:
    return ends(lambda: COMMANDS.main([*map(str, arguments)], standalone_mode=False))


def lives(spec: JobSpec, fleet: InlineFleet, *, delivers: bool = False, cancelled: bool = False) -> None:
    """A run with all that a driver keeps of it: lease, log, usage, and where it delivers its report."""
    ledger = Ledger.at(spec.store, spec.name)
    progress = Progress(spec.name, spec.cost)
    accounting = UsageAccounting(ledger, progress)
    with (
        contextlib.suppress(Stopped, KeyboardInterrupt),
        lease_on_job(ledger) as lease,
        DriverLog(ledger) as log,
        ProgressConsole(progress, log=log, console=PlainConsole(quiet=True)) as console,
        accounting.open(console.note),
    ):
        try:
            film = rendered(spec, fleet, console)
        except KeyboardInterrupt:
            if cancelled:
                ask_to_stop(ledger.store, ledger.key(LEASE))
                lease.renew()
            raise
        if delivers:
            ledger.keep_paper("report.json", film.report(), only_if_absent=False)
            console.finished("delivered")


def stopping(after: int) -> InlineFleet:
    return Stopping(InlineFleet(), SegmentRecord, after)  # type: ignore[arg-type, return-value]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> HostileStore:
    folder = tmp_path_factory.mktemp("hostile")
    film = Recipe(frames=24, size=(64, 48), cuts=(12,)).make(folder / "film.mp4")
    cost = {"cpu_hour": 0.1, "currency": "EUR"}
    jobs = {
        name: spec_of(film, folder, name=name, chunk_seconds=0.25, cost=cost)
        for name in ("cancelled", "done", "good", "half")
    }
    view = {"name": "view", "codec": "h264", "container": "hls", "crf": 40, "preset": "ultrafast"}
    jobs["done"] = spec_of(film, folder, name="done", cost=cost, deliverables=[{"name": "film", "codec": "ffv1"}, view])
    broken = [{"frames": [12, 24], "look": {"name": "test-broken", "settings": {"how": "nan"}}}]
    jobs["set-aside"] = spec_of(film, folder, name="set-aside", overrides=broken, on_error="passthrough")
    for name, spec in jobs.items():
        jobs[name] = spec.model_copy(update={"output": f"{folder}/out/{name}"})
    lives(jobs["good"], InlineFleet(), delivers=True)
    lives(jobs["done"], InlineFleet(), delivers=True)
    lives(jobs["half"], stopping(2))
    lives(jobs["cancelled"], stopping(1), cancelled=True)
    lives(jobs["set-aside"], InlineFleet(budget=RetryPolicy(attempts=1)), delivers=True)
    sheets(jobs["done"])
    return HostileStore(folder, jobs)


def test_how_each_job_was_left_is_told(hostile: HostileStore) -> None:
    assert {row["name"]: row["state"] for row in hostile.good} == {
        "cancelled": "cancelled",
        "done": "delivered",
        "good": "delivered",
        "half": "stopped",
        "set-aside": "delivered",
    }
    cleaned = json.loads(said_by("clean", hostile.store, "--json").out)
    assert {row["job"]: row["state"] for row in cleaned}["cancelled"] == "cancelled"


PLAYER = PAGES.get_template("actors/mux/hls/player.js").render().strip()
"""The one script of the farm's own pages."""


class Scripts(HTMLParser):
    """Whatever in a page would run, or lead elsewhere than beside it; the player's script aside."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("iframe", "object", "embed", "base", "form", "link") or (tag == "script" and attrs):
            self.found.append(tag)
        for name, value in attrs:
            place = (value or "").strip().lower()
            if name.startswith("on") or (
                name in ("src", "href", "action", "data", "data-stream", "data-instead")
                and (":" in place.split("/")[0] or place.startswith("//"))
            ):
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script" and data.strip() != PLAYER:
            self.found.append(data)


def harmless(page: str) -> None:
    assert Scripts(page).found == []


def page_of(hostile: HostileStore, spec: JobSpec, output: Path) -> int:
    """The review page of a job, and the pages of its streams, from what lies in its store alone; nothing is rendered."""
    ledger = Ledger.at(spec.store, spec.name)
    film = ledger.film(spec.reading)
    decided, report = ledger.paper("deliverables.json", Decided), ledger.paper("report.json", FilmReport)
    if film is None or decided is None or report is None:
        return 0
    survey = SurveyRun(spec, film, ledger, looks_of(spec))
    survey.survey_calls()
    run = FilmRun(survey, decided.deliverables, ProgressConsole(console=PlainConsole()))
    run.calls_after_plan(survey.fresh())
    key = published(run, report, open_store(str(output)))
    assert "<" not in (output / key).with_name(DATA).read_text("ascii")
    for one in decided.deliverables:
        harmless(stream_page(one.file).decode())
    return 0


def sheets(spec: JobSpec) -> int:
    """`farm proof` and `farm stills`, done here; what lies in the store is not made again."""
    harmless((Path(spec.output) / proven(spec).page).read_text(encoding="utf-8"))
    exported(spec)
    return 0


def planned(spec: JobSpec) -> int:
    """`farm plan`, with its survey made here."""
    fleet, console = InlineFleet(), ProgressConsole(console=PlainConsole())
    survey = open_film(preflight(spec, delivers=False), fleet=fleet, console=console)  # type: ignore[arg-type]
    decided = decide_deliverables(survey, fleet, to_render=False)  # type: ignore[arg-type]
    for _ in fleet.run(survey.survey_calls(), lambda _, found: survey.calls_after_finding(found)):
        pass
    survey.fresh()
    show_estimate(estimate(survey, decided, fleet.cluster))
    return 0


def visit(hostile: HostileStore, job: str, output: Path, *, plans: bool, proves: bool) -> None:
    """Every command on a store of which one job was changed."""
    place, spec = f"{hostile.store}/{job}", hostile.specs[job]
    rows = said_by("status", hostile.store, "--json")
    every = [Status.model_validate(row) for row in json.loads(rows.out)]
    told = [
        rows,
        ends(lambda: show(every)),
        ends(lambda: show([row for row in every if row.name == job])),
        said_by("logs", place),
        said_by("clean", hostile.store, "--job", job),
        ends(lambda: watch(job_at(place), clock=FakeClock())),
        ends(lambda: cancel_jobs([place], tell, FakeClock())),
        ends(lambda: page_of(hostile, spec, output)),
        *([ends(lambda: planned(spec))] if plans else []),
        *([ends(lambda: sheets(spec))] if proves else []),
    ]
    for said in told:
        assert said.code in (0, 1, 2, 130), said
        steering = set(said.out + said.err) & CONTROLS - {"\n"}
        assert not steering, (steering, said)
        assert "Traceback" not in said.err
    assert rows.code == 0
    good = {row["name"]: row for row in hostile.good if row["name"] != job}
    assert {row["name"]: row for row in json.loads(rows.out) if row["name"] != job} == good


def attack(hostile: HostileStore, output: Path, changes: int, seed: int) -> None:
    """The papers in turn, so that each is changed, and more than once where there are more changes."""
    dice = random.Random(seed)
    order = [path for path in hostile.papers if path.relative_to(hostile.folder).parts[1] != "good"]
    dice.shuffle(order)
    for number in range(changes):
        path = order[number % len(order)]
        data = changed(hostile.before[path], path.name, dice)
        with hostile.with_changed(path, data) as job:
            try:
                proves = job == "done" and (path.parent.name == PROOF or path.name == EXPORTS or number % 10 == 0)
                visit(hostile, job, output, plans=number % 10 == 0, proves=proves)
            except Exception as error:
                error.add_note(f"change {number} of seed {seed}: {path.relative_to(hostile.folder)}: {data[:300]!r}")
                raise


def test_a_hundred_and_fifty_changes(hostile: HostileStore, tmp_path: Path) -> None:
    attack(hostile, tmp_path, 150, SEED)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_changes(hostile: HostileStore, tmp_path: Path, seed: int) -> None:
    attack(hostile, tmp_path, 100, 100 + seed)
