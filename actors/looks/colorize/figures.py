"""For: figures of a colouring. Promises: CIEDE2000 and signed colourfulness. Refuses to know: networks."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = SRGB_TO_XYZ.sum(1)  # D65, so that equal channels are exactly neutral


def lab(rgb: Floats) -> Floats:
    """sRGB ... 3 in 0..1 -> Lab ... 3."""
    rgb = np.asarray(rgb, np.float64)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    xyz = linear @ SRGB_TO_XYZ.T / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), -1)


def ciede2000(one: Floats, other: Floats) -> Floats:
    """Lab ... 3, Lab ... 3 -> dE00 ...; Sharma, Wu and Dalal 2005."""
    bar = (np.hypot(one[..., 1], one[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(bar**7 / (bar**7 + 25.0**7))
    c1, h1 = chroma_and_hue(one, stretch)
    c2, h2 = chroma_and_hue(other, stretch)
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    # Hues exactly opposite: the formula takes +180 where the remainder gives -180.
    turn = np.where(~grey & (h2 - h1 == 180), 180.0, turn)
    straight = np.abs(h1 - h2) <= 180
    hue = np.where(straight, h1 + h2, h1 + h2 + np.where(h1 + h2 < 360, 360, -360)) / 2
    hue = np.where(grey, h1 + h2, hue)
    light, chroma = (one[..., 0] + other[..., 0]) / 2, (c1 + c2) / 2
    step_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    return combined((other[..., 0] - one[..., 0], c2 - c1, step_hue), light, chroma, hue)


def chroma_and_hue(colour: Floats, stretch: Floats) -> tuple[Floats, Floats]:
    """Chroma and hue in degrees, a* stretched as CIEDE2000 asks."""
    a, b = colour[..., 1] * stretch, colour[..., 2]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def combined(steps: tuple[Floats, Floats, Floats], light: Floats, chroma: Floats, hue: Floats) -> Floats:
    """dE00 from the differences in lightness, chroma and hue and the means of the same."""
    rad = np.radians
    t = 1 - 0.17 * np.cos(rad(hue - 30)) + 0.24 * np.cos(rad(2 * hue))
    t += 0.32 * np.cos(rad(3 * hue + 6)) - 0.20 * np.cos(rad(4 * hue - 63))
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    turn = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    rotation = -np.sin(rad(turn)) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    x, y, z = steps[0] / s_light, steps[1] / s_chroma, steps[2] / s_hue
    result: Floats = np.sqrt(np.maximum(x * x + y * y + z * z + rotation * y * z, 0))
    return result


def mean_de00(one: Floats, other: Floats) -> float:
    """Mean dE00 of two sRGB pictures, H W 3 in 0..1."""
    return float(ciede2000(lab(one), lab(other)).mean())


def colourfulness(rgb: Floats) -> float:
    """Hasler and Süsstrunk's colourfulness, signed differences, of an RGB picture H W 3 in 0..1."""
    red, green, blue = (255 * np.asarray(rgb, np.float64)[..., i] for i in range(3))
    rg, yb = red - green, (red + green) / 2 - blue
    spread, mean = np.hypot(rg.std(), yb.std()), np.hypot(rg.mean(), yb.mean())
    return float(spread + 0.3 * mean)
