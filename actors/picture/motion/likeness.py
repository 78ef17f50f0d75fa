"""Tells how alike two pictures are about each pixel, whatever the light."""

import cv2
import numpy as np

from actors.picture.motion.flow import Floats

PATCH = 7
"""Side of the window, in pixels, in which pictures are compared."""
NOISE = 0.02
"""Deviation of luma, 0..1, that is taken to be grain: contrast below it says nothing of likeness."""
FADE_LIMIT = 1.5
"""Most that chroma is multiplied by where a frame is brighter than its anchor."""


def likeness(luma_hw: Floats, other_hw: Floats) -> tuple[Floats, Floats]:
    """How alike two pictures are about each pixel whatever the light, 0..1, and the ratio of their light, for chroma.

    The first is normalised cross-correlation, where there is contrast; chroma fades with luma.
    """
    planes = luma_hw, other_hw, luma_hw * luma_hw, other_hw * other_hw, luma_hw * other_hw
    one, two, square_one, square_two, product = (cv2.blur(plane, (PATCH, PATCH)) for plane in planes)
    noise = np.float32(NOISE * NOISE)
    spread = np.sqrt((np.maximum(square_one - one * one, 0) + noise) * (np.maximum(square_two - two * two, 0) + noise))
    correlation = ((product - one * two + noise) / spread).clip(0, 1)
    ratio = (np.maximum(one, 0) + np.float32(NOISE)) / (np.maximum(two, 0) + np.float32(NOISE))
    # An anchor much darker than the frame says little: its chroma has drowned in black.
    visible = np.minimum(1, FADE_LIMIT / ratio) ** 2
    return correlation * correlation * visible, np.minimum(ratio, np.float32(FADE_LIMIT))
