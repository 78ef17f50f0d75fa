"""Averages a frame's chroma with that of the frames beside it, followed along optical flow: flicker goes, what moves keeps its colour.

A frame beside counts as far as flow leads there and back (Sundaram, Brox and Keutzer 2010) and the same is seen there. A fade scales chroma
with its light; what is much lighter or darker as a whole, as a flash, does not count. Nothing beyond `radius` frames is looked at.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from actors.picture.motion.flow import Floats, FlowStep, as_floats, grid, sampled

ALIKE = 0.04
"""Deviation of luma, 0..1, averaged over PATCH, at which a frame beside counts by e^-0.5."""
PATCH = 5
"""Side of the window, in pixels, in which luma is compared: a few grains say nothing."""
LIGHT = 0.25
"""Natural logarithm of the ratio of two frames' light at which one counts by e^-0.5 in the other."""
DIM = 0.02
"""Luma, 0..1, that is added to both sides of that ratio: black tells none."""


LOST = 0.15
"""Mean of what a frame's pixels count below which it shows something else, behind a cut that was passed over: it counts nothing, nor do those behind it."""


@dataclass(eq=False)
class MovingFrame:
    """A frame, and the way from it to those beside it."""

    planes_hw4: Floats
    """Luma, 0..1; both planes of chroma, each times what it is worth; what it is worth, 0..1."""
    back_hw3: Floats | None
    """Flow to the frame before, and the trust in it; None where there is none."""
    ahead_hw3: Floats | None
    """The same to the frame after."""


class ChromaMean(NamedTuple):
    """Mean chroma (two planes hw), and the share in it of the frame itself (hw)."""

    chroma: tuple[Floats, Floats]
    own_hw: Floats


def moving_frame(luma_hw: Floats, chroma: Sequence[Floats], worth_hw: Floats) -> MovingFrame:
    """A frame of which no neighbour is known."""
    planes = (luma_hw, *(plane * worth_hw for plane in chroma), worth_hw)
    return MovingFrame(as_floats(cv2.merge(planes)), None, None)


def joined(before: MovingFrame, after: MovingFrame, flow: FlowStep) -> None:
    """Tell two frames that are neighbours the way to each other."""
    after.back_hw3 = _step(flow.back, flow.back_trust)
    before.ahead_hw3 = _step(flow.ahead, flow.ahead_trust)


def mean_along_motion(frames: Sequence[MovingFrame], here: int, radius: int) -> ChromaMean:
    """Of one of these frames, which are neighbours, over `radius` frames on either side of it, as far as there are any."""
    luma, blue, red, total = (as_floats(plane.copy()) for plane in cv2.split(frames[here].planes_hw4))
    own = total.copy()
    for way in (-1, 1):
        for found, weight in _beside(frames, here, way, radius, luma):
            blue += found[1] * weight
            red += found[2] * weight
            total += found[3] * weight
    scale = 1 / (total + np.float32(1e-6))
    return ChromaMean((as_floats(blue * scale), as_floats(red * scale)), as_floats(own * scale))


def _beside(
    frames: Sequence[MovingFrame], here: int, way: int, radius: int, luma_hw: Floats
) -> Iterator[tuple[Sequence[Floats], Floats]]:
    """The planes of each frame on one side, brought to the one that is here, and what they count; chroma in the light of the frame here."""
    at_rest = grid(*luma_hw.shape)
    places, trust = at_rest, np.ones_like(luma_hw)
    for number in range(here + way, here + way * (radius + 1), way):
        step = frames[number - way].back_hw3 if way < 0 else frames[number - way].ahead_hw3
        if not 0 <= number < len(frames) or step is None:
            return
        x, y, further = cv2.split(step if places is at_rest else sampled(step, places))
        places, trust = places + cv2.merge([x, y]), as_floats(trust * further)
        found = [as_floats(plane) for plane in cv2.split(sampled(frames[number].planes_hw4, places))]
        ratio = _light(luma_hw, found[0], trust)
        unlike = cv2.blur(np.abs(found[0] * np.float32(ratio) - luma_hw), (PATCH, PATCH)) / np.float32(ALIKE)
        counts = math.exp(-0.5 * (math.log(ratio) / LIGHT) ** 2)
        weight = as_floats(trust * np.exp(np.float32(-0.5) * unlike * unlike) * np.float32(counts))
        if weight.mean(dtype=np.float64) < LOST * counts:  # a flash, which counts little, is passed
            return
        lit = np.float32(ratio)
        yield (found[0], found[1] * lit, found[2] * lit, found[3]), weight


def _light(luma_hw: Floats, other_hw: Floats, trust_hw: Floats) -> float:
    """How much lighter a frame is than another brought to it, where flow is trusted: a pan, which shows other things, changes nothing."""
    black = DIM * float(trust_hw.sum(dtype=np.float64)) + 1e-6
    one, other = (float((trust_hw * plane).sum(dtype=np.float64)) for plane in (luma_hw, other_hw))
    return (one + black) / (other + black)


def _step(flow_hw2: Floats, trust_hw: Floats) -> Floats:
    return as_floats(cv2.merge([*cv2.split(flow_hw2), trust_hw]))
