"""The looks themselves, through compose and FFV1 and back: a colouriser never touches luma, and at strength 0 the source comes back."""

from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from actors.encode.segment_writer import SegmentWriter, encoding_for
from actors.looks import fit, hire
from actors.media.planes import Plane, planes_of
from actors.picture.compose import compose
from actors.picture.frame_batches import batches_of
from actors.picture.generator import Generator
from jobs.film.source import Picture
from jobs.spec.codecs import Codec
from jobs.spec.formats import Deliverable
from jobs.spec.job import LookChoice
from tests.actors.looks.styles import tensors, write
from tests.actors.picture.test_compose import random_frames
from tests.paper import film_of, picture_of

CPU = torch.device("cpu")
COLOUR = [f"yuv{chroma}p{end}" for chroma in (420, 422, 444) for end in ("", "10le", "12le")]
GREY = ["gray", "gray10le", "gray12le"]


@cache
def colorize(strength: float) -> Generator:
    """The colouriser as a job hires it, on small pictures."""
    return hire(fit(LookChoice(name="colorize", settings={"size": 128, "steady": 0, "strength": strength})), CPU)


def delivered(folder: Path, look: Generator, film: Picture, frames: list[av.VideoFrame]) -> list[list[Plane]]:
    """The planes of each frame, as a player decodes them from the FFV1 deliverable."""
    paper = encoding_for(film_of(film), Deliverable(codec=Codec.FFV1), grey_stays_grey=False)
    batches = list(batches_of(frames, film, 8, CPU))
    pictures = torch.cat(list(look.render(batch for _, batch in batches)))
    with SegmentWriter(paper, folder / "a.mkv") as writer:
        for made in compose(frames, pictures, look.domain, film, paper):
            writer.write(made)
    with av.open(str(folder / "a.mkv"), "r") as container:
        return [[one.copy() for one in planes_of(frame)] for frame in container.decode(video=0)]


@pytest.mark.parametrize("strength", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", COLOUR + GREY)
def test_the_colouriser_never_touches_luma(tmp_path: Path, pix_fmt: str, full: bool, strength: float) -> None:
    film, frames = picture_of(pix_fmt, full=full), random_frames(pix_fmt, 2)
    made = delivered(tmp_path, colorize(strength), film, frames)
    for found, frame in zip(made, frames, strict=True):
        assert np.array_equal(found[0], planes_of(frame)[0])
        assert found[0].dtype == planes_of(frame)[0].dtype
    if strength:
        neutral = 2 ** (film.depth - 1)
        assert any((plane != neutral).any() for plane in made[0][1:])


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", COLOUR + GREY)
def test_neutral_chroma_and_strength_0_give_the_source_back(tmp_path: Path, pix_fmt: str, full: bool) -> None:
    film, frames = picture_of(pix_fmt, full=full), random_frames(pix_fmt, 2)
    neutral = 2 ** (film.depth - 1)
    for frame in frames:
        for plane in planes_of(frame)[1:]:
            plane[:] = neutral
    for found, frame in zip(delivered(tmp_path, colorize(0.0), film, frames), frames, strict=True):
        assert np.array_equal(found[0], planes_of(frame)[0])
        assert [np.unique(plane).tolist() for plane in found[1:]] == [[neutral], [neutral]]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", COLOUR)
def test_strength_0_gives_a_coloured_source_back(tmp_path: Path, pix_fmt: str, full: bool) -> None:
    film, frames = picture_of(pix_fmt, full=full), random_frames(pix_fmt, 2)
    for found, frame in zip(delivered(tmp_path, colorize(0.0), film, frames), frames, strict=True):
        assert all(np.array_equal(*pair) for pair in zip(found, planes_of(frame), strict=True))


def style(folder: Path, **settings: Any) -> Generator:
    path = write(folder / "style.safetensors", tensors())
    return hire(fit(LookChoice(name="fast-style", settings={"weights": str(path), "strength": 0, **settings})), CPU)


@pytest.mark.parametrize("pix_fmt", COLOUR + GREY)
def test_a_style_on_luma_alone_gives_the_source_back_at_strength_0(tmp_path: Path, pix_fmt: str) -> None:
    film, frames = picture_of(pix_fmt), random_frames(pix_fmt, 1)
    (found,) = delivered(tmp_path, style(tmp_path, keep_chroma=True), film, frames)
    own = planes_of(frames[0])
    assert all(np.array_equal(*pair) for pair in zip(found[: len(own)], own, strict=True))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le", "yuv444p12le", *GREY])
def test_a_style_at_strength_0_gives_colours_that_can_be_shown_back(tmp_path: Path, pix_fmt: str, full: bool) -> None:
    # Its pictures are R'G'B' of 0..1: what the source says beyond, and chroma's finer grain, it does not promise.
    film, frames = picture_of(pix_fmt, full=full), random_frames(pix_fmt, 1)
    top, own = 2**film.depth, planes_of(frames[0])
    own[0][:] = own[0] * 0.2 + 0.4 * top
    for plane in own[1:]:
        plane[:] = plane * 0.1 + 0.45 * top
    (found,) = delivered(tmp_path, style(tmp_path), film, frames)
    assert all(np.array_equal(*pair) for pair in zip(found[: len(own)], own, strict=True))
