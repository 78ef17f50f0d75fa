"""Measures how much chroma changes along motion, by another optical flow than the one that propagates colour.

Farneback, "Two-frame motion estimation based on polynomial expansion", 2003, on the film's luma. Where a flow shares the errors
of the one that propagates (Kroeger et al. 2016), colour that was brought to a wrong place would seem to be at rest there.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from actors.picture.image_metrics import chroma_of, luma_of
from actors.picture.resize import resized
from jobs.records.evaluation import Jitter

Floats = NDArray[np.float32]

LONG_SIDE = 960
"""Of the pictures in which motion is measured, in pixels, at most."""
SURE = 1.0
"""Pixels by which the flows forwards and backwards may disagree."""
ALIKE = 12
"""Steps of 255 by which luma may change along the flow: a flow can agree with itself where it is wrong."""
STILL = 0.5
"""Pixels of flow below which an area is still."""
PYRAMID, LEVELS, WINDOW, ITERATIONS, POLYNOMIAL, SIGMA = 0.5, 5, 15, 3, 5, 1.2
"""Farneback's parameters, as in OpenCV's own example but for two more levels, for fast motion."""


class ShownPair(NamedTuple):
    """One frame's truth, and what is shown of it: R'G'B', 13HW, 0..1."""

    truth: Tensor
    shown: Tensor


class PairJitter(NamedTuple):
    """Between two frames; None where there is no such pixel."""

    still: Jitter | None
    moving: Jitter | None


def jitter(frame: ShownPair, following: ShownPair) -> PairJitter:
    """From a frame to the next: where the flow of the truth's luma leads there and back, to the same luma."""
    height, width = frame.truth.shape[-2:]
    scale = min(1.0, LONG_SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    lumas = [_plane(luma_of(one.truth), size).round().clip(0, 255).astype(np.uint8) for one in (frame, following)]
    ahead, back = _flow(*lumas), _flow(*lumas[::-1])
    rows, columns = np.indices(size, np.float32)
    x, y = columns + ahead[..., 0], rows + ahead[..., 1]
    sure = (x >= -0.5) & (x <= size[1] - 0.5) & (y >= -0.5) & (y <= size[0] - 0.5)  # within the picture
    sure &= np.linalg.norm(ahead + _sampled(back, x, y), axis=-1) < SURE
    sure &= np.abs(_sampled(lumas[1].astype(np.float32), x, y) - lumas[0]) < ALIKE
    changes = [
        np.linalg.norm(_sampled(_plane(chroma_of(to), size), x, y) - _plane(chroma_of(of), size), axis=-1)
        for of, to in ((frame.shown, following.shown), (frame.truth, following.truth))
    ]
    still = np.linalg.norm(ahead, axis=-1) < STILL
    return PairJitter(*(_mean(changes, sure & area) for area in (still, ~still)))


def _mean(changes: list[Floats], where: NDArray[np.bool_]) -> Jitter | None:
    if not where.any():
        return None
    propagated, truth = (float(change[where].mean(dtype=np.float64)) for change in changes)
    return Jitter(pixels=int(where.sum()), propagated=propagated, truth=truth)


def _plane(planes_1CHW: Tensor, size: tuple[int, int]) -> Floats:
    """In steps of 255, at the size at which motion is measured, channels last."""
    planes = 255 * resized(planes_1CHW, size)[0].permute(1, 2, 0).numpy()
    return np.ascontiguousarray(planes.squeeze(-1) if planes.shape[-1] == 1 else planes, np.float32)


def _flow(luma: NDArray[np.uint8], other: NDArray[np.uint8]) -> Floats:
    nothing = np.zeros((*luma.shape, 2), np.float32)
    found = cv2.calcOpticalFlowFarneback(
        luma, other, nothing, PYRAMID, LEVELS, WINDOW, ITERATIONS, POLYNOMIAL, SIGMA, 0
    )
    return np.asarray(found, np.float32)


def _sampled(image: Floats, x: Floats, y: Floats) -> Floats:
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
