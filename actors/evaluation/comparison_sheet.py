"""Draws a comparison sheet: the grey picture, what each look makes of it, and the truth, one below another."""

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from actors.picture.png_sheet import Photo, photo_of, png, sheet_of

LONG_SIDE = 256
"""Pixels of a picture on the sheet, at most."""
LABEL = 18
"""Height of a row's name, in pixels."""


def cell(rgb_13HW: Tensor) -> Photo:
    """A picture (R'G'B', 0..1) as it stands on the sheet."""
    picture = photo_of(rgb_13HW)
    scale = min(1.0, LONG_SIDE / max(picture.shape[:2]))
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def sheet(rows: Sequence[str], columns: Sequence[Sequence[Photo]]) -> bytes:
    """PNG: one row for each name, one column for each picture: what became of it, in the order of the rows."""
    lines: list[list[Photo]] = []
    for number, name in enumerate(rows):
        lines.append([_label(name, columns[0][number].shape[1])])
        lines.append([column[number] for column in columns])
    return png(sheet_of(lines))


def _label(name: str, width: int) -> Photo:
    strip = np.full((LABEL, width, 3), 255, np.uint8)
    # OpenCV's letters are ASCII.
    text = name.encode("ascii", "replace").decode()
    cv2.putText(strip, text, (4, LABEL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
