"""Gives a frame's sample planes as arrays that view its own memory; nothing is copied.

This file must not import torch, so that processes that need none start without it.
"""

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from jobs.film.source import Siting

Plane = NDArray[np.uint8 | np.uint16 | np.float32]
"""One plane's samples, HW: 8 bit, 9 to 16 bit in the low bits, or 32-bit floats; in the frame's own byte order."""


Aside = tuple[float, float]
"""How far above and left of the middle of the pixels it covers chroma is sited, in its own samples."""


def covered(pix_fmt: str) -> tuple[int, int]:
    """How many pixels a sample of chroma covers, from top to bottom and from left to right; 1 where there is none."""
    parts = av.VideoFormat(pix_fmt, 64, 64).components
    return 64 // min(part.height for part in parts), 64 // min(part.width for part in parts)


def aside(pix_fmt: str, siting: Siting = "") -> Aside:
    """Where chroma is sited; (0, 0) where there is as much of it as of luma.

    MPEG-2, H.264, HEVC and ITU-R BT.601 site it on the left, between the rows, and that is meant where nothing is said.
    """
    down, across = (0.5 - 0.5 / step for step in covered(pix_fmt))
    return (down if siting in ("topleft", "top") else 0.0), (0.0 if siting in ("center", "top") else across)


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
