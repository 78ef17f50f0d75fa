"""Batches of decoded frames as tensors, ready for a look. They hold the film's own integers until floats are asked for.

A batch holds Y'CbCr as decoded: luma and chroma planes of 8 to 16 bit. Looks ask for what they need (luma or R'G'B' as
floats, at the size they want), and the conversion happens on the device they work on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import av
import torch
from torch import Tensor

from actors.media.chroma_siting import siting_in
from actors.media.planes import aside, planes_of
from actors.picture.colour import Quantiser, from_differences
from actors.picture.device import uploaded
from actors.picture.resize import resized
from jobs.film.source import Picture


@dataclass(frozen=True)
class FrameBatch:
    """Some neighbouring frames. `luma_NHW`; `chroma` is (Cb, Cr), Nhw each, or None for a grey film. Integers as decoded."""

    luma_NHW: Tensor
    chroma: tuple[Tensor, Tensor] | None
    scale: Quantiser
    shift: tuple[float, float] = (0.0, 0.0)
    """Where chroma is sited: its samples below and right of which it is read, that it lies on luma."""
    whole: int = 0
    """Frames of a whole batch, of which the last of a chunk may hold fewer: what a network is shown on a GPU, filled up, for
    another length may give other last bits. Fewer than usual where memory ran out. 0: as many as are here."""

    def __len__(self) -> int:
        return len(self.luma_NHW)

    def parts(self, length: int) -> "Iterator[FrameBatch]":
        """The same frames, `length` at a time; the last may be fewer."""
        for start in range(0, len(self), length):
            some = slice(start, start + length)
            chroma = (self.chroma[0][some], self.chroma[1][some]) if self.chroma else None
            yield FrameBatch(self.luma_NHW[some], chroma, self.scale, self.shift, length)

    def luma(self, size: tuple[int, int] | None = None) -> Tensor:
        """Y' as N1HW floats, 0 (black) to 1 (white); at `size` (height, width) where given, averaged where that is smaller."""
        luma_N1HW = self.luma_NHW[:, None]
        # Resized as integers' floats first: there is less to scale afterwards.
        return self.scale.luma_floats(luma_N1HW if size is None else resized(luma_N1HW, size))

    def differences(self) -> Tensor:
        """The film's own (B'-Y', R'-Y') as N2hw floats at the size of its chroma planes; zeros at luma size for a grey film."""
        if self.chroma is None:
            n, height, width = self.luma_NHW.shape
            return torch.zeros(n, 2, height, width, device=self.luma_NHW.device)
        return self.scale.difference_floats(torch.stack(self.chroma, 1))

    def rgb(self, size: tuple[int, int] | None = None) -> Tensor:
        """R'G'B' as N3HW floats, 0..1, clipped, at the film's size or at `size` (height, width)."""
        luma = self.luma(size)
        height, width = luma.shape[-2:]
        differences = resized(self.differences(), (height, width), self.shift)
        return from_differences(luma, differences, self.scale.colour).clamp(0, 1)


def batches_of(
    frames: Iterable[av.VideoFrame], picture: Picture, batch: int, device: torch.device
) -> Iterator[tuple[list[av.VideoFrame], FrameBatch]]:
    """Frames in order, in runs of `batch` (the last may be shorter), beside their frame batches on `device`.

    Batches are turned upright, as the film is seen; a look's pictures are turned back by `turned_back`.
    """
    scale = Quantiser(picture.colour, picture.depth)
    up, left = aside(picture.pix_fmt, siting_in(picture))
    # What is right in the file is above, left or below in the upright picture.
    shift = {0: (up, left), 90: (-left, up), 180: (-up, -left), 270: (left, -up)}[picture.rotation]
    rest = iter(frames)
    while run := list(islice(rest, batch)):
        stacks = [uploaded(planes, device) for planes in zip(*map(planes_of, run), strict=True)]
        # torch has no arithmetic on uint16; int32 holds every depth up to 16 bit.
        stacks = [one if one.dtype == torch.uint8 else one.to(torch.int32) for one in stacks]
        stacks = [_turned(one, picture.rotation) for one in stacks]
        yield run, FrameBatch(stacks[0], (stacks[1], stacks[2]) if len(stacks) == 3 else None, scale, shift, batch)


def turned_upright(stored_NCHW: Tensor, picture: Picture) -> Tensor:
    """Pictures that lie as the film stores its own, as they are seen."""
    return _turned(stored_NCHW, picture.rotation)


def turned_back(upright_NCHW: Tensor, picture: Picture) -> Tensor:
    """A look's upright pictures as the film stores its own: turned by the player, not in the file."""
    return _turned(upright_NCHW, -picture.rotation)


def _turned(stack: Tensor, degrees: int) -> Tensor:
    # rot90 copies even where it turns nothing.
    return torch.rot90(stack, degrees // 90, (-2, -1)) if degrees else stack
