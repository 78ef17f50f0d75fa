"""How far jobs are, read from the store alone, at every stage of a film's life."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actors.survey.surveyor import Surveyor
from farm.ops.clean import CleanOptions, clean
from farm.ops.status import Status, show, statuses
from farm.progress.lease_control import lease_on_job
from jobs.digest import digest, sealed
from jobs.errors import BadStore, Stopped
from jobs.ledger.lease import NAME as LEASE
from jobs.ledger.lease import ask_to_stop
from jobs.ledger.ledger import JobDocument, Ledger
from jobs.ledger.usage import NAME, JobState, Usage, keep_tally
from jobs.records.orders import SegmentRecord
from jobs.spec.job import JobSpec
from jobs.spec.names import job_key
from tests.farm.inline import InlineFleet, rendered, shot_list, surveyed
from tests.farm.studio import Stopping, spec_of
from tests.films import Recipe
from tests.paper import report_of


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=60, size=(96, 64), cuts=(30,)).make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def finished(film: Path, tmp_path_factory: pytest.TempPathFactory) -> JobSpec:
    """A job whose film is stitched and inspected; nobody has handed it over yet."""
    spec = spec_of(film, tmp_path_factory.mktemp("finished"), chunk_seconds=0.5)
    rendered(spec)
    return spec


def status(spec: JobSpec) -> Status:
    (found,) = statuses(spec.store, spec.name)
    return found


def report(job: JobSpec, *, conforms: bool = True, spec: str = "") -> None:
    paper = report_of(spec or digest(job), conforms=conforms)
    Ledger.at(job.store, job.name).keep_paper("report.json", paper, only_if_absent=False)


def test_a_store_without_jobs_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadStore, match=r"There is no job in .*; check the store, or render one"):
        statuses(str(tmp_path / "nowhere"), None)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadStore, match="is not a folder"):
        statuses(str(tmp_path / "file"), None)
    assert not (tmp_path / "nowhere").exists()


def test_a_job_that_has_just_begun(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    Ledger.at(spec.store, spec.name).enter(spec)
    found = status(spec)
    assert (found.state, found.frames, found.chunks, found.source) == ("not begun", 0, 0, str(film))


def test_a_film_that_is_surveyed_waits_to_be_rendered(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    surveyed(spec)
    found = status(spec)
    assert (found.state, found.frames, found.frames_done, found.chunks_done) == ("not begun", 60, 0, 0)
    assert (found.chunks, found.shots, found.planned_to) == (6, 2, "00:00:02:11")


def test_a_film_in_work(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    with pytest.raises(KeyboardInterrupt):
        rendered(spec, Stopping(InlineFleet(), SegmentRecord, 2))  # type: ignore[arg-type]
    found = status(spec)
    assert (found.state, found.frames, found.frames_done, found.chunks_done) == ("interrupted", 60, 20, 2)


def test_a_chunk_is_done_when_every_deliverable_has_it(film: Path, finished: JobSpec, tmp_path: Path) -> None:
    store = tmp_path / "store"
    shutil.copytree(finished.store, store)
    both = [{"name": "film", "codec": "ffv1"}, {"name": "view", "preset": "ultrafast"}]
    spec = spec_of(film, tmp_path, chunk_seconds=0.5, deliverables=both)
    report(spec, conforms=True)
    shutil.rmtree(store / "film" / "survey")
    # The job has been begun in a copy of the store, as after a move: it is another place now.
    (store / "film" / "job.json").unlink()
    with pytest.raises(KeyboardInterrupt):
        rendered(spec, Stopping(InlineFleet(), SegmentRecord, 3))  # type: ignore[arg-type]
    found = status(spec)
    assert found.state == "interrupted"
    assert 1 <= found.chunks_done <= 3 < found.chunks


def test_rendered_delivered_and_failed(finished: JobSpec) -> None:
    found = status(finished)
    assert (found.state, found.frames_done, found.chunks_done) == ("rendered", 60, 6)
    report(finished, conforms=True)
    assert status(finished).state == "delivered"
    report(finished, conforms=False)
    assert status(finished).state == "failed inspection"
    report(finished, spec="of another run")
    assert status(finished).state == "rendered"
    Path(finished.store, "film", "report.json").unlink()


def test_a_film_with_a_given_shot_list(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, shots={"file": str(shot_list(tmp_path / "cuts.csv", 0, 20, frames=60))})
    rendered(spec)
    found = status(spec)
    assert (found.state, found.frames_done, found.shots) == ("rendered", 60, 2)


def test_jobs_are_told_apart(film: Path, tmp_path: Path) -> None:
    names = ["film", "film 2", "a.film"]
    for name in names:
        spec = spec_of(film, tmp_path, name=name)
        Ledger.at(spec.store, name).enter(spec)
    place = f"{tmp_path}/store"
    assert [one.name for one in statuses(place, None)] == sorted(names)
    assert [one.name for one in statuses(place, "film")] == ["film"]
    with pytest.raises(BadStore, match="There is no job 'fil' in"):
        statuses(place, "fil")


def test_a_job_is_told_by_the_name_that_was_written(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Die Bäume am Weg", "film"):
        spec = spec_of(film, tmp_path, name=name)
        Ledger.at(spec.store, spec.key).enter(spec)
    tree, other = statuses(f"{tmp_path}/store", None)
    assert (tree.name, tree.key, other.name, other.key) == (
        "Die Bäume am Weg",
        job_key("Die Bäume am Weg"),
        "film",
        "film",
    )
    show([tree, other])
    show([tree])
    assert [clean(f"{tmp_path}/store", tree.key, CleanOptions())[0].job] == [tree.name]
    assert capsys.readouterr().err.count("Die Bäume am Weg") == 2


@pytest.mark.parametrize("name", ["film", "[bold]x", "x" * 200, "a\u202eb", "a\x1b[2Jb", ["a"]])
def test_no_job_is_told_by_the_name_of_another(film: Path, tmp_path: Path, name: object) -> None:
    for folder in ("film", "other"):
        spec = spec_of(film, tmp_path, name=folder)
        Ledger.at(spec.store, spec.key).enter(spec)
    forged = JobDocument.of(spec).model_dump(mode="json") | {"name": name}
    Path(spec.store, "other", "job.json").write_bytes(sealed(forged))
    assert [one.name for one in statuses(spec.store, None)] == ["film", "other"]


def test_a_job_whose_stills_are_not_known_is_not_planned_without(finished: JobSpec, tmp_path: Path) -> None:
    shutil.copytree(finished.store, tmp_path / "store")
    ledger = Ledger.at(f"{tmp_path}/store", finished.key)
    with_stills = finished.model_copy(update={"stills": "/films/stills"})
    ledger.keep_paper("spec.json", with_stills, only_if_absent=False)
    (found,) = statuses(ledger.store.url, None)
    assert "stills.json, which says what stills the job's last run began with, is gone or damaged; run" in found.state
    ledger.keep_stills(with_stills, [])
    assert statuses(ledger.store.url, None)[0].frames == 60


def test_a_job_whose_look_is_not_here_hides_no_other(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, look in (("one", "none"), ("other", "sold-elsewhere")):
        spec = spec_of(film, tmp_path, name=name, look={"name": look})
        ledger = Ledger.at(spec.store, name)
        ledger.enter(spec)
        ledger.keep_film(spec.reading, Surveyor(spec.source).film())
    one, other = statuses(f"{tmp_path}/store", None)
    assert (one.name, one.state) == ("one", "not begun")
    assert other.state.startswith("There is no look 'sold-elsewhere'")
    show([one, other])
    said = capsys.readouterr().err
    assert "cannot be told" in said
    assert f"\nother: {other.state}\n" in said


def test_who_works_on_a_job_and_what_its_tally_says(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    ledger = Ledger.at(spec.store, spec.name)
    ledger.enter(spec)
    assert (status(spec).driver, status(spec).last_run, status(spec).cost) == ("", None, None)
    tally = Usage(updated=1.0, frames_per_second=12.5, seconds_left=90.0, cost=3.456, currency="EUR")
    keep_tally(ledger, tally)
    with lease_on_job(ledger) as lease:
        found = status(spec)
        assert found.driver == lease.paper.who
        assert (found.frames_per_second, found.seconds_left, found.cost, found.currency) == (12.5, 90.0, 3.456, "EUR")
        ledger.store.write(ledger.key(NAME), b"{")
        assert status(spec).cost is None
    keep_tally(ledger, tally)
    found = status(spec)  # its driver was killed
    assert (found.driver, found.last_run, found.frames_per_second, found.cost) == ("", "working", None, 3.456)


def test_while_a_driver_works_its_own_figures_are_told(film: Path, tmp_path: Path) -> None:
    """It counts frames of chunks in work, which are not kept yet; once nobody works, what is kept is told, and how the job was left."""
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    with pytest.raises(KeyboardInterrupt):
        rendered(spec, Stopping(InlineFleet(), SegmentRecord, 2))  # type: ignore[arg-type]
    ledger = Ledger.at(spec.store, spec.name)
    with lease_on_job(ledger) as lease:
        keep_tally(ledger, Usage(updated=lease.paper.began + 1, frames_done=33))
        assert (status(spec).state, status(spec).frames_done) == ("rendering", 33)
        keep_tally(ledger, Usage(updated=lease.paper.began + 1, frames_done=2**40))
        assert status(spec).frames_done == 60
        keep_tally(ledger, Usage(updated=lease.paper.began - 1, frames_done=33))
        assert status(spec).frames_done == 20, "an earlier driver's"
        ask_to_stop(ledger.store, ledger.key(LEASE))
        with pytest.raises(Stopped):
            lease.renew()
    keep_tally(ledger, Usage(updated=1.0, state="stopped"))
    assert (status(spec).state, status(spec).frames_done) == ("cancelled", 20)


@pytest.mark.parametrize(
    ("state", "told"),
    [("stopped", "stopped"), ("failed", "failed"), ("working", "interrupted"), ("delivered", "in part")],
)
def test_how_a_job_was_left(film: Path, tmp_path: Path, state: JobState, told: str) -> None:
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    surveyed(spec)
    keep_tally(Ledger.at(spec.store, spec.name), Usage(updated=1.0, state=state))
    assert status(spec).state == told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "lease.json",
            '{"began": 1e300, "until": 1e18, "host": "h", "pid": 1, "process": "", "token": "t", "kind": "lease"}',
        ),
        (
            "lease.json",
            '{"began": -1, "until": 0, "host": "h", "pid": 1, "process": "", "token": "t", "kind": "lease"}',
        ),
        (
            "lease.json",
            '{"began": 0, "until": 0, "host": "h", "pid": 1e18, "process": "", "token": "t", "kind": "lease"}',
        ),
        ("tally.json", '{"updated": 1, "seconds_left": 1e300}'),
        ("tally.json", '{"updated": 1, "cost": NaN}'),
        ("tally.json", '{"updated": 1, "cost": 1, "currency": "[/x/p]"}'),
        ("tally.json", '{"updated": 1, "frames_done": -1}'),
        ("tally.json", '{"updated": 1, "retries": ' + '{"a":' * 3000 + "1" + "}" * 3001),
    ],
)
def test_a_document_out_of_bounds_is_named_in_its_row(
    finished: JobSpec, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    shutil.copytree(f"{finished.store}/film", tmp_path / "other")
    shutil.copytree(f"{finished.store}/film", tmp_path / "film")
    (tmp_path / "other" / name).write_text(text)
    film, other = statuses(str(tmp_path), None)
    assert (film.state, film.damaged, other.state, other.damaged) == ("rendered", (), "rendered", (name,))
    show([other])
    said = capsys.readouterr().err
    assert f"{name}: not to be read" in said
    show([film, other])
    said = capsys.readouterr().err
    assert f"other: {name}: not to be read; the next run of the job writes it again" in said


def test_looking_changes_nothing(finished: JobSpec) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(finished.store).rglob("*")}
    status(finished)
    assert {path: path.stat().st_mtime_ns for path in Path(finished.store).rglob("*")} == before


def test_a_store_in_s3(film: Path, s3_bucket: str) -> None:
    spec = spec_of(film, f"s3://{s3_bucket}/work")
    Ledger.at(spec.store, spec.name).enter(spec)
    assert status(spec).state == "not begun"


def test_people_read_it_on_standard_error(finished: JobSpec, capsys: pytest.CaptureFixture[str]) -> None:
    show(statuses(finished.store, None))
    said = capsys.readouterr()
    assert said.out == ""
    assert "60/60" in said.err
    assert "6/6" in said.err


def test_many_jobs_are_a_line_each(finished: JobSpec, capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = statuses(finished.store, None)
    show([one, one.model_copy(update={"name": "other", "cost": 12.5, "currency": "EUR", "seconds_left": 3700.0})])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "other" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")] == [
        "other",
        one.state,
        "60/60",
        "1 h 02 min",
        "12.50 EUR",
        "nobody",
    ]
