"""Objects of the store that are cut, flipped or gone between two runs, or on their way: found, made again, and never stitched."""

import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from actors.media.verified import proven
from farm.film.calls import FinishCall, RenderCall, SplitCall
from farm.fleet.calls import Call, PoolSpec
from farm.fleet.worker_actor import WorkerActor
from farm.ops.clean import CleanOptions, clean
from farm.ops.status import statuses
from jobs.errors import BadStore, Damaged, FilmFailed, StoreFault
from jobs.ledger.ledger import Ledger
from jobs.ledger.render_history import NAME as CONTINUITY
from jobs.records.media import Media
from jobs.records.orders import HandlesRecord, SplitRecord
from jobs.store import open_store
from jobs.store.retry import in_work, patiently
from jobs.store.traffic import Traffic
from tests.farm.inline import InlineFleet, rendered, shot_list
from tests.farm.studio import same, spec_of
from tests.films import Recipe
from tests.paper import report_of
from tests.proxy import FaultyProxy, Rule
from tests.s3 import MotoServer


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_text('{"kind": "other", "frames": [0, 9], "cuts": [1]}')


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


Damage = Callable[[Path], None]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=40, cuts=(24,), size=(64, 48)).make(tmp_path_factory.mktemp("film") / "film.mp4")


def verbs(fleet: InlineFleet) -> tuple[int, int]:
    """How many chunks were asked to be split, and to be rendered."""
    split, rendered = fleet.calls(SplitCall), fleet.calls(RenderCall)
    return sum(len(call.orders) for call in split), sum(len(call.orders) for call in rendered)


@pytest.mark.parametrize("damage", [flipped, cut, Path.unlink])
def test_a_damaged_segment_is_made_again(film: Path, tmp_path: Path, damage: Damage) -> None:
    spec = spec_of(film, tmp_path, chunk_seconds=0.6)
    rendered(spec)
    before = sorted(path.name for path in (tmp_path / "store/film/media").iterdir())
    shutil.rmtree(tmp_path / "out")
    damage(next((tmp_path / "store/film/media").iterdir()))
    fleet = InlineFleet()
    assert rendered(spec, fleet).report().conforms
    assert verbs(fleet)[1] == 1
    same(tmp_path / "out/film.mkv", film)
    # What is made again has the very bytes that were lost.
    assert sorted(path.name for path in (tmp_path / "store/film/media").iterdir()) == before
    assert len(list((tmp_path / "store/film/damaged").iterdir())) == 1


@pytest.mark.parametrize("damage", [flipped, longer, Path.unlink])
def test_a_damaged_chunk_is_split_again_before_anything_of_it_is_kept(
    film: Path, tmp_path: Path, damage: Damage
) -> None:
    rendered(spec_of(film, tmp_path / "whole", look={"name": "test-negative"}))
    rendered(spec_of(film, tmp_path))
    damage(next((tmp_path / "store/film/chunks").iterdir()))
    assert rendered(spec_of(film, tmp_path, look={"name": "test-negative"})).report().conforms
    same(tmp_path / "out/film.mkv", tmp_path / "whole/out/film.mkv")


@pytest.mark.parametrize("damage", [flipped, cut, emptied, foreign, binary])
def test_damaged_paper_is_written_again(film: Path, tmp_path: Path, damage: Damage) -> None:
    """All the paper that a job has, at once; job.json is refused, and gone when that is seen to; what holds locked shots is another test's."""
    spec = spec_of(film, tmp_path, chunk_seconds=0.6)
    ledger = rendered(spec).ledger
    ledger.keep_paper("report.json", report_of("00"))
    ledger.store.write("film/quarantine/00.json", b'{"kind": "quarantined"}')
    shutil.rmtree(tmp_path / "out")
    papers = [path for path in (tmp_path / "store/film").rglob("*") if path.suffix in (".json", ".npz")]
    papers.remove(tmp_path / "store/film" / CONTINUITY)
    assert len(papers) > 10
    job = tmp_path / "store/film/job.json"
    papers.remove(job)
    for path in papers:
        damage(path)
    (told,) = statuses(spec.store, None)
    assert "spec.json is not a spec this version can read; run the job again" in told.state
    damage(job)
    (told,) = statuses(spec.store, None)
    assert "job.json, which says what the job was begun with, is damaged" in told.state
    (cleaned,) = clean(spec.store, None, CleanOptions())
    assert cleaned.state == told.state
    with pytest.raises(BadStore, match=r"job\.json, which says what the job was begun with, is damaged; where"):
        rendered(spec)
    job.unlink()
    assert rendered(spec).report().conforms
    same(tmp_path / "out/film.mkv", film)
    assert statuses(spec.store, None)[0].state == "rendered"


def test_a_damaged_page_of_the_assembly_is_written_again(film: Path, tmp_path: Path) -> None:
    damaged: list[Path] = []

    class BadDisk(InlineFleet):
        """The first run's pages are damaged before the finisher reads them."""

        def _made_by(self, call: Call) -> Iterator[Any]:
            if isinstance(call, FinishCall) and not damaged:
                damaged.extend((tmp_path / "store/film/assembly").rglob("*.json"))
                flipped(damaged[0])
            yield from super()._made_by(call)

    assert rendered(spec_of(film, tmp_path, chunk_seconds=0.6), BadDisk()).report().conforms
    same(tmp_path / "out/film.mkv", film)
    assert damaged


def test_damaged_handles_are_rendered_again(film: Path, tmp_path: Path) -> None:
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, frames=40))}
    fields: dict[str, Any] = {
        "look": {"name": "test-drift", "settings": {"dissolve": 4, "warmup": 4}},
        "shots": cuts,
        "chunk_seconds": 0.8,
    }
    whole = rendered(spec_of(film, tmp_path / "whole", **fields))
    assert whole.report().seams
    spec = spec_of(film, tmp_path, **fields)
    rendered(spec)
    shutil.rmtree(tmp_path / "out")
    ledger = Ledger.at(spec.store, spec.name)
    for name in ledger.finished():
        record = ledger.record(name)
        if isinstance(record, HandlesRecord):
            flipped(tmp_path / "store/film" / record.media.key)
    opening = next(iter(_openings(ledger, whole.chunks[1].core.start)))
    (tmp_path / f"store/film/records/{opening}.json").unlink()
    assert rendered(spec).report().conforms
    same(tmp_path / "out/film.mkv", tmp_path / "whole/out/film.mkv")


def _openings(ledger: Ledger, start: int) -> list[str]:
    """Digests of the segments that begin at a frame."""
    records = [(name, ledger.record(name)) for name in ledger.finished()]
    return [name for name, one in records if one and one.kind == "segment" and one.frames.start == start]


def test_what_is_made_again_in_the_same_run_counts_again(film: Path, tmp_path: Path) -> None:
    spoilt: list[Path] = []

    class BadDisk(InlineFleet):
        """A segment is damaged before the finisher reads it."""

        def _made_by(self, call: Call) -> Iterator[Any]:
            if isinstance(call, FinishCall) and not spoilt:
                spoilt.extend((tmp_path / "store/film/media").iterdir())
                flipped(spoilt[0])
            yield from super()._made_by(call)

    report = rendered(spec_of(film, tmp_path, chunk_seconds=0.6), BadDisk()).report()
    assert (report.conforms, report.chunks, report.chunks_rendered) == (True, len(spoilt), len(spoilt) + 1)


def test_what_stays_damaged_ends_in_one_sentence(film: Path, tmp_path: Path) -> None:
    """As where a disk flips the same bit whenever it is written."""
    spec = spec_of(film, tmp_path)
    rendered(spec)
    shutil.rmtree(tmp_path / "out")

    class BadDisk(InlineFleet):
        def run(self, calls: Any, then: Any) -> Any:
            for found in super().run(calls, then):
                yield found
                for path in (tmp_path / "store/film/media").iterdir():
                    path.write_bytes(b"bad")

    for path in (tmp_path / "store/film/media").iterdir():
        path.write_bytes(b"bad")
    with pytest.raises(FilmFailed, match=r"its bytes are not the recorded ones; its record is set aside: run the job"):
        rendered(spec, BadDisk())
    assert not (tmp_path / "out/film.mkv").exists()


def test_media_are_proven_to_their_end_though_nobody_reads_it(tmp_path: Path) -> None:
    ledger = Ledger(open_store(str(tmp_path)), "job")
    data = bytes(3 << 20) + b"end"
    ledger.store.write("job/chunks/a.mkv", data)
    media = Media(key="chunks/a.mkv", sha256=sha256(data).hexdigest(), bytes=len(data))
    record = ledger.keep(SplitRecord(digest="a", media=media, packets=1))
    with proven(ledger, media, "a") as stream:
        stream.seek(2 << 20)
        assert stream.read(3) == bytes(3)
        stream.seek(0)
        assert stream.read(5) == bytes(5)
    assert ledger.record("a") == record
    ledger.store.write("job/chunks/a.mkv", data[:-1] + b"!")
    with pytest.raises(Damaged, match=r"chunks/a\.mkv is not what its record says"), proven(ledger, media, "a"):
        raise ValueError("what a decoder may say of it")
    assert ledger.record("a") is None


def test_a_bit_that_turns_on_its_way_is_never_stitched(
    film: Path, tmp_path: Path, s3_server: MotoServer, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk and a segment come once with a wrong bit, a listing is late, and credentials expire."""
    rules = [
        *(Rule("flip", "GET", f"store/film/{folder}/", times=1, after=1) for folder in ("chunks", "media")),
        Rule("stale", "GET", "records", times=1),
        Rule("ExpiredToken", "PUT", "media", times=1),
    ]
    with FaultyProxy(s3_server, *rules) as proxy:
        for name, value in proxy.env.items():
            monkeypatch.setenv(name, value)
        place = f"s3://{s3_bucket}"
        with in_work():
            assert rendered(spec_of(film, place, chunk_seconds=0.6)).report().conforms
        proxy.rules.clear()
        (tmp_path / "film.mkv").write_bytes(open_store(place).read("out/film.mkv"))
    assert proxy.tally["flip"] >= 1
    assert proxy.tally["ExpiredToken"] == 1
    same(tmp_path / "film.mkv", film)


class Crew:
    """A worker whose store fails in passing, at its start and in its call."""

    def __init__(self) -> None:
        self.fails = [StoreFault("slow down") for _ in range(2)]
        patiently(self.once)

    def once(self) -> None:
        if self.fails:
            raise self.fails.pop()

    def look(self) -> Iterator[int]:
        self.fails = [StoreFault("slow down")]
        patiently(self.once)
        yield 1


def test_a_worker_waits_and_no_call_is_charged() -> None:
    """What the fleet's workers call is called in work, from their own start on."""

    hand = WorkerActor()
    hand.boot(PoolSpec("renderer", f"{__name__}:{Crew.__name__}"), None)
    assert [one for one in hand.do("look", ()) if not isinstance(one, Traffic)] == [1]
    with pytest.raises(StoreFault):
        list(Crew().look())
