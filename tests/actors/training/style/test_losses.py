"""The style course's losses, on tensors whose answers are known."""

from pathlib import Path

import pytest
import torch

from actors.training.darknet import load_encoder
from actors.training.style.losses import content_distance, glare, gram, style_distance, variation
from actors.training.style.style_features import COARSEST, STAGES, StyleDistance
from tests.actors.training.darknets import write_darknet


def test_a_gram_matrix_is_what_channels_have_in_common() -> None:
    # Two channels of 1x2: (1, 2) and (3, 4); C H W = 4.
    found = gram(torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]]))
    assert torch.equal(found, torch.tensor([[[5.0, 11.0], [11.0, 25.0]]]) / 4)


def test_a_gram_matrix_does_not_know_where_things_lie() -> None:
    map_NCHW = torch.randn(2, 5, 6, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(gram(map_NCHW.flip(-1).flip(-2)), gram(map_NCHW))
    torch.testing.assert_close(gram(torch.cat([map_NCHW, map_NCHW], -1)), gram(map_NCHW))


def test_the_distance_to_a_style_is_a_share_of_it() -> None:
    wanted = [torch.eye(2)[None], 100 * torch.eye(3)[None]]
    distances = [style_distance([one * share for one in wanted], wanted).tolist() for share in (1.0, 0.0, 3.0)]
    assert distances == [[[0.0, 0.0]], [[1.0, 1.0]], [[4.0, 4.0]]]
    assert style_distance([wanted[0], 0 * wanted[1]], wanted).tolist() == [[0.0, 1.0]]


def test_the_distance_to_what_is_shown_knows_places_and_no_palette() -> None:
    own = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    assert content_distance(own, own).tolist() == [0.0, 0.0]
    assert content_distance(30 * own - 4, own).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert content_distance(-own, own).tolist() == pytest.approx([4, 4], abs=0.02)
    assert content_distance(torch.zeros_like(own), own).tolist() == pytest.approx([1, 1], abs=0.01)
    assert content_distance(own.roll(5, -1), own).tolist() == pytest.approx([2, 2], abs=0.4)


def test_variation_is_the_mean_square_of_steps() -> None:
    checks = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).expand(1, 3, 2, 2)
    assert float(variation(checks)) == 2.0
    assert float(variation(torch.full((1, 3, 4, 4), 0.3))) == 0.0
    assert float(variation(torch.tensor([[0.0, 0.5]]).expand(1, 3, 2, 2))) == 0.25


def test_glare_is_what_lies_beyond_black_and_white() -> None:
    assert glare(torch.tensor([[[[3.0, -3.0]]], [[[5.0, -4.0]]]])).tolist() == [0.0, 2.5]


def test_the_judge_tells_styles_apart_and_knows_its_own(tmp_path: Path) -> None:
    encoder = load_encoder(write_darknet(tmp_path / "features.safetensors"))
    maker = torch.Generator().manual_seed(4)
    grain = torch.rand(1, 3, 48, 64, generator=maker)
    stripes = (torch.arange(64) // 4 % 2).float().expand(1, 3, 48, 64)
    judge = StyleDistance(encoder, [grain, stripes])
    maps = judge.maps(torch.cat([grain, stripes]))
    assert [one.shape[-2:] for one in maps] == [(48 // 2**n - 2, 64 // 2**n - 2) for n in range(STAGES)]
    assert 2 ** (STAGES - 1) == COARSEST
    assert judge.style(maps, torch.tensor([0, 1])).max() < 1e-3
    crossed = judge.style(maps, torch.tensor([1, 0]))
    assert crossed.mean(1).min() > 0.3
    plain = style_distance([gram(one) for one in maps], [gram(one).flip(0) for one in maps])  # as Gatys has it
    torch.testing.assert_close(crossed[:, STAGES:], plain, rtol=0.02, atol=1e-4)
