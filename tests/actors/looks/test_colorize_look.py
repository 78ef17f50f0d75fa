"""The look "colorize" as the farm uses it: one answer for a frame whatever its company, and the film's own chroma where it is kept."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from actors.looks import fit, hire
from actors.picture.colour import Quantiser
from actors.picture.frame_batches import FrameBatch
from jobs.film.source import Colour
from jobs.spec.job import LookChoice

CPU = torch.device("cpu")
SCALE = Quantiser(Colour(matrix="bt709", full_range=False, primaries=1, transfer=1, space=1, assumed=False), 8)


def film(frames: int, *, colour: bool = True) -> list[FrameBatch]:
    """Frames of 72x128 pixels: a picture that moves, one frame to a batch."""
    maker = torch.Generator().manual_seed(11)
    wide = torch.randint(30, 220, (72, 128 + frames), generator=maker, dtype=torch.uint8)
    chroma = torch.randint(90, 160, (2, 36, 64), generator=maker, dtype=torch.uint8)
    return [
        FrameBatch(wide[None, :, n : n + 128], (chroma[:1], chroma[1:]) if colour else None, SCALE)
        for n in range(frames)
    ]


def batched(batches: list[FrameBatch], size: int) -> Iterator[FrameBatch]:
    for start in range(0, len(batches), size):
        some = batches[start : start + size]
        chroma = [torch.cat([one.chroma[k] for one in some if one.chroma]) for k in (0, 1)] if some[0].chroma else None
        yield FrameBatch(torch.cat([one.luma_NHW for one in some]), (chroma[0], chroma[1]) if chroma else None, SCALE)


def pictures(batches: list[FrameBatch], batch: int = 8, **settings: Any) -> Tensor:
    look = hire(fit(LookChoice(name="colorize", settings={"size": 128, **settings})), CPU)
    return torch.cat(list(look.render(batched(batches, batch))))


def test_a_frame_has_one_answer_alone_in_a_batch_and_in_any_chunk() -> None:
    batches = film(13)
    whole = pictures(batches, 8, steady=0)
    assert torch.equal(pictures(batches, 1, steady=0), whole)
    assert torch.equal(pictures(batches[4:9], 3, steady=0), whole[4:9])
    assert torch.equal(pictures(batches[6:7], 8, steady=0)[0], whole[6])


@pytest.mark.parametrize("steady", [1, 2])
def test_with_its_context_a_chunk_equals_the_whole(steady: int) -> None:
    batches = film(13)
    support = fit(LookChoice(name="colorize", settings={"steady": steady})).support
    assert (support.context, support.warmup, support.dissolve) == (steady, 0, 0)
    whole = pictures(batches, steady=steady)
    assert torch.equal(pictures(batches[5 - steady : 9 + steady], steady=steady)[steady:-steady], whole[5:9])


def test_strength_nought_keeps_the_films_own_chroma_exactly() -> None:
    batches = film(5)
    own = torch.cat([one.differences() for one in batches])
    assert torch.equal(pictures(batches, strength=0.0), own)
    assert not torch.equal(pictures(batches, strength=0.5), own)


def test_saturation_scales_the_colour() -> None:
    batches = film(3)
    full, half, none = (pictures(batches, saturation=one) for one in (1.0, 0.5, 0.0))
    torch.testing.assert_close(half, full * 0.5)
    assert none.abs().max() == 0
    assert full.abs().max() > 0


def test_black_stays_black() -> None:
    black = [FrameBatch(torch.full((1, 72, 128), 16, dtype=torch.uint8), None, SCALE)]
    assert pictures(black).abs().max() < 1e-3


def test_the_films_chroma_does_not_sway_the_network() -> None:
    assert torch.equal(pictures(film(2)), pictures(film(2, colour=False)))
