"""Shares of a frame's pixels beyond the gamut of EBU R103, and beyond nominal levels, of pixels spread evenly over it; none is averaged with its neighbours.

`actors.picture.grading.gamut` counts every pixel, and takes fifty times as long.
"""

from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from actors.media.planes import planes_of
from jobs.film.source import KR_KB, Colour

LOOKED_AT = 320
"""Pixels along the longer side."""
LOWEST, HIGHEST = -0.05, 1.05
"""EBU R103, version 3.0 (2020): 5 to 246 of 8 bits for R', G' and B'."""
BLACK, WHITE, CHROMA = 16, 235, 240
"""Nominal levels of 8 bits, ITU-R BT.709-6, table 5."""
MOST_BITS = 16
"""Of integers; beyond are floats, of linear light."""

Samples = NDArray[np.float32]


class BeyondLevels(NamedTuple):
    """Of one frame, in percent of its pixels."""

    gamut: float = 0.0
    legal: float = 0.0

    def over(self, source: "BeyondLevels") -> "BeyondLevels":
        """What the source has not."""
        return BeyondLevels(max(0.0, self.gamut - source.gamut), max(0.0, self.legal - source.legal))


def beyond_levels(frame: av.VideoFrame, colour: Colour) -> BeyondLevels:
    """Of a frame in its film's colour. R'G'B' of integers holds nothing beyond, and linear light has no levels."""
    bits = frame.format.components[0].bits
    if frame.format.is_rgb or bits > MOST_BITS:
        return BeyondLevels()
    luma, chroma = _spread(frame, bits)
    legal = 0.0
    if not colour.full_range:
        # Half a step of rounding is no level of its own.
        beyond = (luma < BLACK - 0.5) | (luma > WHITE + 0.5)
        for plane in chroma:
            beyond |= (plane < BLACK - 0.5) | (plane > CHROMA + 0.5)
        legal = float(beyond.mean())
    lowest, highest = _extremes(luma, chroma, colour)
    slack = 0.5 / 2**8
    gamut = float(((lowest < LOWEST - slack) | (highest > HIGHEST + slack)).mean())
    return BeyondLevels(round(100 * gamut, 4), round(100 * legal, 4))


def _spread(frame: av.VideoFrame, bits: int) -> tuple[Samples, list[Samples]]:
    """Y' and, where there are any, Cb and Cr of pixels spread over the frame, in steps of 8 bits."""
    planes = planes_of(frame)
    height, width = planes[0].shape
    cells = [(-(-height // plane.shape[0]), -(-width // plane.shape[1])) for plane in planes]
    # A whole number of samples of chroma lies between two pixels.
    apart = -(-max(height, width) // LOOKED_AT)
    down, across = (-(-apart // most) * most for most in map(max, *cells)) if len(cells) > 1 else (apart, apart)
    scale = np.float32(2 ** (bits - 8))
    found = [
        plane[:: down // cell[0], :: across // cell[1]].astype(np.float32) / scale
        for plane, cell in zip(planes, cells, strict=True)
    ]
    return found[0], found[1:]


def _extremes(luma: Samples, chroma: list[Samples], colour: Colour) -> tuple[Samples, Samples]:
    """The least and the greatest of R', G' and B'."""
    offset, span, width = (0.0, 255.0, 255.0) if colour.full_range else (16.0, 219.0, 224.0)
    shade = (luma - np.float32(offset)) / np.float32(span)
    if not chroma:
        return shade, shade
    kr, kb = KR_KB[colour.matrix]
    blue = (chroma[0] - np.float32(128)) * np.float32(2 * (1 - kb) / width)
    red = (chroma[1] - np.float32(128)) * np.float32(2 * (1 - kr) / width)
    green = -(np.float32(kr) * red + np.float32(kb) * blue) / np.float32(1 - kr - kb)
    least, most = np.minimum(np.minimum(red, blue), green), np.maximum(np.maximum(red, blue), green)
    return shade + least, shade + most
