"""Converts a film's integer samples to floats and back, by its own matrix and range. Round trips are exact.

Y'CbCr as in ITU-T H.273: Y' = Kr R' + Kg G' + Kb B', Cb = (B'-Y') / (2(1-Kb)), Cr = (R'-Y') / (2(1-Kr)).
"Differences" are (B'-Y', R'-Y'), in that order; they mean the same colour whatever the range.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from jobs.film.source import KR_KB, Colour


@dataclass(frozen=True)
class Quantiser:
    """Integers of one colour description and depth as floats, and back, rounded to the nearest."""

    colour: Colour
    depth: int

    @property
    def _luma(self) -> tuple[float, float]:
        # Offset and span of luma.
        if self.colour.full_range:
            return 0.0, float(2**self.depth - 1)
        return 16.0 * 2 ** (self.depth - 8), 219.0 * 2 ** (self.depth - 8)

    @property
    def _chroma(self) -> tuple[float, float]:
        # Neutral and span of chroma.
        span = float(2**self.depth - 1) if self.colour.full_range else 224.0 * 2 ** (self.depth - 8)
        return float(2 ** (self.depth - 1)), span

    def luma_floats(self, luma: Tensor) -> Tensor:
        """Y' integers as floats: 0 black, 1 white; footroom and headroom lie outside 0..1."""
        offset, span = self._luma
        return (luma.to(torch.float32) - offset) / span

    def luma_levels(self, luma: Tensor) -> Tensor:
        """Y' floats in steps of the depth, not rounded: to be resized, then rounded once."""
        offset, span = self._luma
        return luma * span + offset

    def difference_floats(self, chroma_N2hw: Tensor) -> Tensor:
        """(Cb, Cr) integers as (B'-Y', R'-Y') floats."""
        neutral, span = self._chroma
        return (chroma_N2hw.to(torch.float32) - neutral) * (self._reach(chroma_N2hw.device) / span)

    def difference_levels(self, differences_N2hw: Tensor) -> Tensor:
        """(B'-Y', R'-Y') floats as (Cb, Cr) in steps of the depth, not rounded: to be resized, then rounded once."""
        neutral, span = self._chroma
        return differences_N2hw * (span / self._reach(differences_N2hw.device)) + neutral

    def integers(self, levels: Tensor) -> Tensor:
        """Steps of the depth as integers, clipped to what it holds: uint8, or int32 where it is deeper than 8 bit."""
        whole = levels.round().clamp_(0, 2**self.depth - 1)
        return whole.to(torch.uint8 if self.depth == 8 else torch.int32)

    def _reach(self, device: torch.device) -> Tensor:
        return _reach(self.colour.matrix, device)


@cache
def _reach(matrix: str, device: torch.device) -> Tensor:
    # Kept: a copy to a GPU would wait for all that the GPU has to do.
    kr, kb = KR_KB[matrix]
    return torch.tensor([2 * (1 - kb), 2 * (1 - kr)], device=device)[None, :, None, None]


def from_differences(luma_N1HW: Tensor, differences_N2HW: Tensor, colour: Colour) -> Tensor:
    """R'G'B' as N3HW floats, not clipped, from Y' and (B'-Y', R'-Y') of the same size."""
    blue_y, red_y = differences_N2HW[:, :1], differences_N2HW[:, 1:]
    return luma_N1HW + torch.cat([red_y, green_difference(differences_N2HW, colour), blue_y], 1)


def green_difference(differences_N2HW: Tensor, colour: Colour) -> Tensor:
    """G'-Y' (N1HW) of (B'-Y', R'-Y')."""
    kr, kb = KR_KB[colour.matrix]
    return -(kr * differences_N2HW[:, 1:] + kb * differences_N2HW[:, :1]) / (1 - kr - kb)


def to_differences(rgb_N3HW: Tensor, colour: Colour) -> tuple[Tensor, Tensor]:
    """Y' (N1HW) and (B'-Y', R'-Y') (N2HW) of R'G'B'."""
    kr, kb = KR_KB[colour.matrix]
    red, green, blue = rgb_N3HW[:, :1], rgb_N3HW[:, 1:2], rgb_N3HW[:, 2:]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    return luma, torch.cat([blue - luma, red - luma], 1)
