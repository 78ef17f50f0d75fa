"""Transfer curves from R'G'B' to linear light, and their exact inverses.

Numbers are ITU-T H.273's transfer characteristics. BT.709, BT.601 and BT.2020 (1, 6, 14, 15) share one opto-electronic
curve; 13 is IEC 61966-2-1 (sRGB); 4 and 5 are plain powers of 2.2 and 2.8. Values below 0 and above 1 follow the same
curves, those below 0 mirrored, so that head- and footroom survive.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class TransferCurve:
    """V = slope * L up to L = toe, then (1 + offset) * L^(1/power) - offset."""

    power: float
    slope: float = 0.0
    toe: float = 0.0
    offset: float = 0.0

    def linear(self, signal: Samples) -> Samples:
        """R'G'B', 0 black to 1 white, as linear light, likewise."""
        size = np.abs(signal)
        bright = ((size + self.offset) / (1 + self.offset)) ** self.power
        if self.toe:
            bright = np.where(size < self.slope * self.toe, size / self.slope, bright)
        return np.copysign(bright, signal, dtype=np.float32)

    def signal(self, linear: Samples) -> Samples:
        """Linear light as R'G'B': the inverse of `linear`."""
        size = np.abs(linear)
        bright = (1 + self.offset) * size ** (1 / self.power) - self.offset
        if self.toe:
            bright = np.where(size < self.toe, size * self.slope, bright)
        return np.copysign(bright, linear, dtype=np.float32)


# With the digits of BT.2020, at which both parts of the curve meet.
_CAMERA = TransferCurve(1 / 0.45, 4.5, 0.018053968510807, 0.09929682680944)

CURVES = {
    **dict.fromkeys((1, 6, 14, 15), _CAMERA),
    4: TransferCurve(2.2),
    5: TransferCurve(2.8),
    13: TransferCurve(2.4, 12.92, 0.0031308, 0.055),
}
"""The curves that are known, by their number."""
