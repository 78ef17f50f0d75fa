"""The ledger: a record is written last and once, and a job keeps its source."""

import json
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import BadStore
from jobs.index import Page
from jobs.ledger import Ledger
from jobs.media import Media
from jobs.plan import Range
from jobs.records import SegmentRecord, SplitRecord
from jobs.spec import JobSpec, Reading
from tests.paper import film_of, picture_of


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.at(str(tmp_path), "film")


def spec(**fields: object) -> JobSpec:
    return JobSpec.model_validate({"name": "film", "source": "/a.mp4", "store": "/s", "output": "/o", **fields})


def split(name: str, sha: str = "00") -> SplitRecord:
    return SplitRecord(digest=name, media=Media(key=f"chunks/{name}.mkv", sha256=sha, bytes=3), packets=2)


def test_the_first_record_wins(ledger: Ledger) -> None:
    assert ledger.keep(split("a", "11")).media.sha256 == "11"
    assert ledger.keep(split("a", "22")).media.sha256 == "11"
    found = ledger.record("a")
    assert found is not None
    assert found.media.sha256 == "11"


def test_records_are_found_by_one_listing(ledger: Ledger) -> None:
    ledger.keep(split("a"))
    ledger.keep(
        SegmentRecord(
            digest="b", frames=Range(0, 9), media=Media(key="media/x", sha256="x", bytes=1), delay=2, extradata_sha256="y", made_on="z", seconds=1
        )
    )  # fmt: skip
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
    ledger.keep_paper("report.json", {"conforms": True})
    assert json.loads(ledger.read("report.json") or b"")["conforms"] is True
    assert ledger.paper("report.json") == {"conforms": True}
    ledger.store.write(ledger.key("report.json"), (ledger.read("report.json") or b"").replace(b"true", b"null"))
    assert ledger.paper("report.json") is None
    assert ledger.read("report.json") is None
    assert ledger.paper("nothing.json") is None
