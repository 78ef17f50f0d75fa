"""Exports: what a player shows, the same bytes each time, known again by hash."""

import hashlib

import numpy as np

from actors.stills.exporting import export, is_unedited
from actors.stills.reading import read_still
from tests.actors.stills.pictures import made_shot


def test_an_export_is_read_back_as_it_was_and_is_known_until_it_is_edited() -> None:
    (photo,) = made_shot(1, 1)
    data = export(photo)
    assert data == export(photo.copy())
    back = read_still(data, "a.f1.png")
    np.testing.assert_array_equal(back.rgb_HW3, photo.astype(np.uint16) * 257)
    assert (back.tool, back.alpha_HW, back.remarks) == ("film-farm", None, ())
    known = {hashlib.sha256(data).hexdigest()}
    photo[5, 5, 0] ^= 1
    assert is_unedited(data, known)
    assert not is_unedited(export(photo), known)
