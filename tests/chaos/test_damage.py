"""Thirty-seven damaged films, of the five hundred of `make chaos`: a refusal in one sentence, or a film of full length; never a traceback, a hang or a crash."""

import random
from pathlib import Path

import pytest

from tests.chaos.damage import FILMS, Patient, Whole


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Whole]:
    folder = tmp_path_factory.mktemp("films")
    return {name: Whole.of(recipe.make(folder / name)) for name, recipe in FILMS.items()}


@pytest.fixture(scope="module")
def patient() -> Patient:
    return Patient()


@pytest.mark.parametrize(("name", "seed"), [(sorted(FILMS)[seed % len(FILMS)], seed) for seed in range(40)])
def test_a_damaged_film_is_refused_or_delivered_whole(
    films: dict[str, Whole], patient: Patient, tmp_path: Path, name: str, seed: int
) -> None:
    kind, data = films[name].damaged(random.Random(seed))
    film = tmp_path / name
    film.write_bytes(data)
    said = patient.tries(film, tmp_path, films[name])
    assert said.startswith(("refused: ", "delivered")), f"{name}, {kind}: {said}"
