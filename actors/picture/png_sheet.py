"""Lays pictures out in rows on one sheet, pixel for pixel, and encodes it as PNG."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Photo = NDArray[np.uint8]
"""R'G'B', H W 3."""


GUTTER = 4
"""Pixels between two pictures."""
PAPER = 24
"""The sheet's own grey."""


def sheet_of(rows: Sequence[Sequence[Photo]]) -> Photo:
    """Pictures laid out in rows, the columns as wide as their widest."""
    columns = max(len(row) for row in rows)
    widths = [max(row[n].shape[1] for row in rows if n < len(row)) for n in range(columns)]
    heights = [max(photo.shape[0] for photo in row) for row in rows]
    size = (sum(heights) + GUTTER * (len(rows) - 1), sum(widths) + GUTTER * (columns - 1), 3)
    sheet = np.full(size, PAPER, np.uint8)
    for row, top in zip(rows, _starts(heights), strict=True):
        for photo, left in zip(row, _starts(widths), strict=False):
            sheet[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
    return sheet


def _starts(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:n]) + GUTTER * n for n in range(len(lengths))]


def photo_of(rgb_13HW: Tensor) -> Photo:
    """A network's picture, clipped to 0..1, as it is laid out."""
    return (rgb_13HW[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def png(photo: Photo) -> bytes:
    """A picture as a PNG file."""
    done, data = cv2.imencode(".png", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
    assert done
    return bytes(data.tobytes())
