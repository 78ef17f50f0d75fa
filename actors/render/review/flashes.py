"""Finds flashes that may harm viewers with photosensitive epilepsy, by ITU-R BT.1702-3 (2023) and Ofcom's guidance note on flashing images.

A flash is a pair of opposing changes of 20 cd/m2 or more whose darker picture is below 160 cd/m2, or of changes to and from a saturated red. More
than three within a second are harmful where they take more than a quarter of the screen at once. Patterns of stripes are not looked for.
"""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

Planes = list[NDArray[np.uint8]]
"""Y', Cb, Cr of one size, limited range, BT.709."""
WIDTH = 48
"""Pixels of the pictures that are looked at: a quarter of a screen is large."""
PEAK, DISPLAY_GAMMA = 200.0, 2.4
"""cd/m2 of white, and the exponent of the screen that BT.1702 assumes (BT.1886)."""
CHANGE, DARK = 20.0, 160.0
RED_SHARE, RED_SCALE = 0.8, 320.0
"""Saturated is red that is so much of R + G + B; its change is reckoned as WCAG 2.2 does: (R - G - B) times 320, by 20 or more."""
MOST_CHANGES = 6
"""Within a second: three flashes."""
SCREEN = 0.25
TOGETHER = 3
"""Frames within which pixels change at once."""

Maps = NDArray[np.float32]


class _Followed:
    """What is known of pictures so far: by picture, by quantity (`_quantities`), and most of it by pixel."""

    def __init__(self, now: Maps) -> None:
        self.low, self.high = now.copy(), now.copy()
        """Since a pixel last turned."""
        self.rising = np.zeros(now.shape, np.int8)
        self.age = {way: np.full(now.shape, TOGETHER, np.int8) for way in (1, -1)}
        """Frames since a pixel rose after it had fallen (1), or fell after it had risen (-1)."""
        self.last = np.zeros(now.shape[:2], np.int8)
        """Which way a large part of the picture last changed."""

    def changes(self, now: Maps) -> NDArray[np.bool_]:
        """Where a large part of the picture has now changed, against the way before."""
        np.minimum(self.low, now, out=self.low)
        np.maximum(self.high, now, out=self.high)
        turned = {1: now - self.low >= CHANGE, -1: self.high - now >= CHANGE}
        turned[1][:, 0] &= self.low[:, 0] < DARK
        turned[-1][:, 0] &= now[:, 0] < DARK
        for way, pixels in turned.items():
            np.minimum(self.age[way] + 1, TOGETHER, out=self.age[way])
            self.age[way][pixels & (self.rising != way)] = 0
        # Grain, and what moves, changes as much one way as the other.
        rises, falls = ((self.age[way] < TOGETHER).mean(axis=(2, 3)) for way in (1, -1))
        now_up, now_down = rises - falls > SCREEN, falls - rises > SCREEN
        changed = np.zeros(self.last.shape, np.bool_)
        for way, large in ((1, now_up & (self.last != 1)), (-1, now_down & (self.last != -1))):
            self.age[way][large] = TOGETHER
            self.last[large] = way
            changed |= large
        for way, pixels in turned.items():
            self.rising[pixels] = way
            self.low[pixels] = self.high[pixels] = now[pixels]
        return changed


class FlashMeasure:
    """Follows pictures frame by frame, several beside each other (before and after)."""

    def __init__(self, rate: float) -> None:
        """`rate`: frames a second."""
        self._second = max(1, round(rate))
        self._followed: _Followed | None = None
        self._recent: deque[NDArray[np.bool_]] = deque(maxlen=self._second)

    def take(self, *pictures: Planes) -> list[bool]:
        """The next frame of each; whether it lies within harmful flashes."""
        now = np.stack([_quantities(one) for one in pictures])
        if self._followed is None:
            self._followed = _Followed(now)
        self._recent.append(self._followed.changes(now))
        changes = np.sum(self._recent, axis=0)
        return [bool(one) for one in (changes > MOST_CHANGES).any(axis=1)]


def _quantities(planes: Planes) -> Maps:
    """cd/m2, and how red what is saturated red is: 2HW."""
    height, width = planes[0].shape
    size = (min(width, WIDTH), max(1, round(height * min(1.0, WIDTH / width))))
    luma, blue, red = (cv2.resize(one, size, interpolation=cv2.INTER_AREA).astype(np.float32) for one in planes)
    shade, across, up = (luma - 16) / 219, (blue - 128) / 224, (red - 128) / 224
    signal = np.stack([shade + 1.5748 * up, shade - 0.1873 * across - 0.4681 * up, shade + 1.8556 * across])
    light = signal.clip(0, 1) ** np.float32(DISPLAY_GAMMA)
    saturated = light[0] >= RED_SHARE * light.sum(axis=0)
    redness = np.where(saturated, RED_SCALE * (light[0] - light[1] - light[2]).clip(0), 0)
    luminance = PEAK * (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2])
    return np.stack([luminance, redness]).astype(np.float32)
