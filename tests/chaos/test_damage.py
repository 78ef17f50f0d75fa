"""Thirty-seven damaged films, of the five hundred of `make chaos`: a refusal in one sentence, or a film of full length; never a traceback, a hang or a crash."""

import random
from pathlib import Path

import pytest

from tests.chaos.damage import FILMS, Patient, damaged


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("films")
    return {name: recipe.make(folder / name).read_bytes() for name, recipe in FILMS.items()}


@pytest.fixture(scope="module")
def patient() -> Patient:
    return Patient()


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        *((sorted(FILMS)[seed % len(FILMS)], seed) for seed in range(36)),
        ("vp8.webm", 247),  # a chunk that cannot be split kept its batch waiting
    ],
)
def test_a_damaged_film_is_refused_or_delivered(
    films: dict[str, bytes], patient: Patient, tmp_path: Path, name: str, seed: int
) -> None:
    kind, data = damaged(films[name], random.Random(seed))
    film = tmp_path / name
    film.write_bytes(data)
    said = patient.tries(film, tmp_path)
    assert said.startswith(("refused: ", "delivered")), f"{name}, {kind}: {said}"
