"""Planes: a decoded frame's samples where they lie. Promises views, never copies; knows no colour, and no torch, so that whoever needs none starts without."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8 | np.uint16]
"""One plane's samples, HW: 8 bit, or 9 to 16 bit in the low bits."""


def planes_of(frame: av.VideoFrame) -> list[Plane]:
    """The planes of a planar Y'CbCr or grey frame, HW each, as views into the frame's own memory."""
    dtype: Any = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
    views: list[Plane] = []
    for plane in frame.planes:
        rows: Plane = np.frombuffer(memoryview(plane), np.dtype(dtype)).reshape(plane.height, -1)
        views.append(rows[:, : plane.width])
    return views
