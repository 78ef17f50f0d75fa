"""For: the colourising network. Promises: independence, restraint, strict loading. Refuses to know: films."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import actors.looks.colorize
from actors.looks.colorize import data
from actors.looks.colorize.darknet import load_encoder
from actors.looks.colorize.losses import SATURATION, ColorLoss, bins, rebalanced
from actors.looks.colorize.measure import curve, middle, verdict
from actors.looks.colorize.network import STAGES, ColorNet, Encoder, folded, load_network
from actors.looks.colorize.train import Trainer

WEIGHTS = Path(actors.looks.colorize.__file__).with_name("weights.safetensors")
FEATURES = Path(__file__).resolve().parents[4] / "shared/weights/tiny-darknet-imagenet.safetensors"
DTYPES = (torch.float32, torch.bfloat16)


def luma(count: int, height: int = 64, width: int = 96) -> Tensor:
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(3))


def laid_out(network: ColorNet, pictures: Tensor, dtype: torch.dtype) -> tuple[ColorNet, Tensor]:
    last = torch.channels_last
    return network.to(dtype).to(memory_format=last), pictures.to(dtype).contiguous(memory_format=last)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def published() -> ColorNet:
    return load_network(WEIGHTS, "cpu")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "weights.safetensors"
    save_file(ColorNet().state_dict(), path)
    return path


@pytest.fixture
def darknet(tmp_path: Path) -> Path:
    """A file with Tiny Darknet's names and shapes and values of no meaning."""
    generator, tensors, channels = torch.Generator().manual_seed(1), {}, 3
    for number, (size, out) in enumerate((layer for row in STAGES for layer in row), 1):
        norm = f"batch_normalization_{number}"
        spread = (2 / (channels * size * size)) ** 0.5
        tensors[f"conv2d_{number}/kernel"] = spread * torch.randn(size, size, channels, out, generator=generator)
        tensors |= {f"{norm}/gamma": torch.full((out,), 1.5), f"{norm}/beta": torch.full((out,), 0.1)}
        tensors |= {f"{norm}/moving_mean": torch.full((out,), 0.2), f"{norm}/moving_variance": torch.full((out,), 2.0)}
        channels = out
    path = tmp_path / "darknet.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return path


def test_two_differences_for_each_pixel(published: ColorNet) -> None:
    assert published(luma(2)).shape == (2, 2, 64, 96)


def test_sizes_that_do_not_halve_five_times_are_refused(published: ColorNet) -> None:
    with pytest.raises(ValueError, match="multiples of 32, not 64 and 100"):
        published(luma(1, 64, 100))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_frame_does_not_depend_on_its_batch(dtype: torch.dtype, count: int) -> None:
    network, pictures = laid_out(load_network(WEIGHTS, "cpu"), luma(8, 96, 160), dtype)
    with torch.inference_mode():
        alone = torch.cat([network(pictures[at : at + 1]) for at in range(8)])
        together = torch.cat([network(pictures[at : at + count]) for at in range(0, 8, count)])
    assert torch.equal(alone, together)


def test_the_weights_fit_the_house(published: ColorNet) -> None:
    assert WEIGHTS.stat().st_size <= 20e6
    assert not any(parameter.requires_grad for parameter in published.parameters())
    assert not published.training


@pytest.mark.parametrize("level", [0.0, 0.02, 0.5, 1.0])
def test_plain_greys_stay_nearly_neutral(published: ColorNet, level: float) -> None:
    found = published(torch.full((1, 1, 64, 64), level)).abs()
    assert torch.isfinite(found).all()
    assert found.max() <= min(0.35, 8 * level * 0.35)


def test_black_has_no_colour_whatever_surrounds_it(published: ColorNet) -> None:
    pictures = luma(1)
    pictures[..., 16:32, 16:32] = 0
    assert published(pictures)[..., 16:32, 16:32].abs().max() == 0


def test_bfloat16_tells_nearly_the_same(published: ColorNet) -> None:
    coarse, pictures = laid_out(load_network(WEIGHTS, "cpu"), luma(2), torch.bfloat16)
    assert (coarse(pictures).float() - published(pictures.float())).abs().mean() < 0.02


def test_a_saved_network_loads(file: Path) -> None:
    assert torch.equal(load_network(file, "cpu").last.weight, load_file(file)["last.weight"])


def test_a_truncated_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"weights\.safetensors is not a whole safetensors file"):
        load_network(file, "cpu")


def test_a_missing_tensor_is_refused(file: Path) -> None:
    tensors = load_file(file)
    del tensors["last.bias"]
    save_file(tensors, file)
    with pytest.raises(ValueError, match=r"lacks 1 tensors of this network, the first 'last\.bias'"):
        load_network(file, "cpu")


def test_an_unknown_tensor_is_refused(file: Path) -> None:
    save_file(load_file(file) | {"more": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match="has 1 tensors this network does not know, the first 'more'"):
        load_network(file, "cpu")


def test_a_wrong_shape_is_refused(file: Path) -> None:
    save_file(load_file(file) | {"last.bias": torch.zeros(9)}, file)
    with pytest.raises(ValueError, match=r"'last\.bias' has the shape \(9,\), not \(8,\)"):
        load_network(file, "cpu")


def test_folding_batch_norms_changes_no_picture() -> None:
    torch.manual_seed(0)
    trained = ColorNet(norm=True)
    for _ in range(3):
        trained(luma(4))
    plain = ColorNet()
    plain.load_state_dict(folded(trained.state_dict()))
    pictures = luma(2)
    assert torch.allclose(plain(pictures), trained.eval()(pictures), atol=1e-5)


def test_a_grey_encoder_sees_what_the_rgb_encoder_sees_of_grey(darknet: Path) -> None:
    pictures = luma(2)
    grey, rgb = load_encoder(darknet, 1)(pictures), load_encoder(darknet, 3)(pictures.expand(-1, 3, -1, -1))
    for one, other in zip(grey, rgb, strict=True):
        assert torch.allclose(one, other, atol=1e-3, rtol=1e-3)


def test_chroma_and_luma_compose_the_picture_again() -> None:
    rgb = torch.rand(2, 3, 8, 8)
    assert torch.allclose(data.compose(data.luma(rgb), data.chroma(rgb)), rgb, atol=1e-5)


def test_ageing_keeps_the_range_and_repeats() -> None:
    rgb = torch.rand(16, 3, 32, 32)
    one, other = (data.aged(rgb, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, other)
    assert one.shape == (16, 1, 32, 32)
    assert 0 <= one.min() <= one.max() <= 1


def test_rare_colours_weigh_more() -> None:
    colours = torch.zeros(1, 2, 32, 32)
    colours[..., 0, 0] = 0.4
    weights = rebalanced(colours)
    assert weights[bins(colours)[0, 0, 0]] > 20 * weights[bins(colours)[0, 5, 5]]


def test_perfect_chroma_costs_nothing() -> None:
    torch.manual_seed(0)
    loss = ColorLoss(Encoder(3), torch.ones(169))
    colours = torch.rand(1, 2, 32, 32) - 0.5
    assert loss.chroma(colours, colours) == 0 < loss.chroma(colours + 0.1, colours)
    assert loss.meaning(rgb := torch.rand(1, 3, 32, 32), rgb) == 0


def test_a_curve_begins_at_grey(published: ColorNet) -> None:
    pictures = [np.random.default_rng(0).integers(0, 256, (80, 70, 3), np.uint8)]
    points, truth = curve(published, pictures, None)
    assert points[0].strength == 0
    assert points[0].colourfulness == pytest.approx(0, abs=0.01)
    assert truth > 50
    assert verdict(points[:1], truth) == float("inf")


def test_the_middle_is_cut_to_multiples() -> None:
    picture = np.zeros((100, 230, 3), np.uint8)
    assert middle(picture, None).shape == (1, 3, 96, 224)
    assert middle(picture, 192).shape == (1, 3, 192, 416)


def synthetic(count: int, seed: int) -> Tensor:
    """Blue above, green below, as bright as chance will have it: N 3 64 64."""
    bright = 0.4 + 0.4 * torch.rand(count, 1, 1, 1, generator=torch.Generator().manual_seed(seed))
    tops, bottoms = torch.tensor([0.5, 0.7, 1.0]), torch.tensor([0.3, 0.6, 0.2])
    halves = [bright * colour[:, None, None].expand(count, 3, 32, 64) for colour in (tops, bottoms)]
    return torch.cat(halves, 2)


def test_twenty_steps_lower_the_loss_and_can_be_gone_on_from(darknet: Path) -> None:
    batch = synthetic(4, 0)
    trainer = Trainer.begin(darknet, data.chroma(batch) * SATURATION)
    losses = [trainer.learn(synthetic(4, seed), 0.0)["chroma"] for seed in range(20)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    again = Trainer.begin(darknet, data.chroma(batch) * SATURATION)
    again.resume(trainer.state())
    again.seed.set_state(trainer.seed.get_state())
    assert again.step == trainer.step
    assert again.learn(batch, 0.0) == trainer.learn(batch, 0.0)


@pytest.mark.skipif(not FEATURES.exists(), reason="../shared/weights is not here")
def test_the_published_darknet_loads() -> None:
    maps = load_encoder(FEATURES, 3)(torch.rand(1, 3, 64, 64))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (16, 64, 64),
        (32, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
    ]
