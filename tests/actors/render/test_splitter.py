"""Chunks split at random boundaries, with handles, decode to frames bit-identical to a serial decode of the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import av
import pytest
from av.packet import Packet
from av.video.stream import VideoStream

from actors.media.chunk_reader import read_chunk
from actors.media.container import opened_at
from actors.render.chunk_files import ChunkCutter
from actors.render.splitter import Splitter, runs
from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia, ChunkFailed
from jobs.film.frame_index import FrameIndex
from jobs.ledger.ledger import Ledger
from jobs.plan.plan import Range
from jobs.records.orders import SplitOrder, SplitRecord
from jobs.store import open_store
from tests.actors.cutting import clip, order_of, random_reads, surveyed
from tests.films import KINDS, Recipe, fingerprint, read_number, serial

REAL = {
    "audio-first.mp4": 5,
    "av1.mkv": 4,
    "bt709-full-range.mp4": 3,
    "chaplin.mp4": 3,
    "h264-10bit.mp4": 8,
    "hevc-10bit.mp4": 8,
    "nasa-multistream.mp4": 6,
    "no-duration.webm": 2,
    "vfr-rotated.mp4": 2,
}
"""Real clips, and into how many chunks each is split; the longer ones are run by hand."""


def splitting(source: Path, store: Path, orders: Sequence[SplitOrder], threads: int = 0) -> list[SplitRecord]:
    return list(Splitter(str(source), str(store), "job", threads).split(orders))


def media_of(store: Path, record: SplitRecord) -> bytes:
    media = Ledger.at(str(store), "job").read(record.media.key)
    assert media is not None
    assert len(media) == record.media.bytes
    return media


def check(source: Path, store: Path, parts: int, seed: int, form: Literal["packets", "ffv1"] | None = None) -> None:
    """Split the film at random places and compare every frame of every chunk with a serial decode."""
    film, index = surveyed(source)
    whole = serial(source, film.picture.stream)
    assert len(whole) == index.frames
    orders = [order_of(film, index, read, n, form) for n, read in enumerate(random_reads(index.frames, parts, seed), 1)]
    for order, record in zip(orders, splitting(source, store, orders), strict=True):
        assert record.digest == order.digest
        frames = [fingerprint(frame) for frame in read_chunk(media_of(store, record), order)]
        assert frames == whole[order.read.start : order.read.stop], order.read


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name, recipe in KINDS.items():
        recipe.make(folder / name)
    return folder


@pytest.mark.parametrize("form", [None, "packets", "ffv1"])
@pytest.mark.parametrize("kind", KINDS)
def test_chunks_decode_as_the_whole_film_does(
    films: Path, tmp_path: Path, kind: str, form: Literal["packets", "ffv1"] | None
) -> None:
    for seed, parts in enumerate((3, 9, 20)):
        check(films / kind, tmp_path / str(seed), parts, seed, form)


@pytest.mark.parametrize("name", REAL)
def test_chunks_of_real_clips_decode_as_the_whole_clip_does(tmp_path: Path, name: str) -> None:
    check(clip(name), tmp_path, REAL[name], seed=1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_has_its_own_number(films: Path, tmp_path: Path, kind: str) -> None:
    film, index = surveyed(films / kind)
    orders = [order_of(film, index, read, n) for n, read in enumerate(random_reads(index.frames, 5, 7), 1)]
    hidden = KINDS[kind].hidden
    for order, record in zip(orders, splitting(films / kind, tmp_path, orders), strict=True):
        numbers = [read_number(frame) - hidden for frame in read_chunk(media_of(tmp_path, record), order)]
        assert numbers == list(range(*order.read))


@pytest.mark.parametrize("kind", ["h264-open.mkv", "h264-one-keyframe.mp4", "hevc-open.mp4", "prores.mov"])
def test_bytes_do_not_depend_on_company_or_threads(films: Path, tmp_path: Path, kind: str) -> None:
    film, index = surveyed(films / kind)
    orders = [order_of(film, index, read, n) for n, read in enumerate(random_reads(index.frames, 6, 3), 1)]
    together = splitting(films / kind, tmp_path / "a", orders, threads=2)
    alone = [splitting(films / kind, tmp_path / "b", [order], threads=1)[0] for order in reversed(orders)]
    assert together == alone[::-1]


def test_what_is_recorded_is_not_made_again(films: Path, tmp_path: Path) -> None:
    source = films / "h264-open.mkv"
    film, index = surveyed(source)
    orders = [order_of(film, index, read, n) for n, read in enumerate(random_reads(index.frames, 4, 3), 1)]
    first = splitting(source, tmp_path, orders[1:3])
    store = Ledger.at(str(tmp_path), "job").store
    for record in first:
        store.write(f"job/{record.media.key}", b"left alone")
    assert splitting(source, tmp_path, orders)[1:3] == first
    assert [store.read(f"job/{record.media.key}") for record in first] == [b"left alone"] * 2


def test_what_is_recorded_and_has_vanished_is_made_again_with_the_same_bytes(films: Path, tmp_path: Path) -> None:
    source = films / "h264-open.mkv"
    film, index = surveyed(source)
    order = order_of(film, index, Range(5, 25))
    (first,) = splitting(source, tmp_path, [order])
    store = Ledger.at(str(tmp_path), "job").store
    whole = store.read(f"job/{first.media.key}")
    store.delete(f"job/{first.media.key}")
    assert splitting(source, tmp_path, [order]) == [first]
    assert store.read(f"job/{first.media.key}") == whole


def test_media_without_a_record_are_recorded_as_they_lie(films: Path, tmp_path: Path) -> None:
    source = films / "h264-closed.mp4"
    film, index = surveyed(source)
    order = order_of(film, index, Range(3, 20))
    ledger = Ledger.at(str(tmp_path), "job")
    ledger.store.write(f"job/chunks/{order.digest}.mkv", b"made by another libav")
    (record,) = splitting(source, tmp_path, [order])
    assert record.media.bytes == len(b"made by another libav")


def test_a_source_that_changed_is_refused(tmp_path: Path) -> None:
    source = Recipe().make(tmp_path / "a.mp4")
    film, index = surveyed(source)
    Recipe(gop=10).make(source)
    with pytest.raises(BadMedia, match="was changed since its survey"):
        splitting(source, tmp_path / "store", [order_of(film, index, Range(3, 20))])


@pytest.mark.parametrize(
    ("change", "words"), [({"first_pts": 99}, "no longer holds the keyframe"), ({"stream": 7}, "no longer has")]
)
def test_an_order_for_other_packets_is_refused(films: Path, tmp_path: Path, change: dict[str, int], words: str) -> None:
    source = films / "h264-closed.mp4"
    film, index = surveyed(source)
    order = order_of(film, index, Range(30, 40)).model_copy(update=change)
    with pytest.raises(BadMedia, match=words):
        splitting(source, tmp_path, [order])


def test_an_order_with_other_stamps_is_refused(films: Path, tmp_path: Path) -> None:
    source = films / "h264-closed.mp4"
    film, index = surveyed(source)
    order = order_of(film, index, Range(0, 20))
    swapped = order.model_copy(update={"stamps": tuple(range(len(order.stamps)))})
    with pytest.raises(BadMedia, match="does not hold the packets that were surveyed"):
        splitting(source, tmp_path, [swapped])


def test_an_order_beyond_the_end_is_refused(films: Path, tmp_path: Path) -> None:
    source = films / "ffv1-gray.mkv"
    film, index = surveyed(source)
    order = order_of(film, index, Range(40, 48))
    longer = order.model_copy(update={"stamps": (*order.stamps, len(order.stamps))})
    with pytest.raises(ChunkFailed, match="not all frames from 40 to 47 can be read"):
        splitting(source, tmp_path, [longer])


def test_neighbours_are_one_reading(films: Path) -> None:
    film, index = surveyed(films / "h264-one-keyframe.mp4")
    orders = [order_of(film, index, Range(start, start + 12), form="ffv1") for start in range(0, 96, 12)]
    assert [len(run) for run in runs(orders)] == [8]
    # A gap of whole groups of pictures is not read.
    film, index = surveyed(films / "h264-closed.mp4")
    orders = [order_of(film, index, Range(start, start + 12), form="packets") for start in (0, 12, 36)]
    assert [len(run) for run in runs(orders)] == [2, 1]
    assert [len(run) for run in runs([orders[0], orders[1].model_copy(update={"form": "ffv1"})])] == [1, 1]


def test_one_keyframe_is_decoded_once_for_all_chunks(films: Path, tmp_path: Path) -> None:
    film, index = surveyed(films / "h264-one-keyframe.mp4")
    orders = [order_of(film, index, Range(start, start + 16), form="ffv1") for start in range(0, 96, 12) if start < 80]
    read: list[int] = []

    def counted(packets: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
        for packet in packets:
            read.append(packet.size)
            yield packet

    with opened_at(str(films / "h264-one-keyframe.mp4"), 0, orders[0].first, orders[0].first_pts) as (stream, packets):
        made = [order for order, _ in ChunkCutter("the film", orders, stream, tmp_path).cut(counted(packets))]
    assert made == orders
    assert len(orders) == 7
    assert len(read) <= 96


def test_ffv1_chunks_are_intra_and_keep_full_range(tmp_path: Path) -> None:
    source = clip("bt709-full-range.mp4")
    film, index = surveyed(source)
    assert film.picture.pix_fmt == "yuvj420p"
    order = order_of(film, index, Range(20, 24), form="ffv1")
    (record,) = splitting(source, tmp_path / "store", [order])
    path = tmp_path / "chunk.mkv"
    path.write_bytes(media_of(tmp_path / "store", record))
    with av.open(str(path)) as chunk:
        stream = chunk.streams.video[0]
        assert stream.codec_context.name == "ffv1"
        assert all(packet.is_keyframe for packet in chunk.demux(stream) if packet.size)
    assert {frame.color_range for frame in read_chunk(path.read_bytes(), order)} == {2}


def test_two_chunks_that_read_the_same_frames_share_their_media(films: Path, tmp_path: Path) -> None:
    film, index = surveyed(films / "h264-closed.mp4")
    orders = [order_of(film, index, Range(3, 9), number) for number in (1, 2)]
    first, second = splitting(films / "h264-closed.mp4", tmp_path, [*orders])
    assert first == second


def test_a_film_in_s3_is_split_into_s3(films: Path, s3_bucket: str) -> None:
    source = films / "h264-open.mkv"
    store = open_store(f"s3://{s3_bucket}/farm")
    store.write("film.mkv", source.read_bytes())
    url = f"s3://{s3_bucket}/farm/film.mkv"
    surveyor = Surveyor(url)
    film, index = surveyor.film(), FrameIndex(list(surveyor.pages()), complete=True)
    orders = [order_of(film, index, read, n) for n, read in enumerate(random_reads(index.frames, 3, 4), 1)]
    splitter = Splitter(url, store.url, "job")
    for order, record in zip(orders, splitter.split(orders), strict=True):
        with closing(store.open(f"job/{record.media.key}")) as media:
            frames = [fingerprint(frame) for frame in read_chunk(media, order)]
        assert frames == serial(source)[order.read.start : order.read.stop]
