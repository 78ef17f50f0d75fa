"""Steady chroma: a symmetric window in time, gated by luma. Promises to look no further than its radius, so chunks with handles agree exactly; knows no network.

The first cure for flicker in LOOKS: parallel, and seam-free with `radius` frames of handles. Where luma changes
(motion, flash, dissolve) the neighbour's chroma is not taken, so colour does not smear.
"""

from collections import deque
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

GATE = 0.06
"""Difference in luma (0..1) at which a neighbouring frame's chroma counts for nothing."""


def steady(frames: Iterable[tuple[Tensor, Tensor]], radius: int) -> Iterator[Tensor]:
    """Mean chroma over `radius` frames on either side, weighted per pixel by agreement of luma.

    Takes (luma 1hw, 0..1; chroma 2hw) in order, gives chroma 2hw in order, `radius` frames late. At the ends the window
    is cut short. Works frame by frame: the answer depends on nothing but the window.
    """
    window: deque[tuple[Tensor, Tensor]] = deque()
    here = 0
    for frame in frames:
        window.append(frame)
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


def _mean(window: Iterable[tuple[Tensor, Tensor]], here: int) -> Tensor:
    frames = list(window)
    luma = frames[here][0]
    weights = [torch.relu(1 - (other - luma).abs() / GATE) for other, _ in frames]
    total = sum(weight * chroma for weight, (_, chroma) in zip(weights, frames, strict=True))
    # The frame itself always counts fully, so the sum of weights is at least 1.
    return torch.as_tensor(total) / torch.stack(weights).sum(0)
