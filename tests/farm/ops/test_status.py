"""How far jobs are, read from the store alone, at every stage of a film's life."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from actors.survey.surveyor import Surveyor
from farm.ops.status import Status, show, statuses
from farm.progress.lease_control import lease_on_job
from jobs.digest import digest
from jobs.errors import BadStore
from jobs.ledger.ledger import Ledger
from jobs.ledger.usage import NAME, Usage, keep_tally
from jobs.records.orders import SegmentRecord
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, rendered, scouted, shot_list
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
    assert (found.state, found.frames, found.chunks, found.source) == ("surveying", 0, 0, str(film))


def test_a_film_that_is_surveyed_waits_to_be_rendered(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    scouted(spec)
    found = status(spec)
    assert (found.state, found.frames, found.frames_done, found.chunks_done) == ("rendering", 60, 0, 0)
    assert (found.chunks, found.shots, found.planned_to) == (6, 2, "00:00:02:11")


def test_a_film_in_work(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path, chunk_seconds=0.5)
    with pytest.raises(KeyboardInterrupt):
        rendered(spec, Stopping(InlineFleet(), SegmentRecord, 2))  # type: ignore[arg-type]
    found = status(spec)
    assert (found.state, found.frames, found.frames_done, found.chunks_done) == ("rendering", 60, 20, 2)


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
    assert found.state == "rendering"
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


def test_a_job_whose_look_is_not_here_hides_no_other(film: Path, tmp_path: Path) -> None:
    for name, look in (("one", "none"), ("other", "sold-elsewhere")):
        spec = spec_of(film, tmp_path, name=name, look={"name": look})
        ledger = Ledger.at(spec.store, name)
        ledger.enter(spec)
        ledger.keep_film(spec.reading, Surveyor(spec.source).film())
    one, other = statuses(f"{tmp_path}/store", None)
    assert (one.name, one.state) == ("one", "surveying")
    assert other.state.startswith("There is no look 'sold-elsewhere'")


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


def test_looking_changes_nothing(finished: JobSpec) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(finished.store).rglob("*")}
    status(finished)
    assert {path: path.stat().st_mtime_ns for path in Path(finished.store).rglob("*")} == before


def test_a_store_in_s3(film: Path, s3_bucket: str) -> None:
    spec = spec_of(film, f"s3://{s3_bucket}/work")
    Ledger.at(spec.store, spec.name).enter(spec)
    assert status(spec).state == "surveying"


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
