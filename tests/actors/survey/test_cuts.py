"""Cuts found in any ranges are those that one run over the film finds."""

from pathlib import Path

import pytest

from actors.survey.surveyor import Surveyor
from jobs.errors import BadMedia
from jobs.plan.survey_ranges import seen, survey_ranges
from tests.actors.cutting import clip, surveyed
from tests.films import Recipe

CUTS = (11, 18, 26, 34, 40, 41, 42, 54, 66, 73, 81, 82, 83, 96, 110)
"""Among them the first and the last frame of ranges (8n + 3 begins one), and three in a row before such an edge."""


def found(path: Path, target: int) -> list[int]:
    surveyor = Surveyor(str(path))
    film, index = surveyed(path)
    cuts: list[int] = []
    for frames in survey_ranges(index, target):
        see = seen(frames, index)
        cuts += surveyor.cuts(film.picture, index.span(*see), frames, see.start).cuts
    return cuts


@pytest.fixture(scope="module")
def film_of_shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(frames=120, gop=8, open_gop=True, cuts=CUTS)
    return recipe.make(tmp_path_factory.mktemp("shots") / "film.mkv")


def test_plain_cuts_are_found(film_of_shots: Path) -> None:
    # Cuts within two frames of one another average each other away, as in PySceneDetect itself.
    assert {11, 18, 26, 34, 54, 66, 73, 96, 110} <= set(found(film_of_shots, 10**6)) <= set(CUTS)


@pytest.mark.parametrize("target", [1, 5, 8, 16, 30, 64])
def test_cuts_found_in_ranges_are_those_of_one_run(film_of_shots: Path, target: int) -> None:
    assert found(film_of_shots, target) == found(film_of_shots, 10**6)


def test_cuts_of_a_real_film_in_ranges_are_those_of_one_run() -> None:
    path = clip("tears-of-steel.webm")
    cuts = found(path, 10**6)
    assert len(cuts) >= 15
    assert found(path, 60) == cuts
    assert found(path, 500) == cuts


def test_a_higher_threshold_finds_fewer(film_of_shots: Path) -> None:
    surveyor = Surveyor(str(film_of_shots))
    film, index = surveyed(film_of_shots)
    (whole,) = survey_ranges(index, 10**6)
    few = surveyor.cuts(film.picture, index.span(*whole), whole, 0, threshold=50.0)
    assert few.frames == whole
    assert set(few.cuts) < set(found(film_of_shots, 10**6))


def test_a_picture_that_changes_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.ts"
    for name, size in (("a", (192, 112)), ("b", (96, 64))):
        Recipe(b_frames=0, size=size, start=0 if name == "a" else 96).make(tmp_path / f"{name}.ts")
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    with pytest.raises(BadMedia, match="changes its picture from 192x112 to 96x64 at frame 48"):
        found(path, 10**6)


@pytest.mark.parametrize("pix_fmt", ["gray", "gray12le", "yuv422p10le", "yuv444p12le", "yuv420p16le", "yuv411p"])
def test_cuts_are_found_in_every_form_of_pixels(tmp_path: Path, pix_fmt: str) -> None:
    recipe = Recipe(frames=40, codec="ffv1", pix_fmt=pix_fmt, cuts=(12, 25))
    path = recipe.make(tmp_path / "film.mkv")
    assert found(path, 10**6) == found(path, 8) == [12, 25]
