"""Sight: that a film which the farm refuses is described all the same, with the reason, and one that cannot be opened is one sentence."""

from fractions import Fraction
from pathlib import Path

import pytest

from actors.survey.describe import inspection
from jobs.errors import BadMedia
from tests.films import Recipe


def test_a_film_that_the_farm_renders_is_surveyed(tmp_path: Path) -> None:
    found = inspection(str(Recipe(frames=12, sound="aac", matrix="bt709").make(tmp_path / "a.mp4")))
    assert found.refused == ""
    assert found.film is not None
    assert found.film.picture.width == found.seen.width == 192
    assert (found.seen.codec, found.seen.sound, found.seen.rate) == ("h264", ("aac",), Fraction(24000, 1001))
    assert (found.seen.colour, found.seen.interlaced) == (found.film.picture.colour, False)


def test_what_the_farm_refuses_is_described(tmp_path: Path) -> None:
    field = {"flags": "+ildct", "field_order": "tt"}
    woven = Recipe(frames=6, codec="prores_ks", pix_fmt="yuv422p10le", options=field).make(tmp_path / "a.mov")
    huge = Recipe(frames=1, codec="png", pix_fmt="gray", size=(8208, 16)).make(tmp_path / "b.mov")
    clear = Recipe(frames=2, codec="png", pix_fmt="rgba").make(tmp_path / "c.mov")
    for path, why in ((woven, "is interlaced; set"), (huge, "is 8208x16; up to"), (clear, "has an alpha channel")):
        found = inspection(str(path))
        assert found.film is None
        assert why in found.refused
        assert found.seen.codec in ("prores", "png")
    assert inspection(str(woven)).seen.interlaced


def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no film")
    with pytest.raises(BadMedia, match=r"a\.mp4 is not a video that the farm reads"):
        inspection(str(tmp_path / "a.mp4"))
