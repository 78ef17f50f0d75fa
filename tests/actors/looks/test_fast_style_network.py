"""The style networks: any of the family loads and gives what a plain reference gives, in bands as in one piece; others are refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor

from actors.looks.fast_style.bands import stylised
from actors.looks.fast_style.network import load_network
from tests.actors.looks.styles import Tensors, faithful, reference, tensors, write

CPU = torch.device("cpu")
PUBLISHED = Path(__file__).resolve().parents[4] / "shared/weights"
STYLES = sorted(PUBLISHED.glob("fast-style-*.safetensors"))
WHOLE = 2**30


def picture(height: int, width: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Waves and grain in three channels, 13HW, between `low` and `high`."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([np.sin(x / 5 + y / 9), np.cos(y / 4), np.sin((x - y) / 7)])
    grain = np.random.default_rng(2).normal(0, 0.1, waves.shape)
    unit = np.clip(0.5 + 0.4 * waves + grain, 0, 1)
    return torch.from_numpy(low + (high - low) * unit).float()[None]


def run(path: Path, picture_13HW: Tensor, dtype: torch.dtype = torch.float32, pixels: int = WHOLE) -> Tensor:
    with torch.inference_mode():
        return stylised(load_network(path, CPU, dtype), picture_13HW, pixels)


def expected(found: Tensors, picture_13HW: Tensor) -> Tensor:
    height, width = picture_13HW.shape[-2:]
    made = reference(found, picture_13HW[0].permute(1, 2, 0).double().numpy() * 255)[-height:, -width:] / 255
    return torch.from_numpy(made).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize(("height", "width"), [(40, 56), (41, 54), (38, 55), (43, 53), (4, 4), (1, 9)])
def test_it_gives_what_the_reference_gives_at_any_size(tmp_path: Path, height: int, width: int) -> None:
    found = tensors()
    made = run(write(tmp_path / "s.safetensors", found), picture(height, width))
    assert made.shape == (1, 3, height, width)
    torch.testing.assert_close(made, expected(found, picture(height, width)), rtol=0, atol=0.02 / 255)


@pytest.mark.parametrize(("widths", "blocks"), [((2, 4, 8), 0), ((3, 5, 7), 1), ((16, 8, 4), 7)])
def test_other_widths_and_numbers_of_blocks_load_as_they_are(
    tmp_path: Path, widths: tuple[int, int, int], blocks: int
) -> None:
    found = tensors(widths, blocks)
    path = write(tmp_path / "s.safetensors", found)
    assert len(load_network(path, CPU, torch.float32).blocks) == blocks
    torch.testing.assert_close(run(path, picture(24, 36)), expected(found, picture(24, 36)), rtol=0, atol=0.02 / 255)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("height", "width", "pixels"), [(96, 64, 8 * 64), (97, 61, 13 * 61), (99, 50, 1)])
def test_in_bands_it_is_what_it_is_in_one_piece(
    tmp_path: Path, height: int, width: int, pixels: int, dtype: torch.dtype
) -> None:
    path = write(tmp_path / "s.safetensors", tensors())
    # Another brightness in each part of the picture: norms of a band alone would show.
    shown = picture(height, width) * torch.linspace(0.1, 1, height)[:, None]
    whole = run(path, shown, dtype)
    assert whole.std() > 0.1
    assert (run(path, shown, dtype, pixels) - whole).abs().max() <= (1 / 255 if dtype is torch.bfloat16 else 1e-5)


def test_pictures_of_a_batch_do_not_touch_each_other(tmp_path: Path) -> None:
    path = write(tmp_path / "s.safetensors", tensors())
    pair = torch.cat([picture(32, 40), picture(32, 40, 0.5, 0.6).flip(-1)])
    for pixels in (WHOLE, 400):
        alone = torch.cat([run(path, pair[:1], pixels=pixels), run(path, pair[1:], pixels=pixels)])
        torch.testing.assert_close(run(path, pair, pixels=pixels), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.02), (0.85, 0.9)])
def test_bfloat16_is_as_good_to_the_eye(tmp_path: Path, low: float, high: float) -> None:
    path = write(tmp_path / "s.safetensors", tensors())
    shown = picture(64, 96, low, high)
    assert (run(path, shown, torch.bfloat16) - run(path, shown)).abs().mean() * 255 < 1


@pytest.mark.parametrize("surplus", range(4))
def test_the_picture_lies_where_it_lay_whatever_the_size(tmp_path: Path, surplus: int) -> None:
    path = write(tmp_path / "s.safetensors", faithful())
    height, width = 60 + surplus, 84 - surplus
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    spot = torch.exp(-((y - 30.0) ** 2 + (x - 45.0) ** 2) / 50)
    made = run(path, spot.expand(1, 3, -1, -1))[0, 0]
    weight = (made - made[20:40, 35:55].max() / 2 - made.median() / 2).relu()[15:45, 30:60]
    assert float((weight * y[15:45, 30:60]).sum() / weight.sum()) == pytest.approx(30, abs=0.2)
    assert float((weight * x[15:45, 30:60]).sum() / weight.sum()) == pytest.approx(45, abs=0.2)


def without(name: str) -> Tensors:
    return {one: tensor for one, tensor in tensors().items() if one != name}


def changed(name: str, shape: tuple[int, ...]) -> Tensors:
    return tensors() | {name: np.zeros(shape, np.float32)}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: without("Variable_7"), "has no tensor 'Variable_7', but 'Variable_29'"),
        (lambda: without("Variable"), "has no tensor 'Variable', but 'Variable_29'"),
        (lambda: without("Variable_29"), "has 29 tensors; this family has three for each convolution"),
        (lambda: tensors() | {"extra": np.zeros(1, np.float32)}, "has no tensor 'Variable_30', but 'extra'"),
        (lambda: {"weight": np.zeros((3, 3), np.float32)}, "has no tensor 'Variable', but 'weight'"),
        (dict, "has 0 tensors"),
        (lambda: changed("Variable", (3, 3, 3, 4)), r"'Variable' has the shape \(3, 3, 3, 4\), where \(9, 9, 3, 4\)"),
        (lambda: changed("Variable_4", (5,)), r"'Variable_4' has the shape \(5,\), where \(6,\)"),
        (lambda: changed("Variable_9", (3, 3, 8)), r"'Variable_9' has the shape \(3, 3, 8\), where \(3, 3, 8, 8\)"),
        (lambda: changed("Variable_12", (3, 3, 8, 9)), r"'Variable_12' .* where \(3, 3, 8, 8\)"),
        (lambda: changed("Variable_21", (3, 3, 6, 7)), r"'Variable_21' .* where \(3, 3, 6, 8\)"),
        (lambda: changed("Variable_27", (9, 9, 4, 1)), r"'Variable_27' .* where \(9, 9, 4, 3\)"),
        (lambda: changed("Variable_3", (3, 3, 4, 0)), r"'Variable_3' has the shape \(3, 3, 4, 0\)"),
    ],
)
def test_what_is_not_of_the_family_is_refused_by_its_first_wrong_tensor(
    tmp_path: Path, make: Callable[[], Tensors], words: str
) -> None:
    path = write(tmp_path / "s.safetensors", make())
    with pytest.raises(ValueError, match=words) as error:
        load_network(path, CPU, torch.float32)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(not STYLES, reason="../shared/weights is not here")
@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.stem)
def test_published_networks_load_and_paint(path: Path) -> None:
    found = load_file(path)
    assert len(found) == 48
    assert len(load_network(path, CPU, torch.float32).blocks) == 5
    shown = picture(48, 64)
    made = run(path, shown)
    assert made.std() > 0.1
    assert (made - shown).abs().mean() > 0.05
    torch.testing.assert_close(made, expected(found, shown), rtol=0, atol=0.1 / 255)
