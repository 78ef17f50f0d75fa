"""Calms flicker of painted pictures by averaging over a symmetric window in time, weighted by how well the film's luma agrees.

It looks no further than its radius, so that chunks with handles agree exactly: they can be filtered in parallel, seam-free. Where luma changes
(motion, flash, dissolve) the neighbour's picture is not taken, so nothing smears. Chroma alone is calmed along motion (`steady_chroma.py`): it is
smooth, and loses nothing when it is moved by parts of a pixel; a painted picture would.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

GATE = 0.06
"""Difference in luma (0..1) at which a neighbouring frame's chroma counts for nothing."""


@dataclass(eq=False)
class _Shown:
    """One frame of the window: luma 1hw, chroma 2hw, and what frames before it count in it, and it in them."""

    luma: Tensor
    chroma: Tensor
    weights: "list[Tensor]" = field(default_factory=list)
    """Of the frames before it in the window, the nearest first. Agreement is mutual: reckoned once, used twice."""


def steady(frames: Iterable[tuple[Tensor, Tensor]], radius: int) -> Iterator[Tensor]:
    """Mean chroma over `radius` frames on either side, weighted per pixel by agreement of luma.

    Takes (luma 1hw, 0..1; chroma 2hw) in order, gives chroma 2hw in order, `radius` frames late. At the ends the window
    is cut short. Works frame by frame: the answer depends on nothing but the window.
    """
    window: deque[_Shown] = deque()
    here = 0
    for luma, chroma in frames:
        before = [window[-back] for back in range(1, min(radius, len(window)) + 1)]
        window.append(_Shown(luma, chroma, [_agreement(luma, one.luma) for one in before]))
        if len(window) > here + radius:
            yield _mean(window, here)
            here += 1
            if here > radius:
                window.popleft()
                here -= 1
    while here < len(window):
        yield _mean(window, here)
        here += 1
        if here > radius:
            window.popleft()
            here -= 1


def _agreement(luma_1hw: Tensor, other_1hw: Tensor) -> Tensor:
    return (luma_1hw - other_1hw).abs_().mul_(-1 / GATE).add_(1).clamp_(min=0)


def _mean(window: "deque[_Shown]", here: int) -> Tensor:
    # The frame itself counts fully, so the sum of weights is at least 1.
    mean, total = window[here].chroma.clone(), torch.ones_like(window[here].luma)
    for place, frame in enumerate(window):
        if place != here:
            late, early = max(place, here), min(place, here)
            weight = window[late].weights[late - early - 1]
            mean.addcmul_(weight, frame.chroma)
            total.add_(weight)
    return mean.div_(total)
