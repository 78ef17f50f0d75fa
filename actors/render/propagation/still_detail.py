"""Brings the fine detail of a painted still to the frames beside it: what its chroma holds beyond the low resolution of guides.

Lips and eyes are a few pixels wide, and a guide loses them. On frames close to a still, flow leads to the very pixel in it.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from actors.picture.motion.flow import Floats, as_floats, flow_between, grid, sampled
from actors.picture.resize import resized
from jobs.records.guides import DETAIL_REACH

FLOW_SIDE = 480
"""Longest side, in pixels, at which flow is sought: its error of a tenth of a pixel is small beside what is brought."""
PATCH, UNLIKE = 5, 0.04
"""Side of the window in which a frame is compared with the still's own frame brought to it, and the deviation of luma, 0..1, at which
what is brought counts by e^-0.5."""


class StillDetail:
    """The detail of one still."""

    def __init__(self, chroma_12HW: Tensor, low_12HW: Tensor, weight_11HW: Tensor, luma_11HW: Tensor) -> None:
        """The still's chroma, the same through a guide, how much of it is meant (0..1), and its frame's luma (0..1)."""
        self._detail: Floats = ((chroma_12HW - low_12HW) * weight_11HW)[0].permute(1, 2, 0).contiguous().cpu().numpy()
        self._luma: Floats = luma_11HW[0, 0].cpu().numpy()
        self._size = flow_size(*self._luma.shape)
        self._small = small(luma_11HW, self._size)

    def on(self, luma_11HW: Tensor, distance: int) -> Tensor:
        """What is added to the chroma of a frame so many frames away (12HW), which fades with the distance."""
        height, width = self._luma.shape
        flow = flow_between(self._small, small(luma_11HW, self._size))
        scale = np.array([width / self._size[1], height / self._size[0]], np.float32)
        places = grid(height, width) + as_floats(cv2.resize(flow.back, (width, height))) * scale
        trust = as_floats(cv2.resize(flow.back_trust, (width, height)))
        apart = np.abs(sampled(self._luma, places) - luma_11HW[0, 0].cpu().numpy())
        unlike = cv2.blur(apart, (PATCH, PATCH)) / np.float32(UNLIKE)
        share = trust * np.exp(np.float32(-0.5) * unlike * unlike) * np.float32(1 - distance / (DETAIL_REACH + 1))
        brought = sampled(self._detail, places) * share[..., None]
        return torch.from_numpy(np.ascontiguousarray(brought)).permute(2, 0, 1)[None].to(luma_11HW.device)


def flow_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which flow is sought."""
    scale = min(1.0, FLOW_SIDE / max(height, width))
    return max(16, round(height * scale)), max(16, round(width * scale))


def small(luma_11HW: Tensor, size: tuple[int, int]) -> Floats:
    """Luma at the size at which flow is sought (HW, 0..1)."""
    return np.ascontiguousarray(resized(luma_11HW, size)[0, 0].clamp(0, 1).cpu().numpy(), np.float32)
