"""Makes the small pictures that clips are encoded of and figures are measured in: 4:2:0 of 8 bits, limited range, averaged by area."""

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Interpolation
from numpy.typing import NDArray

from actors.media.planes import planes_of, turned
from jobs.film.source import Colour

Planes = list[NDArray[np.uint8]]
"""Y', Cb, Cr of 4:2:0, limited range."""
WIDTH = 480
"""Widest a picture is, in pixels; in a clip, where two are side by side, each, before it is turned upright."""
SMALLEST = 16
"""Samples of a side: x264 works in blocks of so many."""
LIMITED, FULL = ColorRange.MPEG, ColorRange.JPEG


def shrunk(frame: av.VideoFrame, colour: Colour, size: tuple[int, int]) -> Planes:
    """A frame of Y'CbCr, or grey, by height and width; both even."""
    if len(frame.format.components) == 1:
        return _grey(frame, colour, size)
    ready = frame.reformat(
        width=size[1],
        height=size[0],
        format="yuv420p",
        interpolation=Interpolation.AREA,
        src_color_range=FULL if colour.full_range else LIMITED,
        dst_color_range=LIMITED,
    )
    return [np.asarray(plane, np.uint8) for plane in planes_of(ready)]


def upright(planes: Planes, degrees: int) -> Planes:
    """The same turned counter-clockwise, by quarter turns."""
    return [np.asarray(plane, np.uint8) for plane in turned(planes, degrees)]


def _grey(frame: av.VideoFrame, colour: Colour, size: tuple[int, int]) -> Planes:
    # libswscale takes every grey picture for one of full range.
    (plane,) = planes_of(frame)
    luma = cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    luma /= 2 ** (frame.format.components[0].bits - 8)
    if colour.full_range:
        luma = 16 + luma * (219 / 255)
    grey = np.full((size[0] // 2, size[1] // 2), 128, np.uint8)
    return [luma.round().clip(0, 255).astype(np.uint8), grey, grey]
