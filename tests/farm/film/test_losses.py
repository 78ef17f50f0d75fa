"""A worker lost at any moment, and damage between two runs: the film ends the same, or one sentence says what to do."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import BadMedia, BadSpec, FilmFailed
from tests.farm.inline import InlineFleet, rendered, shot_list
from tests.farm.studio import same, spec_of
from tests.films import Recipe


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Recipe(frames=60, cuts=(24,), sound="aac").make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.mark.parametrize("after", [1, 2])
@pytest.mark.parametrize("verb", ["film", "pages", "cuts", "decide", "split", "render", "finish"])
def test_a_worker_lost_between_its_finding_and_its_end_changes_nothing(
    film: Path, tmp_path: Path, verb: str, after: int
) -> None:
    made = rendered(spec_of(film, tmp_path, chunk_seconds=0.6), InlineFleet({verb: after}))
    report = made.report()
    assert (report.conforms, report.frames, report.chunks_rendered) == (True, 60, report.chunks)
    same(tmp_path / "out/film.mkv", film)


def test_two_chunks_that_read_the_same_frames_are_both_rendered(film: Path, tmp_path: Path) -> None:
    look = {"name": "test-window", "settings": {"radius": 5, "declared": 16}}
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", *range(0, 60, 20), frames=60))}
    report = rendered(spec_of(film, tmp_path, look=look, shots=cuts, chunk_seconds=0.5)).report()
    assert (report.chunks, report.seams, report.conforms) == (6, 3, True)


def test_a_chunk_that_vanished_is_split_again(film: Path, tmp_path: Path) -> None:
    spec = spec_of(film, tmp_path)
    rendered(spec)
    shutil.rmtree(tmp_path / "store/film/chunks")
    changed = spec_of(film, tmp_path, look={"name": "test-negative"})
    assert rendered(changed).report().conforms


@pytest.mark.parametrize(
    ("override", "words"),
    [({"shots": "9"}, "the film has shots 1 to 2"), ({"frames": [60, 90]}, "the film has frames 0 to 59")],
)
def test_an_override_of_what_the_film_does_not_have_is_refused(
    film: Path, tmp_path: Path, override: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadSpec, match=words):
        rendered(spec_of(film, tmp_path, overrides=[{**override, "look": {"name": "test-negative"}}]))


@pytest.mark.parametrize("name", ["film.mkv", "film.avi", "film.mp4"])
def test_a_truncated_source_is_refused_and_never_delivered_short(tmp_path: Path, name: str) -> None:
    codec = {"film.avi": "mpeg4"}.get(name, "libx264")
    whole = Recipe(frames=120, codec=codec, b_frames=0).make(tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(BadMedia, match="truncated"):
        rendered(spec_of(tmp_path / name, tmp_path))
    assert not list((tmp_path / "out").rglob("*"))  # its claims are given back


@pytest.mark.parametrize("how", ["few", "many"])
def test_a_look_that_miscounts_leaves_nothing_behind(film: Path, tmp_path: Path, how: str) -> None:
    with pytest.raises(FilmFailed, match="one picture for each frame"):
        rendered(spec_of(film, tmp_path, look={"name": "test-broken", "settings": {"how": how}}))
    assert not (tmp_path / "store/film/media").exists()
