"""Tiny Darknet: its published layers, batch norms and all, and one sentence for another file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from actors.training.darknet import EPSILON, SLOPE, STAGES, halved, load_encoder
from jobs.errors import BadInput
from tests.actors.training.darknets import write_darknet


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Weights whose batch norms do something."""
    path = write_darknet(tmp_path / "features.safetensors")
    maker = torch.Generator().manual_seed(8)
    found = load_file(path)
    changed = {
        name: 0.5 + torch.rand(one.shape, generator=maker) for name, one in found.items() if name.startswith("batch")
    }
    save_file(found | changed, path)
    return path


def as_published(found: dict[str, Tensor], x: Tensor) -> list[Tensor]:
    maps, number = [], 0
    for stage, row in enumerate(STAGES):
        x = F.max_pool2d(x, 2) if stage else x
        for span, _ in row:
            number += 1
            norm = f"batch_normalization_{number}"
            x = F.conv2d(x, found[f"conv2d_{number}/kernel"].permute(3, 2, 0, 1), padding=span // 2)
            mean, variance, gain, shift = (
                found[f"{norm}/{name}"] for name in ("moving_mean", "moving_variance", "gamma", "beta")
            )
            x = F.leaky_relu(F.batch_norm(x, mean, variance, gain, shift, eps=EPSILON), SLOPE)
        maps.append(x)
    return maps


def test_folded_it_sees_what_the_published_network_sees(file: Path) -> None:
    picture = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    encoder = load_encoder(file)
    assert not any(one.requires_grad for one in encoder.parameters())
    wanted = as_published(load_file(file), picture)
    assert [tuple(one.shape[1:]) for one in wanted] == [
        (16, 32, 48),
        (32, 16, 24),
        (128, 8, 12),
        (256, 4, 6),
        (512, 2, 3),
    ]
    for made, true in zip(encoder(picture), wanted, strict=True):
        torch.testing.assert_close(made, true, rtol=1e-3, atol=1e-3 * float(true.abs().max()))


def test_halving_takes_the_largest_of_four() -> None:
    x = torch.rand(2, 5, 6, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(halved(x), F.max_pool2d(x, 2))


def test_a_kernel_of_another_shape_is_refused(file: Path) -> None:
    save_file(load_file(file) | {"conv2d_2/kernel": torch.zeros(5, 5, 16, 32)}, file)
    with pytest.raises(BadInput, match=r"^course\.features = .*: not Tiny Darknet's published weights") as error:
        load_encoder(file)
    assert "\n" not in str(error.value)
