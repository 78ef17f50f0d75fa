"""Convolutions with mirrored edges, computed by rows: a run of rows is the same as in the whole picture."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class ReflectConv:
    """A convolution of odd span whose picture is mirrored at its edges, their own rows and columns not twice."""

    kernel_OIkk: Tensor
    stride: int = 1

    @property
    def dtype(self) -> torch.dtype:
        return self.kernel_OIkk.dtype

    @property
    def edge(self) -> int:
        return self.kernel_OIkk.shape[-1] // 2

    def size(self, height: int, width: int) -> tuple[int, int]:
        return -(-height // self.stride), -(-width // self.stride)

    def rows(self, start: int, stop: int, height: int) -> tuple[int, int]:
        first, last = self._reach(start, stop)
        return max(0, first), min(height, last)

    def made(self, rows_NChW: Tensor, start: int, stop: int, height: int) -> Tensor:
        first, last = self._reach(start, stop)
        edges = (self.edge, self.edge, max(0, -first), max(0, last - height))
        shown = functional.pad(rows_NChW, edges, mode="reflect")
        return functional.conv2d(shown, self.kernel_OIkk, stride=self.stride)

    def _reach(self, start: int, stop: int) -> tuple[int, int]:
        # What is mirrored is always among the rows within the picture: it lies as deep inside as the mirror outside.
        return start * self.stride - self.edge, (stop - 1) * self.stride + self.edge + 1


@dataclass(frozen=True)
class UpsampleConv:
    """A picture made twice as large, each pixel four, then convolved as by `ReflectConv`."""

    kernel_OIkk: Tensor

    @property
    def dtype(self) -> torch.dtype:
        return self.kernel_OIkk.dtype

    def size(self, height: int, width: int) -> tuple[int, int]:
        return 2 * height, 2 * width

    def rows(self, start: int, stop: int, height: int) -> tuple[int, int]:
        first, last = self._after.rows(start, stop, 2 * height)
        return first // 2, (last + 1) // 2

    def made(self, rows_NChW: Tensor, start: int, stop: int, height: int) -> Tensor:
        first, last = self._after.rows(start, stop, 2 * height)
        above = first // 2 * 2
        grown = functional.interpolate(rows_NChW, scale_factor=2.0)[:, :, first - above : last - above]
        return self._after.made(grown, start, stop, 2 * height)

    @property
    def _after(self) -> ReflectConv:
        return ReflectConv(self.kernel_OIkk)
