"""The figures of an evaluation: they are the published ones, and float32 is as good as float64."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from actors.picture.image_metrics import (
    BAND,
    MOST_DB,
    chroma_psnr,
    chroma_rms,
    ciede2000,
    colourfulness,
    de00,
    lab,
    luma_of,
    psnr,
    ssim,
)

# Sharma, Wu and Dalal 2005, table 1: Lab, Lab, dE00.
PAIRS = [
    ((50.0000, 2.6772, -79.7751), (50.0000, 0.0000, -82.7485), 2.0425),
    ((50.0000, 3.1571, -77.2803), (50.0000, 0.0000, -82.7485), 2.8615),
    ((50.0000, 2.8361, -74.0200), (50.0000, 0.0000, -82.7485), 3.4412),
    ((50.0000, -1.3802, -84.2814), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, -1.1848, -84.8006), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, -0.9009, -85.5211), (50.0000, 0.0000, -82.7485), 1.0000),
    ((50.0000, 0.0000, 0.0000), (50.0000, -1.0000, 2.0000), 2.3669),
    ((50.0000, -1.0000, 2.0000), (50.0000, 0.0000, 0.0000), 2.3669),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0009), 7.1792),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0010), 7.1792),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0011), 7.2195),
    ((50.0000, 2.4900, -0.0010), (50.0000, -2.4900, 0.0012), 7.2195),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0009, -2.4900), 4.8045),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0010, -2.4900), 4.8045),
    ((50.0000, -0.0010, 2.4900), (50.0000, 0.0011, -2.4900), 4.7461),
    ((50.0000, 2.5000, 0.0000), (50.0000, 0.0000, -2.5000), 4.3065),
    ((50.0000, 2.5000, 0.0000), (73.0000, 25.0000, -18.0000), 27.1492),
    ((50.0000, 2.5000, 0.0000), (61.0000, -5.0000, 29.0000), 22.8977),
    ((50.0000, 2.5000, 0.0000), (56.0000, -27.0000, -3.0000), 31.9030),
    ((50.0000, 2.5000, 0.0000), (58.0000, 24.0000, 15.0000), 19.4535),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.1736, 0.5854), 1.0000),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.2972, 0.0000), 1.0000),
    ((50.0000, 2.5000, 0.0000), (50.0000, 1.8634, 0.5757), 1.0000),
    ((50.0000, 2.5000, 0.0000), (50.0000, 3.2592, 0.3350), 1.0000),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ((61.2901, 3.7196, -5.3901), (61.4292, 2.2480, -4.9620), 1.8731),
    ((35.0831, -44.1164, 3.7933), (35.0232, -40.0716, 1.5901), 1.8645),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((36.4612, 47.8580, 18.3852), (36.2715, 50.5065, 21.2231), 1.4146),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((90.9257, -0.5406, -0.9208), (88.6381, -0.8985, -0.7239), 1.5381),
    ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def colours(*columns: tuple[float, ...]) -> Tensor:
    return torch.tensor(columns, dtype=torch.float64).T


def flat(*rgb: float, side: int = 16) -> Tensor:
    """One colour, 1 3 side side."""
    return torch.tensor(rgb, dtype=torch.float64)[None, :, None, None].expand(1, 3, side, side).contiguous()


def noise(seed: int, count: int = 1, side: int = 24) -> Tensor:
    return torch.rand(count, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("one", "other", "published"), PAIRS)
def test_ciede2000_gives_the_published_differences(
    one: tuple[float, ...], other: tuple[float, ...], published: float
) -> None:
    there, back = ciede2000(colours(one), colours(other)), ciede2000(colours(other), colours(one))
    assert [*there.tolist(), *back.tolist()] == pytest.approx([published] * 2, abs=5e-5)


def test_ciede2000_of_many_is_that_of_each() -> None:
    ones, others, published = zip(*PAIRS, strict=True)
    assert ciede2000(colours(*ones), colours(*others)).tolist() == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize(
    ("rgb", "wanted"),
    [
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(rgb: tuple[float, ...], wanted: tuple[float, ...]) -> None:
    assert lab(flat(*rgb, side=1)).flatten().tolist() == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_greys_are_neutral_and_differ_in_lightness_alone(dtype: torch.dtype) -> None:
    found = lab(torch.linspace(0, 1, 256, dtype=dtype).expand(1, 3, 1, 256))
    assert float(found[:, 1:].abs().max()) < (1e-10 if dtype is torch.float64 else 2e-4)
    assert bool((found[0, 0, 0].diff() > 0).all())


def test_float32_is_as_good_as_float64() -> None:
    truth = noise(1, count=6, side=200)  # more than one band
    assert truth[0, 0].numel() > BAND
    near = (truth + 0.1 * (noise(2, count=6, side=200) - 0.5)).clamp(0, 1)
    shown = torch.stack(
        [near[0], luma_of(truth)[1].expand(3, -1, -1), truth[2], 1 - truth[3], truth[4] ** 2, near[5] / 20]
    )
    eighths = (shown * 255).round() / 255
    for picture in (shown, eighths):
        exact, quick = de00(picture, truth), de00(picture.float(), truth.float())
        assert quick.dtype is torch.float32
        assert (quick - exact).abs().max() < 1e-3
    assert exact[2] < 1


def test_a_picture_differs_from_itself_by_nothing() -> None:
    picture = noise(3, count=2)
    assert de00(picture, picture).tolist() == [0, 0]
    assert psnr(picture, picture).tolist() == pytest.approx([MOST_DB] * 2)
    assert chroma_psnr(picture, picture).tolist() == pytest.approx([MOST_DB] * 2)
    assert ssim(picture, picture).tolist() == pytest.approx([1, 1])


def test_a_batch_is_measured_picture_by_picture() -> None:
    one, other = noise(4, count=3), noise(5, count=3)
    for figure in (de00, psnr, chroma_psnr, chroma_rms, ssim):
        alone = [float(figure(one[n : n + 1], other[n : n + 1])) for n in range(3)]
        assert figure(one, other).tolist() == pytest.approx(alone)


def test_grey_has_no_colourfulness() -> None:
    assert float(colourfulness(noise(6)[:, :1].expand(1, 3, -1, -1))) == pytest.approx(0, abs=1e-9)


def test_colourfulness_of_one_colour_is_its_mean_term() -> None:
    assert float(colourfulness(flat(1, 0, 0))) == pytest.approx(0.3 * math.hypot(255, 127.5))


def test_colourfulness_keeps_the_sign_of_differences() -> None:
    red_and_green = torch.cat((flat(1, 0, 0), flat(0, 1, 0)), 2)
    # rg is 255 and -255: with absolute values its spread would vanish.
    assert float(colourfulness(red_and_green)) == pytest.approx(255 + 0.3 * 127.5)


def test_psnr_of_a_constant_offset() -> None:
    truth = noise(7) / 2
    assert float(psnr(truth + 0.1, truth)) == pytest.approx(20)
    assert float(psnr(truth + 0.01, truth)) == pytest.approx(40)


def test_a_grey_offset_leaves_chroma_alone() -> None:
    truth = noise(8) / 2
    assert float(chroma_psnr(truth + 0.25, truth)) == pytest.approx(MOST_DB)


def test_chroma_of_an_offset_in_blue() -> None:
    truth = noise(9) / 2
    bluer = truth + torch.tensor([0, 0, 0.2])[None, :, None, None]
    # Cb moves by half the offset; Cr by what blue weighs in luma.
    moved = (0.1, 0.2 * 0.0722 / (2 * (1 - 0.2126)))
    square = (moved[0] ** 2 + moved[1] ** 2) / 2
    assert float(chroma_psnr(bluer, truth)) == pytest.approx(-10 * math.log10(square))
    assert float(chroma_rms(bluer, truth)) == pytest.approx(255 * math.sqrt(square))


def test_ssim_of_two_flat_greys_compares_their_means_alone() -> None:
    wanted = (2 * 0.4 * 0.6 + 0.01**2) / (0.4**2 + 0.6**2 + 0.01**2)
    assert float(ssim(flat(0.4, 0.4, 0.4), flat(0.6, 0.6, 0.6))) == pytest.approx(wanted)


def test_ssim_is_the_papers_window_by_window() -> None:
    one, other = noise(10, side=14), noise(11, side=14)
    wanted = _windows(luma_of(one)[0, 0].numpy(), luma_of(other)[0, 0].numpy())
    assert float(ssim(one, other)) == pytest.approx(wanted, abs=1e-9)
    assert float(ssim(one.float(), other.float())) == pytest.approx(wanted, abs=1e-5)


def _windows(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    across = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weights = np.outer(across, across) / across.sum() ** 2
    found = []
    for top in range(one.shape[0] - 10):
        for left in range(one.shape[1] - 10):
            x, y = (plane[top : top + 11, left : left + 11] for plane in (one, other))
            mx, my = (weights * x).sum(), (weights * y).sum()
            vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
            both = (weights * (x - mx) * (y - my)).sum()
            found.append((2 * mx * my + 1e-4) * (2 * both + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))
    return float(np.mean(found))
