"""Sample sheets, pixel for pixel."""

import cv2
import numpy as np

from actors.training.sheets import GUTTER, PAPER, png, sheet_of
from tests.actors.training.albums import photo


def test_pictures_lie_in_rows_and_columns() -> None:
    a, b, c = photo(1, (8, 6)), photo(2, (5, 7)), photo(3, (10, 4))
    sheet = sheet_of([[a, b], [c]])
    assert sheet.shape == (7 + GUTTER + 4, 10 + GUTTER + 5, 3)
    np.testing.assert_array_equal(sheet[:6, :8], a)
    np.testing.assert_array_equal(sheet[:7, 10 + GUTTER :], b)
    np.testing.assert_array_equal(sheet[7 + GUTTER :, :10], c)
    assert (sheet[7 : 7 + GUTTER] == PAPER).all()


def test_png_keeps_every_pixel_and_its_colour() -> None:
    picture = photo(5)
    read = cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    np.testing.assert_array_equal(read[..., ::-1], picture)
