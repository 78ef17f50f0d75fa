"""The stitcher at its output: a deliverable grows where it shall lie, in a folder or in S3, broken off or not, without end."""

import resource
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from actors.deliver.stitcher import Stitcher
from actors.verify.inspector import Inspector
from jobs.errors import BadStore, FarmError, NodeFault
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.deliverables import DeliverableFacts
from jobs.records.orders import SegmentRecord
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from jobs.store import open_store
from jobs.store.folder import FolderStore
from jobs.store.s3.parts import PART
from jobs.store.s3.store import S3Store
from tests.actors.reels import Reel, keep_segment, reel
from tests.films import Recipe
from tests.s3 import requests

MP4 = Deliverable(preset="ultrafast", crf=20, container=Container.MP4)
FFV1 = Deliverable(codec=Codec.FFV1)
H264 = Deliverable(preset="fast", crf=20)
EDGES = (7, 20)


def test_a_film_can_come_from_s3_and_go_there(tmp_path: Path, s3_bucket: str) -> None:
    made = reel(Recipe(frames=40, sound="aac").make(tmp_path / "a.mp4"), tmp_path, H264, EDGES)
    local = made.stitch()
    root = f"s3://{s3_bucket}"
    open_store(root).write_file("a.mp4", made.source)
    for record in made.records:
        key = f"job/{record.media.key}"
        open_store(f"{root}/store").write(key, open_store(made.store).read(key))
    where = (f"{root}/a.mp4", f"{root}/store", "job", f"{root}/output")
    *_, facts = Stitcher(*where).stitch(made.film, made.plan, made.timing, made.records)
    assert facts == local
    assert open_store(where[-1]).read(made.plan.file) == made.path.read_bytes()
    assert isinstance(facts, DeliverableFacts)
    against = made.against(where[0])
    assert Inspector(*where).inspect(made.film, made.plan, made.timing, made.records, facts, against).findings == ()


class Unread(FolderStore):
    """A folder from which nothing is read."""

    def open(self, key: str) -> BinaryIO:
        raise AssertionError(f"{key} is read back")


def test_a_deliverable_is_not_read_back_by_who_stitched_it(tmp_path: Path) -> None:
    made = reel(Recipe(frames=8).make(tmp_path / "a.mp4"), tmp_path, H264)
    stitcher = Stitcher(str(made.source), made.store, "job", str(made.output))
    stitcher.output = Unread(made.output)
    *_, facts = stitcher.stitch(made.film, made.plan, made.timing, made.records)
    assert isinstance(facts, DeliverableFacts)
    assert facts.bytes == made.path.stat().st_size


def test_a_stitch_broken_off_leaves_nothing(tmp_path: Path) -> None:
    made = reel(Recipe(frames=40).make(tmp_path / "a.mp4"), tmp_path, H264, EDGES)
    stitching = Stitcher(str(made.source), made.store, "job", str(made.output)).stitch(
        made.film, made.plan, made.timing, made.records
    )
    assert next(stitching) == 40
    assert isinstance(stitching, Generator)
    stitching.close()
    assert not made.path.exists()


class BreaksOff(Exception):
    """What a stitcher meets half-way."""


def noise(seed: int) -> av.VideoFrame:
    """A picture that no codec makes small."""
    planes = np.random.default_rng(seed).integers(16, 235, (480 * 3 // 2, 640), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def again_and_again(made: Reel, records: list[SegmentRecord]) -> list[SegmentRecord]:
    """Records that tile the film with a few segments of one length, over and over."""
    length = records[0].frames.frames
    return [
        records[place % len(records)].model_copy(update={"frames": Range(place * length, (place + 1) * length)})
        for place in range(made.timing.frames // length)
    ]


def test_a_stitch_broken_off_sends_only_what_is_missing(tmp_path: Path, s3_bucket: str) -> None:
    made = reel(Recipe(frames=90, size=(64, 48), sound="aac").make(tmp_path / "a.mp4"), tmp_path, FFV1)
    large = made.plan.encoding.model_copy(update={"width": 640, "height": 480})
    ledger, frames = Ledger.at(made.store, "job"), [noise(one) for one in range(3)]
    encoded = [keep_segment(ledger, large, Range(0, 3), frames[::way], tmp_path) for way in (1, -1)]
    made.records = again_and_again(made, encoded)
    local = made.stitch()
    stitcher = Stitcher(str(made.source), made.store, "job", f"s3://{s3_bucket}/out")
    assert isinstance(stitcher.output, S3Store)

    def half() -> Iterator[SegmentRecord]:
        yield from made.records[:25]
        raise BreaksOff

    with requests(stitcher.output) as asked, pytest.raises(BreaksOff):
        list(stitcher.stitch(made.film, made.plan, made.timing, half()))
    sent = asked["UploadPart"]
    assert sent >= 1
    assert stitcher.output.stat("a.mkv") is None
    with requests(stitcher.output) as asked:
        *_, facts = stitcher.stitch(made.film, made.plan, made.timing, made.records)
    assert facts == local
    assert stitcher.output.read(made.plan.file) == made.path.read_bytes()
    parts = -(-local.bytes // PART)
    assert (asked["CreateMultipartUpload"], asked["UploadPart"]) == (0, parts - sent)


def test_a_full_disk_is_told_and_nothing_is_handed_over(tmp_path: Path) -> None:
    made = reel(Recipe(frames=40).make(tmp_path / "a.mp4"), tmp_path, H264, EDGES)
    whole = made.stitch().bytes
    made.path.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # First what holds a segment is too small, then what holds the deliverable.
    cases: tuple[tuple[int, type[FarmError], str], ...] = (
        (1000, NodeFault, "cannot write in .*make room there"),
        (whole - 1000, BadStore, "Cannot write .*a.mp4: "),
    )
    for room, kind, told in cases:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            with pytest.raises(kind, match=told):
                made.stitch()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(made.output.iterdir()) == []


@pytest.mark.parametrize("container", [Container.MOV, Container.MP4])
def test_a_thousand_seams_drift_by_nothing(tmp_path: Path, container: Container) -> None:
    source = Recipe(frames=2000, size=(64, 48), options={"preset": "ultrafast"}).make(tmp_path / "a.mp4")
    made = reel(source, tmp_path, MP4.model_copy(update={"container": container}))
    ledger, frames = Ledger.at(made.store, "job"), Recipe(frames=8, size=(64, 48))
    encoded = [
        keep_segment(ledger, made.plan.encoding, Range(0, 2), map(frames.frame, (2 * one, 2 * one + 1)), tmp_path)
        for one in range(4)
    ]
    made.records = again_and_again(made, encoded)
    assert len(made.records) == 1000
    made.stitch()
    with av.open(str(made.path)) as media:
        stream = media.streams.video[0]
        packets = [one for one in media.demux(stream) if one.size]
        times = sorted((one.pts or 0) * one.time_base for one in packets)
        assert times == [number * Fraction(1001, 24000) for number in range(2000)]
        assert stream.duration
        assert stream.time_base
        assert stream.duration * stream.time_base == 2000 * Fraction(1001, 24000)
        assert stream.average_rate == Fraction(24000, 1001)
