"""Validates a style network on held-out pictures: figures, and a sample sheet. Nothing in it is random."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from actors.picture.png_sheet import Photo, photo_of, sheet_of
from actors.training.dataset.crops import tensor_of
from actors.training.style.losses import content_distance
from actors.training.style.style_features import COARSEST, StyleDistance

Painted = Callable[[Tensor, Tensor], Tensor]
"""R'G'B' N3HW, 0..1, from the same and from weights of the styles (N S)."""
ON_SHEET = 6
"""Pictures of a sheet, at most."""
MOST_STYLES = 8
"""Of a sheet: those beyond are not shown."""
CELL = 192
"""Height and width of a picture on a sheet, in pixels."""


def shown_of(photo: Photo) -> Tensor:
    """R'G'B' 1 3 H W, 0..1, its sides cut at the end to multiples of what the judge needs."""
    height, width = (side // COARSEST * COARSEST for side in photo.shape[:2])
    return tensor_of([photo[:height, :width]])


def measured(shown_13HW: Sequence[Tensor], judge: StyleDistance, painted: Painted, styles: int) -> dict[str, float]:
    """Means over pictures and styles. `style`, `untouched`: the distance of what is painted, and of the photographs, to the style, about
    its means; `factor`: how much smaller the first is, for the style where that is least; `plain_factor`: the same about nought;
    `apart`: the mean of all roots, as the course takes them; `content`; `between`: the largest share of its way from the first
    style to the second that a picture goes in a quarter of the weight (0.25 where it goes evenly), where there are two."""
    rows_PS6 = torch.stack(
        [torch.stack([_distances(one, judge, painted, style, styles) for style in range(styles)]) for one in shown_13HW]
    )
    style, _, untouched, _, apart, content = rows_PS6.mean((0, 1)).tolist()
    by_style = rows_PS6.mean(0)
    factor, plain = (by_style[:, 2:4] / by_style[:, :2]).amin(0).tolist()
    figures = {"style": style, "untouched": untouched, "factor": factor, "plain_factor": plain}
    figures |= {"apart": apart, "content": content}
    if styles > 1:
        figures["between"] = float(np.mean([_largest_step(one, painted, styles) for one in shown_13HW]))
    return figures


def _distances(picture_13HW: Tensor, judge: StyleDistance, painted: Painted, style: int, styles: int) -> Tensor:
    # Of one picture in one style: painted and untouched, each about the means and about nought; apart and content.
    number = torch.tensor([style], device=picture_13HW.device)
    own, made = judge.maps(picture_13HW), judge.maps(painted(picture_13HW, functional.one_hot(number, styles).float()))
    to_style, from_style = (judge.style(maps, number).reshape(2, -1) for maps in (made, own))
    content = content_distance(made[-1], own[-1])[:1]
    return torch.cat([to_style.mean(1), from_style.mean(1), to_style.sqrt().mean()[None], content])


def _largest_step(picture_13HW: Tensor, painted: Painted, styles: int) -> float:
    way = torch.linspace(0, 1, 5, device=picture_13HW.device)
    weights = functional.pad(torch.stack([1 - way, way], 1), (0, styles - 2))
    made = [painted(picture_13HW, one[None]) for one in weights]
    steps = [float((one - other).abs().mean()) for one, other in pairwise(made)]
    return max(steps) / sum(steps) if sum(steps) else 0.0


def on_sheet(shown_13HW: Sequence[Tensor], painted: Painted, styles: int) -> Photo:
    """A row for each picture: itself, it in each style, and, where there are two, midway between the first two."""
    weights = list(torch.eye(styles)[:MOST_STYLES])
    if styles > 1:
        weights.insert(1, (weights[0] + weights[1]) / 2)
    return sheet_of(
        [
            [_cell(picture), *(_cell(painted(picture, one[None].to(picture.device))) for one in weights)]
            for picture in shown_13HW[:ON_SHEET]
        ]
    )


def _cell(picture_13HW: Tensor) -> Photo:
    side = min(picture_13HW.shape[-2:])
    top, left = ((length - side) // 2 for length in picture_13HW.shape[-2:])
    square = picture_13HW[..., top : top + side, left : left + side].float().cpu()
    return photo_of(functional.interpolate(square, (CELL, CELL), mode="bilinear", antialias=True))
