"""Sample sheets, pixel for pixel."""

import cv2
import numpy as np
import torch

from actors.picture.png_sheet import GUTTER, PAPER, photo_of, png, sheet_of
from tests.actors.training.albums import photo


def test_pictures_lie_in_rows_and_columns() -> None:
    a, b, c = photo(1, (8, 6)), photo(2, (5, 7)), photo(3, (10, 4))
    sheet = sheet_of([[a, b], [c]])
    assert sheet.shape == (7 + GUTTER + 4, 10 + GUTTER + 5, 3)
    np.testing.assert_array_equal(sheet[:6, :8], a)
    np.testing.assert_array_equal(sheet[:7, 10 + GUTTER :], b)
    np.testing.assert_array_equal(sheet[7 + GUTTER :, :10], c)
    assert (sheet[7 : 7 + GUTTER] == PAPER).all()


def test_a_networks_picture_is_clipped_and_rounded() -> None:
    levels = torch.tensor([-0.2, 0.0, 0.5, 1.0, 1.3])
    made = photo_of(torch.stack([levels, 0 * levels, levels.flip(0)])[None, :, None])
    assert made.dtype == np.uint8
    assert made.tolist() == [[[0, 0, 255], [0, 0, 255], [128, 0, 128], [255, 0, 0], [255, 0, 0]]]


def test_png_keeps_every_pixel_and_its_colour() -> None:
    picture = photo(5)
    read = cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    np.testing.assert_array_equal(read[..., ::-1], picture)
