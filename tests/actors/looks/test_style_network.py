"""The style network: what learns and what paints give one picture, in bands and batches, at any size; between two styles lie others."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from actors.looks.style.layers import ReflectConv, UpsampleConv
from actors.looks.style.look import StyleShape
from actors.looks.style.network import StyleNet, blended, styled
from tests.actors.looks.test_fast_style_network import picture

CPU = torch.device("cpu")
WHOLE = 2**30
SHAPE = StyleShape(widths=(4, 6, 8), blocks=2, styles=("day", "night"))


def network(seed: int = 7, shape: StyleShape = SHAPE) -> StyleNet:
    """Random kernels, and scales and shifts that differ from style to style."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = StyleNet(shape)
        for one in (*net.scales, *net.shifts):
            one.data += 0.4 * torch.randn_like(one)
    return net


def learnt(shown: Tensor, *weights: float) -> Tensor:
    """As it learns."""
    with torch.no_grad():
        made: Tensor = network()(shown, torch.tensor([weights], dtype=torch.float32).expand(len(shown), -1))
    return made


def paints(shown: Tensor, *weights: float, pixels: int = WHOLE, dtype: torch.dtype = torch.float32) -> Tensor:
    """As the look has it."""
    with torch.inference_mode():
        return styled(blended(network(), weights, CPU, dtype), shown, pixels)


def test_what_paints_gives_what_has_learnt() -> None:
    shown = picture(32, 44)
    for weights in ((1.0, 0.0), (0.3, 0.7)):
        made = paints(shown, *weights)
        assert made.std() > 0.05
        torch.testing.assert_close(made, learnt(shown, *weights), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 30), (17, 41), (35, 22)])
def test_a_picture_of_any_size_keeps_its_size_and_its_place(height: int, width: int) -> None:
    assert paints(picture(height, width), 1, 0).shape == (1, 3, height, width)
    shown = picture(64, 64)
    whole = paints(shown, 1, 0)
    # Statistics differ a little without the last rows; what is shown lies where it lay.
    assert (paints(shown[..., :62], 1, 0)[..., :40] - whole[..., :40]).abs().mean() < 0.01
    assert (whole[..., 1:41] - whole[..., :40]).abs().mean() > 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("height", "width", "pixels"), [(64, 40, 300), (61, 37, 500), (50, 36, 1)])
def test_in_bands_it_is_what_it_is_in_one_piece(height: int, width: int, pixels: int, dtype: torch.dtype) -> None:
    # Another brightness in each part of the picture: norms of a band alone would show.
    shown = picture(height, width) * torch.linspace(0.1, 1, height)[:, None]
    whole = paints(shown, 0.5, 0.5, dtype=dtype)
    banded = paints(shown, 0.5, 0.5, dtype=dtype, pixels=pixels)
    assert (banded - whole).abs().max() <= (1 / 255 if dtype is torch.bfloat16 else 1e-5)


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    pair = torch.cat([picture(32, 40), picture(32, 40, 0.5, 0.6).flip(-1)])
    alone = torch.cat([paints(pair[:1], 0.4, 0.6), paints(pair[1:], 0.4, 0.6)])
    torch.testing.assert_close(paints(pair, 0.4, 0.6), alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(learnt(pair, 0.4, 0.6), alone, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.02), (0.85, 0.9)])
def test_bfloat16_is_as_good_to_the_eye(low: float, high: float) -> None:
    shown = picture(64, 96, low, high)
    assert (paints(shown, 1, 0, dtype=torch.bfloat16) - paints(shown, 1, 0)).abs().mean() * 255 < 1.5


def test_between_two_styles_lies_a_way_without_steps() -> None:
    shown = picture(32, 40)
    made = [paints(shown, 1 - share, share) for share in torch.linspace(0, 1, 9).tolist()]
    steps = [float((one - other).abs().mean()) for one, other in pairwise(made)]
    assert sum(steps) > 0.05
    assert max(steps) < 2.5 * sum(steps) / len(steps)
    far = [float((one - made[0]).abs().mean()) for one in made]
    assert far == sorted(far)


def test_each_picture_of_a_batch_has_its_own_weights() -> None:
    shown = picture(16, 20)
    with torch.no_grad():
        pair = network()(shown.expand(2, -1, -1, -1), torch.eye(2))
    torch.testing.assert_close(pair, torch.cat([learnt(shown, 1, 0), learnt(shown, 0, 1)]), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        ReflectConv(torch.randn(2, 3, 9, 9)),
        ReflectConv(torch.randn(2, 3, 3, 3), 2),
        UpsampleConv(torch.randn(2, 3, 3, 3)),
    ],
)
@pytest.mark.parametrize("height", [9, 12])
def test_rows_of_a_layer_are_rows_of_the_whole(layer: ReflectConv | UpsampleConv, height: int) -> None:
    shown = torch.randn(1, 3, height, 10)
    tall, wide = layer.size(height, 10)
    whole = layer.made(shown, 0, tall, height)
    assert whole.shape[-2:] == (tall, wide)
    for start in range(tall):
        first, last = layer.rows(start, start + 1, height)
        row = layer.made(shown[:, :, first:last], start, start + 1, height)
        torch.testing.assert_close(row, whole[:, :, start : start + 1], rtol=0, atol=1e-4)


def test_styles_are_told_apart_by_their_names() -> None:
    with pytest.raises(ValueError, match="two styles have the same name"):
        StyleShape(styles=("day", "day"))
