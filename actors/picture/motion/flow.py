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


class FlowStep(NamedTuple):
    """Flow between two neighbouring frames: from the later to the earlier, from the earlier to the later; (H, W, 2) in pixels, trust in each (H, W), 0..1."""

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


def flow_between(earlier_HW: Floats, later_HW: Floats) -> FlowStep:
    """Between two neighbouring frames of luma, 0..1."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(STRIDE)
    dis.setGradientDescentIterations(DESCENTS)
    dis.setVariationalRefinementIterations(REFINEMENTS)
    earlier, later = _levels(earlier_HW), _levels(later_HW)
    back = as_floats(dis.calc(later, earlier, None))  # type: ignore[call-overload]
    ahead = as_floats(dis.calc(earlier, later, None))  # type: ignore[call-overload]
    return FlowStep(back, _agreement(back, ahead), ahead, _agreement(ahead, back))


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
