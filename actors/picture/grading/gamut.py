"""The legal gamut of EBU R103: R'G'B' from -5 to 105 %. Chroma that leaves it on its luma is held or cut, its hue kept, or counted.

On a luma, chroma times a factor reaches the gamut's edge at one factor: that is found, and nothing else of the colour is changed.
"""

from functools import reduce
from math import inf
from statistics import fmean
from typing import Literal

import av
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from actors.media.chroma_siting import siting_in
from actors.media.planes import Aside, aside, covered, planes_of
from actors.picture.colour import Quantiser, from_differences, green_difference
from actors.picture.resize import resized
from jobs.film.source import Colour, Picture
from jobs.records.orders import Encoding
from jobs.records.outside_gamut import OutsideGamut

LEGAL = (-0.05, 1.05)
"""EBU R103, version 3.0 (2020): 5 to 246 of 8 bits, 20 to 984 of 10."""
TOLERATED = 0.01
"""Part of a frame's pixels that R103 lets leave it."""
MOST_BITS = 16
"""Of integers; beyond are floats, of linear light."""
SHOWN = (0.0, 1.0)
"""What a display shows. Colours within it are never changed."""


def within_gamut(differences_N2hw: Tensor, luma_N1HW: Tensor, colour: Colour, way: Literal["hold", "clip"]) -> Tensor:
    """(B'-Y', R'-Y') that stay legal on their luma, whose height and width are whole multiples of theirs but for an odd edge.

    hold: what is beyond what a display shows is bent, the farther the more, and never reaches the legal edge.
    clip: what is beyond the legal edge is brought back to it. Both by one factor for each sample: hue stays.
    """
    lowest, highest = -_pooled(-luma_N1HW, differences_N2hw), _pooled(luma_N1HW, differences_N2hw)
    red, blue = differences_N2hw[:, 1:], differences_N2hw[:, :1]
    each = torch.cat([red, green_difference(differences_N2hw, colour), blue], 1)
    up, down = each.amax(1, keepdim=True).clamp_min(1e-9), (-each).amax(1, keepdim=True).clamp_min(1e-9)

    def reach(gamut: tuple[float, float]) -> Tensor:
        """The factor at which the first of R', G' and B' comes to an edge."""
        return torch.minimum((gamut[1] - highest) / up, (lowest - gamut[0]) / down).clamp_min(0)

    legal = reach(LEGAL)
    if way == "clip":
        return differences_N2hw * legal.clamp(max=1)
    shown = reach(SHOWN)
    beyond = (1 - shown) / (legal - shown).clamp_min(1e-9)
    bent = shown + (legal - shown) * beyond / (1 + beyond)
    return differences_N2hw * torch.where(shown >= 1, 1.0, bent)


def _pooled(luma_N1HW: Tensor, differences_N2hw: Tensor) -> Tensor:
    """The greatest luma of the pixels that a sample of chroma reaches where it is brought to full size: half a cell beyond those it covers."""
    rows, columns = differences_N2hw.shape[-2:]
    return _greatest(_greatest(luma_N1HW.mT, columns).mT, rows)


def _greatest(stack_NCHW: Tensor, cells: int) -> Tensor:
    """Of so many cells of rows, the last of which may be shorter, and of half a cell on either side of each."""
    height = stack_NCHW.shape[-2]
    cell = -(-height // cells)
    beyond = cell // 2
    below = cells * cell + beyond - height
    padded = functional.pad(stack_NCHW, (0, 0, beyond, below), value=-inf)
    # Slices are compared at once: torch's own pooling takes four times as long.
    last = (cells - 1) * cell + 1
    return reduce(torch.maximum, (padded[..., at : at + last : cell, :] for at in range(cell + 2 * beyond)))


class GamutTally:
    """Counts, frame by frame, what of finished frames lies outside the legal gamut. Linear light (EXR) has none."""

    def __init__(self, film: Picture, encoding: Encoding) -> None:
        form = encoding.pix_fmt
        self._scale = Quantiser(encoding.colour, av.VideoFormat(form).components[0].bits)
        self._shift = aside(form, siting_in(film)) if covered(form) == covered(film.pix_fmt) else aside(form)
        self._shares: list[tuple[int, float]] = []

    def add(self, number: int, frame: av.VideoFrame) -> None:
        """One more frame, by its number."""
        if self._scale.depth <= MOST_BITS:
            self._shares.append((number, share_outside(frame, self._scale, self._shift)))

    @property
    def found(self) -> OutsideGamut | None:
        """What was counted; None where there was nothing."""
        shares = [share for _, share in self._shares]
        if not shares:
            return None
        most = max(shares)
        return OutsideGamut(
            frames=len(shares),
            over=sum(share > TOLERATED for share in shares),
            most=most,
            most_at=next(number for number, share in self._shares if share == most),
            mean=fmean(shares),
        )


def share_outside(frame: av.VideoFrame, scale: Quantiser, shift: Aside) -> float:
    """The part of a finished frame's pixels that lie outside the legal gamut, 0 to 1. `shift`: how its chroma is sited."""
    planes = [torch.from_numpy(plane.astype(np.float32))[None, None] for plane in planes_of(frame)]
    if len(planes) == 1:
        return 0.0
    if frame.format.is_rgb:
        rgb = scale.luma_floats(torch.cat(planes, 1))
    else:
        luma = scale.luma_floats(planes[0])
        chroma = scale.difference_floats(torch.cat(planes[1:], 1))
        rgb = from_differences(luma, resized(chroma, (luma.shape[-2], luma.shape[-1]), shift), scale.colour)
    # Half a step of rounding is no colour of its own.
    slack = 0.5 / 2**scale.depth
    outside = (rgb < LEGAL[0] - slack) | (rgb > LEGAL[1] + slack)
    return float(outside.any(1).float().mean())
