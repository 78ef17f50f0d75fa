"""Calms flicker in a look's chroma: each frame's is a mean along motion of a symmetric window in time.

Chunks can be filtered in parallel, seam-free with `radius` frames of handles: a frame's answer depends on its window alone.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from actors.picture.motion.flow import flow_between
from actors.picture.motion.mean_along_motion import MovingFrame, joined, mean_along_motion, moving_frame
from actors.picture.resize import Size, resized

LONG_SIDE = 160
"""Of the pictures in which motion is followed, in pixels, at most: chroma is smooth, and a third of the side is a tenth of the time."""
SHORT_SIDE = 16
"""At least: optical flow compares patches of eight pixels."""


@dataclass(eq=False)
class _Waiting:
    """One frame of the window."""

    chroma: Tensor
    small: MovingFrame


def steady_along_motion(frames: Iterable[tuple[Tensor, Tensor]], radius: int) -> Iterator[Tensor]:
    """Mean chroma over `radius` frames on either side, along optical flow.

    Takes (luma 1hw, 0..1; chroma 2hw) in order, gives chroma 2hw in order, `radius` frames late. At the ends the window
    is cut short.
    """
    window: deque[_Waiting] = deque()
    here = 0
    for luma, chroma in frames:
        window.append(_Waiting(chroma, _small(luma, chroma)))
        if len(window) > 1 and radius:
            _join(window[-2].small, window[-1].small)
        if len(window) > here + radius:
            yield _steadied(window, here, radius)
            here += 1
            if here > radius:
                window.popleft()
                here -= 1
    while here < len(window):
        yield _steadied(window, here, radius)
        here += 1


def _small(luma_1hw: Tensor, chroma_2hw: Tensor) -> MovingFrame:
    size = motion_size(*luma_1hw.shape[-2:])
    luma, *chroma = resized(torch.cat([luma_1hw, chroma_2hw])[None], size)[0].cpu().numpy()
    return moving_frame(luma.clip(0, 1), chroma, np.ones_like(luma))


def _join(before: MovingFrame, after: MovingFrame) -> None:
    lumas = [np.ascontiguousarray(one.planes_hw4[..., 0]) for one in (before, after)]
    joined(before, after, flow_between(*lumas))


def _steadied(window: "deque[_Waiting]", here: int, radius: int) -> Tensor:
    chroma = window[here].chroma
    if not radius or len(window) == 1:
        return chroma
    small: Sequence[MovingFrame] = [one.small for one in window]
    mean = mean_along_motion(small, here, radius)
    # The mean is of a low resolution: what is finer than that is the frame's own, as far as the frame itself counts.
    rest = [one - mean.own_hw * small[here].planes_hw4[..., plane] for plane, one in enumerate(mean.chroma, 1)]
    planes = torch.from_numpy(np.stack([*rest, mean.own_hw])).to(chroma.device)
    height, width = chroma.shape[-2:]
    full = resized(planes[None], (height, width))[0]
    return full[:2] + full[2:] * chroma


def motion_size(height: int, width: int) -> Size:
    """Height and width at which motion is followed in a picture of this size."""
    scale = min(1.0, LONG_SIDE / max(height, width))
    return max(SHORT_SIDE, round(height * scale)), max(SHORT_SIDE, round(width * scale))
