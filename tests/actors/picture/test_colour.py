"""Colour arithmetic: exact round trips at every depth, matrix and range; known colours land where the standards say."""

import pytest
import torch

from actors.picture.colour import Quantiser, from_differences, to_differences
from jobs.film.source import Colour

COLOURS = [
    Colour(matrix=matrix, full_range=full, primaries=1, transfer=1, space=1, assumed=False)
    for matrix in ("bt601", "bt709", "bt2020")
    for full in (False, True)
]


@pytest.mark.parametrize("depth", [8, 10, 12, 16])
@pytest.mark.parametrize("colour", COLOURS, ids=lambda one: f"{one.matrix}-{'full' if one.full_range else 'limited'}")
def test_every_integer_survives_the_round_trip(colour: Colour, depth: int) -> None:
    scale = Quantiser(colour, depth)
    values = torch.arange(2**depth, dtype=torch.int32)
    assert torch.equal(scale.integers(scale.luma_levels(scale.luma_floats(values))).to(torch.int32), values)
    pairs = torch.stack([values, values.flip(0)])[None, :, None, :]
    back = scale.integers(scale.difference_levels(scale.difference_floats(pairs)))
    assert torch.equal(back.to(torch.int32), pairs)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("colour", COLOURS, ids=lambda one: f"{one.matrix}-{'full' if one.full_range else 'limited'}")
def test_neutral_is_no_difference_and_black_is_zero(colour: Colour, depth: int) -> None:
    scale = Quantiser(colour, depth)
    neutral = torch.full((1, 2, 1, 1), 2 ** (depth - 1))
    assert scale.difference_floats(neutral).abs().max() == 0
    black = 0 if colour.full_range else 16 << (depth - 8)
    white = 2**depth - 1 if colour.full_range else 235 << (depth - 8)
    assert scale.luma_floats(torch.tensor([black, white])).tolist() == [0, 1]


def test_pure_red_in_bt709_limited_8_bit() -> None:
    # ITU-R BT.709: 100 % red is (Y', Cb, Cr) = (63, 102, 240).
    colour = COLOURS[2]
    scale = Quantiser(colour, 8)
    luma, differences = to_differences(torch.tensor([1.0, 0.0, 0.0])[None, :, None, None], colour)
    assert int(scale.integers(scale.luma_levels(luma))) == 63
    assert scale.integers(scale.difference_levels(differences)).flatten().tolist() == [102, 240]


def test_levels_are_rounded_and_held_within_the_depth() -> None:
    levels = torch.tensor([-3.0, 0.4, 0.6, 254.6, 300.0, 1022.6, 2000.0])
    assert Quantiser(COLOURS[0], 8).integers(levels).tolist() == [0, 0, 1, 255, 255, 255, 255]
    assert Quantiser(COLOURS[0], 10).integers(levels).tolist() == [0, 0, 1, 255, 300, 1023, 1023]


@pytest.mark.parametrize("colour", COLOURS)
def test_rgb_survives_the_matrix(colour: Colour) -> None:
    rgb = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(from_differences(*to_differences(rgb, colour), colour), rgb)
