"""The proof against the source: what a reader, a composer or an encoder gets wrong does not conform, in any codec, and what is right does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from actors.media.chunk_reader import read_chunk
from actors.media.verified import proven
from actors.picture.device import sent
from actors.picture.frame_batches import batches_of
from actors.render.renderer import CUT, Batch, Renderer
from farm.fleet.calls import PoolSpec
from jobs.records.orders import RenderOrder
from jobs.records.report import Conform
from tests.farm.inline import InlineFleet, rendered
from tests.farm.studio import spec_of
from tests.films import Recipe, plane_of

FRAMES, CHUNK = 24, 8
CODECS: list[dict[str, Any]] = [
    {"codec": "ffv1"},
    {"codec": "h264", "preset": "veryfast"},
    {"codec": "h264", "preset": "veryfast", "container": "hls"},
    {"codec": "hevc", "preset": "ultrafast", "depth": 10},
    {"codec": "prores"},
    {"codec": "dnxhr"},
    {"codec": "dpx"},
    {"codec": "png"},
]
DELIVERABLES = [{**one, "name": f"{number} {one['codec']}"} for number, one in enumerate(CODECS)]

Spoil = Callable[[VideoFrame, VideoFrame], VideoFrame]
"""What becomes of a frame, given it and the one before it."""


def changed(frame: VideoFrame, change: Callable[[list[np.ndarray]], list[np.ndarray]]) -> VideoFrame:
    """A copy of a frame with its planes changed."""
    made = VideoFrame(frame.width, frame.height, frame.format.name)
    bits = frame.format.components[0].bits
    planes = change([plane_of(one, bits).astype(np.int64) for one in frame.planes])
    for plane, values in zip(made.planes, planes, strict=True):
        plane_of(plane, bits)[:] = values.clip(0, 2**bits - 1)
    return made


SPOILT: dict[str, Spoil] = {
    "the neighbour": lambda frame, before: changed(before, lambda planes: planes),
    "samples and 255": lambda frame, before: changed(frame, lambda planes: [one & 255 for one in planes]),
    "luma by 16": lambda frame, before: changed(frame, lambda planes: [planes[0] + 64, *planes[1:]]),
    "a pixel aside": lambda frame, before: changed(frame, lambda planes: [np.roll(planes[0], 1, 1), *planes[1:]]),
    "another range": lambda frame, before: changed(frame, lambda planes: [planes[0] * 876 // 1023 + 64, *planes[1:]]),
    "Cb for Cr": lambda frame, before: changed(frame, lambda planes: [planes[0], planes[2], planes[1]]),
}
COLORIZE = {"name": "colorize", "settings": {"size": 128}}
AT_FRAME = CHUNK
"""The first frame of the second chunk."""


class Misreading(Renderer):
    """A renderer whose reading spoils one frame, at a seam."""

    def __init__(self, fault: str, *args: Any) -> None:
        super().__init__(*args)
        self._spoil = SPOILT[fault]

    def _read(self, orders: Iterable[RenderOrder]) -> Iterator[Batch | None]:  # type: ignore[override]
        for place, order in enumerate(orders):
            if place:
                yield CUT
            with proven(self.ledger, order.media, order.split.digest) as media:
                frames = self._spoilt(read_chunk(media, order.split, 1), order)
                with closing(frames):  # type: ignore[type-var]
                    for run, frame_batch in batches_of(frames, order.film.picture, self.batch, self.device):
                        yield Batch(run, frame_batch, sent(self.device))

    def _spoilt(self, frames: Iterator[VideoFrame], order: RenderOrder) -> Iterator[VideoFrame]:
        before: VideoFrame | None = None
        for number, frame in enumerate(frames, order.read.start):
            # A chunk of `none` is read by itself: the frame before its first is of the film's own making.
            yield self._spoil(frame, before or Recipe(**FILM).frame(number - 1)) if number == AT_FRAME else frame
            before = frame


class Misread(InlineFleet):
    """A fleet whose renderers spoil a frame."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self._fault = fault

    def hire(self, pools: Iterable[PoolSpec]) -> None:
        super().hire(self._spoiling(pool) if pool.name == "renderer" else pool for pool in pools)

    def _spoiling(self, pool: PoolSpec) -> PoolSpec:
        return replace(pool, made_of=f"{__name__}:{Misreading.__name__}", args=(self._fault, *pool.args))


FILM: dict[str, Any] = {
    "frames": FRAMES,
    "size": (256, 128),
    "codec": "ffv1",
    "pix_fmt": "yuv420p10le",
    "rate": Fraction(24),
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(**FILM).make(tmp_path_factory.mktemp("film") / "a.mkv")


def proofs(source: Path, folder: Path, fleet: InlineFleet | None = None, **fields: Any) -> dict[str, Conform]:
    spec = spec_of(source, folder, **{"chunk_seconds": 0.34, "deliverables": DELIVERABLES, **fields})
    return {one.file: one for one in rendered(spec, fleet).report().deliverables}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_frame_that_was_spoilt_is_named_in_every_codec(film: Path, tmp_path: Path, fault: str) -> None:
    found = proofs(film, tmp_path, Misread(fault))
    assert len(found) == len(DELIVERABLES)
    for file, proof in found.items():
        assert not proof.conforms, file
        assert all(one.startswith(f"frame {AT_FRAME} ") for one in proof.findings), (file, proof.findings)


def test_what_is_right_conforms_and_tells_what_was_compared(film: Path, tmp_path: Path) -> None:
    for file, proof in proofs(film, tmp_path).items():
        assert proof.conforms, (file, proof.findings)
        assert proof.source is not None
        lossless = file.endswith(".mkv")
        assert (proof.source.equal, proof.source.near) == ((FRAMES, 0) if lossless else (0, FRAMES))
        assert (proof.source.compared, proof.source.decoded, proof.source.unread) == (FRAMES, FRAMES, 0)
        assert proof.source.edges == 4
        assert (proof.source.difference == 0) == lossless


def test_shots_are_held_to_what_their_own_looks_keep(film: Path, tmp_path: Path) -> None:
    half = {"frames": [0, 16], "look": {"name": "none"}}
    spec: dict[str, Any] = {
        "look": COLORIZE,
        "overrides": [half],
        "deliverables": [{"name": "a", "codec": "ffv1"}],
    }
    (clean,) = proofs(film, tmp_path / "clean", **spec).values()
    assert clean.conforms
    assert clean.source is not None
    assert clean.source.equal == FRAMES
    # Chroma is held where the look is none, and luma everywhere.
    (spoilt,) = proofs(film, tmp_path / "chroma", Misread("Cb for Cr"), **spec).values()
    assert [one.partition(" is ")[0] for one in spoilt.findings] == [f"frame {AT_FRAME}"]
    turned: dict[str, Any] = {**spec, "overrides": [{**half, "look": COLORIZE}], "look": {"name": "none"}}
    (free,) = proofs(film, tmp_path / "free", Misread("Cb for Cr"), **turned).values()
    assert free.conforms
    (bright,) = proofs(film, tmp_path / "luma", Misread("luma by 16"), **turned).values()
    assert bright.findings[0].startswith(f"frame {AT_FRAME} is not the source's own: its luma is off by up to 16")


def test_few_keyframes_bound_what_is_decoded_and_all_means_every_frame(tmp_path: Path) -> None:
    source = Recipe(frames=720, size=(64, 48), gop=1000).make(tmp_path / "a.mp4")
    fields: dict[str, Any] = {"chunk_seconds": 4, "shots": {"detect": "adaptive", "threshold": 1000}}
    one = [{"name": "a", "codec": "ffv1"}]
    (few,) = proofs(source, tmp_path, **fields, deliverables=one).values()
    (every,) = proofs(source, tmp_path, **fields, deliverables=one, inspect="all").values()
    assert few.source is not None
    assert every.source is not None
    assert 0 < few.source.compared < few.source.decoded <= 240
    assert every.source.compared == every.source.equal == 720
    with av.open(str(source)) as media:
        assert sum(packet.is_keyframe for packet in media.demux(video=0) if packet.size) == 1
