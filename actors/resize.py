"""Resizing: pictures brought to another size. Promises one answer for a picture, in any batch and at any number of threads; knows no colours.

Down by area (a sample is the mean of what it covers, in fractions of pixels), up bicubic (a = -0.75), edges repeated.
On the processor by OpenCV, plane by plane; elsewhere by torch. Both ways agree to 2e-4 of the range of values (tests),
so a film is rendered on one kind of hardware, as its records say.
"""

from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

# For the whole process, as OpenCV has no other: frames are worked on side by side, and threads within one would only wait.
cv2.setNumThreads(1)

Size = tuple[int, int]
"""Height and width."""


def resized(stack_NCHW: Tensor, size: Size) -> Tensor:
    """The pictures, of any number type, as float32 of `size`: by area where neither side grows, else bicubic."""
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


def _shrinks(stack_NCHW: Tensor, size: Size) -> bool:
    return stack_NCHW.shape[-2] >= size[0] and stack_NCHW.shape[-1] >= size[1]


@cache
def _area(source: int, wanted: int, device: torch.device) -> Tensor:
    """What each of `source` samples counts in each of `wanted` means; rows sum to 1."""
    edges = torch.arange(wanted + 1, dtype=torch.float64) * source / wanted
    samples = torch.arange(source, dtype=torch.float64)
    begins, ends = edges[:-1, None].clamp(min=samples), edges[1:, None].clamp(max=samples + 1)
    return ((ends - begins).clamp(min=0) * wanted / source).to(device, torch.float32)
