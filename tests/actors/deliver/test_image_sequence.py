"""Image sequences out: that every frame's file is placed once and proven, that the manifest comes last, and that a second try writes only what is missing."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from actors.deliver.image_sequence import SequenceWriter, picture_key
from actors.encode.segment_writer import encoding_for, writer_for
from actors.media.metadata.image_headers import timecode_in
from actors.verify.source_comparison import SourceComparison
from jobs.errors import FilmFailed
from jobs.ledger.ledger import Ledger
from jobs.plan.output_timing import Timing
from jobs.plan.plan import Range
from jobs.plan.sampling import SourceFrames
from jobs.records.deliverables import DeliverableFacts, DeliverablePlan
from jobs.records.media import Media
from jobs.records.orders import SegmentRecord
from jobs.records.report import Conform
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from jobs.store import Stat, open_store
from jobs.store.folder import FolderStore
from jobs.store.s3.store import S3Store
from tests.films import Recipe, read_number
from tests.paper import film_of, picture_of

FRAMES = 7
CORES = (Range(0, 3), Range(3, 4), Range(4, 7))
FILM = film_of(picture_of("yuv420p", 192, 112))


def plan_of(codec: Codec = Codec.PNG) -> DeliverablePlan:
    """A folder "a film" of pictures."""
    deliverable = Deliverable(codec=codec, name="a film")
    encoding = encoding_for(FILM, deliverable, grey_stays_grey=False)
    return DeliverablePlan(deliverable=deliverable, file="a film", container="folder", encoding=encoding, fates=())


def timing() -> Timing:
    steps = np.arange(FRAMES, dtype=np.int64)
    return Timing(steps, np.ones_like(steps), Fraction(1, 24), Fraction(0), "numbered", Fraction(24))


def kept(ledger: Ledger, core: Range, path: Path) -> SegmentRecord:
    """A segment's file, put into the store."""
    ledger.store.write_file(ledger.key(f"media/{core.start}"), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    media = Media(key=f"media/{core.start}", sha256=sha256, bytes=path.stat().st_size)
    return SegmentRecord(
        digest=f"{core.start:040d}", frames=core, media=media, delay=0, extradata_sha256="", made_on="test", seconds=0.0
    )


def segments(folder: Path, plan: DeliverablePlan) -> tuple[Ledger, list[SegmentRecord]]:
    """The film's numbered frames, encoded as renderers do."""
    ledger = Ledger.at(str(folder / "store"), "job")
    records = []
    for core in CORES:
        path = folder / f"{core.start}.tar"
        with writer_for(plan.encoding, path) as writer:
            for number in range(*core):
                writer.write(Recipe().frame(number).reformat(format=plan.encoding.pix_fmt))
        records.append(kept(ledger, core, path))
    return ledger, records


def against(plan: DeliverablePlan, folder: Path) -> SourceComparison:
    """The comparison with a source of the same numbered frames, made by a look that keeps nothing of it."""
    source = folder / "source.mkv"
    if not source.exists():
        Recipe(frames=FRAMES, codec="ffv1").make(source)
    frames = SourceFrames(np.arange(FRAMES, dtype=np.int64), np.arange(FRAMES))
    return SourceComparison(str(source), FILM, plan.encoding, frames, [])


def finished(
    placer: SequenceWriter, plan: DeliverablePlan, records: list[SegmentRecord], folder: Path
) -> tuple[DeliverableFacts, Conform]:
    *counts, facts, proof = placer.finish(plan, timing(), iter(records), against(plan, folder))
    assert isinstance(facts, DeliverableFacts)
    assert isinstance(proof, Conform)
    assert counts == [FRAMES]
    return facts, proof


class Counting(FolderStore):
    """A folder that counts the objects written into it, and may fail."""

    def __init__(self, root: Path, fails_after: int = 10**6) -> None:
        super().__init__(root)
        self.written: list[str] = []
        self.fails_after = fails_after

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        if len(self.written) >= self.fails_after:
            raise OSError("the disk is gone")
        self.written.append(key)
        return super().write(key, data, only_if_absent=only_if_absent)


@pytest.mark.parametrize("codec", [Codec.PNG, Codec.TIFF, Codec.DPX, Codec.EXR])
def test_every_frame_is_a_file_and_the_manifest_says_so(tmp_path: Path, codec: Codec) -> None:
    plan = plan_of(codec)
    ledger, records = segments(tmp_path, plan)
    output = tmp_path / "out"
    facts, proof = finished(SequenceWriter(ledger, open_store(str(output)), "unproven"), plan, records, tmp_path)
    assert proof.findings == ()
    assert (proof.frames, proof.edges, proof.compared) == (FRAMES, 4, 5)
    assert proof.sha256 == hashlib.sha256((output / "a film.sha256").read_bytes()).hexdigest()
    assert facts.bytes == proof.bytes == sum(path.stat().st_size for path in (output / "a film").iterdir())
    files = sorted(path.name for path in (output / "a film").iterdir())
    assert files == [f"a film.{number:07d}.{codec}" for number in range(FRAMES)]
    assert sorted(path.name for path in output.iterdir()) == ["a film", "a film.sha256"]
    checked = subprocess.run(["sha256sum", "-c", "a film.sha256"], cwd=output, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout.count(": OK")) == (0, FRAMES)
    if codec is not Codec.EXR:  # linear light: the number's bits are not where they were
        for number, name in enumerate(files):
            with av.open(str(output / "a film" / name)) as media:
                frame = next(media.decode(video=0)).reformat(format="gray")
            assert read_number(frame) == number


def test_pictures_are_numbered_from_the_start_number(tmp_path: Path) -> None:
    plan = plan_of(Codec.DPX).model_copy(update={"start_number": 1001})
    ledger, records = segments(tmp_path, plan)
    output = tmp_path / "out"
    for _ in range(2):  # the second finds them there
        _, proof = finished(SequenceWriter(ledger, open_store(str(output)), "unproven"), plan, records, tmp_path)
        assert proof.findings == ()
    files = sorted(path.name for path in (output / "a film").iterdir())
    assert files == [f"a film.{number:07d}.dpx" for number in range(1001, 1001 + FRAMES)]
    with av.open(str(output / "a film" / files[3])) as media:
        assert read_number(next(media.decode(video=0)).reformat(format="gray")) == 3
    (output / "a film/a film.0000003.dpx").write_bytes(b"x")
    with pytest.raises(FilmFailed, match=r"a film\.0000003\.dpx is not a picture of a film"):
        finished(SequenceWriter(ledger, open_store(str(output)), "unproven"), plan, records, tmp_path)


def test_dpx_pictures_tell_their_time_code(tmp_path: Path) -> None:
    plan = plan_of(Codec.DPX)
    ledger, records = segments(tmp_path, plan)
    output = open_store(str(tmp_path / "out"))
    _, proof = finished(SequenceWriter(ledger, output, "unproven", "09:59:59:20"), plan, records, tmp_path)
    assert proof.findings == ()
    said = [timecode_in(output.read(picture_key(plan, number)), Fraction(24)) for number in range(FRAMES)]
    assert said[:5] == ["09:59:59:20", "09:59:59:21", "09:59:59:22", "09:59:59:23", "10:00:00:00"]
    assert len(set(said)) == FRAMES
    with av.open(str(tmp_path / "out" / picture_key(plan, 3))) as media:
        assert read_number(next(media.decode(video=0)).reformat(format="gray")) == 3


def test_a_second_try_writes_only_what_is_missing_or_damaged(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    stopped = Counting(tmp_path / "out", fails_after=4)
    with pytest.raises(OSError, match="the disk is gone"):
        finished(SequenceWriter(ledger, stopped, "unproven"), plan, records, tmp_path)
    assert not (tmp_path / "out/a film.sha256").exists()
    assert not (tmp_path / "out/a film").exists()
    damaged = tmp_path / "out/unproven" / picture_key(plan, 1)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\0")
    again = Counting(tmp_path / "out")
    _, proof = finished(SequenceWriter(ledger, again, "unproven"), plan, records, tmp_path)
    assert proof.conforms
    assert again.written == [f"unproven/{picture_key(plan, number)}" for number in (1, 4, 5, 6)]
    assert not (tmp_path / "out/unproven").exists()


def test_the_old_manifest_goes_before_the_first_picture_is_written_anew(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    finished(SequenceWriter(ledger, open_store(str(tmp_path / "out")), "unproven"), plan, records, tmp_path)
    (tmp_path / "out" / picture_key(plan, 0)).unlink()
    with pytest.raises(OSError, match="the disk is gone"):
        finished(SequenceWriter(ledger, Counting(tmp_path / "out", 0), "unproven"), plan, records, tmp_path)
    assert not (tmp_path / "out/a film.sha256").exists()


def test_segments_may_come_late(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    output = tmp_path / "out"

    def growing() -> Iterator[SegmentRecord]:
        for record in records:
            yield record
            assert (output / "unproven" / picture_key(plan, record.frames.stop - 1)).exists()
            assert not (output / "a film").exists()

    *_, proof = SequenceWriter(ledger, open_store(str(output)), "unproven").finish(
        plan, timing(), growing(), against(plan, tmp_path)
    )
    assert isinstance(proof, Conform)
    assert proof.conforms


class Tampered(FolderStore):
    """A folder in which something happens to a picture once all are written."""

    def __init__(self, root: Path, change: Callable[[Path], None], key: str) -> None:
        super().__init__(root)
        self.change = change
        self.key = key

    def open(self, key: str):  # type: ignore[no-untyped-def]
        if key.endswith(".sha256"):
            assert not (self.root / self.key).exists()
            self.change(self.root / "unproven" / self.key)
        return super().open(key)


def reverse(path: Path) -> None:
    """The lines of a file, the last one first."""
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Path.unlink, ("a film/a film.0000003.png is missing", "there are 6 pictures and the film has 7 frames")),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-1]),
            ("a film/a film.0000003.png is not the picture of the segment",),
        ),
        (
            lambda path: path.with_name("a film.0000007.png").write_bytes(b"x"),
            ("unproven/a film/a film.0000007.png is not a picture of this film",),
        ),
        (
            lambda path: reverse(path.parents[1] / "a film.sha256"),
            ("the manifest is not the one that was written",),
        ),
    ],
)
def test_what_is_wrong_in_the_folder_is_found(
    tmp_path: Path, change: Callable[[Path], None], said: tuple[str, ...]
) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    output = Tampered(tmp_path / "out", change, picture_key(plan, 3))
    _, proof = finished(SequenceWriter(ledger, output, "unproven"), plan, records, tmp_path)
    assert proof.findings == said
    # Nothing bears a deliverable's name, and nothing is left.
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_a_picture_of_another_size_is_found(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    small = plan_of().model_copy(update={"encoding": plan.encoding.model_copy(update={"width": 96})})
    _, proof = finished(SequenceWriter(ledger, open_store(str(tmp_path / "out")), "unproven"), small, records, tmp_path)
    assert proof.findings[0] == "a film/a film.0000000.png holds 192x112 and not 96x112"


def test_strangers_are_refused_before_anything_is_placed(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    (tmp_path / "out/a film").mkdir(parents=True)
    (tmp_path / "out/a film/a film.0000000.tiff").write_bytes(b"x")
    with pytest.raises(FilmFailed, match=r"a film\.0000000\.tiff is not a picture of a film, which has 7 frames: move"):
        finished(SequenceWriter(ledger, open_store(str(tmp_path / "out")), "unproven"), plan, records, tmp_path)
    assert len(list((tmp_path / "out/a film").iterdir())) == 1


def test_segments_that_are_not_what_their_records_say_are_refused(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    placer = SequenceWriter(ledger, open_store(str(tmp_path / "out")), "unproven")
    for names, said in (
        (["0000000.png", "0000002.png"], "it holds 0000002.png as picture 1"),
        (["0000000.png"], "it holds 1 picture for 3 frames"),
    ):
        with tarfile.open(tmp_path / "odd.tar", "w") as odd:
            for name in names:
                odd.addfile(tarfile.TarInfo(name), io.BytesIO())
        with pytest.raises(FilmFailed, match=said):
            finished(placer, plan, [kept(ledger, CORES[0], tmp_path / "odd.tar"), *records[1:]], tmp_path)
    (tmp_path / "store/job/media/0").write_bytes(b"torn")
    with pytest.raises(FilmFailed, match="its bytes are not the recorded ones"):
        finished(placer, plan, records, tmp_path)
    assert not (tmp_path / "out/a film.sha256").exists()


def test_what_an_earlier_try_of_another_codec_left_is_swept_away(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    out = tmp_path / "out"
    (out / "unproven/a film").mkdir(parents=True)
    (out / "unproven/a film/a film.0000000.tiff").write_bytes(b"x")
    _, proof = finished(SequenceWriter(ledger, open_store(str(out)), "unproven"), plan, records, tmp_path)
    assert proof.conforms
    assert list(out.rglob("*.tiff")) == []


class Breaking(S3Store):
    """A bucket that fails after some pictures have got their names."""

    left = 3

    def rename(self, old: str, new: str, found: Stat, over: Stat | None) -> bool:
        if not Breaking.left:
            raise OSError("the wire is cut")
        Breaking.left -= 1
        return super().rename(old, new, found, over)


def test_naming_that_broke_off_is_gone_on_with_and_sends_nothing_again(tmp_path: Path, s3_bucket: str) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    output = open_store(f"s3://{s3_bucket}/out")
    with pytest.raises(OSError, match="the wire is cut"):
        finished(SequenceWriter(ledger, Breaking(s3_bucket, "out"), "unproven"), plan, records, tmp_path)
    named = [*output.list("a film/")]
    assert len(named) == 3
    assert [*output.list("a film.sha256")] == []
    assert len([*output.list("unproven/a film/")]) == FRAMES - 3
    # Copied, and not yet deleted when the machine died.
    output.write(f"unproven/{named[0]}", output.read(named[0]))
    _, proof = finished(SequenceWriter(ledger, ReadOnly(s3_bucket, "out"), "unproven"), plan, records, tmp_path)
    assert proof.conforms
    assert [*output.list("")] == sorted([*(picture_key(plan, number) for number in range(FRAMES)), "a film.sha256"])


def test_pictures_of_an_earlier_film_stay_until_the_new_ones_are_proven(tmp_path: Path) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    out = tmp_path / "out"
    finished(SequenceWriter(ledger, open_store(str(out)), "unproven"), plan, records, tmp_path)
    before = {path.name: path.read_bytes() for path in (out / "a film").iterdir()}
    with writer_for(plan.encoding, tmp_path / "other.tar") as writer:
        for number in range(*CORES[0]):
            writer.write(Recipe().frame(number + 100).reformat(format=plan.encoding.pix_fmt))
    others = [kept(ledger, CORES[0], tmp_path / "other.tar"), *records[1:]]

    def growing() -> Iterator[SegmentRecord]:
        for record in others:
            yield record
            assert {path.name: path.read_bytes() for path in (out / "a film").iterdir()} == before

    *_, proof = SequenceWriter(ledger, open_store(str(out)), "unproven").finish(
        plan, timing(), growing(), against(plan, tmp_path)
    )
    assert isinstance(proof, Conform)
    assert proof.conforms
    after = {path.name: path.read_bytes() for path in (out / "a film").iterdir()}
    assert [name for name in sorted(before) if after[name] != before[name]] == sorted(before)[:3]
    assert not (out / "unproven").exists()


class ReadOnly(S3Store):
    """A bucket into which no whole object is written."""

    def write(self, key: str, data: bytes, *, only_if_absent: bool = False) -> bool:
        raise AssertionError(f"{key} is written again")


def test_pictures_are_placed_in_a_bucket_and_not_sent_again(tmp_path: Path, s3_bucket: str) -> None:
    plan = plan_of()
    ledger, records = segments(tmp_path, plan)
    output = open_store(f"s3://{s3_bucket}/out")
    for store in (output, ReadOnly(s3_bucket, "out")):
        _, proof = finished(SequenceWriter(ledger, store, "unproven"), plan, records, tmp_path)
        assert proof.conforms
        assert hashlib.sha256(output.read("a film.sha256")).hexdigest() == proof.sha256
    assert sum(1 for _ in output.list("")) == FRAMES + 1
