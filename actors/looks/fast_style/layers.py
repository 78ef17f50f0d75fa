"""The convolutions of a published style network, computed by rows: a run of rows is the same as in the whole picture.

Each class has one kernel and says which rows of its input some rows of its output are made of (`rows`), and makes them
(`made`). Zeros stand around the picture only, never around a run of rows.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Kernel(Protocol):
    """What a layer of the network does before its norm."""

    @property
    def dtype(self) -> torch.dtype:
        """What it works in, and gives."""

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what it makes of a picture of this size."""

    def rows(self, start: int, stop: int, height: int) -> tuple[int, int]:
        """The rows [first, last) of a picture `height` high that its own rows [start, stop) are made of."""

    def made(self, rows_NChW: Tensor, start: int, stop: int, height: int) -> Tensor:
        """Its rows [start, stop), from exactly the rows that `rows` names."""


@dataclass(frozen=True)
class Convolution:
    """A convolution with TensorFlow's SAME padding: zeros, the odd one at the end."""

    kernel_OIkk: Tensor
    stride: int = 1

    @property
    def dtype(self) -> torch.dtype:
        return self.kernel_OIkk.dtype

    def size(self, height: int, width: int) -> tuple[int, int]:
        return -(-height // self.stride), -(-width // self.stride)

    def rows(self, start: int, stop: int, height: int) -> tuple[int, int]:
        first, last = self._reach(start, stop, height)
        return max(0, first), min(height, last)

    def made(self, rows_NChW: Tensor, start: int, stop: int, height: int) -> Tensor:
        width = rows_NChW.shape[-1]
        first, last = self._reach(start, stop, height)
        left, right = self._reach(0, -(-width // self.stride), width)
        zeros = (max(0, -left), max(0, right - width), max(0, -first), max(0, last - height))
        return functional.conv2d(functional.pad(rows_NChW, zeros), self.kernel_OIkk, stride=self.stride)

    def _reach(self, start: int, stop: int, side: int) -> tuple[int, int]:
        # On one axis; places below 0 and from `side` on are the zeros around the picture.
        span = self.kernel_OIkk.shape[-1]
        zeros = max(0, (-(-side // self.stride) - 1) * self.stride + span - side)
        begin = start * self.stride - zeros // 2
        return begin, begin + (stop - start - 1) * self.stride + span


@dataclass(frozen=True)
class Doubling:
    """A transposed convolution of stride 2, cropped to exactly twice the size from the top left."""

    kernel_IO33: Tensor

    @property
    def dtype(self) -> torch.dtype:
        return self.kernel_IO33.dtype

    def size(self, height: int, width: int) -> tuple[int, int]:
        return 2 * height, 2 * width

    def rows(self, start: int, stop: int, height: int) -> tuple[int, int]:
        # Row i adds to rows 2i, 2i + 1 and 2i + 2.
        return max(0, (start - 1) // 2), (stop - 1) // 2 + 1

    def made(self, rows_NChW: Tensor, start: int, stop: int, height: int) -> Tensor:
        above = 2 * self.rows(start, stop, height)[0]
        grown = functional.conv_transpose2d(rows_NChW, self.kernel_IO33, stride=2)
        kept = grown[..., start - above : stop - above, : 2 * rows_NChW.shape[-1]]
        return kept.contiguous(memory_format=torch.channels_last)


class Finish:
    """A convolution to three channels, made as one of stride 2 that gives squares of 2x2 pixels, 12 channels.

    The sums are the same ones; but three channels leave most of a processor's lanes idle (in float32 it takes 0.4 of the
    time). The picture's sides must be even, and so must the first and last row asked for.
    """

    def __init__(self, kernel_3Ikk: Tensor, edges: Literal["constant", "reflect"] = "constant") -> None:
        """`edges`: zeros stand around the picture, or it is mirrored."""
        out, inside, span, _ = kernel_3Ikk.shape
        squares = kernel_3Ikk.new_zeros(out, 2, 2, inside, span + 1, span + 1)
        for y, x in ((0, 0), (0, 1), (1, 0), (1, 1)):
            squares[:, y, x, :, y : y + span, x : x + span] = kernel_3Ikk
        self.kernel = squares.flatten(0, 2).contiguous(memory_format=torch.channels_last)
        self.edge = span // 2
        self.edges = edges

    @property
    def dtype(self) -> torch.dtype:
        return self.kernel.dtype

    def size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def rows(self, start: int, stop: int, height: int) -> tuple[int, int]:
        return max(0, start - self.edge), min(height, stop + self.edge)

    def made(self, rows_NChW: Tensor, start: int, stop: int, height: int) -> Tensor:
        above, below = max(0, self.edge - start), max(0, stop + self.edge - height)
        shown = functional.pad(rows_NChW, (self.edge, self.edge, above, below), mode=self.edges)
        return functional.pixel_shuffle(functional.conv2d(shown, self.kernel, stride=2), 2)
