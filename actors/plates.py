"""Plates: decoded frames as tensors, ready for a look. Promises the film's own numbers until somebody asks for colours; knows no files.

A plate is Y'CbCr as decoded: luma and chroma planes of 8 to 16 bit. Looks ask for what they need (luma or R'G'B' as
floats, at the size they want), and the conversion happens on the device they work on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from actors.colour import Quantiser, from_differences
from jobs.film import Picture

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


@dataclass(frozen=True)
class Plates:
    """Some neighbouring frames. `luma_NHW`; `chroma` is (Cb, Cr), Nhw each, or None for a grey film. Integers as decoded."""

    luma_NHW: Tensor
    chroma: tuple[Tensor, Tensor] | None
    scale: Quantiser

    def __len__(self) -> int:
        return len(self.luma_NHW)

    def luma(self, size: tuple[int, int] | None = None) -> Tensor:
        """Y' as N1HW floats, 0 (black) to 1 (white), averaged down to `size` (height, width) where given."""
        luma = self.scale.luma_floats(self.luma_NHW)[:, None]
        return luma if size is None else functional.interpolate(luma, size, mode="area")

    def differences(self) -> Tensor:
        """The film's own (B'-Y', R'-Y') as N2hw floats at the size of its chroma planes; zeros at luma size for a grey film."""
        if self.chroma is None:
            n, height, width = self.luma_NHW.shape
            return torch.zeros(n, 2, height, width, device=self.luma_NHW.device)
        return self.scale.difference_floats(torch.stack(self.chroma, 1))

    def rgb(self) -> Tensor:
        """R'G'B' as N3HW floats, 0..1, clipped, at the film's size (chroma upsampled bicubic)."""
        luma = self.luma()
        differences = functional.interpolate(self.differences(), luma.shape[-2:], mode="bicubic", align_corners=False)
        return from_differences(luma, differences, self.scale.colour).clamp(0, 1)


def batches_of(
    frames: Iterable[av.VideoFrame], picture: Picture, batch: int, device: torch.device
) -> Iterator[tuple[list[av.VideoFrame], Plates]]:
    """Frames in order, in runs of `batch` (the last may be shorter), beside their plates on `device`.

    Plates are turned upright, as the film is seen; a look's pictures are turned back by `turned_back`.
    """
    scale = Quantiser(picture.colour, picture.depth)
    rest = iter(frames)
    while run := list(islice(rest, batch)):
        stacks = [torch.from_numpy(np.stack(planes)) for planes in zip(*map(planes_of, run), strict=True)]
        # torch has no arithmetic on uint16; int32 holds every depth up to 16 bit.
        stacks = [(one if one.dtype == torch.uint8 else one.to(torch.int32)).to(device) for one in stacks]
        stacks = [torch.rot90(one, picture.rotation // 90, (-2, -1)) for one in stacks]
        yield run, Plates(stacks[0], (stacks[1], stacks[2]) if len(stacks) == 3 else None, scale)


def turned_back(upright_NCHW: Tensor, picture: Picture) -> Tensor:
    """A look's upright pictures as the film stores its own: turned by the player, not in the file."""
    return torch.rot90(upright_NCHW, -picture.rotation // 90, (-2, -1))
