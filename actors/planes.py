"""Planes: a frame's samples where they lie. Promises views, never copies; knows no colour, and no torch, so that whoever needs none starts without."""

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8 | np.uint16 | np.float32]
"""One plane's samples, HW: 8 bit, 9 to 16 bit in the low bits, or 32-bit floats; in the frame's own byte order."""


_IN_THE_MIDDLE = ("mjpeg", "mpeg1video")
"""Codecs that site chroma in the middle of the pixels it covers."""


def aside(pix_fmt: str, codec: str = "") -> float:
    """How far left of the middle of the pixels it covers chroma is sited, in its own samples; 0 where it is as wide as luma.

    MPEG-2, H.264, HEVC and ITU-R BT.601 site it on the first of them, and that is meant where nothing is said.
    """
    step = 64 // min(part.width for part in av.VideoFormat(pix_fmt, 64, 64).components)
    return 0.0 if codec in _IN_THE_MIDDLE else 0.5 - 0.5 / step


def turned(planes: Sequence[Plane], degrees: int) -> list[Plane]:
    """The same planes seen turned counter-clockwise, by quarter turns: views of their memory still."""
    return [np.rot90(one, degrees // 90) for one in planes]


def planes_of(frame: av.VideoFrame) -> list[Plane]:
    """Y' alone, Y', Cb, Cr of a planar frame, or R', G', B' of a packed or planar one without alpha: HW each, views into the frame's own memory."""
    parts = frame.format.components
    bits = parts[0].bits
    dtype: Any = {8: np.dtype(np.uint8), 32: np.dtype("<f4")}.get(bits, np.dtype("<u2"))
    if frame.format.is_big_endian:
        dtype = dtype.newbyteorder(">")
    packed = len(parts) > len(frame.planes)
    views: list[Plane] = []
    for place, part in enumerate(parts):
        plane = frame.planes[part.plane]
        rows: Plane = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
        # Packed R'G'B' lies pixel by pixel.
        views.append(rows[:, place : len(parts) * plane.width : len(parts)] if packed else rows[:, : plane.width])
    return views
