"""The ledger: a record is written last and once, and a job keeps its source."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jobs.digest import canonical
from jobs.document import Document
from jobs.errors import BadStore
from jobs.film.frame_index import Page
from jobs.film.source import Film, SourceIdentity
from jobs.ledger.finished_prefix import PrefixPage
from jobs.ledger.ledger import JobDocument, Ledger
from jobs.plan.plan import Range
from jobs.records.cuts import Cuts
from jobs.records.deliverables import Decided
from jobs.records.guides import GuideRecord
from jobs.records.media import Media
from jobs.records.orders import SegmentRecord, SplitRecord
from jobs.records.report import FilmReport
from jobs.spec.job import JobSpec, Reading
from tests.paper import film_of, picture_of, report_of


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(str(tmp_path), "film")


def spec(**fields: object) -> JobSpec:
    return JobSpec.model_validate({"name": "film", "source": "/a.mp4", "store": "/s", "output": "/o", **fields})


def split(name: str, sha: str = "00") -> SplitRecord:
    return SplitRecord(digest=name, media=Media(key=f"chunks/{name}.mkv", sha256=sha, bytes=3), packets=2)


def segment(name: str) -> SegmentRecord:
    media = Media(key="media/x", sha256="x", bytes=1)
    return SegmentRecord(
        digest=name, frames=Range(0, 9), media=media, delay=2, extradata_sha256="y", made_on="z", seconds=1
    )


def test_the_first_record_wins(ledger: Ledger) -> None:
    assert ledger.keep(split("a", "11")).media.sha256 == "11"
    assert ledger.keep(split("a", "22")).media.sha256 == "11"
    found = ledger.record("a")
    assert found is not None
    assert found.media.sha256 == "11"


def test_records_are_found_by_one_listing(ledger: Ledger) -> None:
    ledger.keep(split("a"))
    ledger.keep(segment("b"))
    assert ledger.finished() == {"a", "b"}
    assert isinstance(ledger.record("b"), SegmentRecord)
    assert ledger.record("c") is None


def test_a_record_that_cannot_be_read_is_set_aside(ledger: Ledger) -> None:
    ledger.store.write(ledger.key("records/a.json"), b'{"kind": "other"}')
    assert ledger.record("a") is None
    assert ledger.finished() == set()
    assert ledger.read("damaged/a.json") == b'{"kind": "other"}'
    assert ledger.keep(split("a")) == split("a")


def test_every_bit_of_a_record_counts(ledger: Ledger) -> None:
    ledger.keep(split("a"))
    whole = ledger.read("records/a.json")
    assert whole
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        for data in (bytes(flipped), whole[:place]):
            ledger.store.write(ledger.key("records/a.json"), data)
            assert ledger.record("a") is None, data
            assert ledger.finished() == set()
    ledger.store.write(ledger.key("records/a.json"), whole)
    assert ledger.record("a") == split("a")


def test_a_damaged_record_gives_way_to_the_piece_made_again(ledger: Ledger) -> None:
    ledger.store.write(ledger.key("records/a.json"), b"{")
    assert ledger.keep(split("a")) == split("a")
    assert ledger.record("a") == split("a")


def test_what_is_set_aside_goes_with_its_media(ledger: Ledger) -> None:
    record = ledger.keep(split("a"))
    ledger.store.write(ledger.key(record.media.key), b"bad")
    for _ in range(2):
        ledger.set_aside("a")
        assert ledger.record("a") is None
        assert ledger.read(record.media.key) is None


def test_a_job_keeps_every_spec_and_knows_the_last(ledger: Ledger) -> None:
    first, second = spec(), spec(chunk_seconds=3)
    for one in (first, second, first):
        ledger.enter(one)
    assert ledger.spec() == first
    assert len(list(ledger.names("specs/"))) == 2


def test_who_only_looks_changes_no_spec(ledger: Ledger) -> None:
    for one in (spec(), spec(chunk_seconds=3)):
        ledger.enter(one, to_render=False)
        assert ledger.spec() == spec()
    assert len(list(ledger.names("specs/"))) == 1
    with pytest.raises(BadStore, match="was begun with"):
        ledger.enter(spec(source="/b.mp4"), to_render=False)
    ledger.enter(spec(chunk_seconds=3))
    assert ledger.spec() == spec(chunk_seconds=3)


@pytest.mark.parametrize("change", [{"source": "/b.mp4"}, {"store": "/t"}, {"rate": 24}])
def test_a_job_begun_with_another_source_or_store_is_refused(ledger: Ledger, change: dict[str, str]) -> None:
    ledger.enter(spec())
    with pytest.raises(BadStore, match="was begun with"):
        ledger.enter(spec(**change))
    assert ledger.spec() == spec()


def test_a_job_nobody_began_has_no_spec(ledger: Ledger) -> None:
    with pytest.raises(BadStore, match="There is no job 'film'"):
        ledger.spec()


def test_pages_come_back_up_to_the_first_missing(ledger: Ledger) -> None:
    ints, flags = np.arange(3), np.array([True, False, False])
    page = Page(pts=ints, dts=ints, duration=ints, size=ints, key=flags, hidden=~flags)
    for number in (0, 1, 3):
        ledger.keep_page(2, number, page)
    assert len(ledger.pages(2)) == 2
    assert ledger.pages(2)[0].key.tolist() == [True, False, False]
    ledger.store.write(ledger.key("survey/2/index-00001.npz"), page.dump()[:-9])
    assert len(ledger.pages(2)) == 1
    assert list(ledger.names("survey/2/")) == ["survey/2/index-00000.npz"]
    # Another stream's are others.
    assert ledger.pages(0) == []


def test_the_source_that_was_first_holds(ledger: Ledger) -> None:
    first = film_of(picture_of("yuv420p")).identity
    assert ledger.keep_source(first) == first
    assert ledger.keep_source(first.model_copy(update={"version": "2"})) == first


def test_a_film_is_kept_by_how_it_is_read(ledger: Ledger) -> None:
    assert ledger.film(Reading()) is None
    film = film_of(picture_of("yuv420p"))
    other = film.model_copy(update={"picture": film.picture.model_copy(update={"stream": 1})})
    for reading, one in ((Reading(), other), (Reading(video=1), other), (Reading(), film)):
        ledger.keep_film(reading, one)
    assert (ledger.film(Reading()), ledger.film(Reading(video=1))) == (film, other)


def test_paper_is_json_that_people_can_read(ledger: Ledger) -> None:
    assert ledger.keep_paper("report.json", report_of("00"))
    assert not ledger.keep_paper("report.json", report_of("11"))
    assert json.loads(ledger.read("report.json") or b"")["conforms"] is True
    assert ledger.paper("report.json", FilmReport) == report_of("00")
    ledger.store.write(ledger.key("report.json"), canonical(report_of("22")))
    assert ledger.paper("report.json", FilmReport) == report_of("22"), "without a seal, as people write it"
    assert ledger.paper("nothing.json", FilmReport) is None


def damaged(whole: bytes) -> Iterator[bytes]:
    """A paper with a bit turned here and there, cut, and in the place of which something else lies."""
    for place in range(0, len(whole), 7):
        yield whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        yield whole[:place]
    yield from (
        b"null",
        b"[]",
        b"{}",
        b'{"kind": "other"}',
        b"[" * 100_000,
        bytes(range(256)),
        b'"\\ud800"',
        b"1" * 5000,
    )


PAPERS: dict[str, tuple[type[Document], Document]] = {
    "survey/source.json": (SourceIdentity, film_of(picture_of("yuv420p")).identity),
    "survey/film-00.json": (Film, film_of(picture_of("yuv420p"))),
    "survey/0/cuts-00.json": (Cuts, Cuts(frames=Range(0, 9), cuts=(3, 7))),
    "report.json": (FilmReport, report_of("00")),
    "deliverables.json": (Decided, Decided(deliverables=())),
    "assembly/a/00000.json": (PrefixPage, PrefixPage(segments={"a": ("b",)})),
}


@pytest.mark.parametrize("name", PAPERS)
def test_damaged_paper_is_set_aside_and_never_believed(ledger: Ledger, name: str) -> None:
    kind, paper = PAPERS[name]
    ledger.keep_paper(name, paper)
    for data in damaged(ledger.read(name) or b""):
        ledger.store.write(ledger.key(name), data)
        assert ledger.paper(name, kind) is None, data
        assert ledger.read(name) is None
        assert ledger.read(f"damaged/{name}") == data
    assert ledger.keep_paper(name, paper), "made again"
    assert ledger.paper(name, kind) == paper


def test_what_cannot_be_made_again_is_one_sentence(ledger: Ledger) -> None:
    ledger.enter(spec())
    whole = {name: ledger.read(name) or b"" for name in ("job.json", "spec.json")}
    for data in damaged(whole["job.json"]):
        ledger.store.write(ledger.key("job.json"), data)
        with pytest.raises(
            BadStore, match=r"film/job\.json, which says what .* damaged; where the spec has .* delete it, and the same"
        ):
            ledger.enter(spec())
    ledger.store.delete(ledger.key("job.json"))
    for data in damaged(whole["spec.json"]):
        ledger.store.write(ledger.key("spec.json"), data)
        with pytest.raises(BadStore, match=r"film/spec\.json is not a spec this version can read; run the job again"):
            ledger.spec()
    ledger.enter(spec())
    assert (ledger.read("job.json"), ledger.spec()) == (whole["job.json"], spec())


@pytest.mark.parametrize(
    ("kinds", "propagates"), [("", True), ("split", True), ("segment", False), ("segment split guide", True)]
)
def test_a_job_whose_beginning_is_lost_goes_on_as_it_rendered(ledger: Ledger, kinds: str, propagates: bool) -> None:
    guide = GuideRecord(digest="c", frames=Range(0, 9), media=segment("b").media, confidence=1, made_on="z", seconds=1)
    records: dict[str, Document] = {"split": split("a"), "segment": segment("b"), "guide": guide}
    for kind in kinds.split():
        ledger.keep(records[kind])
    assert ledger.admit(spec()).propagates is propagates
    ledger.enter(spec())
    assert ledger.begun() == JobDocument.of(spec()).model_copy(update={"propagates": propagates})


def test_every_bit_of_a_page_counts(ledger: Ledger) -> None:
    ints, flags = np.arange(3), np.array([True, False, False])
    page = Page(pts=ints, dts=ints, duration=ints, size=ints, key=flags, hidden=~flags)
    ledger.keep_page(0, 0, page)
    for data in damaged(ledger.read("survey/0/index-00000.npz") or b""):
        ledger.store.write(ledger.key("survey/0/index-00000.npz"), data)
        assert ledger.pages(0) == []
        assert list(ledger.names("survey/")) == []
    ledger.keep_page(0, 0, page)
    assert len(ledger.pages(0)) == 1


def test_a_survey_of_nobody_knows_which_source_is_not_used(ledger: Ledger) -> None:
    first = film_of(picture_of("yuv420p")).identity
    ledger.keep_source(first)
    ledger.keep_paper("survey/0/cuts-00.json", Cuts(frames=Range(0, 9), cuts=()))
    ledger.store.write(ledger.key("survey/source.json"), b"")
    other = first.model_copy(update={"version": "2"})
    assert ledger.keep_source(other) == other
    assert list(ledger.names("survey/")) == ["survey/source.json"]


def test_a_record_in_the_place_of_another_is_set_aside(ledger: Ledger) -> None:
    ledger.keep(split("a"))
    ledger.store.write(ledger.key("records/b.json"), ledger.read("records/a.json") or b"")
    assert ledger.record("b") is None
    assert ledger.record("a") == split("a")
