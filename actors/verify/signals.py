"""Turns a decoded frame of any form into Y', Cb and Cr as floats, for measuring.

Shares no arithmetic with what makes pictures, so that it cannot share its errors.

Y' runs from 0 (black) to 1 (white), Cb and Cr from -0.5 to 0.5, by the frame's own matrix and range (ITU-T H.273); what
lies outside is kept. Each plane keeps its own size.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from actors.media.pixel_formats import developed, is_linear, is_rgb, samples_of
from actors.picture.transfer import CURVES
from jobs.film.source import KR_KB, Colour

Floats = NDArray[np.float32]
Size = tuple[int, int]
"""Width and height."""


@dataclass(frozen=True)
class Signals:
    """One picture."""

    luma: Floats
    chroma: tuple[Floats, ...]
    """Cb and Cr; empty for a grey picture."""
    whole: NDArray[np.bool_] | None = None
    """Where R'G'B' is between black and white, so that nothing can have been cut off; None where nothing ever is."""

    def turned(self, quarters: int) -> "Signals":
        """Turned counter-clockwise by quarter turns."""
        if not quarters % 4:
            return self
        luma, *chroma = (np.ascontiguousarray(np.rot90(one, quarters)) for one in (self.luma, *self.chroma))
        return Signals(luma, tuple(chroma))

    def sized(self, size: Size) -> "Signals":
        """Brought to a size, chroma in proportion: by area where it shrinks, else bicubic."""
        width, height = size
        if self.luma.shape == (height, width):
            return self
        across, down = width / self.luma.shape[1], height / self.luma.shape[0]
        chroma = (
            _resized(one, (max(1, round(one.shape[1] * across)), max(1, round(one.shape[0] * down))))
            for one in self.chroma
        )
        return Signals(_resized(self.luma, size), tuple(chroma))

    def field(self, first: int) -> "Signals":
        """Every second line, from `first` (0 or 1) on: one field of an interlaced picture."""
        luma, *chroma = (np.ascontiguousarray(one[first::2]) for one in (self.luma, *self.chroma))
        return Signals(luma, tuple(chroma))

    def cut(self, matrix: str) -> "Signals":
        """What is left of it in R'G'B' from black to white."""
        rgb = self._rgb(matrix)
        inside = np.all((rgb >= 0) & (rgb <= 1), axis=2)
        return _of_rgb(np.clip(rgb, 0, 1), matrix, inside)

    def _rgb(self, matrix: str) -> Floats:
        kr, kb = KR_KB[matrix]
        size = (self.luma.shape[1], self.luma.shape[0])
        blue, red = (_resized(one, size) for one in self.chroma) if self.chroma else (0 * self.luma, 0 * self.luma)
        r, b = self.luma + 2 * (1 - kr) * red, self.luma + 2 * (1 - kb) * blue
        g = (self.luma - kr * r - kb * b) / (1 - kr - kb)
        return np.stack([r, g, b], axis=2)


def signals_of(frame: VideoFrame, colour: Colour, transfer: int = 1) -> Signals:
    """A frame's signals. `transfer`: the curve (H.273) by which linear light becomes R'G'B'.

    What only libav knows is brought to R'G'B' of 16 bits by libav.
    """
    if not developed(frame.format.name):
        frame = frame.reformat(format="rgb48le")
    name, bits = frame.format.name, frame.format.components[0].bits
    planes = [one.astype(np.float32) for one in samples_of(frame)]
    if is_rgb(name):
        rgb = np.stack(planes, axis=2)
        rgb = CURVES[transfer].signal(rgb) if is_linear(name) else rgb / np.float32(2**bits - 1)
        return _of_rgb(rgb, colour.matrix, np.all((rgb > 0) & (rgb < 1), axis=2))
    if is_linear(name):
        return Signals(CURVES[transfer].signal(planes[0]), ())
    step = float(2 ** (bits - 8))
    black, white, span = (
        (0.0, 2.0**bits - 1, 2.0**bits - 1) if colour.full_range else (16 * step, 235 * step, 224 * step)
    )
    luma = (planes[0] - np.float32(black)) / np.float32(white - black)
    return Signals(luma, tuple((one - np.float32(128 * step)) / np.float32(span) for one in planes[1:]))


def _of_rgb(rgb: Floats, matrix: str, whole: NDArray[np.bool_]) -> Signals:
    kr, kb = KR_KB[matrix]
    red, green, blue = (rgb[:, :, place] for place in range(3))
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    return Signals(np.asarray(luma, np.float32), tuple(np.asarray(one, np.float32) for one in chroma), whole)


def _resized(plane: Floats, size: Size) -> Floats:
    if (plane.shape[1], plane.shape[0]) == size:
        return plane
    shrinks = plane.shape[1] >= size[0] and plane.shape[0] >= size[1]
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC), np.float32)
