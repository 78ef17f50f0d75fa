"""Frames of films: evenly spread, the right ones, in the right colours, however few keyframes there are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from actors.picture.png_sheet import Photo
from actors.training.dataset.frames import spread_frames
from jobs.errors import BadMedia
from tests.films import BITS, BLOCK, Recipe


def number_in(photo: Photo) -> int:
    """The number that a frame carries in its picture."""
    luma = (photo[: 2 * BLOCK, : BITS // 2 * BLOCK] * [0.299, 0.587, 0.114]).sum(-1)
    blocks = luma.reshape(2, BLOCK, BITS // 2, BLOCK).mean(axis=(1, 3)).ravel()
    return sum(1 << bit for bit, level in enumerate(blocks) if level > 128)


def numbers(place: Path, count: int) -> list[int]:
    """Which frames were given, as the pictures themselves say."""
    return [number_in(shown.photo) for shown in spread_frames(str(place), count, 1000)]


@pytest.mark.parametrize(
    ("name", "reel"),
    [
        ("film.mp4", Recipe(frames=240, open_gop=True)),
        ("film.mkv", Recipe(frames=240, gop=1000)),
        ("film.mov", Recipe(frames=240, start=7, gop=48)),
    ],
)
def test_the_middles_of_equal_parts(tmp_path: Path, name: str, reel: Recipe) -> None:
    film = reel.make(tmp_path / name)
    for count in (1, 2, 8):
        wanted = [240 * (2 * n + 1) / (2 * count) for n in range(count)]
        found = numbers(film, count)
        assert np.abs(np.subtract(found, wanted)).max() <= (8 if reel.start else 1.01), (count, found)


def test_a_film_shorter_than_asked_gives_each_frame_once(tmp_path: Path) -> None:
    film = Recipe(frames=7).make(tmp_path / "film.mp4")
    found = numbers(film, 50)
    assert found == sorted(set(found))
    assert len(found) >= 6


def test_far_frames_are_sought(tmp_path: Path) -> None:
    film = Recipe(frames=300, rate=Fraction(10), gop=20).make(tmp_path / "film.mkv")
    assert numbers(film, 3) == [50, 150, 250]


def test_the_colours_are_the_films_own(tmp_path: Path) -> None:
    reel = Recipe(frames=3, codec="ffv1", pix_fmt="yuv444p", matrix="bt709")
    film = reel.make(tmp_path / "film.mkv")
    (shown,) = spread_frames(str(film), 1, 1000)
    expected = reel.frame(2)  # the first at or after the film's middle
    expected.colorspace, expected.color_range = 1, 1
    rgb = expected.reformat(format="rgb24", src_colorspace=1, interpolation="BICUBIC").to_ndarray()
    assert np.abs(shown.photo.astype(int) - rgb).max() <= 2


def test_they_are_made_smaller_and_turned_upright(tmp_path: Path) -> None:
    film = Recipe(frames=3, rotation=90).make(tmp_path / "film.mp4")
    (shown,) = spread_frames(str(film), 1, 56)
    assert shown.photo.shape == (96, 56, 3)


def test_what_is_no_film(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film at all")
    with pytest.raises(BadMedia, match="is not a video"):
        list(spread_frames(str(tmp_path / "film.mp4"), 3, 100))
