"""Colours as imported networks use them: CIELAB and BT.601 Y'CbCr. Greys stay exactly neutral.

CIELAB by ISO/CIE 11664-4 of sRGB (IEC 61966-2-1), white D65: what OpenCV and scikit-image give, which these networks learnt by.
"""

import torch
from torch import Tensor

from actors.picture.colour import from_differences
from jobs.film.source import KR_KB, Colour

_TO_XYZ = torch.tensor(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]],
    dtype=torch.float64,
)
# Over the white point, so that equal channels are exactly neutral.
_TO_WHITE = _TO_XYZ / _TO_XYZ.sum(1, keepdim=True)
_FROM_WHITE = torch.linalg.inv(_TO_WHITE)
_EDGE, _SLOPE = 6 / 29, 24389 / 27
_BT601 = Colour(matrix="bt601", full_range=True, primaries=1, transfer=13, space=5, assumed=False)


def lightness(luma_N1HW: Tensor) -> Tensor:
    """L* (N1HW, 0..100) of greys Y' (0..1)."""
    grey = luma_N1HW.clamp(0, 1)
    linear = torch.where(grey <= 0.04045, grey / 12.92, ((grey + 0.055) / 1.055) ** 2.4)
    return torch.where(linear > _EDGE**3, 116 * linear ** (1 / 3) - 16, _SLOPE * linear)


def from_lab(lightness_N1HW: Tensor, ab_N2HW: Tensor) -> Tensor:
    """R'G'B' (N3HW, clipped to 0..1) of L* (0..100), a* and b*."""
    y = (lightness_N1HW + 16) / 116
    roots = torch.cat([y + ab_N2HW[:, :1] / 500, y, y - ab_N2HW[:, 1:] / 200], 1)
    xyz = torch.where(roots > _EDGE, roots**3, (116 * roots - 16) / _SLOPE)
    linear = torch.einsum("kc,nchw->nkhw", _FROM_WHITE.to(xyz), xyz).clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def from_cbcr(luma_N1HW: Tensor, cbcr_N2HW: Tensor) -> Tensor:
    """R'G'B' (N3HW, clipped to 0..1) of Y' (0..1), Cb and Cr (-0.5..0.5) of ITU-R BT.601."""
    kr, kb = KR_KB["bt601"]
    differences = torch.cat([cbcr_N2HW[:, :1] * (2 * (1 - kb)), cbcr_N2HW[:, 1:] * (2 * (1 - kr))], 1)
    return from_differences(luma_N1HW, differences, _BT601).clamp(0, 1)
