"""The renderer: media first, then the record; a chunk renders as it would inside the whole film; the first record wins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from actors.encode.segment_writer import encoding_for
from actors.looks import fit, generator_name
from actors.looks.none import NoneLook, NoneSettings
from actors.looks.package import LookDocument, write_package
from actors.picture.generator import BATCH
from actors.render.renderer import Finding, Renderer
from actors.render.segments import hardware, on_gpu
from actors.render.splitter import Splitter
from actors.survey.surveyor import Surveyor
from jobs.errors import BadLook, FilmFailed, NodeFault
from jobs.film.frame_index import FrameIndex
from jobs.film.source import Film
from jobs.ledger.hardware import PAPER, Hardware, kinds_of
from jobs.ledger.ledger import Ledger, still_name
from jobs.plan.plan import Look, Plan, Range, Shot
from jobs.records.orders import DeviceUsage, FramesRendered, RenderOrder, SegmentRecord, split_order
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from jobs.spec.job import LookChoice
from tests.films import Recipe, serial

CPU = torch.device("cpu")
H264, FFV1 = Deliverable(codec=Codec.H264, preset="ultrafast"), Deliverable(codec=Codec.FFV1)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=50, open_gop=True).make(tmp_path_factory.mktemp("film") / "film.mp4")


def look_of(name: str, **settings: Any) -> Look:
    return fit(LookChoice(name=name, settings=settings))


def orders(source: Path, store: Path, look: Look, target: int, *deliverables: Deliverable) -> list[RenderOrder]:
    """The film as one shot, split, with an order for each chunk."""
    surveyor = Surveyor(str(source))
    film: Film = surveyor.film()
    index = FrameIndex(list(surveyor.pages()), complete=True)
    plan = Plan(target)
    plan.grow([Shot(1, Range(0, index.frames), look)])
    splits = [split_order(film, chunk, index.span(*chunk.read)) for chunk in plan.chunks]
    records = list(Splitter(str(source), str(store), "film").split(splits))
    encodings = tuple(encoding_for(film, one, not look.adds_colour) for one in deliverables)
    return [
        RenderOrder(
            chunk=chunk.number, core=chunk.core, read=chunk.read, dissolve=chunk.dissolve,
            look=look, film=film, split=split, media=record.media, encodings=encodings,
        )
        for chunk, split, record in zip(plan.chunks, splits, records, strict=True)
    ]  # fmt: skip


def rendered(store: Path, look: Look, wanted: list[RenderOrder]) -> Iterator[Finding]:
    return Renderer(str(store), "film", [look], 1).render(wanted)


def records(store: Path, look: Look, wanted: list[RenderOrder]) -> list[SegmentRecord]:
    return [one for one in rendered(store, look, wanted) if isinstance(one, SegmentRecord)]


def frames_of(store: Path, made: list[SegmentRecord]) -> list[str]:
    return [frame for record in made for frame in serial(store / "film" / record.media.key)]


def test_segments_tile_the_film_and_none_gives_it_back(source: Path, tmp_path: Path) -> None:
    look = look_of("none")
    wanted = orders(source, tmp_path, look, 16, FFV1)
    made = records(tmp_path, look, wanted)
    assert [record.frames for record in made] == [order.core for order in wanted]
    assert frames_of(tmp_path, made) == serial(source)


def test_progress_is_told_in_frames_done(source: Path, tmp_path: Path) -> None:
    look = look_of("none")
    (order,) = orders(source, tmp_path, look, 50, FFV1)
    words = list(rendered(tmp_path, look, [order]))
    told = [word.done for word in words if isinstance(word, FramesRendered)]
    assert told == sorted(told)
    assert told[-1] == 50
    assert len(told) == len(set(told))
    assert isinstance(words[-1], SegmentRecord), "the record comes last"


@pytest.mark.parametrize("target", [50, 25, 17, 11])
def test_a_chunk_renders_as_it_would_in_the_whole_film(source: Path, tmp_path: Path, target: int) -> None:
    look = look_of("test-window", radius=5, declared=5)
    whole = frames_of(tmp_path, records(tmp_path, look, orders(source, tmp_path, look, 50, FFV1)))
    parts = frames_of(tmp_path, records(tmp_path, look, orders(source, tmp_path, look, target, FFV1)))
    assert parts == whole
    short = look_of("test-window", radius=5, declared=4)
    cut = frames_of(tmp_path, records(tmp_path, short, orders(source, tmp_path, short, target, FFV1)))
    assert (cut == whole) is (target == 50)


def test_one_rendering_serves_every_encoding_and_leaves_a_still(source: Path, tmp_path: Path) -> None:
    look = look_of("test-negative")
    (order,) = orders(source, tmp_path, look, 50, FFV1, H264)
    made = records(tmp_path, look, [order])
    assert {record.digest for record in made} == {order.digest(one) for one in order.encodings}
    stills = [tmp_path / "film" / still_name(record.digest) for record in made]
    assert all(path.read_bytes().startswith(b"\xff\xd8") for path in stills)


def test_a_late_twin_loses_to_the_first_record(source: Path, tmp_path: Path) -> None:
    look = look_of("none")
    (order,) = orders(source, tmp_path, look, 50, FFV1)
    (first,) = records(tmp_path, look, [order])
    ledger = Ledger.at(str(tmp_path), "film")
    late = ledger.keep(first.model_copy(update={"seconds": 999.0}))
    assert late == first
    assert list(rendered(tmp_path, look, [order])) == [first], "what is kept is not rendered again"


def test_a_failed_rendering_leaves_no_record(source: Path, tmp_path: Path) -> None:
    look = look_of("test-broken", how="nan")
    wanted = orders(source, tmp_path, look, 50, FFV1)
    with pytest.raises(FilmFailed, match="no numbers"):
        records(tmp_path, look, wanted)
    ledger = Ledger.at(str(tmp_path), "film")
    assert ledger.record(wanted[0].digest(wanted[0].encodings[0])) is None
    assert not list(ledger.names("media/"))


class OnCuda(NoneLook):
    """A look that onnxruntime runs on a GPU, as far as records tell."""

    runtime = "onnxruntime CUDAExecutionProvider"


def test_records_say_what_ran_a_look_where_that_was_not_torch(source: Path, tmp_path: Path) -> None:
    look = look_of("none")
    for place, generator in ((tmp_path / "torch", None), (tmp_path / "onnx", OnCuda(NoneSettings(), None, CPU))):
        (order,) = orders(source, place, look, 1000, FFV1)
        worker = Renderer(str(place), "film", [look], 1)
        if generator:
            worker.generators[generator_name(look)] = generator
        found = list(worker.render([order]))
        told = {one.made_on for one in found if isinstance(one, SegmentRecord | DeviceUsage)}
        assert told == {hardware(CPU) + (f", {OnCuda.runtime}" if generator else "")}


def test_a_job_of_one_kind_of_hardware_is_not_gone_on_with_on_another(source: Path, tmp_path: Path) -> None:
    look = look_of("none")
    first, second = orders(source, tmp_path, look, 25, FFV1)
    own, ledger = hardware(torch.device("cpu")), Ledger.at(str(tmp_path), "film")
    list(Renderer(str(tmp_path), "film", [look], 1, alone=True).render([first]))
    assert ledger.paper(PAPER, Hardware) == Hardware(kind=next(iter(kinds_of(own))))
    ledger.keep_paper(PAPER, Hardware(kind="NVIDIA L4"), only_if_absent=False)
    with pytest.raises(NodeFault, match="the job is rendered on NVIDIA L4"):
        list(Renderer(str(tmp_path), "film", [look], 1, alone=True).render([second]))
    assert list(Renderer(str(tmp_path), "film", [look], 1).render([second])), "and where others may be, it is"


def test_what_changes_bits_on_a_gpu_is_in_its_name_where_it_is_not_as_usual() -> None:
    assert on_gpu("NVIDIA L4", BATCH) == "NVIDIA L4"
    assert on_gpu("NVIDIA L4", BATCH // 2) == "NVIDIA L4, batches of 4"
    assert hardware(torch.device("cpu"), batch=1) == hardware(torch.device("cpu")), "a processor's bits know no batch"


def test_broken_weights_are_refused_when_a_worker_starts(tmp_path: Path) -> None:
    paper = LookDocument(name="broken", kind="colorize", domain="chroma", licence="MIT", files={})
    place = write_package(str(tmp_path / "broken"), paper, {"weights.safetensors": b"\0" * 64}).place
    with pytest.raises(BadLook, match=r"weights\.safetensors"):
        Renderer(str(tmp_path), "film", [look_of(place)], 1)
