"""What may be deleted of jobs: nothing that the same film, or one of its earlier specs, would need; nothing of a job at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.fleet.calls import RetryPolicy
from farm.ops.clean import HALF_WRITTEN, CleanOptions, CleanReport, clean, show
from farm.progress.lease_control import lease_on_job
from jobs.digest import digest
from jobs.errors import BadStore
from jobs.ledger.ledger import Ledger
from jobs.records.orders import SegmentRecord
from jobs.spec.job import JobSpec
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import Stopping, spec_of
from tests.films import Recipe
from tests.paper import report_of

SEAMS = {"name": "test-calm", "settings": {"dissolve": 2, "warmup": 1}}
CHANGED = {"name": "test-calm", "settings": {"dissolve": 2, "warmup": 2}}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=48, size=(96, 64)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def job(film: Path, folder: Path, look: dict[str, Any]) -> JobSpec:
    return spec_of(film, folder, look=look, chunk_seconds=0.5)


def deliver(spec: JobSpec) -> int:
    """Render it as the studio does, report included; gives the chunks that were rendered."""
    report = rendered(spec).report()
    assert report.conforms
    Ledger.at(spec.store, "film").keep_paper("report.json", report_of(digest(spec)), only_if_absent=False)
    return report.chunks_rendered


def piles(found: list[CleanReport]) -> dict[str, int]:
    """Of the only job: how many objects of each kind may go."""
    (one,) = found
    return {pile.what: pile.objects for pile in one.may_go}


def names(spec: JobSpec) -> set[str]:
    return set(Ledger.at(spec.store, spec.name).names(""))


def test_a_delivered_film_can_be_changed_back_after_cleaning(film: Path, tmp_path: Path) -> None:
    first, second = job(film, tmp_path, SEAMS), job(film, tmp_path, CHANGED)
    chunks = deliver(first)
    assert deliver(second) == chunks > 2
    ledger = Ledger.at(first.store, "film")
    ledger.store.write("film/media/nobody-knows", b"12345")
    (Path(first.store) / "film/media/.partial-of-a-dead-worker").write_bytes(b"half")
    before = names(first)
    told = clean(first.store, None, CleanOptions())
    assert names(first) == before
    split = sum(name.startswith("chunks/") for name in before)
    assert piles(told) == {
        "chunks of a delivered film, which its source gives again": split,
        "records of these chunks": split,
        "pages for finishers that have ended": sum(name.startswith("assembly/") for name in before),
        "media no record names": 1,
        HALF_WRITTEN: 1,
    }
    assert any("a spec that is changed back needs them" in sentence for sentence in told[0].kept)
    assert told[0].may_go[0].bytes == sum(path.stat().st_size for path in Path(first.store, "film/chunks").iterdir())
    assert told[0].may_go[-2].bytes == 5

    (done,) = clean(first.store, "film", CleanOptions(delete=True))
    assert done == told[0].model_copy(update={"deleted": True})
    assert len(before) - len(names(first) - {"lease.json"}) == sum(piles([done]).values()) - 1
    assert piles(clean(first.store, None, CleanOptions())) == {}
    assert deliver(first) == 0
    assert deliver(second) == 0
    assert deliver(job(film, tmp_path, {"name": "test-negative"})) == chunks, "chunks are split again"


def test_with_consent_earlier_specs_go_and_the_last_stays(film: Path, tmp_path: Path) -> None:
    first, second = job(film, tmp_path, SEAMS), job(film, tmp_path, CHANGED)
    deliver(second)
    last = {one for one in names(second) if one.startswith(("records/", "media/", "stills/"))}
    chunks = deliver(first)
    deliver(second)
    clean(first.store, None, CleanOptions(all_but_last=True, delete=True))
    there = {one for one in names(second) if one.startswith(("records/", "media/", "stills/"))}
    # Both specs make the same pictures, so that many an object has two names: none of the last's may go with the first's.
    assert {one for one in last - there if not one.startswith("records/")} == set()
    assert len(last - there) == chunks
    assert deliver(second) == 0
    assert deliver(first) == chunks


@pytest.mark.parametrize("all_but_last", [False, True])
def test_a_film_that_was_stopped_keeps_all_it_goes_on_with(film: Path, tmp_path: Path, all_but_last: bool) -> None:
    spec = job(film, tmp_path, SEAMS)
    with pytest.raises(KeyboardInterrupt):
        rendered(spec, Stopping(InlineFleet(), SegmentRecord, 2))  # type: ignore[arg-type]
    before = names(spec)
    Ledger.at(spec.store, "film").store.write("film/media/half", b"1")
    (done,) = clean(spec.store, None, CleanOptions(all_but_last=all_but_last, delete=True))
    assert piles([done]) == {"media no record names": 1}
    assert names(spec) - {"lease.json"} == before
    assert any("chunks: the job is not delivered (interrupted)" in sentence for sentence in done.kept)
    assert rendered(spec).report().conforms


def test_a_job_at_work_is_left_alone(film: Path, tmp_path: Path) -> None:
    spec = job(film, tmp_path, {"name": "none"})
    deliver(spec)
    with lease_on_job(Ledger.at(spec.store, "film")):
        before = names(spec)
        (found,) = clean(spec.store, None, CleanOptions(delete=True))
        assert names(spec) == before
    assert (found.may_go, found.deleted) == ((), False)
    assert found.kept[0].startswith("everything: process ")
    (other,) = clean(spec.store, None, CleanOptions(delete=True))
    assert other.deleted


def test_a_store_in_s3(film: Path, tmp_path: Path, s3_bucket: str) -> None:
    spec = spec_of(film, tmp_path, store=f"s3://{s3_bucket}/work")
    rendered(spec)
    ledger = Ledger.at(spec.store, "film")
    ledger.keep_paper("report.json", report_of(digest(spec)))
    (done,) = clean(spec.store, None, CleanOptions(all_but_last=True, delete=True))
    assert done.may_go[0].bytes > 0
    assert list(ledger.names("chunks/")) == list(ledger.names("assembly/")) == []
    assert len(list(ledger.names("media/"))) == len(list(ledger.names("records/"))) == 1


def test_what_stands_in_stays_and_so_does_the_report_of_why(film: Path, tmp_path: Path) -> None:
    bad = [{"frames": [0, 12], "look": {"name": "test-broken", "settings": {"how": "nan"}}}]
    spec = spec_of(
        film, tmp_path, overrides=bad, chunk_seconds=0.5, on_error="passthrough", look={"name": "test-negative"}
    )
    report = rendered(spec, InlineFleet(budget=RetryPolicy(attempts=1))).report()
    assert report.quarantined
    ledger = Ledger.at(spec.store, "film")
    ledger.keep_paper("report.json", report)
    clean(spec.store, None, CleanOptions(all_but_last=True, delete=True))
    assert len(list(ledger.names("quarantine/"))) == len(report.quarantined)
    assert len(list(ledger.names("media/"))) == len(list(ledger.names("records/"))) == report.chunks
    again = rendered(spec).report()
    assert (again.conforms, again.chunks_rendered, again.quarantined) == (True, 0, report.quarantined)


def test_damaged_records_do_not_stop_it(film: Path, tmp_path: Path) -> None:
    spec = job(film, tmp_path, SEAMS)
    deliver(spec)
    for path in sorted(Path(spec.store, "film/records").iterdir())[:2]:
        path.write_bytes(b"{")
    (told,) = clean(spec.store, None, CleanOptions(all_but_last=True, delete=True))
    assert told.deleted
    assert len(names(spec) & {f"damaged/{one}.json" for one in _stems(spec, "damaged")}) == 2
    assert rendered(spec).report().conforms, "what was in doubt is made again"


def test_what_was_sent_along_stays_while_a_spec_names_it(film: Path, tmp_path: Path) -> None:
    """Of logs the last run's stays."""
    folder = tmp_path / "store/film"
    sent = [folder / f"submitted/{mark}/film.mp4" for mark in ("a" * 16, "b" * 16, "c" * 16)]
    for path in sent:
        path.parent.mkdir(parents=True)
        path.write_bytes(film.read_bytes())
    deliver(spec_of(sent[0], tmp_path))
    (folder / "submitted/1.json").write_text(spec_of(sent[1], tmp_path).model_dump_json())
    (folder / "logs").mkdir()
    logs = [folder / f"logs/{day}.txt" for day in ("20260101", "20260102", "20260103")]
    for path in logs:
        path.write_text("said")
    (done,) = clean(f"{tmp_path}/store", None, CleanOptions(delete=True))
    assert [path.exists() for path in sent] == [True, True, False]
    assert [path.exists() for path in logs] == [False, False, True]
    assert (piles([done])["logs of earlier runs"], (folder / "submitted/1.json").exists()) == (2, True)
    assert any("which name them" in sentence for sentence in done.kept)


def _stems(spec: JobSpec, folder: str) -> list[str]:
    return [path.stem for path in Path(spec.store, "film", folder).iterdir()]


def test_people_are_told_that_nothing_was_deleted(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = job(film, tmp_path, {"name": "none"})
    deliver(spec)
    show(clean(spec.store, None, CleanOptions()))
    said = capsys.readouterr()
    assert said.out == ""
    assert "nothing was; --yes does" in said.err
    assert "film: kept: all records" in said.err
    with pytest.raises(BadStore, match="There is no job 'other'"):
        clean(spec.store, "other", CleanOptions())
