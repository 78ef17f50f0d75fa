"""Applies a grade to R'G'B': an ASC CDL, then the tables of a LUT. On any device; beyond its domain a table goes on as it ends.

Tables of three sides are interpolated tetrahedrally (Kasson, Nin, Plouffe and Hafner 1995), as ffmpeg and OpenColorIO do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from actors.picture.grading.cube import Table
from jobs.spec.grade import Cdl

ASC_LUMA = (0.2126, 0.7152, 0.0722)
"""What a CDL's saturation is about, whatever the film's matrix."""


@dataclass(frozen=True)
class PictureGrade:
    """A grade whose tables are read."""

    cdl: Cdl | None
    tables: Sequence[Table]

    def on(self, rgb_N3HW: Tensor) -> Tensor:
        """R'G'B', not clipped."""
        made = rgb_N3HW if self.cdl is None else _by_cdl(rgb_N3HW, self.cdl)
        for table in self.tables:
            made = _by_table(made, table)
        return made


def _by_cdl(rgb_N3HW: Tensor, cdl: Cdl) -> Tensor:
    """As the ASC has it, but that nothing is clipped: what is negative has no power."""

    def each(values: tuple[float, float, float]) -> Tensor:
        return rgb_N3HW.new_tensor(values)[None, :, None, None]

    made = rgb_N3HW * each(cdl.slope) + each(cdl.offset)
    if cdl.power != (1.0, 1.0, 1.0):
        made = torch.where(made > 0, made.clamp_min(0) ** each(cdl.power), made)
    if cdl.saturation != 1:
        luma = (made * each(ASC_LUMA)).sum(1, keepdim=True)
        made = luma + cdl.saturation * (made - luma)
    return made


def _by_table(rgb_N3HW: Tensor, table: Table) -> Tensor:
    low, high = (rgb_N3HW.new_tensor(edge)[None, :, None, None] for edge in table.domain)
    inside = rgb_N3HW.clamp(low, high)
    last = len(table.values) - 1
    place = (inside - low) / (high - low) * last
    base = place.floor().clamp(0, last - 1)
    part, base = place - base, base.long()
    values = torch.from_numpy(table.values).to(rgb_N3HW.device)
    looked_up = _along(values, base, part) if values.ndim == 2 else _within(values.reshape(-1, 3), base, part, last + 1)
    return looked_up + (rgb_N3HW - inside)


def _along(values_D3: Tensor, base_N3HW: Tensor, part_N3HW: Tensor) -> Tensor:
    channels = []
    for channel in range(3):
        column, base, part = values_D3[:, channel], base_N3HW[:, channel], part_N3HW[:, channel]
        channels.append(column[base] + part * (column[base + 1] - column[base]))
    return torch.stack(channels, 1)


def _within(values_E3: Tensor, base_N3HW: Tensor, part_N3HW: Tensor, side: int) -> Tensor:
    """Of a cell's eight corners four: from the first one on, first along the channel that has come farthest, last along the least."""
    first = base_N3HW[:, 0] + side * base_N3HW[:, 1] + side * side * base_N3HW[:, 2]
    last = first + 1 + side + side * side
    red, green, blue = part_N3HW.unbind(1)
    most, least = part_N3HW.amax(1), part_N3HW.amin(1)
    # torch finds the place of a greatest value twenty times slower than by these comparisons.
    farthest = torch.where(red >= most, 1, torch.where(green >= most, side, side * side))
    nearest = torch.where(red <= least, 1, torch.where(green <= least, side, side * side))
    middle = red + green + blue - most - least
    corners = first, first + farthest, last - nearest, last
    weights = 1 - most, most - middle, middle - least, least
    return torch.stack([_mixed(column, corners, weights) for column in values_E3.T.contiguous()], 1)


def _mixed(column_E: Tensor, corners: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
    made = torch.zeros_like(weights[0])
    for corner, weight in zip(corners, weights, strict=True):
        made.addcmul_(column_E.index_select(0, corner.flatten()).view_as(weight), weight)
    return made
