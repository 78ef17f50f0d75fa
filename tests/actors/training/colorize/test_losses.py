"""The losses of the colouriser, on cases whose answers are known; and old film, which must stay film."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from actors.picture.image_metrics import de00, luma_of
from actors.training.colorize.critic import ColorizeCritic
from actors.training.colorize.film_degradation import OldFilm
from actors.training.colorize.losses import (
    bins,
    chroma_of,
    composed,
    critic_loss,
    edges,
    fooling_loss,
    matched,
    perceived,
    rebalanced,
)


def photos(count: int = 2, side: int = 32) -> Tensor:
    """Smooth patches of plausible colours."""
    coarse = torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    return F.interpolate(0.2 + 0.6 * coarse, (side, side), mode="bilinear")


def test_chroma_and_luma_compose_the_picture_again() -> None:
    rgb = photos()
    assert torch.allclose(composed(luma_of(rgb), chroma_of(rgb)), rgb, atol=1e-5)


def test_what_is_perceived_is_nearly_ciede2000() -> None:
    truth = photos(8)
    guess = composed(luma_of(truth), 0.5 * chroma_of(truth) + 0.03).clamp(0, 1)
    ours, theirs = perceived(guess, truth).mean((1, 2)), de00(guess, truth)
    assert torch.corrcoef(torch.stack((ours, theirs)))[0, 1] > 0.9
    assert 0.7 < float((ours / theirs).mean()) < 1.3


def test_equal_pictures_cost_no_more_than_the_root_does() -> None:
    assert torch.allclose(perceived(photos(), photos()), torch.tensor(0.5), atol=1e-3)


def test_every_picture_has_a_finite_gradient() -> None:
    colour = torch.zeros(3, 2, 4, 4, requires_grad=True)
    luma = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    perceived(composed(luma, colour), photos(3, 4)).sum().backward()  # type: ignore[no-untyped-call]
    assert colour.grad is not None
    assert colour.grad.isfinite().all()


def test_colours_outside_the_gamut_are_drawn_back() -> None:
    colour = torch.full((1, 2, 1, 1), 0.9, requires_grad=True)
    truth = torch.full((1, 3, 1, 1), 0.5)
    perceived(composed(torch.full((1, 1, 1, 1), 0.5), colour), truth).sum().backward()  # type: ignore[no-untyped-call]
    assert colour.grad is not None
    assert (colour.grad > 0).all()


def test_rare_colours_weigh_more() -> None:
    colours = torch.zeros(1, 2, 32, 32)
    colours[..., 0, 0] = 0.4
    weights = rebalanced(colours)
    assert weights[bins(colours)[0, 0, 0]] > 20 * weights[bins(colours)[0, 5, 5]]


def test_bleeding_over_an_edge_costs_and_bleeding_elsewhere_does_not() -> None:
    luma = torch.zeros(1, 1, 8, 8)
    luma[..., 4:] = 1
    sharp = torch.zeros(1, 2, 8, 8)
    sharp[..., 4:] = 0.2
    bled = torch.zeros(1, 2, 8, 8)
    bled[..., 2:] = 0.2
    assert edges(sharp, sharp, luma) == 0
    assert edges(bled, sharp, luma) > 0
    assert edges(bled, sharp, torch.zeros_like(luma)) == 0


@pytest.mark.parametrize(("form", "critic", "fooling"), [("log", 2 * math.log(2), math.log(2)), ("hinge", 2.0, 0.0)])
def test_an_undecided_critic_has_its_known_loss(form: str, critic: float, fooling: float) -> None:
    undecided = torch.zeros(2, 1, 3, 3)
    assert float(critic_loss(undecided, undecided, form)) == pytest.approx(critic)
    assert float(fooling_loss(undecided, form)) == pytest.approx(fooling)
    assert critic_loss(undecided + 2, undecided - 2, form) < critic_loss(undecided, undecided, form)


def test_the_critic_is_bounded_and_matches_its_own_maps() -> None:
    torch.manual_seed(1)
    critic = ColorizeCritic()
    shown = torch.cat((luma_of(photos(2, 64)), chroma_of(photos(2, 64))), 1)
    for _ in range(20):
        say, maps = critic(shown)
    assert say.shape == (2, 1, 8, 8)
    weights = [getattr(layer, "weight").detach().flatten(1) for layer in critic.layers]  # noqa: B009  a parametrised one
    norms = [torch.linalg.matrix_norm(one, 2) for one in weights]
    assert all(float(norm) == pytest.approx(1, abs=0.15) for norm in norms)
    assert matched(maps, maps) == 0 < matched(maps, [one + 1 for one in maps])


def test_old_film_keeps_the_range_and_repeats() -> None:
    rgb = photos(16)
    one, other, third = (OldFilm(16, seed).shot(rgb) for seed in (5, 5, 6))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)
    assert one.shape == (16, 1, 32, 32)
    assert 0 <= one.min() <= one.max() <= 1


def test_old_film_is_still_the_picture() -> None:
    rgb = photos(64)
    worn, luma = OldFilm(64, 1).shot(rgb).flatten(1), luma_of(rgb).flatten(1)
    alike = [float(torch.corrcoef(torch.stack(pair))[0, 1]) for pair in zip(worn, luma, strict=True)]
    assert sorted(alike)[len(alike) // 2] > 0.9
    assert min(alike) < 0.999


def test_worn_again_is_the_same_picture_worn_otherwise() -> None:
    film = OldFilm(8, 3)
    shown = film.shot(photos(8))
    again = film.again(shown[:2])
    assert again.shape == shown[:2].shape
    assert not torch.equal(again, shown[:2])
