"""Resizes pictures. A picture's result does not depend on its batch or on the number of threads.

Down by area (a sample is the mean of what it covers, in fractions of pixels), up bicubic (a = -0.75), edges repeated.
On the processor by OpenCV, plane by plane; elsewhere by torch. Both ways agree to 2e-4 of the range of values (tests),
so a film is rendered on one kind of hardware, as its records say.
"""

from functools import cache, reduce
from math import floor
from operator import add

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

# For the whole process, as OpenCV has no other: frames are worked on side by side, and threads within one would only wait.
cv2.setNumThreads(1)

Size = tuple[int, int]
"""Height and width."""


def resized(stack_NCHW: Tensor, size: Size, shift: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """The pictures, of any number type, as float32 of `size`: by area where neither side grows, else bicubic.

    `shift`: what is at a place is read so many samples below and right of it, for samples that are not sited in the middle.
    """
    if shift != (0.0, 0.0):
        stack_NCHW = _shifted(stack_NCHW, shift, smooth=not _shrinks(stack_NCHW, size))
    if stack_NCHW.shape[-2:] == size:
        return stack_NCHW.to(torch.float32)
    return (by_opencv if stack_NCHW.device.type == "cpu" else by_torch)(stack_NCHW, size)


def by_opencv(stack_NCHW: Tensor, size: Size) -> Tensor:
    """`resized` on the processor. Each row is reckoned by itself, so no bit depends on OpenCV's threads."""
    way = cv2.INTER_AREA if _shrinks(stack_NCHW, size) else cv2.INTER_CUBIC
    small = np.empty((*stack_NCHW.shape[:2], *size), np.float32)
    for planes, into in zip(stack_NCHW.numpy(), small, strict=True):
        for plane, out in zip(planes, into, strict=True):
            cv2.resize(np.ascontiguousarray(plane, np.float32), size[::-1], dst=out, interpolation=way)
    return torch.from_numpy(small)


def by_torch(stack_NCHW: Tensor, size: Size) -> Tensor:
    """`resized` on any device. Area is two products with matrices, frame by frame: one shape in any batch."""
    stack = stack_NCHW.to(torch.float32)
    if not _shrinks(stack, size):
        return functional.interpolate(stack, size, mode="bicubic", align_corners=False)
    rows, columns = (_area(*sides, stack.device) for sides in zip(stack.shape[-2:], size, strict=True))
    return torch.stack([rows @ picture @ columns.T for picture in stack])


def _shifted(stack_NCHW: Tensor, shift: tuple[float, float], smooth: bool) -> Tensor:
    """Bicubic where `smooth`; else linear, so that means of what is covered stay means."""
    stack = stack_NCHW.to(torch.float32)
    for axis, by in zip((-2, -1), shift, strict=True):
        if not by:
            continue
        whole, length = floor(by), stack.shape[axis]
        before, after = max(0, 1 - whole), max(0, 2 + whole)
        edges = (0, 0, before, after) if axis == -2 else (before, after, 0, 0)
        padded = functional.pad(stack, edges, mode="replicate")
        taps = _cubic(by - whole) if smooth else (0.0, 1 - (by - whole), by - whole, 0.0)
        parts = (padded.narrow(axis, before + whole + place - 1, length) * tap for place, tap in enumerate(taps) if tap)
        stack = reduce(add, parts)
    return stack


def _cubic(part: float) -> tuple[float, float, float, float]:
    """What the samples at -1, 0, 1 and 2 count at `part` between 0 and 1 (Keys 1981, a = -0.5: exact on slopes)."""
    a = -0.5

    def near(x: float) -> float:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: float) -> float:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(1 + part), near(part), near(1 - part), far(2 - part)


def _shrinks(stack_NCHW: Tensor, size: Size) -> bool:
    return stack_NCHW.shape[-2] >= size[0] and stack_NCHW.shape[-1] >= size[1]


@cache
def _area(source: int, wanted: int, device: torch.device) -> Tensor:
    """What each of `source` samples counts in each of `wanted` means; rows sum to 1."""
    edges = torch.arange(wanted + 1, dtype=torch.float64) * source / wanted
    samples = torch.arange(source, dtype=torch.float64)
    begins, ends = edges[:-1, None].clamp(min=samples), edges[1:, None].clamp(max=samples + 1)
    return ((ends - begins).clamp(min=0) * wanted / source).to(device, torch.float32)
