"""Makes contact sheets: many small pictures on one JPEG, each with its caption below it."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from actors.picture.png_sheet import sheet_of
from actors.picture.stills import Photo, jpeg

LONG_SIDE = 400
"""Pixels of a small picture's longer side."""
QUALITY = 88
_STRIP = 22
"""Height of the words below a picture, in pixels."""
_INK = (225, 225, 225)
_PAPER = 24


class Cell(NamedTuple):
    """One picture of a sheet, small, or none where there is none, and the words below it."""

    photo: Photo | None
    words: str


def opened(data: bytes) -> Photo:
    """The picture in a JPEG or PNG of this farm."""
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found[:, :, ::-1], np.uint8)


def small(photo: Photo) -> Photo:
    """The picture as it stands on a sheet and on a page."""
    scale = min(1.0, LONG_SIDE / max(photo.shape[:2]))
    size = [max(1, round(side * scale)) for side in photo.shape[1::-1]]
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def contact_sheet(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """JPEG: the names of the columns above, then one row of pictures below another. At least one cell has a picture."""
    empty = np.full_like(next(cell.photo for row in rows for cell in row if cell.photo is not None), _PAPER)
    width = empty.shape[1]
    lines = [[_strip(name, width) for name in columns]]
    for row in rows:
        lines.append([empty if cell.photo is None else cell.photo for cell in row])
        lines.append([_strip(cell.words, width) for cell in row])
    return jpeg(sheet_of(lines), QUALITY)


def _strip(words: str, width: int) -> Photo:
    strip = np.full((_STRIP, width, 3), _PAPER, np.uint8)
    # OpenCV's letters are ASCII.
    text = words.encode("ascii", "replace").decode()
    cv2.putText(strip, text, (2, _STRIP - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
    return strip
