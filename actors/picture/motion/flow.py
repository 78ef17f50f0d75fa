"""Computes optical flow between neighbouring frames, and how far each step of it can be trusted.

Flow: Kroeger et al., "Fast optical flow using dense inverse search", 2016. Occlusion by the forward-backward check:
Sundaram, Brox and Keutzer, "Dense point trajectories by GPU-accelerated large displacement optical flow", 2010.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MOTION_SCALE = 2
"""Motion and confidence are reckoned at a size so many times smaller than the working size."""
DESCENTS, REFINEMENTS, STRIDE = 12, 2, 4
"""Steps by which the medium preset of DIS looks for each patch (25 by itself) and smooths the whole (5), and pixels from patch to
patch (3): by measure these do."""
FLOW_ERROR = 0.5
"""Deviation of forward and backward flow from each other, in pixels, beyond which a step is doubted."""
FLOW_ERROR_SHARE = 0.05
"""What is added to it, as a share of the flow's length."""


class Flows(NamedTuple):
    """Flow from each frame to the one before it, and to the one after: (T, H, W, 2) in pixels; trust in each, (T, H, W)."""

    back: Floats
    back_trust: Floats
    ahead: Floats
    ahead_trust: Floats


def as_floats(image: NDArray[np.integer[Any] | np.floating[Any]]) -> Floats:
    """What OpenCV gives back, of the type that it was given."""
    return image.astype(np.float32, copy=False)


def small(plane_HW: Floats) -> Floats:
    """At the size of motion."""
    height, width = plane_HW.shape[:2]
    return as_floats(
        cv2.resize(plane_HW, (width // MOTION_SCALE, height // MOTION_SCALE), interpolation=cv2.INTER_AREA)
    )


def large(planes: Sequence[Floats], height: int, width: int) -> list[Floats]:
    """From the size of motion to the working size."""
    return [as_floats(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)) for plane in planes]


def flows_of(luma_THW: Floats) -> Flows:
    """Of frames of luma (T, H, W), 0..1."""
    frames, height, width = luma_THW.shape
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(STRIDE)
    dis.setGradientDescentIterations(DESCENTS)
    dis.setVariationalRefinementIterations(REFINEMENTS)
    back = np.zeros((frames, height, width, 2), np.float32)
    ahead = np.zeros_like(back)
    back_trust, ahead_trust = (np.ones(luma_THW.shape, np.float32) for _ in range(2))
    shown = [_levels(luma) for luma in luma_THW]
    for at in range(1, frames):
        back[at] = dis.calc(shown[at], shown[at - 1], None)  # type: ignore[call-overload]
        ahead[at - 1] = dis.calc(shown[at - 1], shown[at], None)  # type: ignore[call-overload]
        back_trust[at] = _agreement(back[at], ahead[at - 1])
        ahead_trust[at - 1] = _agreement(ahead[at - 1], back[at])
    return Flows(back, back_trust, ahead, ahead_trust)


def _levels(luma_HW: Floats) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = (luma_HW * 255).clip(0, 255).astype(np.uint8)
    return levels


def _agreement(flow_HW2: Floats, other_HW2: Floats) -> Floats:
    """How well another flow leads back to where this one came from, 0..1; 0 where this one leaves the picture."""
    places = grid(*flow_HW2.shape[:2]) + flow_HW2
    apart = flow_HW2 + sampled(other_HW2, places)
    allowed = FLOW_ERROR + FLOW_ERROR_SHARE * np.hypot(flow_HW2[..., 0], flow_HW2[..., 1])
    error = (apart[..., 0] ** 2 + apart[..., 1] ** 2) / (allowed * allowed)
    return as_floats(np.exp(-0.5 * error) * _inside(places))


@cache
def grid(height: int, width: int) -> Floats:
    """The place (x, y) of each pixel, (H, W, 2); not to be written to."""
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    places = np.dstack([columns, rows])
    places.flags.writeable = False
    return places


def _inside(places_HW2: Floats) -> NDArray[np.bool_]:
    height, width = places_HW2.shape[:2]
    x, y = places_HW2[..., 0], places_HW2[..., 1]
    inside: NDArray[np.bool_] = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    return inside


def sampled(image: Floats, places_HW2: Floats) -> Floats:
    """An image (H, W) or (H, W, C) at places (x, y), bilinearly; beyond its edges it is as they are."""
    x, y = cv2.split(places_HW2)
    found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return as_floats(found)
