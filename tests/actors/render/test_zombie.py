"""A worker that comes back after its chunk, or its deliverable, was given to another writes the same bytes, or loses; and memory that runs out costs half a batch, not the chunk."""

import gc
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from actors.picture.generator import BATCH
from actors.render.renderer import Renderer
from jobs.errors import FarmError
from jobs.ledger.ledger import Ledger
from jobs.records.deliverables import DeliverableFacts
from jobs.records.orders import FramesRendered, SegmentRecord
from jobs.spec.codecs import Codec, Container
from jobs.spec.formats import Deliverable
from tests.actors.deliver.test_finisher import Run
from tests.actors.reels import reel
from tests.actors.render.test_renderer import FFV1, frames_of, look_of, orders, records
from tests.films import Recipe, serial


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=24).make(tmp_path_factory.mktemp("film") / "film.mp4")


def test_a_zombie_writes_the_same_bytes_and_its_record_is_the_first(source: Path, tmp_path: Path) -> None:
    look = look_of("test-window", radius=2, declared=2)
    (order,) = orders(source, tmp_path, look, 24, FFV1)
    zombie = Renderer(str(tmp_path), "film", [look], 1).render([order])
    assert isinstance(next(zombie), FramesRendered), "it is in the middle of its chunk"
    (first,) = records(tmp_path, look, [order])
    kept = {path: path.read_bytes() for path in (tmp_path / "film").rglob("*") if path.is_file()}
    (late,) = [one for one in zombie if isinstance(one, SegmentRecord)]
    assert late == first
    assert {path: path.read_bytes() for path in (tmp_path / "film").rglob("*") if path.is_file()} == kept


def test_a_zombie_whose_pictures_differ_loses(source: Path, tmp_path: Path) -> None:
    # As on other hardware: the same order, other bytes.
    look = look_of("test-moody")
    (order,) = orders(source, tmp_path, look, 24, FFV1)
    zombie = Renderer(str(tmp_path), "film", [look], 1).render([order])
    assert len(list(islice(zombie, 1))) == 1
    (first,) = records(tmp_path, look, [order])
    (late,) = [one for one in zombie if isinstance(one, SegmentRecord)]
    assert late == first, "the record that was there first holds"
    ledger = Ledger.at(str(tmp_path), "film")
    media = set(ledger.names("media/"))
    assert len(media) == 2, "what the zombie made lies under a hash of its own"
    assert ledger.record(first.digest) == first
    assert first.media.key in media


@pytest.mark.parametrize("where", ["folder", "s3"])
@pytest.mark.parametrize("seen", [int, DeliverableFacts], ids=["while it joins", "before it proves"])
def test_a_finisher_that_comes_late_does_not_replace_a_newer_film(
    source: Path, tmp_path: Path, request: pytest.FixtureRequest, where: str, seen: type
) -> None:
    output = f"s3://{request.getfixturevalue('s3_bucket')}/out" if where == "s3" else str(tmp_path / "output")
    first = Run(reel(source, tmp_path, Deliverable(codec=Codec.FFV1), (7,)), output)
    first.page(first.made.records, whole=True)
    zombie = first.begun()
    assert any(isinstance(word, seen) for word in zombie), "it is in the middle of its work"
    # Another run of the job, of a spec that makes another file of that name.
    newer = Run(reel(source, tmp_path, Deliverable(codec=Codec.H264, container=Container.MKV, crf=40), (7,)), output)
    records = [one.model_copy(update={"digest": f"{one.frames.start:039d}a"}) for one in newer.made.records]
    newer.page(records, whole=True)
    assert newer.finish().conforms
    delivered = {key: newer.output.read(key) for key in newer.files()}
    with pytest.raises(FarmError):
        list(zombie)
    # What it made itself may be left where it is swept: under unproven/, by its own digest.
    named = [key for key in newer.files() if not key.startswith("unproven/")]
    assert {key: newer.output.read(key) for key in named} == delivered


@pytest.mark.parametrize("most", [1, 3])
def test_where_memory_runs_out_the_batch_is_halved(source: Path, tmp_path: Path, most: int) -> None:
    look = look_of("test-hungry", most=most)
    wanted = orders(source, tmp_path, look, 12, FFV1)
    worker = Renderer(str(tmp_path), "film", [look], 1)
    made = [one for one in worker.render(wanted) if isinstance(one, SegmentRecord)]
    assert worker.batch == (2 if most == 3 else 1)
    assert frames_of(tmp_path, made) == serial(source)


@pytest.mark.parametrize(
    "says",
    [
        "MemoryError",
        "CUDA out of memory. Tried to allocate 20.00 MiB",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.",
    ],
)
def test_memory_that_runs_out_is_known_by_its_words(source: Path, tmp_path: Path, says: str) -> None:
    look = look_of("test-hungry", most=4, says=says)
    worker = Renderer(str(tmp_path), "film", [look], 1)
    made = list(worker.render(orders(source, tmp_path, look, 24, FFV1)))
    assert (worker.batch, sum(isinstance(one, SegmentRecord) for one in made)) == (4, 1)


def test_what_ran_out_of_memory_is_freed_before_it_is_begun_again(source: Path, tmp_path: Path) -> None:
    look = look_of("test-hungry", most=1)
    worker = Renderer(str(tmp_path), "film", [look], 1)
    wanted = orders(source, tmp_path, look, 24, FFV1)
    gc.disable()  # the memory is needed at once, not when the collector comes by
    try:
        list(worker.render(wanted))
    finally:
        gc.enable()
    hungry: Any
    (hungry,) = worker.generators.values()
    assert len(hungry.refused) == 3  # at 8, 4 and 2 frames
    assert hungry.held == [0, 0, 0, 0]


def test_another_error_halves_nothing(source: Path, tmp_path: Path) -> None:
    look = look_of("test-hungry", most=4, says="CUDA error: an illegal memory access was encountered")
    worker = Renderer(str(tmp_path), "film", [look], 1)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        list(worker.render(orders(source, tmp_path, look, 24, FFV1)))
    assert worker.batch == BATCH


def test_where_one_frame_is_too_much_it_is_another_workers(source: Path, tmp_path: Path) -> None:
    look = look_of("test-hungry", most=0)
    with pytest.raises(torch.OutOfMemoryError):
        records(tmp_path, look, orders(source, tmp_path, look, 12, FFV1))
