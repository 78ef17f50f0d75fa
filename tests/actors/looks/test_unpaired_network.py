"""The networks of the look "unpaired": any size, and nothing taken from the whole picture."""

import pytest
import torch
from torch import Tensor

from actors.looks.unpaired.generator import in_bands
from actors.looks.unpaired.look import Shape
from actors.looks.unpaired.network import Translator, UnpairedCritic, smallest_side

SMALL = Shape(width=4, blocks=1)


@pytest.fixture
def network() -> Translator:
    """One whose every layer counts."""
    torch.manual_seed(3)
    made = Translator(SMALL).eval().requires_grad_(False)
    torch.nn.init.normal_(made.last.weight, std=0.05)
    return made


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(("height", "width"), [(32, 48), (17, 23), (30, 5), (1, 1)])
def test_any_size_is_kept(network: Translator, height: int, width: int) -> None:
    made = network(picture(height, width))
    assert made.shape == (1, 3, height, width)
    assert made.dtype == torch.float32
    assert made.min() >= -0.1
    assert made.max() <= 1.1


def test_a_pixel_depends_on_what_lies_within_reach_and_on_nothing_else(network: Translator) -> None:
    whole = picture(160, 16)
    changed = whole.clone()
    changed[:, :, :40] = 1 - changed[:, :, :40]
    away = (network(changed) - network(whole)).abs().amax((0, 1, 3))
    assert away[40 + network.reach :].max() == 0
    assert away[:40].min() > 0
    assert away[40 + network.reach // 2 - 4] > 0, "and the reach is not far more than it must be"


@pytest.mark.parametrize("pixels", [1, 16 * 20, 16 * 36])
def test_bands_are_what_they_are_in_the_whole_picture(network: Translator, pixels: int) -> None:
    whole = picture(90, 16)
    torch.testing.assert_close(in_bands(network, whole, pixels), network(whole), atol=1e-5, rtol=0)
    two = torch.cat([whole, 1 - whole])
    torch.testing.assert_close(in_bands(network, two, 2 * pixels)[:1], in_bands(network, whole, pixels))


def test_bands_without_their_surroundings_would_show(network: Translator) -> None:
    whole = picture(90, 16)
    network.reach = 0
    assert (in_bands(network, whole, 16 * 20) - network(whole)).abs().max() > 1e-3


@pytest.mark.parametrize(("halvings", "patch"), [(1, 16), (2, 34), (3, 70)])
def test_a_critic_judges_patches(halvings: int, patch: int) -> None:
    torch.manual_seed(1)
    shown = torch.rand(1, 3, 96, 96, requires_grad=True)
    judged = UnpairedCritic(4, halvings)(shown)
    judged[0, 0, judged.shape[2] // 2, judged.shape[3] // 2].backward()
    assert shown.grad is not None
    seen = shown.grad.abs().sum((0, 1)).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [patch, patch]


@pytest.mark.parametrize("halvings", [1, 2, 3, 4])
def test_the_smallest_crop_still_has_a_patch(halvings: int) -> None:
    side = smallest_side(halvings)
    assert UnpairedCritic(4, halvings)(torch.rand(1, 3, side, side)).shape == (1, 1, 1, 1)


def test_a_critics_kernels_but_the_last_keep_a_spectral_norm_of_one() -> None:
    torch.manual_seed(1)
    critic = UnpairedCritic(8, 2)
    for parameter in critic.parameters():
        parameter.data.mul_(50)
    with torch.no_grad():
        for _ in range(60):
            critic(torch.rand(1, 3, 24, 24))
    *held, free = critic.kernels
    assert isinstance(free, torch.nn.Conv2d)
    assert free.weight.abs().max() > 1
    for kernel in held:
        assert isinstance(kernel, torch.nn.Conv2d)
        assert torch.linalg.matrix_norm(kernel.weight.detach().flatten(1), 2).item() == pytest.approx(1, abs=0.02)
