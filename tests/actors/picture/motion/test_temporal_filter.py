"""Steady chroma: calms flicker, stops at change, and looks no further than its radius."""

import pytest
import torch
from torch import Tensor

from actors.picture.motion.temporal_filter import steady

Frame = tuple[Tensor, Tensor]


def film(frames: int, seed: int = 3) -> list[Frame]:
    maker = torch.Generator().manual_seed(seed)
    still = torch.rand(1, 6, 8, generator=maker)
    return [
        (still + torch.rand(1, 6, 8, generator=maker) * 0.02, torch.rand(2, 6, 8, generator=maker))
        for _ in range(frames)
    ]


@pytest.mark.parametrize("radius", [0, 1, 2, 5])
@pytest.mark.parametrize("frames", [1, 2, 3, 11])
def test_one_picture_for_each_frame(frames: int, radius: int) -> None:
    assert len(list(steady(film(frames), radius))) == frames


def test_radius_nought_changes_nothing() -> None:
    frames = film(4)
    assert all(torch.equal(out, chroma) for out, (_, chroma) in zip(steady(frames, 0), frames, strict=True))


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_a_part_with_handles_equals_the_whole(radius: int) -> None:
    frames = film(40)
    whole = list(steady(frames, radius))
    part = list(steady(frames[12 - radius : 25 + radius], radius))[radius:-radius]
    assert all(torch.equal(a, b) for a, b in zip(part, whole[12:25], strict=True))
    short = list(steady(frames[12 - radius + 1 : 25 + radius], radius))[radius - 1 :]
    assert not torch.equal(short[0], whole[12])


def test_flicker_is_calmed_where_luma_stands_still() -> None:
    still = torch.full((1, 4, 4), 0.5)
    frames = [(still, torch.full((2, 4, 4), 0.1 * (-1) ** n)) for n in range(20)]
    calmed = list(steady(frames, 2))
    assert max(float(one.abs().max()) for one in calmed[2:-2]) < 0.05


def test_colour_does_not_smear_across_a_change_of_luma() -> None:
    frames = [(torch.full((1, 4, 4), float(n >= 5)), torch.full((2, 4, 4), float(n >= 5))) for n in range(10)]
    assert all(torch.equal(out, chroma) for out, (_, chroma) in zip(steady(frames, 3), frames, strict=True))
