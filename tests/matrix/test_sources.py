"""Every film of the matrix goes in and comes out: every plane, every time stamp, every tag, across several seams."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.farm.inline import rendered
from tests.farm.studio import spec_of
from tests.films import H273, Recipe
from tests.matrix.proof import in_milliseconds, shown
from tests.matrix.table import MATRIX

OWN = {"libvpx": (5, 5, 6), "mjpeg": (5, 5, 6), "utvideo": (5, 5, 6), "dnxhd": (1, 1, 1)}
"""Codecs whose decoders know their colours without a tag: matrix, and what goes with it."""


@pytest.mark.parametrize("name", MATRIX)
def test_a_film_comes_back(tmp_path: Path, name: str) -> None:
    recipe = MATRIX[name]
    source = recipe.make(tmp_path / name)
    seconds = max(0.2, float(recipe.frames / recipe.rate / 4))
    master, proxy = _deliverables(recipe, name)
    report = rendered(spec_of(source, tmp_path, chunk_seconds=seconds, deliverables=[master, proxy])).report()
    assert report.conforms, [one.findings for one in report.deliverables]
    assert report.seams >= 1

    film, made = shown(source), shown(tmp_path / f"out/film.{master['container']}")
    # What a plain decoder shows of the source is what went in, so it can judge what comes out.
    assert film.numbers == list(range(recipe.hidden, recipe.frames))
    assert made.pictures == film.pictures
    if master["container"] == "mkv":
        assert made.times == in_milliseconds(film.times)
    assert (made.rotation, made.aspect) == (recipe.rotation, recipe.aspect)
    assert made.colour == _colour(recipe)
    if recipe.times is None:
        assert made.rate == pytest.approx(recipe.rate)
    _keeps_times(recipe, film.times, shown(tmp_path / f"out/proxy.{proxy['container']}").times)


def _deliverables(recipe: Recipe, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A lossless one for the pictures, and one in a container that counts ticks for the times."""
    master = {"name": "film", "codec": "ffv1", "container": "mkv"}
    proxy = {"name": "proxy", "codec": "h264", "container": "mov" if name.endswith("mov") else "mp4"}
    return master, {**proxy, "preset": "ultrafast"}


def _colour(recipe: Recipe) -> tuple[int, int, int, int]:
    """The tags of a deliverable: those of the source, else what a picture of its size is taken for."""
    full = 2 if recipe.full or recipe.pix_fmt.startswith("yuvj") else 1
    if recipe.codec in OWN and not recipe.matrix:
        return (*OWN[recipe.codec], full)
    return (*H273[recipe.matrix or ("bt709" if recipe.size[1] >= 720 else "bt601")], full)


def _keeps_times(recipe: Recipe, source: list[Fraction], made: list[Fraction]) -> None:
    origin = min(source[0], Fraction(0))
    if recipe.times is None:
        assert [one - made[0] for one in made] == [number / recipe.rate for number in range(len(source))]
        assert made[0] == source[0] - origin
    else:
        assert made == [one - origin for one in source]
