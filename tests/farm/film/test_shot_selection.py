"""Shots rendered alone: what is made of them, what is not, and how a choice is read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from farm.film.calls import RenderCall
from farm.film.film_run import FilmRun
from farm.film.review.publisher import published
from farm.film.shot_selection import ALL, shots_chosen, told
from jobs.errors import BadSpec
from jobs.spec.job import JobSpec
from jobs.store import open_store
from tests.farm.film.review.test_page import review_data
from tests.farm.inline import InlineFleet, quiet, rendered, shot_list
from tests.farm.studio import same, spec_of
from tests.films import Recipe


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 10 a second."""
    return Recipe(frames=60, size=(96, 64), rate=Fraction(10), gop=4).make(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def spec(film: Path, tmp_path: Path) -> JobSpec:
    """Four shots of 15 frames."""
    cuts = {"file": str(shot_list(tmp_path / "cuts.csv", 0, 15, 30, 45, frames=60))}
    return spec_of(film, tmp_path, shots=cuts, chunk_seconds=0.8, look={"name": "test-negative"})


def made(spec: JobSpec, said: str = "") -> tuple[FilmRun, list[int]]:
    """The film, and the chunks that were rendered."""
    fleet = InlineFleet()
    found = rendered(spec, fleet, quiet(), shots_chosen(said) if said else ALL)
    asked = (order.chunk for call in fleet.calls(RenderCall) for order in call.orders)
    return found, sorted(asked)


def test_only_these_shots_are_made_and_the_rest_later(spec: JobSpec, film: Path, tmp_path: Path) -> None:
    first, chunks = made(spec, "2,4")
    assert (chunks, first.console.progress.chunks_rendered, first.left_out) == ([3, 4, 7, 8], 4, {1, 2, 5, 6})
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".film-farm"]  # its names are claimed, no more
    key = published(first, None, open_store(spec.output))
    assert key == "film.review/index.html"
    data = review_data(tmp_path / "out/film.review")
    assert data.said == "Shots 2,4 of 4; the film is not whole yet, and not delivered"
    assert [(one.progress, len(one.pieces)) for one in data.shots] == [
        ("waiting", 0),
        ("made", 2),
        ("waiting", 0),
        ("made", 2),
    ]
    # What others have made already is no reason to hold back: these shots are the last that lacked.
    assert made(spec, "1")[1] == [1, 2]
    whole, chunks = made(spec, "3")
    assert (chunks, whole.left_out, whole.report().conforms) == ([5, 6], set(), True)
    rendered(spec.model_copy(update={"store": f"{tmp_path}/b", "output": f"{tmp_path}/b"}))
    same(tmp_path / "out/film.mkv", tmp_path / "b/film.mkv")


def test_a_later_run_makes_the_rest(spec: JobSpec, tmp_path: Path) -> None:
    made(spec, "2-3")
    whole, chunks = made(spec)
    assert (chunks, whole.report().conforms) == ([1, 2, 7, 8], True)
    again, chunks = made(spec, "2")
    assert (chunks, again.report().chunks_rendered) == ([], 0)


def test_shots_that_no_film_has(spec: JobSpec) -> None:
    made(spec, "1")
    fleet = InlineFleet()
    with pytest.raises(BadSpec, match=r"--shots 3-5: the film has shots 1 to 4; see them with `farm plan`\."):
        rendered(spec, fleet, quiet(), shots_chosen("3-5"))
    assert not fleet.verbs()["split"]


@pytest.mark.parametrize("said", ["", "0", "0-3", "a", "1-", "1,,2", "-1", "1 2"])
def test_what_is_no_choice(said: str) -> None:
    with pytest.raises(BadSpec, match="shots are numbers counted from 1, as in 3, 12-18 or 3,5-7"):
        shots_chosen(said)


def test_a_choice_the_wrong_way_round_is_told_the_right_one() -> None:
    with pytest.raises(
        BadSpec, match="--shots 1,7-3: the first shot is not after the last; for shots 3 to 7 write 3-7"
    ):
        shots_chosen("1,7-3")


def test_a_choice_as_it_is_said() -> None:
    chosen = shots_chosen("3, 5-7")
    assert [shot for shot in range(1, 10) if shot in chosen] == [3, 5, 6, 7]
    assert all(shot in ALL for shot in (1, 10**6))
    assert told([7, 1, 2, 3, 9]) == "1-3, 7, 9"
