"""Computes picture quality metrics: dE00, colourfulness, PSNR, chroma PSNR and RMS, SSIM.

All follow their published definitions (docs/evaluation.md), in float32 or float64.

Pictures are R'G'B', N3HW floats in 0..1, coded as sRGB (D65); each function gives one figure for each picture, N. They are
reckoned in the precision of what they are given: float32 is within 1e-3 of float64 for dE00 (proven on pictures in the tests).
"""

import math

import cv2
import torch
from torch import Tensor

SRGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = tuple(sum(row) for row in SRGB_TO_XYZ)
"""D65 as the matrix has it, so that equal channels are exactly neutral."""
KR, KB = 0.2126, 0.0722
"""BT.709's weights of red and blue in luma."""
NEUTRAL = 1e-3
"""Chroma of Lab below which a colour has no hue: float32 gives greys up to 2e-4, and the faintest 8-bit colour has 0.2."""
MOST_DB = 100.0
"""PSNR of equal pictures, which would be infinite, and the most that any has."""
BAND = 1 << 15
"""Pixels reckoned at a time: some twenty planes of them stay in a processor's cache."""
WINDOW, SIGMA = 11, 1.5
"""SSIM's Gaussian window, in pixels."""


def lab(rgb_N3HW: Tensor) -> Tensor:
    """CIE L*a*b* of sRGB (IEC 61966-2-1, CIE 15:2004), N3HW."""
    rows = max(1, BAND // rgb_N3HW.shape[-1])
    return torch.cat([_lab(band) for band in torch.split(rgb_N3HW, rows, 2)], 2)


def _lab(rgb_N3HW: Tensor) -> Tensor:
    linear = torch.where(rgb_N3HW <= 0.04045, rgb_N3HW / 12.92, ((rgb_N3HW.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    matrix = rgb_N3HW.new_tensor(SRGB_TO_XYZ) / rgb_N3HW.new_tensor(WHITE)[:, None]
    xyz = torch.einsum("ij,njhw->nihw", matrix, linear)
    f = torch.where(xyz > 216 / 24389, xyz.clamp(min=216 / 24389) ** (1 / 3), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), 1)


def de00(rgb_N3HW: Tensor, truth_N3HW: Tensor) -> Tensor:
    """Mean CIEDE2000 colour difference of each pair of pictures, N; 0 where they are equal."""
    return de00_of_lab(lab(rgb_N3HW), lab(truth_N3HW))


def de00_of_lab(one_N3HW: Tensor, other_N3HW: Tensor) -> Tensor:
    """The same of pictures in L*a*b* already."""
    pairs = zip(one_N3HW.flatten(2), other_N3HW.flatten(2), strict=True)
    return torch.stack([_mean(one, other) for one, other in pairs])


def _mean(one_3P: Tensor, other_3P: Tensor) -> Tensor:
    parts = zip(torch.split(one_3P, BAND, 1), torch.split(other_3P, BAND, 1), strict=True)
    return torch.stack([ciede2000(*pair).sum() for pair in parts]).sum() / one_3P.shape[1]


def ciede2000(one_3P: Tensor, other_3P: Tensor) -> Tensor:
    """Differences of L*a*b* colours, P; Sharma, Wu and Dalal 2005, with unit weights. Symmetrical."""
    mean = (_length(one_3P[1], one_3P[2]) + _length(other_3P[1], other_3P[2])) / 2
    stretch = 1.5 - 0.5 * _saturating(mean)
    a1, a2 = one_3P[1] * stretch, other_3P[1] * stretch
    c1, c2 = _length(a1, one_3P[2]), _length(a2, other_3P[2])
    h1, h2 = torch.atan2(one_3P[2], a1) % math.tau, torch.atan2(other_3P[2], a2) % math.tau
    hued = torch.minimum(c1, c2) >= NEUTRAL
    apart = h2 - h1
    round_zero = hued & (apart.abs() > math.pi)  # the shorter way between the hues passes through 0
    apart = torch.where(round_zero, apart - math.tau * apart.sign(), apart)
    step_hue = torch.where(hued, 2 * torch.sqrt(c1 * c2) * torch.sin(apart / 2), 0)
    # A colour without hue takes the other's. Half a turn more or less is the same to sines of whole turns.
    hue = torch.where(hued, (h1 + h2) / 2 + math.pi * round_zero, torch.where(c1 > c2, h1, h2))
    steps = (other_3P[0] - one_3P[0], c2 - c1, step_hue)
    return _combined(steps, (one_3P[0] + other_3P[0]) / 2, (c1 + c2) / 2, hue % math.tau)


def _combined(steps: tuple[Tensor, Tensor, Tensor], light: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """dE00 from the differences in lightness, chroma and hue, and the means of the same; hue in radians, 0..2 pi."""
    rad = math.radians
    t = 1 - 0.17 * torch.cos(hue - rad(30)) + 0.24 * torch.cos(2 * hue)
    t = t + 0.32 * torch.cos(3 * hue + rad(6)) - 0.20 * torch.cos(4 * hue - rad(63))
    from_middle = (light - 50) ** 2
    s_light = 1 + 0.015 * from_middle / torch.sqrt(20 + from_middle)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turn = rad(60) * torch.exp(-(((hue - rad(275)) / rad(25)) ** 2))
    rotation = -2 * torch.sin(turn) * _saturating(chroma)
    x, y, z = steps[0] / s_light, steps[1] / s_chroma, steps[2] / s_hue
    return torch.sqrt((x * x + y * y + z * z + rotation * y * z).clamp(min=0))


def _length(a: Tensor, b: Tensor) -> Tensor:
    return torch.sqrt(a * a + b * b)


def _saturating(chroma: Tensor) -> Tensor:
    square = chroma * chroma
    seventh = square * square * square * chroma
    return torch.sqrt(seventh / (seventh + 25.0**7))


def colourfulness(rgb_N3HW: Tensor) -> Tensor:
    """Hasler and Süsstrunk 2003, in steps of 0..255, of signed differences; 0 for grey."""
    red, green, blue = (255 * rgb_N3HW).flatten(2).unbind(1)
    rg, yb = red - green, (red + green) / 2 - blue
    spread = torch.hypot(rg.std(1, correction=0), yb.std(1, correction=0))
    return spread + 0.3 * torch.hypot(rg.mean(1), yb.mean(1))


def psnr(rgb_N3HW: Tensor, truth_N3HW: Tensor) -> Tensor:
    """Peak signal to noise over R', G' and B', in dB, the peak being 1; at most MOST_DB."""
    return _decibels((rgb_N3HW - truth_N3HW).square().flatten(1).mean(1))


def chroma_psnr(rgb_N3HW: Tensor, truth_N3HW: Tensor) -> Tensor:
    """Peak signal to noise over BT.709's Cb and Cr, in dB, each of which spans 1 (-0.5..0.5); at most MOST_DB."""
    return _decibels(_chroma_square(rgb_N3HW, truth_N3HW))


def chroma_rms(rgb_N3HW: Tensor, truth_N3HW: Tensor) -> Tensor:
    """Root of the mean square error over BT.709's Cb and Cr, in steps of 0..255, N."""
    return 255 * _chroma_square(rgb_N3HW, truth_N3HW).sqrt()


def _chroma_square(rgb_N3HW: Tensor, truth_N3HW: Tensor) -> Tensor:
    # Cb and Cr of a difference are the differences of Cb and Cr.
    return chroma_of(rgb_N3HW - truth_N3HW).square().flatten(1).mean(1)


def _decibels(mean_square: Tensor) -> Tensor:
    return -10 * torch.log10(mean_square.clamp(min=10 ** (-MOST_DB / 10)))


def luma_of(rgb_N3HW: Tensor) -> Tensor:
    """BT.709's Y', N1HW."""
    return KR * rgb_N3HW[:, :1] + (1 - KR - KB) * rgb_N3HW[:, 1:2] + KB * rgb_N3HW[:, 2:]


def chroma_of(rgb_N3HW: Tensor) -> Tensor:
    """BT.709's Cb and Cr, N2HW, -0.5..0.5."""
    luma = luma_of(rgb_N3HW)
    return torch.cat(((rgb_N3HW[:, 2:] - luma) / (2 * (1 - KB)), (rgb_N3HW[:, :1] - luma) / (2 * (1 - KR))), 1)


def ssim(rgb_N3HW: Tensor, truth_N3HW: Tensor) -> Tensor:
    """Wang et al. 2004 on BT.709 luma at the picture's own size: 11x11 Gaussian of 1.5 pixels, whole windows alone, K1 0.01, K2 0.03.

    Pictures have at least 11 pixels a side.
    """
    pairs = zip(luma_of(rgb_N3HW)[:, 0], luma_of(truth_N3HW)[:, 0], strict=True)
    return torch.stack([_ssim(one, other) for one, other in pairs])


def _ssim(one_HW: Tensor, other_HW: Tensor) -> Tensor:
    of_one, of_other, squares, products = (
        _blurred(part) for part in (one_HW, other_HW, one_HW * one_HW + other_HW * other_HW, one_HW * other_HW)
    )
    means = of_one * of_other
    powers = of_one * of_one + of_other * of_other
    alike = (2 * means + 0.01**2) * (2 * (products - means) + 0.03**2)
    return (alike / ((powers + 0.01**2) * (squares - powers + 0.03**2))).mean()


def _blurred(plane_HW: Tensor) -> Tensor:
    # OpenCV's, ten times as fast on a processor as a convolution of one channel.
    blurred = torch.from_numpy(cv2.GaussianBlur(plane_HW.cpu().numpy(), (WINDOW, WINDOW), SIGMA))
    edge = WINDOW // 2
    return blurred[edge:-edge, edge:-edge].to(plane_HW.device)
